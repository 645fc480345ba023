//! `POST /api/v1/issues/bulk`: one change to many issues, named by `ids`, or by `query` and `project`. At most 1,000 a call; the changes
//! are `PATCH`'s, or `merge`, or `delete`.

use super::assignee::Given;
use super::issue_change::{Body as Change, given, kept};
use super::issue_search::Asked;
use super::{conflicts, issue_delete, issue_merge};
use crate::access::Principal;
use crate::{ApiError, State, query};
use actix_web::web::{Data, Json};
use bugle_model::{IssueId, IssueStatus, Priority, ProjectId, TeamId};
use bugle_store::audit::{self, Target};
use bugle_store::issues::{self, IgnoreUntil, Issue, IssueChange, Resolution};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Issues of one call.
const MOST: usize = 1_000;
/// Issues of one transaction: a recorder waits for as many at most.
const CHUNK: usize = 100;
/// Issues that an entry of the audit log tells more of than their short ids.
const KEPT: usize = 100;

/// Which issues, and what becomes of them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// These issues, 1,000 at most; those that the caller may not change are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<IssueId>>,
    /// Those that a search finds, the most recently active first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// Only those of this project, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// Where they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<IssueStatus>,
    /// With the status `resolved`: what resolves them, when they are not simply resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_in: Option<Resolution>,
    /// With the status `ignored`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore_until: Option<IgnoreUntil>,
    /// The priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    /// Who deals with them; `null` is nobody.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    assigned_to: Option<Option<Given>>,
    /// Merges them into the oldest.
    #[serde(default, skip_serializing_if = "is_false")]
    merge: bool,
    /// Removes them.
    #[serde(default, skip_serializing_if = "is_false")]
    delete: bool,
    /// With `delete`: filters events like theirs from then on.
    #[serde(default, skip_serializing_if = "is_false")]
    discard: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What has become of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkChange")]
pub(super) struct Answer {
    /// How many issues were found, 1,000 at most.
    matched: usize,
    /// How many of them are different now; of a merge, how many became part of another one.
    changed: usize,
    /// There are more than were looked at: ask again.
    more: bool,
}

