//! How an issue is resolved: at once, or by a release or a commit.

use crate::activity::{self, NewActivity};
use crate::releases::is_older;
use crate::{Connection, Scope, StoreError, locks, outbox, statement};
use bugle_model::{IssueId, IssueStatus, ProjectId, ShortId, Signal};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What resolves an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It is resolved from now on, wherever the project's newest release or a newer one runs.
    Now,
    /// The release after the newest one: only events of a newer release bring it back.
    Next,
    /// This release: only its events and those of newer ones bring it back.
    Release(String),
    /// The first release that has the commit with this id, or with an id that begins so: 7 to 64 hexadecimal digits.
    /// Until a release has it, the issue stays open.
    Commit(String),
}

/// `issues.resolution`.
const NOW: i16 = 0;
const NEXT: i16 = 1;
const RELEASE: i16 = 2;

impl Resolution {
    /// What the columns of an issue say; nothing for one that is simply resolved, or not at all.
    pub(super) fn read(code: i16, release: Option<String>, commit: Option<String>) -> Option<Self> {
        match (commit, code) {
            (Some(commit), _) => Some(Self::Commit(commit)),
            (None, NEXT) => Some(Self::Next),
            (None, RELEASE) => release.map(Self::Release),
            (None, _) => None,
        }
    }
}

/// Whether an event brings an issue back that was resolved before it was received. `resolution` is
/// `issues.resolution`, `resolved` the release that goes with it, `event` the event's release; each with its number.
pub(crate) fn reopens(resolution: i16, resolved: Option<(&str, i32)>, event: Option<(&str, i32)>) -> bool {
    match (resolution, resolved, event) {
        // Which release it comes from cannot be told: the resolution stands.
        (NEXT | RELEASE, _, None) => false,
        (NEXT, Some(resolved), Some(event)) => is_older(resolved, event),
        (_, Some(resolved), Some(event)) => !is_older(event, resolved),
        _ => true,
    }
}

/// What [`resolve`] has changed.
#[derive(QueryableByName)]
pub(super) struct Resolved {
    #[diesel(sql_type = Integer)]
    pub project_id: i32,
    #[diesel(sql_type = SmallInt)]
    status_before: i16,
    #[diesel(sql_type = SmallInt)]
    status: i16,
    /// Another commit that it was to be resolved by, and waits for no longer.
    #[diesel(sql_type = Nullable<Text>)]
    waited_for: Option<String>,
}

impl Resolved {
    pub fn activity(&self, issue: IssueId, resolution: &Resolution) -> NewActivity {
        gave_up(happened(issue, self.status_before, self.status, resolution), self.waited_for.as_deref())
    }
}

fn happened(issue: IssueId, before: i16, after: i16, resolution: &Resolution) -> NewActivity {
    let word = |code| IssueStatus::from_code(code).map(IssueStatus::as_str);
    let data = json!({ "from": word(before), "to": word(after), "in": resolution });
    NewActivity { issue, kind: "status", data }
}

/// The same, with the commit that the issue waited for until then, if any.
pub(super) fn gave_up(mut new: NewActivity, commit: Option<&str>) -> NewActivity {
    if let Some(commit) = commit {
        new.say("waited_for", json!({ "commit": commit }));
    }
    new
}

