//! What keeps an incident silent: a silence, another incident, or that its issue or key flaps. All of them are looked at when it is opened, and
//! again when the time is over that was found then.

use super::log::{self, Entry};
use super::{flapping, inhibitions, silences};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId, SilenceId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Int4, Int8, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::BTreeMap;

/// Because of what nobody is paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilentBy {
    /// A silence.
    Silence(SilenceId),
    /// An open incident, by an inhibition rule.
    Incident(IncidentId),
    /// Its issue or key has had too many incidents.
    Flapping,
}

impl SilentBy {
    /// The silence.
    pub(super) const fn silence(self) -> Option<SilenceId> {
        match self {
            Self::Silence(id) => Some(id),
            Self::Incident(_) | Self::Flapping => None,
        }
    }

    /// The incident.
    pub(super) const fn incident(self) -> Option<IncidentId> {
        match self {
            Self::Incident(id) => Some(id),
            Self::Silence(_) | Self::Flapping => None,
        }
    }
}

/// What keeps an incident silent.
#[derive(Debug, Clone, PartialEq)]
pub struct Silencing {
    /// What.
    pub by: SilentBy,
    /// When it is looked at again; nobody is paged before.
    pub until: DateTime<Utc>,
    /// What the timeline tells of it.
    pub told: Value,
}

impl Silencing {
    /// The timeline's word for it.
    #[must_use]
    pub const fn event(&self) -> IncidentEvent {
        match self.by {
            SilentBy::Silence(_) => IncidentEvent::Silenced,
            SilentBy::Incident(_) => IncidentEvent::Inhibited,
            SilentBy::Flapping => IncidentEvent::Flapping,
        }
    }
}

/// Keeps an incident that has just been opened by a signal or an alert silent when something does. Whether something does.
pub(super) async fn quieten(
    conn: &mut Connection,
    incident: IncidentId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    flapping::look(conn, incident, now).await?;
    let Some(found) = silencing(conn, &[incident], now).await?.remove(&incident) else { return Ok(false) };
    statement(
        "UPDATE incidents SET next_at = $2, silenced_until = $2, silence_id = $3, inhibited_by = $4, respond_by = NULL
         WHERE id = $1",
    )
    .bind::<Int8, _>(incident.0)
    .bind::<Timestamptz, _>(found.until)
    .bind::<Nullable<Int4>, _>(found.by.silence().map(|id| id.0))
    .bind::<Nullable<Int8>, _>(found.by.incident().map(|id| id.0))
    .execute(conn)
    .await?;
    let event = found.event();
    log::write(conn, &[Entry { incident, generation: 1, event, data: found.told }], None, now).await?;
    Ok(true)
}

/// What keeps each of some incidents silent at `now`. Of several things the first in this order: a silence, an incident, that it flaps.
pub(super) async fn silencing(
    conn: &mut Connection,
    incidents: &[IncidentId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<IncidentId, Silencing>, StoreError> {
    if incidents.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found = flapping::holding(conn, incidents, now).await?;
    found.extend(inhibitions::matching(conn, incidents, now).await?);
    found.extend(silences::matching(conn, incidents, now).await?);
    Ok(found)
}
