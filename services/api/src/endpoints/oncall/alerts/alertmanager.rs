//! `POST /api/v1/alerts/{key}/alertmanager`: the webhook of Alertmanager and Grafana. It knows two answers: that all is well, and that it
//! has to send everything again. So what is wrong with one alert does not make it send the others again.

use super::{Became, refused, source_of, take as take_all, too_many};
use crate::openapi::RawJson;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::AlertSourceKind;
use bugle_protocol::Invalid;
use bugle_protocol::alerts::alertmanager;
use bugle_store::oncall::MAX_OPEN_OF_SOURCE;
use bugle_web::{FieldError, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// What Alertmanager (version 4) and Grafana send. Other fields are not looked at.
#[derive(JsonSchema)]
#[schemars(rename = "AlertmanagerWebhook")]
#[expect(dead_code, reason = "says what the body is; it is read part by part")]
pub(in super::super::super) struct Webhook {
    /// Each with `status` (`firing` or `resolved`), `fingerprint`, `labels` and `annotations`.
    alerts: Vec<Value>,
}

/// What became of a webhook's alerts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AlertmanagerAnswer")]
pub(in super::super::super) struct Taken {
    /// How many were taken.
    accepted: usize,
    /// How many were not.
    refused: usize,
    /// What is wrong with the first 20 of those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// `POST /api/v1/alerts/{key}/alertmanager`
pub(in super::super::super) async fn take(
    state: Data<State>,
    key: Path<String>,
    body: RawJson<Webhook>,
) -> Result<Json<Taken>, ApiError> {
    let mut connection = state.store.conn().await?;
    let source = source_of(&mut connection, &key, AlertSourceKind::Alertmanager).await?;
    let batch = match alertmanager(&body.bytes) {
        Ok(batch) => batch,
        Err(wrong) => {
            refused(&state, &mut connection, &source, 1, &wrong.to_string()).await?;
            return Err(Problem::invalid(vec![field_error(&wrong)]).into());
        }
    };
    let mut errors: Vec<FieldError> = batch.mistakes.iter().map(field_error).collect();
    let first = batch.mistakes.first().map(ToString::to_string);
    if let Some(first) = &first {
        refused(&state, &mut connection, &source, batch.refused, first).await?;
    }
    if batch.signals.is_empty() && !errors.is_empty() {
        return Err(Problem::invalid(errors).into());
    }
    let became = take_all(&state, &mut connection, &source, batch.signals, first.as_deref()).await?;
    let full = became.iter().filter(|one| **one == Became::Full).count();
    if full > 0 && full == became.len() {
        return Err(too_many());
    }
    if full > 0 {
        let message =
            format!("{full} of them would be over {MAX_OPEN_OF_SOURCE} open incidents of this source");
        errors.push(FieldError::new("alerts", message));
    }
    Ok(Json(Taken { accepted: became.len() - full, refused: batch.refused + full, errors }))
}

fn field_error(wrong: &Invalid) -> FieldError {
    FieldError::new(wrong.field.clone(), wrong.reason.clone())
}
