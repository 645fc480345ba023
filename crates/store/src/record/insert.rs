//! Rows of events, anchors, attachments and feedback.

use super::batch::{NewAttachment, NewEvent, NewFeedback};
use super::encode::Encoded;
use super::names::Names;
use super::resolve::Groups;
use crate::events::tag_bits;
use crate::{Connection, StoreError, statement};
use bugle_model::{ProjectId, RetentionClass};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use std::collections::HashSet;
use uuid::Uuid;

/// How far back a client that sends again may have sent first.
const WINDOW_DAYS: u64 = 7;
/// An event that comes later than this may have been sent before.
const LATE: TimeDelta = TimeDelta::minutes(1);
/// An anchor stays a little longer than the last event that can refer to it.
const ANCHOR_MARGIN_DAYS: u64 = 3;

type EventKey = (ProjectId, Uuid);

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
}

impl From<Key> for EventKey {
    fn from(key: Key) -> Self {
        (ProjectId(key.project_id), key.event_id)
    }
}

/// The events of the batch that were recorded in another partition. A unique index holds within one: a retention class
/// and a day. Others are asked only for an event that is late (its client sent it again), and for one that was received
/// before today (it waited in a spool, and its client may have sent it again meanwhile). Other days than today are
/// asked only when one of them is in question.
pub(super) async fn seen_elsewhere(
    connection: &mut Connection,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<HashSet<EventKey>, StoreError> {
    let today = now.date_naive();
    let of_another_day = |event: &NewEvent| {
        let received_on = event.received_at.date_naive();
        event.timestamp.date_naive() < received_on || received_on < today
    };
    let is_late = |event: &NewEvent| event.received_at - event.timestamp > LATE;
    let old: Vec<&NewEvent> = events.iter().filter(|event| is_late(event) || of_another_day(event)).collect();
    let Some(earliest) = old.iter().map(|event| event.received_at).min() else { return Ok(HashSet::new()) };
    let back = if old.iter().any(|event| of_another_day(event)) { WINDOW_DAYS } else { 0 };
    let from = earliest.date_naive().checked_sub_days(Days::new(back)).unwrap_or(today);
    let rows: Vec<Key> = statement(
        "SELECT e.project_id, e.event_id FROM UNNEST($1, $2) AS w (project_id, event_id)
         JOIN events e ON e.event_id = w.event_id AND e.project_id = w.project_id
         WHERE e.received_at >= $3 AND e.received_at < $4",
    )
    .bind::<Array<Integer>, _>(old.iter().map(|event| event.project.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(old.iter().map(|event| event.event_id).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(from.and_time(NaiveTime::MIN).and_utc())
    .bind::<Timestamptz, _>(now.checked_add_days(Days::new(2)).unwrap_or(now))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(EventKey::from).collect())
}

/// Inserts the events, and says of each whether it is new. A second one with the same id is not, neither in the
/// table nor in the batch.
pub(super) async fn events(
    connection: &mut Connection,
    events: &[NewEvent],
    groups: &Groups,
    names: &Names,
    encoded: &Encoded,
    older: &HashSet<EventKey>,
) -> Result<Vec<bool>, StoreError> {
    let mut met = HashSet::new();
    let rows: Vec<(usize, &NewEvent)> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| {
            let key = (event.project, event.event_id);
            !older.contains(&key) && met.insert(key)
        })
        .collect();
    let column = || rows.iter().map(|(_, event)| *event);
    let payload = |index: &usize| encoded.payloads.get(*index);
    let inserted: Vec<Key> = statement(
        "INSERT INTO events (received_at, issue_id, anchor_id, user_hash, project_id, release_id, environment_id, level,
             retention, event_id, trace_id, payload, tag_bits)
         SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT DO NOTHING RETURNING project_id, event_id",
    )
    .bind::<Array<Timestamptz>, _>(column().map(|event| event.received_at).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(
        rows.iter().map(|(index, _)| groups.issue(*index).map_or(0, |issue| issue.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<BigInt>>, _>(rows.iter().map(|(index, _)| payload(index)?.anchor).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(column().map(|event| event.user).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(column().map(|event| event.project.0).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(column().map(|event| names.release(event)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(column().map(|event| names.environment(event)).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(column().map(|event| event.level.code()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(column().map(|event| event.retention.days()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(column().map(|event| event.event_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(column().map(|event| event.trace).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(
        rows.iter().map(|(index, _)| payload(index).map_or(&[][..], |payload| &payload.bytes)).collect::<Vec<_>>(),
    )
    .bind::<Array<BigInt>, _>(column().map(|event| tag_bits::of(&event.tags)).collect::<Vec<_>>())
    .load(connection)
    .await?;
    let mut new: HashSet<EventKey> = inserted.into_iter().map(EventKey::from).collect();
    // The first of the batch with an id is the one that was inserted.
    Ok(events.iter().map(|event| new.remove(&(event.project, event.event_id))).collect())
}

/// Inserts the anchors that an inserted event refers to, and returns their ids.
pub(super) async fn anchors(
    connection: &mut Connection,
    events: &[NewEvent],
    groups: &Groups,
    encoded: &Encoded,
    inserted: &[bool],
) -> Result<HashSet<i64>, StoreError> {
    let used: HashSet<i64> = encoded
        .payloads
        .iter()
        .zip(inserted)
        .filter_map(|(payload, inserted)| payload.anchor.filter(|_| *inserted))
        .collect();
    let made: Vec<_> = encoded.anchors.iter().filter(|made| used.contains(&made.anchor.id)).collect();
    if made.is_empty() {
        return Ok(HashSet::new());
    }
    let expires = |sealed_on: NaiveDate, days: i16| {
        let days = u64::from(days.unsigned_abs()) + ANCHOR_MARGIN_DAYS;
        sealed_on.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
    };
    statement(
        "INSERT INTO anchors (id, issue_id, created_at, sealed_on, expires_on, retention, payload)
         SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<Array<BigInt>, _>(made.iter().map(|made| made.anchor.id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(
        made.iter().map(|made| groups.issue(made.event).map_or(0, |issue| issue.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(
        made.iter().filter_map(|made| Some(events.get(made.event)?.received_at)).collect::<Vec<_>>(),
    )
    .bind::<Array<Date>, _>(made.iter().map(|made| made.anchor.sealed_on).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(
        made.iter().map(|made| expires(made.anchor.sealed_on, made.retention.days())).collect::<Vec<_>>(),
    )
    .bind::<Array<SmallInt>, _>(made.iter().map(|made| made.retention.days()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(made.iter().map(|made| made.payload.as_slice()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(made.iter().map(|made| made.anchor.id).collect())
}

/// The last day on which something is kept.
fn last_day(received_at: DateTime<Utc>, retention: RetentionClass) -> NaiveDate {
    let days = Days::new(u64::from(retention.days().unsigned_abs()));
    received_at.date_naive().checked_add_days(days).unwrap_or(NaiveDate::MAX)
}

/// Inserts attachments, and says of each whether it is new.
pub(super) async fn attachments(
    connection: &mut Connection,
    attachments: &[NewAttachment],
) -> Result<Vec<bool>, StoreError> {
    let mut inserted = Vec::with_capacity(attachments.len());
    for new in attachments {
        let expires_on = last_day(new.received_at, new.retention);
        let rows = statement(
            "INSERT INTO attachments (item_id, project_id, event_id, sha256, size, filename, content_type,
                 attachment_type, received_at, expires_on)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (item_id) DO NOTHING",
        )
        .bind::<SqlUuid, _>(new.item)
        .bind::<Integer, _>(new.project.0)
        .bind::<SqlUuid, _>(new.event_id)
        .bind::<Binary, _>(new.sha256.as_slice())
        .bind::<BigInt, _>(new.size)
        .bind::<Text, _>(new.filename.as_str())
        .bind::<Nullable<Text>, _>(new.content_type.as_deref())
        .bind::<Nullable<Text>, _>(new.attachment_type.as_deref())
        .bind::<Timestamptz, _>(new.received_at)
        .bind::<Date, _>(expires_on)
        .execute(connection)
        .await?;
        inserted.push(rows == 1);
    }
    Ok(inserted)
}

/// Inserts feedback, and says of each whether it is new.
pub(super) async fn feedback(
    connection: &mut Connection,
    feedback: &[NewFeedback],
) -> Result<Vec<bool>, StoreError> {
    let mut inserted = Vec::with_capacity(feedback.len());
    for new in feedback {
        let rows = statement(
            "INSERT INTO feedback (item_id, project_id, event_id, name, email, message, url, received_at, expires_on)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (item_id) DO NOTHING",
        )
        .bind::<SqlUuid, _>(new.item)
        .bind::<Integer, _>(new.project.0)
        .bind::<Nullable<SqlUuid>, _>(new.event_id)
        .bind::<Nullable<Text>, _>(new.name.as_deref())
        .bind::<Nullable<Text>, _>(new.email.as_deref())
        .bind::<Text, _>(new.message.as_str())
        .bind::<Nullable<Text>, _>(new.url.as_deref())
        .bind::<Timestamptz, _>(new.received_at)
        .bind::<Date, _>(last_day(new.received_at, new.retention))
        .execute(connection)
        .await?;
        inserted.push(rows == 1);
    }
    Ok(inserted)
}
