//! `POST /api/v1/alerts/{key}`: one alert in Bugle's own form.

use super::super::super::named;
use super::{Became, refused, source_of, take as take_all, too_many};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Alert, AlertLink, AlertSignal, AlertSourceKind, IncidentId, Priority};
use bugle_web::{FieldError, JsonBody};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether an alert still is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AlertStatus")]
pub(in super::super::super) enum Status {
    /// It fires, or still does.
    #[default]
    Firing,
    /// It is over.
    Resolved,
}

/// An alert.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAlert")]
pub(in super::super::super) struct Body {
    /// A line that says what is wrong, 1 to 256 characters; may be left out with `resolved` and a key.
    title: Option<String>,
    /// What makes it the same alert, 1 to 255 characters; the title, when absent.
    key: Option<String>,
    /// `firing` when absent.
    #[serde(default)]
    status: Status,
    /// The source's default, when absent.
    priority: Option<Priority>,
    /// More of it, up to 10,000 characters.
    message: Option<String>,
    /// Places that have more to say, 10 at most.
    #[serde(default)]
    links: Vec<AlertLink>,
    /// Names and values: 64 at most, names of 1 to 128 and values of up to 1,024 characters. `environment` is the incident's.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AlertResult")]
enum Outcome {
    /// It opened an incident.
    Opened,
    /// The open incident knows of it; nobody is paged again.
    Noted,
    /// It ended its incident.
    Resolved,
    /// It has ended, and there is no open incident.
    Nothing,
}

/// What became of an alert.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AlertAnswer")]
pub(in super::super::super) struct Taken {
    result: Outcome,
    /// Its incident.
    incident: Option<IncidentId>,
    /// What makes it the same alert.
    key: String,
}

/// `POST /api/v1/alerts/{key}`
pub(in super::super::super) async fn take(
    state: Data<State>,
    key: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Taken>, ApiError> {
    let mut connection = state.store.conn().await?;
    let source = source_of(&mut connection, &key, AlertSourceKind::Generic).await?;
    let (status, alert) = body.read();
    let wrong: Vec<_> =
        alert.mistakes().into_iter().map(|(field, message)| FieldError::new(field, message)).collect();
    if let Some(first) = wrong.first() {
        let why = format!("{}: {}", first.field, first.message);
        refused(&state, &mut connection, &source, 1, &why).await?;
    }
    named::refuse(wrong)?;
    let key = alert.key.clone();
    let signal = match status {
        Status::Firing => AlertSignal::Firing(alert),
        Status::Resolved => AlertSignal::Resolved(alert.key),
    };
    let became = take_all(&state, &mut connection, &source, vec![signal], None).await?;
    let (result, incident) = match became.first() {
        Some(Became::Opened(incident)) => (Outcome::Opened, Some(*incident)),
        Some(Became::Noted(incident) | Became::Acknowledged(incident)) => (Outcome::Noted, Some(*incident)),
        Some(Became::Resolved(incident)) => (Outcome::Resolved, Some(*incident)),
        Some(Became::Nothing) | None => (Outcome::Nothing, None),
        Some(Became::Full) => return Err(too_many()),
    };
    Ok(Json(Taken { result, incident, key }))
}

impl Body {
    fn read(self) -> (Status, Alert) {
        let Self { title, key, status, priority, message, links, labels } = self;
        let title = title.map(|text| text.trim().to_owned());
        let key =
            key.or_else(|| Some(title.as_ref()?.chars().take(Alert::MAX_KEY).collect())).unwrap_or_default();
        let title = title.unwrap_or_else(|| match status {
            Status::Firing => String::new(),
            Status::Resolved => key.clone(),
        });
        (status, Alert { key, title, message, priority, labels, links })
    }
}
