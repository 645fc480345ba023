//! `ETag` on single things and `If-Match` on what changes them.
//!
//! The version of a thing is a hash of what a GET of it answers, without what changes by itself: an event that comes in
//! between is no reason to refuse what somebody wants to change.

use super::{OURS, refuse};
use crate::State;
use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder};
use bugle_store::StoreError;
use bugle_store::idempotency::Turn;
use bugle_web::{Code, Problem, WithoutQuery, read_body};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

/// Whoever has not had their turn by now is to come back later.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Fields that nobody changes by hand.
const BY_ITSELF: [&str; 15] = [
    "count",
    "users",
    "events",
    "first_seen",
    "last_seen",
    "releases",
    "regressions",
    "sparkline",
    "new_issues",
    "regressed_issues",
    "resolved_issues",
    "last_used_at",
    "last_seen_at",
    "failures",
    "open_until",
];

/// What a GET of the same path would answer.
pub(crate) type Reader = Rc<dyn Fn(HttpRequest) -> Pin<Box<dyn Future<Output = HttpResponse>>>>;

/// The reader that a handler of GET is.
pub(crate) fn reader<F, Args>(handler: F) -> Reader
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Rc::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            match Args::from_request(&request, &mut Payload::None).await {
                Ok(args) => handler.call(args).await.respond_to(&request).map_into_boxed_body(),
                Err(error) => HttpResponse::from_error(error),
            }
        })
    })
}

/// Tells the version of what is read, and changes what is of the version that the client knows. `read` is there for things
/// that can be read and changed under one path.
pub(crate) async fn version<B: MessageBody + 'static>(
    read: Option<Reader>,
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.path().starts_with(OURS) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if request.method().is_safe() {
        let answer = next.call(request).await?.map_into_boxed_body();
        return if read.is_some() { tagged(answer).await } else { Ok(answer) };
    }
    let Some(known) = request.headers().get(header::IF_MATCH).cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let Some(read) = read else { return Ok(refuse(request, &failed("this has no version of its own"))) };
    // Before the turn: nobody waits for somebody else's body.
    match read_body(&mut request.take_payload()).await {
        Ok(content) => request.set_payload(Payload::from(content)),
        Err(problem) => return Ok(refuse(request, &problem)),
    }
    let (_alone, turn) = match timeout(LONGEST_WAIT, turn(&state)).await {
        Ok(Ok(turn)) => turn,
        Ok(Err(problem)) => return Ok(refuse(request, &problem)),
        Err(_) => return Ok(refuse(request, &Problem::unavailable(&"no turn to change something came"))),
    };
    let answer = if_known(&read, &known, request, next).await;
    if let Err(error) = turn.end().await {
        tracing::debug!(%error, "a turn did not end by itself");
    }
    answer
}

/// One connection at a time waits for its turn, so that the others of the pool are there for those who have it.
async fn turn(state: &State) -> Result<(SemaphorePermit<'_>, Turn), Problem> {
    let alone = state.turns.acquire().await.map_err(|error| Problem::internal(&error))?;
    let turn = Turn::take(&state.store).await.map_err(|error| away(&error))?;
    Ok((alone, turn))
}

/// What a GET of the same path would answer: the query is the change's.
async fn as_read(read: &Reader, request: &HttpRequest) -> HttpResponse {
    request.extensions_mut().insert(WithoutQuery);
    let answer = read(request.clone()).await;
    request.extensions_mut().remove::<WithoutQuery>();
    answer
}

/// Changes what is still of a known version.
async fn if_known<B: MessageBody + 'static>(
    read: &Reader,
    known: &HeaderValue,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let before = as_read(read, request.request()).await;
    match before.status() {
        StatusCode::OK => {
            let current = tag_of(before).await;
            if !current.as_ref().is_some_and(|current| is_known(known, current)) {
                return Ok(refuse(request, &failed("it was changed meanwhile: read it again")));
            }
        }
        // The handler refuses in its own words.
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {}
        // Whether it is of this version is not known.
        _ => return Ok(request.into_response(before)),
    }
    let mut answer = next.call(request).await?.map_into_boxed_body();
    if answer.status().is_success() && answer.request().method() != Method::DELETE {
        let after = as_read(read, answer.request()).await;
        if let Some(tag) = tag_of(after).await {
            answer.headers_mut().insert(header::ETAG, tag);
        }
    }
    Ok(answer)
}

/// Refuses to make what the client knows a version of: it was there, and somebody else has taken it away. For a PUT that
/// makes what is not there.
pub(crate) fn refuse_to_make(request: &HttpRequest) -> Result<(), Problem> {
    if request.headers().contains_key(header::IF_MATCH) {
        return Err(failed("it is not there any more"));
    }
    Ok(())
}

fn failed(why: &str) -> Problem {
    Problem::with_detail(Code::PreconditionFailed, why)
}

fn away(error: &StoreError) -> Problem {
    if error.is_away() { Problem::unavailable(error) } else { Problem::internal(error) }
}

/// Whether a list of versions has this one; `*` is any.
fn is_known(known: &HeaderValue, current: &HeaderValue) -> bool {
    let (Ok(known), Ok(current)) = (known.to_str(), current.to_str()) else { return false };
    known.split(',').map(str::trim).any(|one| one == "*" || one == current)
}

async fn tagged(answer: ServiceResponse<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    if answer.status() != StatusCode::OK {
        return Ok(answer);
    }
    let (request, response) = answer.into_parts();
    let (mut response, content) = response.into_parts();
    let content = body::to_bytes(content).await?;
    if let Some(tag) = tag(&content) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(ServiceResponse::new(request, response.set_body(content).map_into_boxed_body()))
}

async fn tag_of(answer: HttpResponse) -> Option<HeaderValue> {
    if answer.status() != StatusCode::OK {
        return None;
    }
    tag(&body::to_bytes(answer.into_body()).await.ok()?)
}

fn tag(content: &Bytes) -> Option<HeaderValue> {
    let Ok(Value::Object(mut thing)) = serde_json::from_slice(content) else { return None };
    for field in BY_ITSELF {
        thing.remove(field);
    }
    let digest = Sha256::digest(serde_json::to_vec(&thing).ok()?);
    let text: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{text}\"")).ok()
}
