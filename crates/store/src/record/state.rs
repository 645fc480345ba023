//! What a batch changes about its issues: priority, status, thresholds, and who is to hear of it.

use super::batch::NewEvent;
use super::counts::{GONE, Tallies, Tally, Total, Wanted, Window, windows};
use super::resolve::{Groups, Owner, minute};
use crate::activity::{self, NewActivity};
use crate::issues::{Ignored, Standing, reopens};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, IssueSignal, IssueStatus, Level, Priority, ProjectId, Signal};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

const THRESHOLDS: [i32; 4] = [10, 100, 1_000, 10_000];
const CRITICAL_USERS: i32 = 100;
const CRITICAL_EVENTS_AN_HOUR: i64 = 1_000;

/// An issue as it is, locked, and then as it becomes.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(super) struct State {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = SmallInt)]
    status: i16,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Bool)]
    priority_chosen: bool,
    #[diesel(sql_type = Integer)]
    generation: i32,
    #[diesel(sql_type = Integer)]
    threshold: i32,
    #[diesel(sql_type = Timestamptz)]
    first_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    active_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    reopened_at: Option<DateTime<Utc>>,
    /// See [`reopens`].
    #[diesel(sql_type = SmallInt)]
    resolution: i16,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    resolved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Integer>)]
    resolved_release_id: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    resolved_release: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    ignore_until: Option<Value>,
    #[diesel(sql_type = Integer)]
    splits: i32,
}

/// Locks the issues of the batch, in the order of their ids. One that was deleted is missing.
pub(super) async fn lock(connection: &mut Connection, groups: &Groups) -> Result<Vec<State>, StoreError> {
    let mut states: Vec<State> = statement(
        "SELECT id, project_id, status, level, priority, priority_chosen, generation, threshold, resolution, first_seen,
             active_at, reopened_at, resolved_at, resolved_release_id, NULL::text AS resolved_release, ignore_until, splits
         FROM issues WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<BigInt>, _>(groups.issues())
    .load(connection)
    .await?;
    read_releases(connection, &mut states).await?;
    Ok(states)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Text)]
    version: String,
}

/// In a statement of its own: a statement that has waited for a lock reads the locked row anew, but what it joins to it
/// as it was before. The release of an issue that was resolved meanwhile would be missing.
async fn read_releases(connection: &mut Connection, states: &mut [State]) -> Result<(), StoreError> {
    let wanted: Vec<i32> = states.iter().filter_map(|state| state.resolved_release_id).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let versions: Vec<Version> = statement("SELECT id, version FROM releases WHERE id = ANY ($1)")
        .bind::<Array<Integer>, _>(wanted)
        .load(connection)
        .await?;
    let versions: HashMap<i32, String> = versions.into_iter().map(|row| (row.id, row.version)).collect();
    for state in states {
        state.resolved_release = state.resolved_release_id.and_then(|id| versions.get(&id).cloned());
    }
    Ok(())
}

/// Whether the issues still have the hashes by which the batch came to them: some may have been taken away since.
pub(super) fn check(states: &[State], groups: &Groups) -> Result<(), StoreError> {
    let splits: HashMap<i64, i32> = states.iter().map(|state| (state.id, state.splits)).collect();
    let holds = |owner: Owner| splits.get(&owner.issue.0).is_none_or(|splits| *splits == owner.splits);
    if groups.owners().all(|(_, owner)| holds(owner)) {
        Ok(())
    } else {
        Err(StoreError::Damaged(GONE.to_owned()))
    }
}

/// What [`apply`] works with, besides the issues.
pub(super) struct Facts<'a> {
    pub events: &'a [NewEvent],
    pub groups: &'a Groups,
    pub tallies: &'a Tallies<'a>,
    pub totals: &'a BTreeMap<i64, Total>,
    /// The number of users of issues that have new ones.
    pub users: &'a BTreeMap<i64, i32>,
    /// The number of each event's release.
    pub releases: Vec<Option<i32>>,
}

