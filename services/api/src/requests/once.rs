//! `Idempotency-Key`: the same POST again, for a day, makes nothing twice and gets the same answer.
//!
//! Only what was done is remembered. An error made nothing, so that the request may be sent again, also corrected. An
//! answer that its handler marks `no-store` holds a secret, which is not written down: whoever asks again is told that it
//! was done.

use super::refuse;
use crate::State;
use crate::access::Principal;
use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use bugle_store::StoreError;
use bugle_store::idempotency::{self, Kept, Keyed, Known, LONGEST_BODY};
use bugle_web::{Code, Problem, read_body};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 255;

/// Does what a key was not used for, and otherwise says what came of it.
pub(crate) async fn once<B: MessageBody + 'static>(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let keyed = match keyed(&mut request, state.clock.now()).await {
        Ok(Some(keyed)) => keyed,
        Ok(None) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Err(problem) => return Ok(refuse(request, &problem)),
    };
    match begin(&state, &keyed).await {
        Ok(Known::New) => {}
        Ok(Known::Done(kept)) => return Ok(request.into_response(replay(kept))),
        Ok(other) => return Ok(refuse(request, &refusal(&other))),
        Err(error) => return Ok(refuse(request, &failed(&error))),
    }
    // By itself: whoever asks again after their connection broke is to find out what came of it.
    let done = actix_web::rt::spawn(async move { done(&state, &keyed, next.call(request).await).await });
    done.await.map_err(|error| Problem::internal(&error))?
}

/// Notes what came of it.
async fn done<B: MessageBody + 'static>(
    state: &State,
    keyed: &Keyed,
    outcome: Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match outcome {
        Ok(answer) if answer.status().is_success() => {
            remember(state, keyed, answer.map_into_boxed_body()).await
        }
        other => {
            forget(state, keyed).await;
            Ok(other?.map_into_boxed_body())
        }
    }
}

/// The key with what it is for; none when the request has none, or nobody to have it.
async fn keyed(request: &mut ServiceRequest, now: DateTime<Utc>) -> Result<Option<Keyed>, Problem> {
    let key = request.headers().get(&KEY).cloned();
    let Some(key) = key.filter(|_| request.method() == Method::POST) else { return Ok(None) };
    let Some(who) = request.extensions().get::<Principal>().map(name_of) else { return Ok(None) };
    let key = key.as_bytes();
    if key.is_empty() || key.len() > LONGEST_KEY || !key.iter().all(u8::is_ascii_graphic) {
        let message = format!("expected 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(Problem::invalid_field("Idempotency-Key", message));
    }
    let content = read_body(&mut request.take_payload()).await?;
    let mut asked = Sha256::new();
    asked.update(request.uri().path_and_query().map_or("", |path| path.as_str()));
    asked.update([0]);
    asked.update(&content);
    request.set_payload(Payload::from(content));
    let (principal, key) = (Sha256::digest(who).into(), Sha256::digest(key).into());
    Ok(Some(Keyed { principal, key, request: asked.finalize().into(), at: now }))
}

/// The same person whatever the session.
fn name_of(principal: &Principal) -> String {
    format!("{} {:?}", principal.actor.kind.as_str(), principal.actor.id)
}

fn refusal(known: &Known) -> Problem {
    match known {
        Known::Another => {
            Problem::invalid_field("Idempotency-Key", "was used for another request; take a new key")
        }
        Known::DoneUnkept => Problem::with_detail(
            Code::Conflict,
            "this was done under this key; its answer held a secret or was too long, and was not kept",
        ),
        Known::Unknown => Problem::with_detail(
            Code::Conflict,
            "the first request under this key was broken off, and it is not known whether it was done: look, and take a \
             new key",
        ),
        Known::New | Known::UnderWay | Known::Done(_) => {
            Problem::with_detail(Code::Conflict, "the first request under this key is under way")
                .retry_after(1)
        }
    }
}

fn replay(kept: Kept) -> HttpResponse {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    answer.insert_header((REPLAYED, HeaderValue::from_static("true")));
    if let Some(content_type) = kept.content_type {
        answer.content_type(content_type);
    }
    if kept.body.is_empty() { answer.finish() } else { answer.body(kept.body) }
}

async fn begin(state: &State, keyed: &Keyed) -> Result<Known, StoreError> {
    let mut connection = state.store.conn().await?;
    idempotency::begin(&mut connection, keyed).await
}

/// Keeps the answer before it is given: it is the last moment at which both are known to agree.
async fn remember(
    state: &State,
    keyed: &Keyed,
    answer: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = answer.into_parts();
    let (response, content) = response.into_parts();
    let content = body::to_bytes(content).await?;
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_kept = !is_secret(headers) && content.len() <= LONGEST_BODY;
    let kept = is_kept.then_some((content_type, content.as_ref()));
    let written = async {
        let mut connection = state.store.conn().await?;
        idempotency::finish(&mut connection, keyed, response.status().as_u16(), kept).await
    };
    if let Err(error) = written.await {
        // It was done all the same: the client is told, and whoever asks again is told that it may have been.
        tracing::warn!(%error, "an answer could not be kept");
    }
    Ok(ServiceResponse::new(request, response.set_body(content).map_into_boxed_body()))
}

/// Whether an answer is for nobody to keep.
fn is_secret(headers: &HeaderMap) -> bool {
    let no_store = headers.get(header::CACHE_CONTROL).is_some_and(|value| value.as_bytes() == b"no-store");
    no_store || headers.contains_key(header::SET_COOKIE)
}

async fn forget(state: &State, keyed: &Keyed) {
    let forgotten = async {
        let mut connection = state.store.conn().await?;
        idempotency::forget(&mut connection, keyed).await
    };
    if let Err(error) = forgotten.await {
        tracing::warn!(%error, "a request that failed is still noted as under way");
    }
}

fn failed(error: &StoreError) -> Problem {
    if error.is_away() { Problem::unavailable(error) } else { Problem::internal(error) }
}
