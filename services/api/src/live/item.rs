//! One change, as readers are told it.

use bugle_model::{
    IssueId, IssueStatus, Level, NotificationId, NotificationState, Priority, ProjectId, TeamId,
};
use bugle_store::live::{Happened, Issue, Removed, Told};
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A change, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) team: Option<TeamId>,
    /// What the latest change of it says alone: earlier ones need not be told any more.
    pub(super) subject: Option<Subject>,
    /// As JSON.
    pub(super) text: ByteString,
}

/// What has a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The counts of an issue.
    Counts(IssueId),
    Notification(NotificationId),
}

/// The forms of a change. `kind` tells them apart; clients ignore kinds and fields that they do not know.
#[derive(Debug, Serialize)]
#[serde(tag = "kind")]
enum Form<'a> {
    /// A new issue.
    #[serde(rename = "issue.opened")]
    Opened {
        project: ProjectId,
        issue: IssueId,
        short_id: &'a str,
        title: &'a str,
        level: Option<Level>,
        priority: Option<Priority>,
        count: i64,
        users: i32,
        last_seen: DateTime<Utc>,
    },
    /// More events of an issue.
    #[serde(rename = "issue.seen")]
    Seen {
        project: ProjectId,
        issue: IssueId,
        short_id: &'a str,
        count: i64,
        users: i32,
        last_seen: DateTime<Utc>,
    },
    /// Something in an issue's activity.
    #[serde(rename = "issue.changed")]
    Changed {
        project: ProjectId,
        issue: IssueId,
        short_id: &'a str,
        what: &'a str,
        actor: Option<&'a str>,
        status: Option<IssueStatus>,
        priority: Option<Priority>,
        assigned_to: Option<&'a str>,
    },
    /// Issues that are gone.
    #[serde(rename = "issues.deleted")]
    Deleted { short_ids: &'a [String] },
    /// A new notification, or one that is in another state.
    #[serde(rename = "notification.changed")]
    Notification {
        project: ProjectId,
        notification: NotificationId,
        issue: Option<IssueId>,
        state: Option<NotificationState>,
    },
}

impl Item {
    fn of(team: Option<TeamId>, form: &Form<'_>) -> Self {
        // Texts and numbers always become JSON.
        Self { team, subject: None, text: serde_json::to_string(form).unwrap_or_default().into() }
    }

    fn replacing(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    pub(super) fn opened(issue: &Issue) -> Self {
        Self::of(
            issue.team,
            &Form::Opened {
                project: issue.project,
                issue: issue.id,
                short_id: &issue.short_id,
                title: &issue.title,
                level: issue.level(),
                priority: issue.priority(),
                count: issue.count,
                users: issue.users,
                last_seen: issue.last_seen,
            },
        )
    }

    pub(super) fn seen(issue: &Issue) -> Self {
        Self::of(
            issue.team,
            &Form::Seen {
                project: issue.project,
                issue: issue.id,
                short_id: &issue.short_id,
                count: issue.count,
                users: issue.users,
                last_seen: issue.last_seen,
            },
        )
        .replacing(Subject::Counts(issue.id))
    }

    pub(super) fn changed(happened: &Happened) -> Self {
        Self::of(
            happened.team,
            &Form::Changed {
                project: happened.project,
                issue: happened.issue,
                short_id: &happened.short_id,
                what: &happened.kind,
                actor: happened.actor.as_deref(),
                status: IssueStatus::from_code(happened.status),
                priority: Priority::from_code(happened.priority),
                assigned_to: happened.assigned_to.as_deref(),
            },
        )
    }

    pub(super) fn deleted(removed: &Removed) -> Self {
        Self::of(removed.team, &Form::Deleted { short_ids: &removed.short_ids })
    }

    pub(super) fn notification(told: &Told) -> Self {
        Self::of(
            told.team,
            &Form::Notification {
                project: told.project,
                notification: told.id,
                issue: told.issue,
                state: NotificationState::from_code(told.state),
            },
        )
        .replacing(Subject::Notification(told.id))
    }
}
