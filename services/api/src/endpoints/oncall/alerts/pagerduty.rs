//! `POST /v2/enqueue`: PagerDuty's Events API, version 2, with its answers
//! (<https://developer.pagerduty.com/docs/events-api-v2/overview/>). The routing key is that of an alert source; below the path of a key it
//! may be any, for clients that let one choose the address only.

use super::{Became, refused, source_of, take as take_all, too_many};
use crate::openapi::{Gift, Gives, RawJson};
use crate::{ApiError, State};
use actix_web::body::BoxBody;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use bugle_model::{AlertSignal, AlertSourceKind};
use bugle_protocol::Invalid;
use bugle_protocol::alerts::pagerduty;
use bugle_store::Connection;
use bugle_store::oncall::AlertSource;
use bugle_web::Code;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// An event of PagerDuty, version 2. Other fields are not looked at.
#[derive(JsonSchema)]
#[schemars(rename = "PagerDutyEvent")]
#[expect(dead_code, reason = "says what the body is; it is read field by field")]
pub(in super::super::super) struct Event {
    /// The key of an alert source.
    routing_key: Option<String>,
    /// `trigger`, `acknowledge` or `resolve`.
    event_action: String,
    /// What makes it the same alert, up to 255 characters; a trigger without one gets one.
    dedup_key: Option<String>,
    /// Of a trigger: `summary` (up to 1,024 characters), `source`, `severity` (`critical`, `error`, `warning` or `info`), and
    /// `component`, `group`, `class`, `custom_details`.
    payload: Option<Value>,
    /// Of a trigger: each with `href` and `text`.
    links: Option<Value>,
    /// Of a trigger: each with `src`, `href` and `alt`.
    images: Option<Value>,
    /// The tool's name.
    client: Option<String>,
    /// The tool's address.
    client_url: Option<String>,
}

/// PagerDuty's answer when an event is taken.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PagerDutyAnswer")]
struct Processed {
    /// `success`
    status: &'static str,
    /// `Event processed`
    message: &'static str,
    /// What makes it the same alert.
    dedup_key: String,
}

/// PagerDuty's answer when it is not.
#[derive(Debug, Serialize)]
struct Refusal {
    status: &'static str,
    message: &'static str,
    errors: Vec<String>,
}

/// PagerDuty's answers: 202, or 400 with what is wrong.
#[derive(Debug)]
pub(in super::super::super) enum Enqueued {
    /// It is kept.
    Processed(String),
    /// Every field that is wrong.
    Refused(Vec<String>),
}

impl Responder for Enqueued {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Self::Processed(dedup_key) => HttpResponse::Accepted().json(Processed {
                status: "success",
                message: "Event processed",
                dedup_key,
            }),
            Self::Refused(errors) => HttpResponse::BadRequest().json(Refusal {
                status: "invalid event",
                message: "Event object is invalid",
                errors,
            }),
        }
    }
}

impl Gives for Enqueued {
    fn gift(generator: &mut SchemaGenerator) -> Gift {
        let schema = Some(generator.subschema_for::<Processed>());
        Gift { status: 202, types: &["application/json"], schema, pages: &[400] }
    }
}

/// `POST /v2/enqueue`
pub(in super::super::super) async fn take(
    state: Data<State>,
    body: RawJson<Event>,
) -> Result<Enqueued, ApiError> {
    let mut connection = state.store.conn().await?;
    // Of an event that cannot be read the key is looked for all the same: its source shows what is wrong.
    let key = routing_key(&body.bytes).unwrap_or_default();
    let source = match source_of(&mut connection, &key, AlertSourceKind::Pagerduty).await {
        Ok(source) => source,
        Err(ApiError::Problem(problem)) if matches!(problem.code, Code::NotFound | Code::Invalid) => {
            let why = problem.errors.first().map_or("is of no alert source", |error| error.message.as_str());
            return Ok(Enqueued::Refused(vec![format!("routing_key: {why}")]));
        }
        Err(error) => return Err(error),
    };
    enqueue(&state, &mut connection, &source, &body.bytes).await
}

/// `POST /api/v1/alerts/{key}/v2/enqueue`
pub(in super::super::super) async fn take_by_path(
    state: Data<State>,
    key: Path<String>,
    body: RawJson<Event>,
) -> Result<Enqueued, ApiError> {
    let mut connection = state.store.conn().await?;
    let source = source_of(&mut connection, &key, AlertSourceKind::Pagerduty).await?;
    enqueue(&state, &mut connection, &source, &body.bytes).await
}

fn routing_key(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    event.get("routing_key")?.as_str().map(|key| key.trim().to_owned())
}

async fn enqueue(
    state: &State,
    connection: &mut Connection,
    source: &AlertSource,
    body: &[u8],
) -> Result<Enqueued, ApiError> {
    let signal: AlertSignal = match pagerduty(body, Uuid::new_v4()) {
        Ok((_, signal)) => signal,
        Err(wrong) => {
            let wrong: Vec<String> = wrong.iter().map(Invalid::to_string).collect();
            refused(state, connection, source, 1, &wrong.join("; ")).await?;
            return Ok(Enqueued::Refused(wrong));
        }
    };
    let key = signal.key().to_owned();
    let became = take_all(state, connection, source, vec![signal], None).await?;
    if became.contains(&Became::Full) {
        return Err(too_many());
    }
    Ok(Enqueued::Processed(key))
}
