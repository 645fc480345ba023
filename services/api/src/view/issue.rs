//! An issue.

use bugle_model::{IssueId, IssueStatus, Level, Priority, ProjectId, TeamId, UserId};
use bugle_store::issues::{IgnoreUntil, Issue, Resolution};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// An issue in the API.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Issue")]
pub(crate) struct IssueView {
    id: IssueId,
    short_id: String,
    project: ProjectId,
    project_name: String,
    title: String,
    culprit: Option<String>,
    error_type: Option<String>,
    platform: String,
    level: Level,
    priority: Priority,
    status: IssueStatus,
    count: i64,
    users: i32,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    first_release: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    /// What resolves it, when it is not simply resolved. One that is not resolved waits for the commit.
    resolved_in: Option<Resolution>,
    assigned_to: Option<String>,
    /// The account that this is.
    assigned_user: Option<UserId>,
    /// The team that this is; its name has a `#` in front.
    assigned_team: Option<TeamId>,
    /// What it is ignored until; null is for ever, and when it is not ignored.
    ignore_until: Option<IgnoreUntil>,
    regressions: i32,
    /// The newest releases that it was seen in; only where one issue is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<Vec<String>>,
    /// Events of each of the last 24 hours; only where a list asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sparkline: Option<Vec<i64>>,
    /// Whether whoever asks has bookmarked it; not told to tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmarked: Option<bool>,
}

impl From<Issue> for IssueView {
    fn from(issue: Issue) -> Self {
        Self {
            id: issue.id,
            short_id: issue.short_id(),
            project: issue.project,
            project_name: issue.project_name,
            title: issue.title,
            culprit: issue.culprit,
            error_type: issue.error_type,
            platform: issue.platform,
            level: issue.level,
            priority: issue.priority,
            status: issue.status,
            count: issue.count,
            users: issue.users,
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            first_release: issue.first_release,
            resolved_at: issue.resolved_at,
            resolved_in: issue.resolved_in,
            assigned_to: issue.assigned_to,
            assigned_user: issue.assigned_user,
            assigned_team: issue.assigned_team,
            ignore_until: issue.ignore_until,
            regressions: issue.generation,
            releases: None,
            sparkline: None,
            bookmarked: None,
        }
    }
}

impl IssueView {
    /// The same with its events of each of the last 24 hours.
    pub(crate) fn with_sparkline(mut self, sparkline: Option<Vec<i64>>) -> Self {
        self.sparkline = sparkline;
        self
    }

    /// The same with whether the caller has bookmarked it.
    pub(crate) fn with_bookmark(mut self, bookmarked: Option<bool>) -> Self {
        self.bookmarked = bookmarked;
        self
    }

    /// The same with its releases.
    pub(crate) fn with_releases(mut self, releases: Vec<String>) -> Self {
        self.releases = Some(releases);
        self
    }
}
