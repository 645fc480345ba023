//! Paths of the protocol that Bugle does not serve: a clear 404 and an outcome. And what every path answers to
//! `OPTIONS`.

use super::{missing_auth, refuse_auth, request_auth, url_project};
use crate::answer::{Refusal, Style};
use crate::body;
use crate::door::Sender;
use crate::state::Ingest;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_protocol::auth;

async fn refuse(
    request: &HttpRequest,
    payload: Payload,
    ingest: &Ingest,
    (what, category): (&'static str, &'static str),
) -> HttpResponse {
    let refusal = match sender(request, ingest).await {
        Ok(sender) => {
            let refusal = Refusal::NotSupported(what);
            ingest.count_refusal(Some(&sender), &refusal, category);
            refusal
        }
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, category);
            refusal
        }
    };
    let _ = body::discard(payload, &ingest.settings).await;
    refusal.response(Style::Sentry)
}

async fn sender(request: &HttpRequest, ingest: &Ingest) -> Result<Sender, Refusal> {
    let auth = request_auth(request)?;
    let auth = match request.match_info().get("key") {
        Some(key) => auth::with_path_key(auth, key).map_err(|error| refuse_auth(&error))?,
        None => auth.ok_or_else(missing_auth)?,
    };
    ingest.door.admit(&auth.public_key, url_project(request)).await
}

/// `/minidump/`.
pub(crate) async fn minidump(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    refuse(&request, payload, &ingest, ("minidump", "error")).await
}

/// `/unreal/{key}/`.
pub(crate) async fn unreal(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    refuse(&request, payload, &ingest, ("unreal", "error")).await
}

/// `/playstation/`.
pub(crate) async fn playstation(
    request: HttpRequest,
    payload: Payload,
    ingest: Data<Ingest>,
) -> HttpResponse {
    refuse(&request, payload, &ingest, ("playstation", "error")).await
}

/// `/upload/` and `/upload/{id}/`.
pub(crate) async fn upload(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    refuse(&request, payload, &ingest, ("upload", "attachment")).await
}

/// `/events/{event_id}/attachments/`.
pub(crate) async fn attachments(
    request: HttpRequest,
    payload: Payload,
    ingest: Data<Ingest>,
) -> HttpResponse {
    refuse(&request, payload, &ingest, ("attachments", "attachment")).await
}

/// A path below `/api/{project}/` that nobody knows.
pub(crate) async fn unknown(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    refuse(&request, payload, &ingest, ("this path", "default")).await
}

/// `OPTIONS`: the headers around every answer say it all.
pub(crate) async fn options() -> HttpResponse {
    HttpResponse::Ok().finish()
}
