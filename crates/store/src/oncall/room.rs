//! How much a team may have for its on-call.

use crate::{Connection, StoreError, statement};
use bugle_model::TeamId;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Int4};
use diesel_async::RunQueryDsl;

/// How many schedules, escalation policies, routing rules, alert sources, inhibition rules and silences that have not ended a team may have,
/// of each: lists of them are whole, and every signal is held against every rule and silence.
pub const MAX_OF_TEAM: i64 = 100;

/// What a team has several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfTeam {
    /// Schedules.
    Schedules,
    /// Escalation policies.
    Policies,
    /// Routing rules.
    RoutingRules,
    /// Alert sources.
    AlertSources,
    /// Inhibition rules.
    InhibitionRules,
}

#[derive(QueryableByName)]
pub(super) struct Count {
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// Whether a team may have another one; fewer than [`MAX_OF_TEAM`]. Holds the team until the end of the caller's transaction, so that two at
/// once are counted one after the other.
///
/// # Errors
/// When the database fails.
pub async fn has_room(conn: &mut Connection, team: TeamId, what: OfTeam) -> Result<bool, StoreError> {
    hold_team(conn, team).await?;
    let count = match what {
        OfTeam::Schedules => "SELECT count(*) AS count FROM schedules WHERE team_id = $1",
        OfTeam::Policies => "SELECT count(*) AS count FROM escalation_policies WHERE team_id = $1",
        OfTeam::RoutingRules => "SELECT count(*) AS count FROM routing_rules WHERE team_id = $1",
        OfTeam::AlertSources => "SELECT count(*) AS count FROM alert_sources WHERE team_id = $1",
        OfTeam::InhibitionRules => "SELECT count(*) AS count FROM inhibition_rules WHERE team_id = $1",
    };
    let counted: Count = statement(count).bind::<Int4, _>(team.0).get_result(conn).await?;
    Ok(counted.count < MAX_OF_TEAM)
}

/// Holds a team until the end of the caller's transaction.
pub(super) async fn hold_team(conn: &mut Connection, team: TeamId) -> Result<(), StoreError> {
    statement("SELECT FROM teams WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Int4, _>(team.0)
        .execute(conn)
        .await?;
    Ok(())
}
