//! Webhooks for apps without an SDK: `POST /api/error-logging/webhook/{laravel,java,frontend,mobile,generic}/`,
//! and `POST /api/error-logging/errors/`, which is the generic one.

use super::{header, request_auth};
use crate::answer::{Refusal, Style};
use crate::body;
use crate::door::Sender;
use crate::intake::{Draft, Fate, Shipment};
use crate::request::Meta;
use crate::state::{Ingest, new_id};
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::ItemKind;
use bugle_protocol::auth::query_value;
use bugle_protocol::webhook;
use bugle_web::FieldError;
use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

const X_BUGLE_KEY: HeaderName = HeaderName::from_static("x-bugle-key");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// `POST …/webhook/{source}/`.
pub(crate) async fn post(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    let kind = match request.match_info().get("source") {
        Some("laravel") => ItemKind::WebhookLaravel,
        Some("java") => ItemKind::WebhookJava,
        Some("frontend") => ItemKind::WebhookFrontend,
        Some("mobile") => ItemKind::WebhookMobile,
        _ => ItemKind::WebhookGeneric,
    };
    respond(accept(&request, payload, &ingest, kind).await)
}

/// `POST /api/error-logging/errors/`.
pub(crate) async fn capture(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    respond(accept(&request, payload, &ingest, ItemKind::WebhookGeneric).await)
}

fn respond(result: Result<Uuid, Refusal>) -> HttpResponse {
    match result {
        Ok(id) => HttpResponse::Accepted().json(json!({"id": id})),
        Err(refusal) => refusal.response(Style::Problem),
    }
}

/// `GET …/webhook/health/`: whether an error could be accepted now.
pub(crate) async fn health(ingest: Data<Ingest>) -> HttpResponse {
    if ingest.outlet.is_open() {
        HttpResponse::Ok().json(json!({"status": "ok", "healthy": true, "message": "errors are accepted"}))
    } else {
        let message = "errors cannot be made durable now";
        HttpResponse::ServiceUnavailable()
            .json(json!({"status": "unavailable", "healthy": false, "message": message}))
    }
}

async fn accept(
    request: &HttpRequest,
    payload: Payload,
    ingest: &Ingest,
    kind: ItemKind,
) -> Result<Uuid, Refusal> {
    let sender = admit(request, ingest, payload, "error").await;
    let (sender, payload) = sender?;
    let counted = |refusal: Refusal| {
        ingest.count_refusal(Some(&sender), &refusal, "error");
        refusal
    };
    let limit = ingest.settings.max_event;
    let body =
        body::read(request, payload, &ingest.memory, &ingest.settings, limit).await.map_err(counted)?;
    webhook::validate(kind, &body.bytes).map_err(|errors| counted(Refusal::Invalid(fields(errors))))?;
    let meta = Meta::of(request, ingest);
    let id = bugle_protocol::event_id(&body.bytes).unwrap_or_else(|| new_id(meta.received_at));
    let draft = Draft { event_id: Some(id), ..Draft::new(kind, "error", Bytes::from(body.bytes)) };
    match ingest.submit(&shipment(&sender, &meta), vec![draft]).await?.first() {
        Some(Fate::Limited(limit)) => Err(Refusal::RateLimited(*limit)),
        _ => Ok(id),
    }
}

pub(super) fn shipment<'a>(sender: &'a Sender, meta: &'a Meta) -> Shipment<'a> {
    Shipment { sender, client: None, meta, sent_at: None, environment: None, release: None }
}

pub(super) fn fields(errors: Vec<webhook::FieldError>) -> Vec<FieldError> {
    errors.into_iter().map(|error| FieldError::new(error.field, error.message)).collect()
}

/// Who sends, by any form of the key. Gives the payload back when somebody is to read it.
pub(super) async fn admit(
    request: &HttpRequest,
    ingest: &Ingest,
    payload: Payload,
    category: &'static str,
) -> Result<(Sender, Payload), Refusal> {
    let admitted = async {
        let key = public_key(request)?;
        ingest.door.admit(&key, None).await
    };
    match admitted.await {
        Ok(sender) => Ok((sender, payload)),
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, category);
            let _ = body::discard(payload, &ingest.settings).await;
            Err(refusal)
        }
    }
}

/// `Authorization: Bearer <key>`, `X-Bugle-Key` or `X-Api-Key`, `?key=`, or any form that Sentry's SDKs use.
fn public_key(request: &HttpRequest) -> Result<String, Refusal> {
    if let Some(auth) = request_auth(request)? {
        return Ok(auth.public_key);
    }
    let bearer = header(request, &AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.to_owned())
    });
    let own = || header(request, &X_BUGLE_KEY).or_else(|| header(request, &X_API_KEY)).map(str::to_owned);
    let key = bearer.or_else(own).or_else(|| query_value(request.query_string(), "key"));
    let key = key.ok_or_else(|| {
        let expected = "a project key is needed: as bearer token, in the header x-bugle-key, or as ?key=";
        Refusal::Unauthorized(expected.to_owned())
    })?;
    Ok(key.trim().to_ascii_lowercase())
}