/// Brings the issues up to date, and returns what is to be told.
pub(super) async fn apply(
    connection: &mut Connection,
    states: Vec<State>,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>, StoreError> {
    let mut after = Vec::with_capacity(states.len());
    let mut signals = Vec::new();
    for before in &states {
        let Some(tally) = facts.tallies.get(&before.id) else { continue };
        let mut state = before.clone();
        state.see(tally, facts.events);
        if let Some(event) = facts.groups.opened_by(IssueId(state.id)).and(tally.first(facts.events)) {
            signals.push((state.id, Kind::Opened, event));
        } else if let Some(event) = state.regression(tally, facts) {
            state.reopen(event);
            signals.push((state.id, Kind::Regressed, event));
        }
        after.push(state);
    }
    let windows = ask_windows(connection, &after, facts).await?;
    let mut happened = regressions(&signals);
    for state in &mut after {
        let Some(tally) = facts.tallies.get(&state.id) else { continue };
        let window = windows.get(&state.id).copied().unwrap_or_default();
        state.raise_by_counts(facts, window);
        if let Some((ignored, event)) = state.ignored_enough(facts, window, now).zip(tally.last(facts.events))
        {
            state.reopen(event);
            happened.push(ignored.ended(IssueId(state.id)));
            signals.push((state.id, Kind::Unignored, event));
            // The generation that begins counts from here.
            continue;
        }
        if let Some(event) = tally.last(facts.events) {
            for events in state.cross_thresholds(window) {
                signals.push((state.id, Kind::Threshold(events), event));
            }
        }
    }
    let changed: Vec<&State> = after.iter().filter(|state| !states.contains(state)).collect();
    write(connection, &changed).await?;
    activity::add(connection, None, &happened, now).await?;
    let by_id: HashMap<i64, &State> = after.iter().map(|state| (state.id, state)).collect();
    Ok(signals.into_iter().filter_map(|(id, kind, event)| by_id.get(&id)?.signal(kind, event)).collect())
}

fn regressions(signals: &[(i64, Kind, &NewEvent)]) -> Vec<NewActivity> {
    let regressed = signals.iter().filter(|(_, kind, _)| matches!(kind, Kind::Regressed));
    let happened = regressed.map(|(issue, _, event)| NewActivity {
        issue: IssueId(*issue),
        kind: "regressed",
        data: json!({ "event_id": event.event_id.simple().to_string(), "release": event.release }),
    });
    happened.collect()
}

#[derive(Clone, Copy)]
enum Kind {
    Opened,
    Regressed,
    Unignored,
    Threshold(i32),
}

impl Tally<'_> {
    fn of<'a>(&self, events: &'a [NewEvent]) -> impl DoubleEndedIterator<Item = &'a NewEvent> {
        self.events.iter().filter_map(|index| events.get(*index))
    }

    fn first<'a>(&self, events: &'a [NewEvent]) -> Option<&'a NewEvent> {
        self.of(events).next()
    }

    fn last<'a>(&self, events: &'a [NewEvent]) -> Option<&'a NewEvent> {
        self.of(events).next_back()
    }
}

impl State {
    fn see(&mut self, tally: &Tally<'_>, events: &[NewEvent]) {
        for event in tally.of(events) {
            self.level = self.level.max(event.level.code());
            self.first_seen = self.first_seen.min(event.received_at);
            match event.priority {
                Some(chosen) if !self.priority_chosen => {
                    self.priority = chosen.code();
                    self.priority_chosen = true;
                }
                None if !self.priority_chosen => {
                    self.priority = self.priority.max(Priority::derive(event.level, event.handled).code());
                }
                _ => {}
            }
        }
        self.active_at = self.active_at.max(minute(tally.last_seen));
    }

    /// The first event that brings a resolved issue back: received after it was resolved, and of a release that the
    /// resolution does not speak for.
    fn regression<'a>(&self, tally: &Tally<'_>, facts: &Facts<'a>) -> Option<&'a NewEvent> {
        let resolved_at = self.resolved_at.filter(|_| self.status == IssueStatus::Resolved.code())?;
        tally.events.iter().find_map(|index| {
            let event = facts.events.get(*index)?;
            let release = event.release.as_deref().zip(facts.releases.get(*index).copied().flatten());
            let resolved = self.resolved_release.as_deref().zip(self.resolved_release_id);
            let reopens = reopens(self.resolution, resolved, release);
            (event.received_at > resolved_at && reopens).then_some(event)
        })
    }

    fn reopen(&mut self, event: &NewEvent) {
        self.status = IssueStatus::Unresolved.code();
        self.generation += 1;
        self.threshold = 0;
        self.resolution = 0;
        self.reopened_at = Some(event.received_at);
        self.resolved_at = None;
        self.resolved_release_id = None;
        self.resolved_release = None;
        self.ignore_until = None;
    }

    fn ignored(&self) -> Option<Ignored> {
        Ignored::read(self.ignore_until.as_ref()).filter(|_| self.status == IssueStatus::Ignored.code())
    }

    /// What it was ignored until, when that has come.
    fn ignored_enough(&self, facts: &Facts<'_>, window: Window, now: DateTime<Utc>) -> Option<Ignored> {
        let standing = Standing {
            events: facts.totals.get(&self.id).map_or(0, |total| total.events),
            users: i64::from(self.users(facts)),
            hour: window.hour,
        };
        self.ignored().filter(|ignored| ignored.is_over(standing, now))
    }

