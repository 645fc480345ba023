//! Which issues a list has.

use crate::{Connection, Scope, StoreError, projects};
use bugle_model::{IssueStatus, Level, Priority, ProjectId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Which issues. The default is none, by its scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Only of these projects.
    pub scope: Scope,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only with one of these; `None` means any.
    pub statuses: Option<Vec<IssueStatus>>,
    /// Only with one of these; `None` means any.
    pub levels: Option<Vec<Level>>,
    /// Only with one of these; `None` means any.
    pub priorities: Option<Vec<Priority>>,
    /// Only with each of these words or phrases in title, culprit, type, message or frames, without regard to case; the
    /// last word of each is found by its beginning.
    pub texts: Vec<String>,
    /// Only assigned ones, or only those that are nobody's.
    pub is_assigned: Option<bool>,
    /// Only assigned as each of these says.
    pub assignees: Vec<AssigneeFilter>,
    /// Only those that somebody has bookmarked, or has not.
    pub bookmarked: Option<(UserId, bool)>,
    /// Only with an event that has (or without any that has) each of these tags.
    pub tags: Vec<TagFilter>,
    /// Only with a user (or without any) who has each of these.
    pub people: Vec<PersonFilter>,
    /// Only with an event of this trace.
    pub trace: Option<Uuid>,
    /// How many events it has.
    pub events: Range<i64>,
    /// How many users were affected.
    pub users: Range<i64>,
    /// When it was first seen.
    pub first_seen: Range<DateTime<Utc>>,
    /// The minute of its last event.
    pub last_seen: Range<DateTime<Utc>>,
}

/// Whom an issue is assigned to: any of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssigneeFilter {
    /// One of these names.
    pub names: Vec<String>,
    /// This account.
    pub user: Option<UserId>,
    /// Nobody at all.
    pub nobody: bool,
    /// Turned round: none of them.
    pub negated: bool,
}

/// A tag that some event of the issue has: also its release and its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    /// The tag's name.
    pub key: String,
    /// Any of these values, in which `*` stands for anything; empty is any value.
    pub values: Vec<String>,
    /// Turned round: no event has it.
    pub negated: bool,
}

/// A user that some event of the issue happened to, among the first of the issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFilter {
    /// Any of these, as [`bugle_model::UserKey::hash`] makes them.
    pub keys: Vec<i64>,
    /// Turned round: nobody of them.
    pub negated: bool,
}

/// A span of values, both ends included; an end that is `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range<T> {
    /// The least.
    pub from: Option<T>,
    /// The greatest.
    pub to: Option<T>,
}

/// A value that has neighbours.
pub trait Neighbours: Copy + Ord {
    /// The value before.
    #[must_use]
    fn before(self) -> Self;
    /// The value after.
    #[must_use]
    fn after(self) -> Self;
}

impl Neighbours for i64 {
    fn before(self) -> Self {
        self.saturating_sub(1)
    }

    fn after(self) -> Self {
        self.saturating_add(1)
    }
}

/// To the microsecond, which is what PostgreSQL keeps.
impl Neighbours for DateTime<Utc> {
    fn before(self) -> Self {
        self.checked_sub_signed(TimeDelta::microseconds(1)).unwrap_or(self)
    }

    fn after(self) -> Self {
        self.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(self)
    }
}

impl<T: Neighbours> Range<T> {
    /// Narrows it to what is `>`, `>=`, `<`, `<=` or, with any other sign, equal to `value`.
    pub fn narrow(&mut self, sign: &str, value: T) {
        let (from, to) = match sign {
            ">" => (Some(value.after()), None),
            ">=" => (Some(value), None),
            "<" => (None, Some(value.before())),
            "<=" => (None, Some(value)),
            _ => (Some(value), Some(value)),
        };
        self.from = self.from.max(from);
        self.to = match (self.to, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The projects that are meant; `None` is all there are.
pub(super) async fn projects(
    connection: &mut Connection,
    filter: &Filter,
) -> Result<Option<Vec<i32>>, StoreError> {
    if filter.scope.bind().is_none() && filter.project.is_none() {
        return Ok(None);
    }
    projects::within(connection, &filter.scope, filter.project).await.map(Some)
}