/// Resolves an issue of a scope. `None` when there is none, when it is resolved so already, and when its project does not know the
/// release.
pub(super) async fn resolve(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    resolution: &Resolution,
    now: DateTime<Utc>,
) -> Result<Option<Resolved>, StoreError> {
    let (code, release, commit) = match resolution {
        Resolution::Now => (NOW, None, None),
        Resolution::Next => (NEXT, None, None),
        Resolution::Release(version) => (RELEASE, Some(version), None),
        Resolution::Commit(sha) => (NOW, None, Some(sha)),
    };
    if commit.is_some() {
        wait_for_commits(connection, id).await?;
    }
    let rows: Vec<Resolved> = statement(
        "UPDATE issues i SET status = n.status, resolution = n.resolution, resolved_release_id = n.release,
             resolved_commit = $5, resolved_at = CASE WHEN n.status = 1 THEN coalesce(i.resolved_at, $6) END,
             ignore_until = CASE WHEN n.status = 2 THEN i.ignore_until END
         FROM (SELECT b.*, f.release,
                   CASE WHEN $5 IS NULL OR f.release IS NOT NULL THEN 1 WHEN b.status_before = 1 THEN 0
                        ELSE b.status_before END::smallint AS status,
                   CASE WHEN $5 IS NOT NULL AND f.release IS NOT NULL THEN 2 ELSE $3 END::smallint AS resolution
               FROM (SELECT id, project_id, status AS status_before, resolution AS resolution_before,
                         resolved_release_id AS release_before, resolved_commit AS commit_before
                     FROM issues WHERE id = $1 FOR NO KEY UPDATE) b
               CROSS JOIN LATERAL (SELECT CASE
                   WHEN $5 IS NOT NULL THEN (SELECT r.id FROM release_commits c JOIN releases r ON r.id = c.release_id
                       WHERE r.project_id = b.project_id AND c.sha >= $5 AND c.sha < $5 || '~' ORDER BY r.id LIMIT 1)
                   WHEN $4 IS NOT NULL THEN
                       (SELECT r.id FROM releases r WHERE r.project_id = b.project_id AND r.version = $4)
                   ELSE bugle_newest_release(b.project_id) END AS release) f) n
         WHERE i.id = n.id AND ($4 IS NULL OR n.release IS NOT NULL)
           AND ($2 IS NULL OR EXISTS (SELECT 1 FROM projects p WHERE p.id = i.project_id AND p.team_id = ANY ($2)))
           AND (n.status <> n.status_before OR n.resolution <> n.resolution_before
                OR n.release IS DISTINCT FROM n.release_before OR n.commit_before IS DISTINCT FROM $5)
         RETURNING i.project_id, n.status_before, i.status,
                   CASE WHEN n.status_before <> 1 AND n.commit_before IS DISTINCT FROM $5 THEN n.commit_before END
                       AS waited_for",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<SmallInt, _>(code)
    .bind::<Nullable<Text>, _>(release)
    .bind::<Nullable<Text>, _>(commit)
    .bind::<Timestamptz, _>(now)
    .load(connection)
    .await?;
    Ok(rows.into_iter().next())
}

/// A release may just be given the commit: either this sees it there, or [`by_commits`] sees the issue that waits.
async fn wait_for_commits(connection: &mut Connection, id: IssueId) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Project {
        #[diesel(sql_type = Integer)]
        project_id: i32,
    }
    let rows: Vec<Project> = statement("SELECT project_id FROM issues WHERE id = $1")
        .bind::<BigInt, _>(id.0)
        .load(connection)
        .await?;
    match rows.into_iter().next() {
        Some(row) => locks::commits(connection, ProjectId(row.project_id)).await,
        None => Ok(()),
    }
}

/// A commit says that it fixes an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fix {
    pub commit: String,
    pub issue: ShortId,
}

#[derive(QueryableByName)]
struct Done {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SmallInt)]
    status_before: i16,
    #[diesel(sql_type = Text)]
    commit: String,
    /// Another commit that it was to be resolved by.
    #[diesel(sql_type = Nullable<Text>)]
    waited_for: Option<String>,
}

