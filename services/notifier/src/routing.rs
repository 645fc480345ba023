//! By which rule a signal opens an incident.

use bugle_model::{IssueSignal, ProjectId, RoutingRuleId, SignalKind};
use bugle_store::issues::Range;
use bugle_store::oncall::{self, RoutingRule};
use bugle_store::{Connection, StoreError, events};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

type Told<'a> = (SignalKind, &'a IssueSignal);
type Tags = HashMap<(ProjectId, Uuid), BTreeMap<String, String>>;

/// The first rule that matches each signal. Events are read only for signals of which that depends on their tags, and all of these at once.
///
/// # Errors
/// When the database fails.
pub(crate) async fn matching(
    conn: &mut Connection,
    told: &[Told<'_>],
    projects: &[i32],
) -> Result<Vec<Option<RoutingRuleId>>, StoreError> {
    let rules = oncall::rules_of_projects(conn, projects).await?;
    let candidates: Vec<Vec<&RoutingRule>> = told.iter().map(|signal| candidates(&rules, *signal)).collect();
    // Without tags the first one counts whatever the others want.
    let depends = |of: &[&RoutingRule]| of.first().is_some_and(|one| !one.rule.tags.is_empty());
    let asked: Vec<Told<'_>> =
        told.iter().zip(&candidates).filter(|(_, of)| depends(of)).map(|(signal, _)| *signal).collect();
    let tags = tags(conn, &asked).await?;
    let none = BTreeMap::new();
    let first = told.iter().zip(&candidates).map(|((_, about), of)| {
        let tags = tags.get(&(about.project, about.event_id)).unwrap_or(&none);
        of.iter().find(|one| one.rule.has_tags(tags)).map(|one| one.id)
    });
    Ok(first.collect())
}

/// The rules that match a signal when its event has the tags that they want.
fn candidates<'r>(rules: &'r [(ProjectId, RoutingRule)], (kind, about): Told<'_>) -> Vec<&'r RoutingRule> {
    let environment = about.environment.as_deref();
    let of_project = rules.iter().filter(|(project, _)| *project == about.project).map(|(_, one)| one);
    of_project.filter(|one| one.rule.may_match(about.project, kind, about.priority, environment)).collect()
}

async fn tags(conn: &mut Connection, asked: &[Told<'_>]) -> Result<Tags, StoreError> {
    let wanted: BTreeSet<(ProjectId, Uuid)> =
        asked.iter().map(|(_, about)| (about.project, about.event_id)).collect();
    let wanted: Vec<(ProjectId, Uuid)> = wanted.into_iter().collect();
    events::tags_by_event(conn, &wanted, received(asked)).await
}

/// The time within which the events came, where it is known.
fn received(asked: &[Told<'_>]) -> Range<DateTime<Utc>> {
    if asked.iter().any(|(kind, _)| names_an_older_event(*kind)) {
        return Range::default();
    }
    let times = || asked.iter().map(|(_, about)| about.received_at);
    Range { from: times().min(), to: times().max() }
}

/// Whether nothing but a person, or the time, has caused the signal: then it names the issue's latest event, and has a time of its own.
const fn names_an_older_event(kind: SignalKind) -> bool {
    matches!(
        kind,
        SignalKind::Unignored
            | SignalKind::EscalatedMedium
            | SignalKind::EscalatedHigh
            | SignalKind::EscalatedCritical
    )
}
