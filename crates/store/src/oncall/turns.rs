//! Whose turn it is in steps in which people take turns.

use super::due::Due;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::EscalationPolicyId;
use diesel::sql_types::{Array, Int4, SmallInt};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// By policy and step, from 0: the place among the step's people of the one who is next.
pub type Turns = BTreeMap<(EscalationPolicyId, i16), i32>;

/// Reads and locks the turns of what is due, until the end of the caller's transaction: who pages the next incident waits for this one. In
/// one order, whoever asks.
pub(super) async fn hold(conn: &mut Connection, due: &[Due]) -> Result<Turns, StoreError> {
    let steps = |one: &Due| {
        let steps = (0..).zip(&one.policy.steps).filter(|(_, step)| step.round_robin);
        let policy = one.policy_id;
        steps.filter_map(|(index, _)| Some((policy?, index))).collect::<Vec<_>>()
    };
    let wanted: BTreeSet<(EscalationPolicyId, i16)> = due.iter().flat_map(steps).collect();
    if wanted.is_empty() {
        return Ok(Turns::new());
    }
    #[derive(Deserialize)]
    struct Row {
        policy: EscalationPolicyId,
        step: i16,
        next: i32,
    }
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO escalation_turns AS t (policy_id, step)
         SELECT s.policy_id, s.step FROM UNNEST($1::int[], $2::smallint[]) AS s (policy_id, step)
         JOIN escalation_policies p ON p.id = s.policy_id ORDER BY s.policy_id, s.step
         ON CONFLICT (policy_id, step) DO UPDATE SET next = t.next
         RETURNING jsonb_build_object('policy', t.policy_id, 'step', t.step, 'next', t.next) AS row",
    )
    .bind::<Array<Int4>, _>(wanted.iter().map(|(policy, _)| policy.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(wanted.iter().map(|(_, step)| *step).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(row::all::<Row>(rows)?.into_iter().map(|row| ((row.policy, row.step), row.next)).collect())
}

/// Writes down who is next.
pub(super) async fn pass(conn: &mut Connection, turns: &Turns) -> Result<(), StoreError> {
    if turns.is_empty() {
        return Ok(());
    }
    statement(
        "UPDATE escalation_turns t SET next = s.next
         FROM UNNEST($1::int[], $2::smallint[], $3::int[]) AS s (policy_id, step, next)
         WHERE t.policy_id = s.policy_id AND t.step = s.step",
    )
    .bind::<Array<Int4>, _>(turns.keys().map(|(policy, _)| policy.0).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(turns.keys().map(|(_, step)| *step).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(turns.values().copied().collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