/// Resolves the issues of a project that wait for one of these commits, which a release has now, and those that the commits
/// say they fix; writes down that `actor` did it, and tells the others. A commit resolves an issue that it speaks of once: it is
/// told again with each build, and an issue that came back since was not fixed by it. Belongs into the transaction that gives
/// the release its commits, which holds [`locks::commits`].
pub(crate) async fn by_commits(
    connection: &mut Connection,
    project: ProjectId,
    release: i32,
    commits: &[String],
    fixes: &[Fix],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // One statement for both kinds: issues are locked in the order of their ids, as recorders have it.
    let rows: Vec<Done> = statement(
        "UPDATE issues i SET status = 1, resolution = 2, resolved_at = $4, resolved_release_id = $2, ignore_until = NULL,
             resolved_commit = CASE WHEN length(w.commit) BETWEEN 7 AND 64 THEN w.commit END
         FROM (SELECT w.id, w.status AS status_before, w.resolved_commit AS commit_before, f.commit FROM issues w
               JOIN (SELECT DISTINCT ON (id) id, commit FROM (
                         SELECT q.id, q.resolved_commit AS commit, 0 AS place FROM issues q
                         WHERE q.project_id = $1 AND q.resolved_commit IS NOT NULL AND q.status <> 1
                           AND EXISTS (SELECT 1 FROM UNNEST($3) AS c (sha) WHERE starts_with(c.sha, q.resolved_commit))
                         UNION ALL
                         SELECT coalesce(q.id, m.issue_id), t.commit, t.place
                         FROM UNNEST($5, $6, $7) WITH ORDINALITY AS t (commit, prefix, number, place)
                         JOIN projects p ON p.id = $1 AND p.prefix = t.prefix
                         LEFT JOIN issues q ON q.project_id = $1 AND q.number = t.number
                         LEFT JOIN merged_issues m ON m.project_id = $1 AND m.number = t.number
                         WHERE NOT EXISTS (
                             SELECT 1 FROM issue_activity a WHERE a.issue_id = coalesce(q.id, m.issue_id)
                                AND a.kind = 'status' AND a.data -> 'in' ->> 'commit' = t.commit)) one
                     ORDER BY id, place) f ON f.id = w.id
               WHERE w.status <> 1 ORDER BY w.id FOR NO KEY UPDATE OF w) w
         WHERE i.id = w.id
         RETURNING i.id, w.status_before, w.commit, nullif(w.commit_before, w.commit) AS waited_for",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Integer, _>(release)
    .bind::<Array<Text>, _>(commits)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(fixes.iter().map(|fix| fix.commit.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(fixes.iter().map(|fix| fix.issue.prefix.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(fixes.iter().map(|fix| fix.issue.number).collect::<Vec<_>>())
    .load(connection)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let resolved = IssueStatus::Resolved.code();
    let happened: Vec<NewActivity> = rows
        .iter()
        .map(|row| {
            let commit = Resolution::Commit(row.commit.clone());
            let new = happened(IssueId(row.id), row.status_before, resolved, &commit);
            gave_up(new, row.waited_for.as_deref())
        })
        .collect();
    activity::add(connection, Some(actor), &happened, now).await?;
    let signals = rows.iter().map(|row| Signal::IssueChanged { issue: IssueId(row.id), project });
    outbox::add(connection, signals.collect(), now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Option<(&str, i32)> = Some(("shop@1.9.0", 1));
    const MIDDLE: Option<(&str, i32)> = Some(("shop@1.10.0", 2));
    const NEW: Option<(&str, i32)> = Some(("shop@1.11.0", 3));

    #[test]
    fn what_brings_an_issue_back() {
        let cases = [
            (NOW, MIDDLE, [false, true, true, true]),
            (NEXT, MIDDLE, [false, false, true, false]),
            (RELEASE, MIDDLE, [false, true, true, false]),
            // There was no release, or it was deleted.
            (NOW, None, [true, true, true, true]),
            (NEXT, None, [true, true, true, false]),
            (RELEASE, None, [true, true, true, false]),
        ];
        for (resolution, resolved, expected) in cases {
            let found = [OLD, MIDDLE, NEW, None].map(|event| reopens(resolution, resolved, event));
            assert_eq!(found, expected, "{resolution} {resolved:?}");
        }
    }
}
