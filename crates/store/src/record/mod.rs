//! One prepared batch of events into the tables, in one transaction.
//!
//! The order of locks makes several recorders at once safe: hashes of new issues first (in their order), then the
//! issues of the batch (in the order of their ids), then everything that hangs on them. What a recorder keeps
//! in memory ([`Cache`]) is only ever filled after a commit.

mod batch;
mod cache;
mod counts;
mod create;
mod encode;
mod ended;
mod insert;
mod names;
mod resolve;
mod shelf;
mod state;
mod tags;
mod texts;
mod user_keys;
mod users;

pub use batch::{Batch, Ended, NewAttachment, NewEvent, NewFeedback};
pub use cache::Cache;

use crate::outbox::{self, OutboxRow};
use crate::outcomes::{HourlyOutcome, add_hourly, hour_of};
use crate::{Connection, Store, StoreError, stats};
use bugle_model::{Outcome, OutcomeCount, ProjectId};
use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection;
use std::collections::{BTreeMap, HashMap};

/// Two transactions in each other's way are tried again this often.
const TRIES: usize = 6;

/// What became of a batch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Events that are new in the database.
    pub events: usize,
    /// Events that were there.
    pub duplicates: usize,
    /// Signals to be published now; they are in the outbox until that is confirmed.
    pub signals: Vec<OutboxRow>,
}

/// Records a batch: all of it, or nothing when this returns an error. Recording the same batch again changes
/// nothing but the outcome `duplicate`.
///
/// # Errors
/// [`StoreError::is_away`]: try again later. [`StoreError::is_refused`]: an item of the batch can never be stored; find it by
/// recording halves.
pub async fn record(
    store: &Store,
    cache: &mut Cache,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Recorded, StoreError> {
    let mut connection = store.conn().await?;
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt(&mut connection, cache, batch, now).await {
            Err(error) if error.is_conflict() && tries < TRIES => {
                tracing::debug!(%error, tries, "transactions in each other's way");
            }
            // An issue that the cache knows was deleted, merged or parted: it has to be looked up, or made, anew.
            Err(StoreError::Damaged(what)) if what == counts::GONE && tries < TRIES => cache.forget_issues(),
            // The same, noticed by a foreign key: a further hash was to be attached to it, or a new issue names a release.
            Err(error) if error.is_missing_reference() && tries < TRIES => {
                cache.forget_issues();
                cache.releases.clear();
            }
            // A release that the cache knows was deleted.
            Err(StoreError::Damaged(what)) if what == stats::RELEASE_GONE && tries < TRIES => {
                cache.releases.clear();
            }
            other => return other,
        }
    }
}

