//! `GET` and `POST /api/{project}/cron/{slug}[/{key}]/`: accepted and counted, not kept yet.

use super::{missing_auth, refuse_auth, request_auth, url_project};
use crate::answer::{Refusal, Style};
use crate::body;
use crate::state::Ingest;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::Outcome;
use bugle_protocol::auth;

/// The handler. 202 without a body.
pub(crate) async fn check_in(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    match accept(&request, payload, &ingest).await {
        Ok(()) => HttpResponse::Accepted().finish(),
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, "monitor");
            refusal.response(Style::Sentry)
        }
    }
}

async fn accept(request: &HttpRequest, payload: Payload, ingest: &Ingest) -> Result<(), Refusal> {
    let auth = request_auth(request)?;
    let auth = match request.match_info().get("key") {
        Some(key) => auth::with_path_key(auth, key).map_err(|error| refuse_auth(&error))?,
        None => auth.ok_or_else(missing_auth)?,
    };
    let sender = ingest.door.admit(&auth.public_key, url_project(request)).await?;
    body::discard(payload, &ingest.settings).await?;
    ingest.count(&sender, (Outcome::Unsupported, "check_in"), "monitor");
    Ok(())
}
