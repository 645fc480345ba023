//! What lists of issues are asked for: `project`, `status` and `query`, as several endpoints take them.

use super::named;
use super::stats::PROJECT;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::query::Assignees;
use crate::{ApiError, query};
use bugle_model::{IssueStatus, UserId};
use bugle_store::issues::{self, AssigneeFilter, Filter, Sort};
use bugle_store::{Connection, Scope};
use bugle_web::{FieldError, Params, Problem};
use chrono::{DateTime, Utc};

/// The parameters that choose issues.
pub(super) const CHOOSE: [Parameter; 3] = [
    PROJECT,
    parameter::<IssueStatus>("status", "Only those that stand so."),
    parameter::<String>("query", "What to search for; see docs/api.md."),
];

/// The order of a list.
pub(super) const SORT: Parameter = parameter::<Sort>("sort", "What is the greatest of the first ones.");

/// Takes the order; a mistake is noted there.
pub(super) fn sort(params: &mut Params) -> Sort {
    let names = "last_seen, first_seen, events, users or priority";
    params.optional("sort", names, |text| text.parse().ok()).unwrap_or_default()
}

/// What was asked for, before the database was.
pub(super) struct Asked {
    pub(super) project: Option<String>,
    pub(super) status: Option<IssueStatus>,
    pub(super) query: query::Query,
}

impl Asked {
    /// Takes the parameters; mistakes are noted there.
    pub(super) fn take(params: &mut Params, now: DateTime<Utc>) -> Self {
        let project = params.text("project");
        let status = params.optional("status", "unresolved, resolved or ignored", |text| text.parse().ok());
        let text = params.text("query").unwrap_or_default();
        let query = query::parse(&text, now).unwrap_or_else(|errors| {
            complain(params, errors);
            query::Query::default()
        });
        Self { project, status, query }
    }

    /// The filter, within what the caller sees; `None` when nothing can be what was asked for.
    pub(super) async fn filter(
        self,
        connection: &mut Connection,
        principal: &Principal,
    ) -> Result<Option<Filter>, ApiError> {
        let Self { project, status, query } = self;
        let project = match project {
            Some(named) => Some(named::project_parameter(connection, principal, &named).await?.id),
            None => None,
        };
        let scope = principal.scope();
        refuse_unknown_tags(connection, &scope, &query).await?;
        let assignees = [(&query.assigned_to, false), (&query.not_assigned_to, true)].into_iter();
        let assignees =
            assignees.filter_map(|(asked, negated)| assignee(principal, asked, negated)).collect();
        // A token has no bookmarks.
        let bookmarked = query.bookmarked.one().map(|yes| (principal.user_id().unwrap_or(UserId(0)), yes));
        let Some(filter) = query.into_filter() else { return Ok(None) };
        let statuses = both(status, filter.statuses);
        if statuses.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        Ok(Some(Filter { scope, project, statuses, assignees, bookmarked, ..filter }))
    }
}

/// Notes what is wrong with a query, each with its place.
pub(super) fn complain(params: &mut Params, errors: Vec<query::QueryError>) {
    for error in errors {
        params.complain_at("query", error.message, error.position);
    }
}

/// A tag that no event has is most often a typo. Those of others must not be told from it: what they call their tags is theirs.
async fn refuse_unknown_tags(
    connection: &mut Connection,
    scope: &Scope,
    query: &query::Query,
) -> Result<(), ApiError> {
    let keys: Vec<&str> = query.tags.iter().map(|tag| tag.key.as_str()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let known = issues::known_tags(connection, scope, &keys).await?;
    // What every event may have is no typo, whether one has had it or not.
    let always = ["release", "environment", "trace", "user", "transaction"];
    let unknown = query
        .tags
        .iter()
        .zip(&query.tag_places)
        .filter(|(tag, _)| !known.contains(&tag.key) && !always.contains(&tag.key.as_str()));
    let errors: Vec<_> = unknown
        .map(|(tag, position)| FieldError {
            position: Some(*position),
            ..FieldError::new(
                "query",
                format!("no event has a tag `{}`; quote it to search for the text", tag.key),
            )
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors).into()) }
}

/// Whom issues are assigned to, when that was asked; `me` is the account of who asks, and of a token its name.
fn assignee(principal: &Principal, asked: &Assignees, negated: bool) -> Option<AssigneeFilter> {
    if *asked == Assignees::default() {
        return None;
    }
    let Assignees { mut names, me, nobody } = asked.clone();
    let user = principal.user_id().filter(|_| me);
    if me && user.is_none() {
        names.push(principal.actor.name.clone());
    }
    Some(AssigneeFilter { names, user, nobody, negated })
}

/// What `status` and the query's `is:` leave together: nothing when nothing can be both, `None` when neither was asked.
fn both(status: Option<IssueStatus>, asked: Option<Vec<IssueStatus>>) -> Option<Vec<IssueStatus>> {
    match (status, asked) {
        (Some(status), Some(asked)) => Some(asked.into_iter().filter(|one| *one == status).collect()),
        (status, asked) => asked.or(status.map(|status| vec![status])),
    }
}