    fn users(&self, facts: &Facts<'_>) -> i32 {
        let new = facts.users.get(&self.id).copied();
        new.or_else(|| Some(facts.totals.get(&self.id)?.users)).unwrap_or_default()
    }

    fn wants_counts(&self, total: i64) -> bool {
        let next = THRESHOLDS.into_iter().find(|threshold| *threshold > self.threshold);
        next.is_some_and(|next| total >= i64::from(next))
            || (self.may_turn_critical() && total >= CRITICAL_EVENTS_AN_HOUR)
            || self.ignored().is_some_and(|ignored| ignored.watches_the_hour())
    }

    /// An unhandled error (a fatal one is critical already).
    fn may_turn_critical(&self) -> bool {
        !self.priority_chosen && self.priority == Priority::High.code()
    }

    fn raise_by_counts(&mut self, facts: &Facts<'_>, window: Window) {
        let users = self.users(facts);
        if self.may_turn_critical() && (users >= CRITICAL_USERS || window.hour >= CRITICAL_EVENTS_AN_HOUR) {
            self.priority = Priority::Critical.code();
        }
    }

    fn cross_thresholds(&mut self, window: Window) -> Vec<i32> {
        let crossed: Vec<i32> = THRESHOLDS
            .into_iter()
            .filter(|threshold| *threshold > self.threshold && window.day >= i64::from(*threshold))
            .collect();
        self.threshold = crossed.last().copied().unwrap_or(self.threshold);
        crossed
    }

    fn signal(&self, kind: Kind, event: &NewEvent) -> Option<Signal> {
        if self.status == IssueStatus::Ignored.code() {
            return None;
        }
        let about = IssueSignal {
            issue: IssueId(self.id),
            project: ProjectId(self.project_id),
            generation: self.generation,
            event_id: event.event_id,
            received_at: event.received_at,
            level: Level::from_code(self.level)?,
            priority: Priority::from_code(self.priority)?,
            environment: event.environment.clone(),
        };
        Some(match kind {
            Kind::Opened => Signal::IssueOpened(about),
            Kind::Regressed => Signal::IssueRegressed(about),
            Kind::Unignored => Signal::IssueUnignored(about),
            Kind::Threshold(events) => Signal::ThresholdReached { about, events: i64::from(events) },
        })
    }
}

/// The last day's and hour's events of the issues for which they could change something. Most often of none.
async fn ask_windows(
    connection: &mut Connection,
    states: &[State],
    facts: &Facts<'_>,
) -> Result<HashMap<i64, Window>, StoreError> {
    let wanted: Vec<Wanted> = states
        .iter()
        .filter_map(|state| {
            let total = facts.totals.get(&state.id).filter(|total| state.wants_counts(total.events))?;
            // They end with the issue's last event: what comes late is not added to what has come since.
            let day = total.last_seen - TimeDelta::days(1);
            // A generation counts its own events only.
            let from = state.reopened_at.filter(|reopened_at| *reopened_at > day);
            let hour = total.last_seen - TimeDelta::hours(1);
            Some(Wanted { issue: state.id, day: minute(from.unwrap_or(day)), from, hour })
        })
        .collect();
    windows(connection, &wanted).await
}

async fn write(connection: &mut Connection, states: &[&State]) -> Result<(), StoreError> {
    if states.is_empty() {
        return Ok(());
    }
    statement(
        "UPDATE issues i SET resolution = CASE WHEN t.status = i.status THEN i.resolution ELSE 0 END,
             -- What is ignored may wait for a commit, and goes on waiting when it is not ignored any more.
             resolved_commit = CASE WHEN t.status = i.status OR i.status = 2 THEN i.resolved_commit END,
             status = t.status, level = t.level, priority = t.priority, priority_chosen = t.chosen,
             generation = t.generation, threshold = t.threshold, first_seen = t.first_seen, active_at = t.active_at,
             ignore_until = CASE WHEN t.status = 2 THEN i.ignore_until END,
             reopened_at = t.reopened_at, resolved_at = t.resolved_at, resolved_release_id = t.resolved_release_id
         FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS t (id, status, level, priority, chosen,
             generation, threshold, first_seen, active_at, reopened_at, resolved_at, resolved_release_id)
         WHERE i.id = t.id",
    )
    .bind::<Array<BigInt>, _>(states.iter().map(|state| state.id).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(states.iter().map(|state| state.status).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(states.iter().map(|state| state.level).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(states.iter().map(|state| state.priority).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(states.iter().map(|state| state.priority_chosen).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(states.iter().map(|state| state.generation).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(states.iter().map(|state| state.threshold).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(states.iter().map(|state| state.first_seen).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(states.iter().map(|state| state.active_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(states.iter().map(|state| state.reopened_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(states.iter().map(|state| state.resolved_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(states.iter().map(|state| state.resolved_release_id).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