async fn attempt(
    connection: &mut Connection,
    cache: &mut Cache,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Recorded, StoreError> {
    let names = names::names(connection, cache, &batch.events, now).await?;
    let mut groups = resolve::groups(connection, cache, &batch.events).await?;
    if !groups.discarded.is_empty() {
        let rest = batch.without(&groups.discarded);
        return Box::pin(attempt(connection, cache, &rest, now)).await;
    }
    let older = insert::seen_elsewhere(connection, &batch.events, now).await?;
    encode::load_anchors(connection, cache, &batch.events, &groups, now).await?;
    let encoded = encode::encode(connection, cache, &batch.events, &groups, now).await?;

    let (recorded, learnt) = connection
        .transaction(async |connection| {
            create::create(connection, &mut groups, &batch.events, &names).await?;
            let states = state::lock(connection, &groups).await?;
            state::check(&states, &groups)?;
            let inserted =
                insert::events(connection, &batch.events, &groups, &names, &encoded, &older).await?;
            let anchors = insert::anchors(connection, &batch.events, &groups, &encoded, &inserted).await?;
            let tallies = counts::tally(&batch.events, &groups, &inserted);
            create::drop_empty(connection, &mut groups, |issue| tallies.contains_key(&issue)).await?;
            let totals = counts::add(connection, &tallies).await?;
            texts::add(connection, &batch.events, &groups, &encoded, &anchors).await?;
            user_keys::add(connection, cache, &batch.events, &tallies, &totals).await?;
            let known_tags = tags::add(connection, cache, &tallies).await?;
            let (users, known_users) = users::add(connection, cache, &tallies, &totals).await?;
            let facts = state::Facts {
                events: &batch.events,
                groups: &groups,
                tallies: &tallies,
                totals: &totals,
                users: &users,
                releases: batch.events.iter().map(|event| names.release(event)).collect(),
            };
            let signals = state::apply(connection, states, &facts, now).await?;
            let attachments = insert::attachments(connection, &batch.attachments).await?;
            let feedback = insert::feedback(connection, &batch.feedback).await?;
            let mut outcomes = outcomes(batch, &inserted, &attachments, &feedback);
            outcomes.extend(ended::uncounted(connection, batch, now).await?);
            let releases = by_release(&batch.events, &inserted, &facts.releases);
            stats::add(connection, &by_level(&batch.events, &inserted), &releases).await?;
            add_hourly(connection, &hourly(outcomes, now)).await?;
            let signals = outbox::add_forwarded(connection, signals, now).await?;
            let events = inserted.iter().filter(|inserted| **inserted).count();
            let recorded = Recorded { events, duplicates: batch.events.len() - events, signals };
            Ok::<_, StoreError>((recorded, cache::Learnt { anchors, tags: known_tags, users: known_users }))
        })
        .await?;
    cache.learn(&groups, &encoded, learnt);
    Ok(recorded)
}

/// Everything that has a row is recorded or a duplicate.
fn outcomes(batch: &Batch, events: &[bool], attachments: &[bool], feedback: &[bool]) -> Vec<OutcomeCount> {
    let events =
        batch.events.iter().zip(events).map(|(event, new)| (event.project, event.key, "error", *new));
    let attachments =
        batch.attachments.iter().zip(attachments).map(|(row, new)| (row.project, None, "attachment", *new));
    let feedback =
        batch.feedback.iter().zip(feedback).map(|(row, new)| (row.project, None, "feedback", *new));
    let mut counts: HashMap<_, i64> = HashMap::new();
    for row in events.chain(attachments).chain(feedback) {
        *counts.entry(row).or_default() += 1;
    }
    let counts = counts.into_iter().map(|((project, key, category, new), quantity)| OutcomeCount {
        project: Some(project),
        key,
        outcome: if new { Outcome::Recorded } else { Outcome::Duplicate },
        reason: String::new(),
        category: category.to_owned(),
        quantity,
    });
    counts.collect()
}

/// The inserted events by project, hour and level.
fn by_level(events: &[NewEvent], inserted: &[bool]) -> BTreeMap<(ProjectId, DateTime<Utc>, i16), i64> {
    let mut counts = BTreeMap::new();
    for (event, _) in events.iter().zip(inserted).filter(|(_, inserted)| **inserted) {
        *counts.entry((event.project, hour_of(event.received_at), event.level.code())).or_default() += 1;
    }
    counts
}

/// The inserted events by release.
fn by_release(
    events: &[NewEvent],
    inserted: &[bool],
    releases: &[Option<i32>],
) -> BTreeMap<i32, stats::OfRelease> {
    let mut counts: BTreeMap<i32, stats::OfRelease> = BTreeMap::new();
    let new = events.iter().zip(releases).zip(inserted).filter(|(_, inserted)| **inserted);
    for ((event, release), _) in new {
        let Some(release) = release else { continue };
        let at = event.received_at;
        let count = counts.entry(*release).or_insert(stats::OfRelease { events: 0, first: at, last: at });
        count.events += 1;
        count.first = count.first.min(at);
        count.last = count.last.max(at);
    }
    counts
}

fn hourly(outcomes: Vec<OutcomeCount>, now: DateTime<Utc>) -> Vec<HourlyOutcome> {
    let hour = hour_of(now);
    outcomes.into_iter().map(|count| HourlyOutcome { hour, count }).collect()
}