/// What is to be done.
enum Act {
    Change(Change),
    Merge,
    Delete { discard: bool },
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Answer>, ApiError> {
    let now = state.clock.now();
    let act = act(&body, now)?;
    let mut connection = state.store.conn().await?;
    let (mut found, more) = find(&mut connection, &principal, &body, now).await?;
    // Recorders lock in this order.
    found.sort_unstable_by_key(|issue| issue.id);
    let entries = entries(&principal, (&body, &act), &found)?;
    let matched = found.len();
    let changed = match act {
        _ if found.is_empty() => 0,
        Act::Merge => merge(&mut connection, &principal, &found, now).await?,
        act => {
            // Before anything is different: what is refused has changed nothing.
            let changes = changes(&mut connection, &principal, &act, &found).await?;
            let mut changed = 0;
            for (number, chunk) in found.chunks(CHUNK).enumerate() {
                // Part of the first transaction: whatever happens later was announced.
                let entries = if number == 0 { entries.as_slice() } else { &[] };
                changed += apply(&mut connection, &principal, &act, &changes, (chunk, entries), now).await?;
            }
            if matches!(act, Act::Delete { .. }) {
                issue_merge::follow(&mut connection, now).await;
            }
            changed
        }
    };
    Ok(Json(Answer { matched, changed, more }))
}

fn act(body: &Body, now: DateTime<Utc>) -> Result<Act, ApiError> {
    let refused = |field: &str, message: &str| Err(Problem::invalid_field(field, message).into());
    let Body { status, resolved_in, ignore_until, priority, assigned_to, .. } = body;
    let until = resolved_in.is_some() || ignore_until.is_some();
    let changes = status.is_some() || until || priority.is_some() || assigned_to.is_some();
    if body.discard && !body.delete {
        return refused("discard", "goes with `delete` only");
    }
    match (changes, body.merge, body.delete) {
        (true, false, false) => {
            let change = Change {
                status: *status,
                resolved_in: resolved_in.clone(),
                ignore_until: *ignore_until,
                priority: *priority,
                assigned_to: assigned_to.clone(),
            };
            Ok(Act::Change(change.checked(now)?))
        }
        (false, true, false) => Ok(Act::Merge),
        (false, false, true) => Ok(Act::Delete { discard: body.discard }),
        (false, false, false) => refused("status", "say what is to be different, or `merge`, or `delete`"),
        (_, true, _) => refused("merge", "goes with no other change"),
        _ => refused("delete", "goes with no other change"),
    }
}

/// The issues that the caller may change, and whether there are more.
async fn find(
    connection: &mut Connection,
    principal: &Principal,
    body: &Body,
    now: DateTime<Utc>,
) -> Result<(Vec<Issue>, bool), ApiError> {
    match (&body.ids, &body.query, &body.project) {
        (Some(ids), None, None) if ids.len() <= MOST => {
            Ok((issues::get_many(connection, &principal.scope(), ids).await?, false))
        }
        (Some(_), None, None) => {
            Err(Problem::invalid_field("ids", format!("at most {MOST} at a time")).into())
        }
        (Some(_), ..) => Err(Problem::invalid_field("ids", "goes without `query` and `project`").into()),
        (None, None, None) => Err(Problem::invalid_field("ids", "say which issues").into()),
        (None, query, project) => {
            let query = query::parse(query.as_deref().unwrap_or_default(), now).map_err(mistakes)?;
            let asked = Asked { project: project.clone(), status: None, query };
            let Some(filter) = asked.filter(connection, principal).await? else {
                return Ok((Vec::new(), false));
            };
            let mut found =
                issues::list(connection, &filter, None, MOST + 1).await.map_err(ApiError::of_search)?;
            let more = found.len() > MOST;
            found.truncate(MOST);
            Ok((found, more))
        }
    }
}

fn mistakes(errors: Vec<query::QueryError>) -> Problem {
    let fields = errors.into_iter().map(|error| FieldError {
        position: Some(error.position),
        ..FieldError::new("query", error.message)
    });
    Problem::invalid(fields.collect())
}

/// What a change is in each project: who is meant depends on who sees the issue, which releases there are on the project.
async fn changes(
    connection: &mut Connection,
    principal: &Principal,
    act: &Act,
    found: &[Issue],
) -> Result<BTreeMap<ProjectId, IssueChange>, ApiError> {
    let mut by_project = BTreeMap::new();
    let Act::Change(change) = act else { return Ok(by_project) };
    for issue in found {
        if let Entry::Vacant(new) = by_project.entry(issue.project) {
            new.insert(change.change(connection, principal, issue).await?);
        }
    }
    Ok(by_project)
}

/// One transaction; how many are different.
async fn apply(
    connection: &mut Connection,
    principal: &Principal,
    act: &Act,
    changes: &BTreeMap<ProjectId, IssueChange>,
    (chunk, entries): (&[Issue], &[audit::Entry]),
    now: DateTime<Utc>,
) -> Result<usize, ApiError> {
    conflicts::retried(async || {
        connection
            .transaction(async |connection| {
                for entry in entries {
                    audit::add(connection, entry, now).await?;
                }
                let mut changed = 0;
                for issue in chunk {
                    let different = match act {
                        Act::Change(_) => match changes.get(&issue.project) {
                            Some(change) => one(connection, principal, issue, change, now).await?,
                            None => false,
                        },
                        Act::Delete { discard } => {
                            issue_delete::remove(connection, principal, issue.id, *discard, now)
                                .await?
                                .is_some()
                        }
                        Act::Merge => false,
                    };
                    changed += usize::from(different);
                }
                Ok(changed)
            })
            .await
    })
    .await
}

/// Whether it is different now.
async fn one(
    connection: &mut Connection,
    principal: &Principal,
    issue: &Issue,
    change: &IssueChange,
    now: DateTime<Utc>,
) -> Result<bool, ApiError> {
    let actor = &principal.actor.name;
    let changed = issues::change(connection, &principal.scope(), issue.id, change, actor, now).await?;
    Ok(changed.is_some_and(|changed| kept(&changed) != kept(issue)))
}

/// Into the one that was seen first. The merge makes its own entry in the audit log.
async fn merge(
    connection: &mut Connection,
    principal: &Principal,
    found: &[Issue],
    now: DateTime<Utc>,
) -> Result<usize, ApiError> {
    let Some(oldest) = found.iter().min_by_key(|issue| (issue.first_seen, issue.id)) else { return Ok(0) };
    let others: Vec<IssueId> = found.iter().map(|issue| issue.id).filter(|id| *id != oldest.id).collect();
    if !others.is_empty() {
        issue_merge::into(connection, principal, oldest, &others, now).await?;
    }
    Ok(others.len())
}

/// What was asked for, and for which issues: an entry for each team, whose managers read it.
fn entries(
    principal: &Principal,
    (body, act): (&Body, &Act),
    found: &[Issue],
) -> Result<Vec<audit::Entry>, ApiError> {
    let mut asked = serde_json::to_value(body).map_err(|error| Problem::internal(&error))?;
    let mut by_team: BTreeMap<Option<TeamId>, Vec<&Issue>> = BTreeMap::new();
    for issue in found {
        by_team.entry(issue.team).or_default().push(issue);
    }
    let entries = by_team.into_iter().map(|(team, issues)| {
        let short_ids: Vec<_> = issues.iter().map(|issue| issue.short_id()).collect();
        let target = Target::new("issues", short_ids.len(), body.query.as_deref().unwrap_or_default());
        if let Some(fields) = asked.as_object_mut() {
            fields.remove("ids");
            fields.insert("issues".to_owned(), json!(short_ids));
        }
        let before = json!({ "issues": before(act, &issues) });
        principal.changed("issue.bulk_updated", target, team, Some(before), Some(asked.clone()))
    });
    Ok(entries.collect())
}

/// The first of them as they were; of those that go, what they were called.
fn before(act: &Act, issues: &[&Issue]) -> Vec<Value> {
    let one = |issue: &&Issue| {
        let mut fields = match act {
            Act::Delete { .. } => json!({ "title": issue.title }),
            Act::Change(_) | Act::Merge => kept(issue),
        };
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("id".to_owned(), json!(issue.id));
            fields.insert("short_id".to_owned(), json!(issue.short_id()));
        }
        fields
    };
    issues.iter().take(KEPT).map(one).collect()
}
