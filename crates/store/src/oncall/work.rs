//! What is due of incidents: claimed, decided by the caller, and written, all in one transaction.

use super::decision::{Decision, FiredStep, Pending};
use super::directory::{self, Directory};
use super::due::{Due, claim};
use super::log::{self, Entry};
use super::silencing;
use super::turns::{self, Turns};
use super::{inhibitions, members, pages, responders};
use crate::{Connection, StoreError, by_keys, statement};
use bugle_model::IncidentId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};

/// Claims up to `limit` incidents that something is due of, the weightiest and longest waiting first, and does what `decide` says. What
/// another process holds is left to it. How many there were.
///
/// # Errors
/// When the database fails; then nothing was done.
pub async fn work<F>(
    conn: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
    decide: F,
) -> Result<usize, StoreError>
where
    F: Fn(&Due, &Directory) -> Decision + Send,
{
    conn.transaction(async move |conn| {
        inhibitions::release(conn, now, limit).await?;
        let mut due = claim(conn, now, limit).await?;
        if due.is_empty() {
            return Ok(0);
        }
        // Not before: a claim that was planned when nothing had been paged yet takes ten times as long in a storm.
        by_keys(conn).await?;
        members::keep_members(conn, &mut due).await?;
        look_what_is_silent(conn, &mut due, now).await?;
        let targets = due.iter().flat_map(|one| one.policy.targets()).collect();
        let teams = due.iter().filter_map(|one| one.team).collect();
        let people = due.iter().flat_map(Due::people).collect();
        let mut directory = directory::load(conn, &targets, &teams, people, now).await?;
        directory.turns = turns::hold(conn, &due).await?;
        let mut passed = Turns::new();
        let mut decided = Vec::with_capacity(due.len());
        for one in &due {
            let decision = decide(one, &directory);
            // The next incident of this batch goes to whoever comes after.
            directory.turns.extend(&decision.turns);
            passed.extend(&decision.turns);
            decided.push((one.id, decision));
        }
        turns::pass(conn, &passed).await?;
        apply(conn, decided, now).await?;
        Ok(due.len())
    })
    .await
}

async fn look_what_is_silent(
    conn: &mut Connection,
    due: &mut [Due],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let silenced: Vec<IncidentId> = due.iter().filter(|one| one.is_silenced).map(|one| one.id).collect();
    let mut found = silencing::silencing(conn, &silenced, now).await?;
    for one in due {
        one.silencing = found.remove(&one.id);
    }
    Ok(())
}

async fn apply(
    conn: &mut Connection,
    decided: Vec<(IncidentId, Decision)>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    update(conn, &decided, now).await?;
    responders::paged(conn, decided.iter().map(|(id, _)| *id)).await?;
    let carried: Vec<IncidentId> = decided
        .iter()
        .filter(|(_, decision)| decision.pending == Pending::CarryOver)
        .map(|(id, _)| *id)
        .collect();
    pages::carry_over(conn, &carried).await?;
    for (id, decision) in &decided {
        match decision.pending {
            // Who was asked to help is not paged again when the policy begins again.
            Pending::Cancel(reason) if decision.restarts => {
                pages::cancel_policys(conn, *id, reason, now).await?
            }
            Pending::Cancel(reason) => pages::cancel(conn, &[*id], reason, now).await?,
            Pending::Keep | Pending::CarryOver => {}
        }
    }
    for (id, decision) in decided.iter().filter(|(_, decision)| !decision.released.is_empty()) {
        pages::release(conn, *id, &decision.released, now).await?;
    }
    insert_steps(conn, &decided, now).await?;
    let entries: Vec<Entry> = decided
        .iter()
        .flat_map(|(id, decision)| {
            decision.log.iter().map(|entry| Entry {
                incident: *id,
                generation: decision.generation,
                event: entry.event,
                data: entry.data.clone(),
            })
        })
        .collect();
    log::write(conn, &entries, None, now).await?;
    let new: Vec<_> = decided
        .into_iter()
        .flat_map(|(id, decision)| {
            let generation = decision.generation;
            decision.pages.into_iter().map(move |page| (id, generation, page))
        })
        .collect();
    pages::insert(conn, &new, now).await
}

async fn update(
    conn: &mut Connection,
    decided: &[(IncidentId, Decision)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE incidents n SET state = s.state, generation = s.generation,
            started_generation = CASE WHEN s.restarts THEN s.generation ELSE n.started_generation END,
            pass = s.pass, step = s.step, pass_paged = s.pass_paged, next_at = s.next_at, respond_by = s.respond_by,
            raised_from = NULL, page_assignee = false, page_responders = false,
            acknowledged_at = CASE WHEN s.state <> 1 THEN n.acknowledged_at END,
            acknowledged_by = CASE WHEN s.state <> 1 THEN n.acknowledged_by END,
            snoozed_until = CASE WHEN s.state = 2 THEN n.snoozed_until END,
            resolved_at = CASE WHEN s.state = 3 THEN $9 END,
            silence_id = s.silence_id, inhibited_by = s.inhibited_by, silenced_until = CASE WHEN s.is_silenced THEN s.next_at END
         FROM UNNEST($1::bigint[], $2::smallint[], $3::int[], $4::bool[], $5::smallint[], $6::smallint[], $7::bool[],
            $8::timestamptz[], $10::int[], $11::bigint[], $12::bool[], $13::timestamptz[])
            AS s (id, state, generation, restarts, pass, step, pass_paged, next_at, silence_id, inhibited_by, is_silenced, respond_by)
         WHERE n.id = s.id",
    )
    .bind::<Array<Int8>, _>(decided.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.state.code()).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(decided.iter().map(|(_, d)| d.generation).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.restarts).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(decided.iter().map(|(_, d)| d.step).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.pass_paged).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(decided.iter().map(|(_, d)| d.next_at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Nullable<Int4>>, _>(
        decided.iter().map(|(_, d)| Some(d.silenced_by?.silence()?.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Int8>>, _>(
        decided.iter().map(|(_, d)| Some(d.silenced_by?.incident()?.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Bool>, _>(decided.iter().map(|(_, d)| d.silenced_by.is_some()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(decided.iter().map(|(_, d)| d.respond_by).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_steps(
    conn: &mut Connection,
    decided: &[(IncidentId, Decision)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let fired: Vec<(IncidentId, i32, &FiredStep)> = decided
        .iter()
        .flat_map(|(id, decision)| decision.steps.iter().map(move |step| (*id, decision.generation, step)))
        .collect();
    if fired.is_empty() {
        return Ok(());
    }
    // An array of arrays of different lengths is none in SQL.
    let people = |step: &FiredStep| {
        let ids: Vec<String> = step.recipients.iter().map(ToString::to_string).collect();
        format!("{{{}}}", ids.join(","))
    };
    statement(
        "INSERT INTO incident_steps AS o (incident_id, generation, pass, step, recipients, fired_at)
         SELECT s.incident_id, s.generation, s.pass, s.step, s.recipients::int[], $6
         FROM UNNEST($1::bigint[], $2::int[], $3::smallint[], $4::smallint[], $5::text[])
            AS s (incident_id, generation, pass, step, recipients)
         ON CONFLICT (incident_id, generation, pass, step) DO UPDATE SET recipients = o.recipients || excluded.recipients",
    )
    .bind::<Array<Int8>, _>(fired.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(fired.iter().map(|(_, generation, _)| *generation).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(fired.iter().map(|(.., step)| step.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(fired.iter().map(|(.., step)| step.step).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(fired.iter().map(|(.., step)| people(step)).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
