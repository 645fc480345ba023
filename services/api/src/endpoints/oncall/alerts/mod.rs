//! `/api/v1/alerts/…`: what other tools tell, each by the key of its source. An answer of success means that it is in the database; who
//! hears nothing sends it again, which changes nothing. Not in the audit log, which such traffic would fill: the timeline of the incident
//! tells it, and the source what was wrong last.

pub(in super::super) mod alertmanager;
pub(in super::super) mod generic;
pub(in super::super) mod pagerduty;

use crate::endpoints::conflicts::retried;
use crate::{ApiError, State};
use bugle_model::{AlertSignal, AlertSourceKind, IncidentId, ScrubSettings};
use bugle_protocol::alerts;
use bugle_protocol::scrub::Scrubber;
use bugle_runtime::{Counter, Metrics};
use bugle_store::oncall::{self, AlertSource, Fired, MAX_OPEN_OF_SOURCE};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, Problem, auth};
use chrono::{DateTime, Utc};
use std::sync::LazyLock;

/// Seconds after which a tool whose source has too many open incidents may try again.
const FULL_RETRY: u32 = 60;

/// An alert is of a team, not of a project with settings of its own.
static SCRUBBER: LazyLock<Scrubber> = LazyLock::new(|| Scrubber::new(&ScrubSettings::default()));

/// Made once: a handle costs nothing to use.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    taken: Counter,
    opened: Counter,
    refused: Counter,
}

impl Counts {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            taken: metrics.counter("bugle_alerts_total", "Alerts of other tools that were taken.", &[]),
            opened: metrics.counter("bugle_alert_incidents_total", "Incidents opened by alerts.", &[]),
            refused: metrics.counter("bugle_alerts_refused_total", "Alerts that could not be taken.", &[]),
        }
    }
}

/// What became of what a tool told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Opened(IncidentId),
    /// The open incident knows of it, or has become more urgent.
    Noted(IncidentId),
    Acknowledged(IncidentId),
    Resolved(IncidentId),
    /// There is no open incident that it is about.
    Nothing,
    /// The source has too many.
    Full,
}

/// The source with this key, which tells in this form.
async fn source_of(
    connection: &mut Connection,
    key: &str,
    kind: AlertSourceKind,
) -> Result<AlertSource, ApiError> {
    let source = oncall::find_alert_source(connection, &auth::hash(key)).await?;
    // Not by its name: it is a secret, perhaps of somewhere else.
    let source = source.ok_or_else(|| Problem::not_found("alert source with this key"))?;
    if source.source.kind == kind {
        return Ok(source);
    }
    let message = format!("is of an alert source of the kind {}, and this is for {kind}", source.source.kind);
    Err(Problem::invalid_field("key", message).into())
}

/// Takes what a source tells, all of it or nothing; what became of each, in no order that matters. `wrong` is what was wrong with what is
/// not among it.
async fn take(
    state: &State,
    connection: &mut Connection,
    source: &AlertSource,
    mut signals: Vec<AlertSignal>,
    wrong: Option<&str>,
) -> Result<Vec<Became>, ApiError> {
    let now = state.clock.now();
    for signal in &mut signals {
        if let AlertSignal::Firing(alert) = signal {
            alerts::scrub(&SCRUBBER, alert);
        }
    }
    // By their keys: two that tell of the same alerts at once wait for each other in one order. Of one alert the order stays.
    signals.sort_by(|left, right| left.key().cmp(right.key()));
    let full = format!("there are {MAX_OPEN_OF_SOURCE} open incidents of this source, which is the limit");
    let became = retried(async || {
        connection
            .transaction(async |connection| {
                let mut became = Vec::with_capacity(signals.len());
                for signal in &signals {
                    became.push(take_one(connection, source, signal, now).await?);
                }
                let is_full = became.contains(&Became::Full);
                let wrong = wrong.or_else(|| is_full.then_some(full.as_str()));
                oncall::note_alert_source(connection, source, wrong, now).await?;
                Ok::<_, ApiError>(became)
            })
            .await
    })
    .await?;
    let count = |of: fn(&Became) -> bool| became.iter().filter(|one| of(one)).count() as u64;
    let full = count(|one| matches!(one, Became::Full));
    state.alerts.taken.add(became.len() as u64 - full);
    state.alerts.opened.add(count(|one| matches!(one, Became::Opened(_))));
    state.alerts.refused.add(full);
    Ok(became)
}

async fn take_one(
    connection: &mut Connection,
    source: &AlertSource,
    signal: &AlertSignal,
    now: DateTime<Utc>,
) -> Result<Became, ApiError> {
    Ok(match signal {
        AlertSignal::Firing(alert) => match oncall::fire_alert(connection, source, alert, now).await? {
            Fired::New(incident) => {
                tracing::info!(%incident, source = %source.id, "an alert opened an incident");
                Became::Opened(incident)
            }
            Fired::Raised(incident) | Fired::Noted(incident) => Became::Noted(incident),
            Fired::Full => {
                tracing::error!(source = %source.id, "an alert is refused: its source has too many open incidents");
                Became::Full
            }
        },
        AlertSignal::Acknowledged(key) => oncall::acknowledge_alert(connection, source, key, now)
            .await?
            .map_or(Became::Nothing, Became::Acknowledged),
        AlertSignal::Resolved(key) => {
            oncall::end_alert(connection, source, key, now).await?.map_or(Became::Nothing, Became::Resolved)
        }
    })
}

/// Notes what was wrong with something of which nothing is taken.
async fn refused(
    state: &State,
    connection: &mut Connection,
    source: &AlertSource,
    alerts: usize,
    why: &str,
) -> Result<(), ApiError> {
    state.alerts.refused.add(alerts as u64);
    tracing::warn!(source = %source.id, alerts, why, "alerts are refused");
    Ok(oncall::note_alert_source(connection, source, Some(why), state.clock.now()).await?)
}

/// 429: too many open incidents.
fn too_many() -> ApiError {
    let detail =
        format!("this source has {MAX_OPEN_OF_SOURCE} open incidents, which is the limit; resolve some");
    Problem::with_detail(Code::RateLimited, detail).retry_after(FULL_RETRY).into()
}
