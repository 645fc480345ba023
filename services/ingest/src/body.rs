//! A request's body: read with a deadline and a bound, inflated with a bound.

use crate::answer::Refusal;
use crate::memory::{Memory, ORDINARY_MAX, Reservation};
use crate::settings::Settings;
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web::{Bytes, Payload};
use bugle_protocol::encoding::{self, EncodingError};
use futures_util::StreamExt;
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bodies above this size are inflated beside the HTTP workers, so that nobody waits behind them.
const INLINE_MAX: usize = 64 * 1024;
/// The first attempt at inflating allows this many times the size, and at least [`INLINE_MAX`].
const USUAL_RATIO: usize = 12;
const FIRST_STEP: usize = 16 * 1024;

/// A body in memory, with the room it takes.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Held until the request is answered.
    pub(crate) room: Reservation,
}

/// Reads the whole body and undoes its `Content-Encoding`; neither form may exceed `limit` bytes.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: Payload,
    memory: &Memory,
    settings: &Settings,
    limit: usize,
) -> Result<Body, Refusal> {
    let raw = read_raw(request, payload, memory, settings, limit).await?;
    let encoding = match request.headers().get(CONTENT_ENCODING) {
        None => return Ok(raw),
        Some(value) => value.to_str().map_err(|_| Refusal::malformed("content-encoding: not readable"))?,
    };
    if matches!(encoding::inflate(Some(encoding), &[], 0), Ok(Cow::Borrowed(_))) {
        return Ok(raw);
    }
    inflate(raw, encoding, limit).await
}

async fn read_raw(
    request: &HttpRequest,
    mut payload: Payload,
    memory: &Memory,
    settings: &Settings,
    limit: usize,
) -> Result<Body, Refusal> {
    let announced = announced_length(request);
    if announced.is_some_and(|length| length > limit) {
        return Err(Refusal::too_large(format!("body: more than {limit} bytes")));
    }
    let pace = Pace::new(settings);
    let mut room = memory.reserve();
    let mut bytes = Vec::new();
    while let Some(chunk) = pace.next(&mut payload, bytes.len()).await? {
        let length = bytes.len() + chunk.len();
        if length > limit {
            return Err(Refusal::too_large(format!("body: more than {limit} bytes")));
        }
        if length > bytes.capacity() {
            let capacity = next_capacity(length, announced, limit);
            room.grow_to(capacity).await?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { bytes, room })
}

fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Doubles, so that what is reserved is at most twice what has arrived; never beyond what was announced. A large body,
/// which has all the room there is for large ones, gets it at once and is not copied again.
fn next_capacity(length: usize, announced: Option<usize>, limit: usize) -> usize {
    let doubled = if length > ORDINARY_MAX { limit } else { length.next_power_of_two().max(FIRST_STEP) };
    doubled.min(announced.unwrap_or(limit)).clamp(length, limit.max(length))
}

/// Reads the body and throws it away, so that the connection can be used again.
pub(crate) async fn discard(mut payload: Payload, settings: &Settings) -> Result<(), Refusal> {
    let pace = Pace::new(settings);
    let mut length = 0;
    while let Some(chunk) = pace.next(&mut payload, length).await? {
        length += chunk.len();
        if length > settings.max_discarded {
            return Err(Refusal::too_large(format!("body: more than {} bytes", settings.max_discarded)));
        }
    }
    Ok(())
}

/// How fast a body has to come.
struct Pace {
    started: Instant,
    deadline: Instant,
    grace: Duration,
    min_rate: u64,
}

impl Pace {
    fn new(settings: &Settings) -> Self {
        let started = Instant::now();
        let deadline = started + settings.body_deadline;
        Self { started, deadline, grace: settings.body_grace, min_rate: settings.min_rate.max(1) }
    }

    /// The next piece, or nothing at the end. `so_far` bytes have come: they say until when the next must.
    async fn next(&self, payload: &mut Payload, so_far: usize) -> Result<Option<Bytes>, Refusal> {
        let earned = Duration::from_millis((so_far as u64).saturating_mul(1000) / self.min_rate);
        let until = self.deadline.min(self.started + self.grace + earned);
        match timeout_at(until, payload.next()).await {
            Err(_) => Err(Refusal::TooSlow),
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(Some(Err(_))) => Err(Refusal::malformed("body: cut off before its end")),
        }
    }
}

/// Inflates a small body here and now, to what such bodies usually come to; any other beside the HTTP workers.
async fn inflate(raw: Body, encoding: &str, limit: usize) -> Result<Body, Refusal> {
    let Body { bytes, mut room } = raw;
    if bytes.len() <= INLINE_MAX {
        let usual =
            bytes.len().saturating_mul(USUAL_RATIO).clamp(INLINE_MAX, ORDINARY_MAX - INLINE_MAX).min(limit);
        room.grow_to(bytes.len() + usual).await?;
        match encoding::inflate(Some(encoding), &bytes, usual) {
            Ok(inflated) => {
                let bytes = inflated.into_owned();
                room.shrink_to(bytes.len());
                return Ok(Body { bytes, room });
            }
            Err(EncodingError::TooLarge { .. }) if usual < limit => {}
            Err(error) => return Err(refuse(&error)),
        }
    }
    let ordinary = ORDINARY_MAX.saturating_sub(bytes.len());
    inflate_aside(Body { bytes, room }, encoding.to_owned(), ordinary.min(limit), limit).await
}

/// Inflates to what an ordinary body may come to; failing that, as a large one.
async fn inflate_aside(raw: Body, encoding: String, first: usize, limit: usize) -> Result<Body, Refusal> {
    let Body { mut bytes, mut room } = raw;
    let mut step = first;
    loop {
        room.grow_to(bytes.len() + step).await?;
        let encoding = encoding.clone();
        let attempt = move || {
            let inflated = encoding::inflate(Some(&encoding), &bytes, step).map(Cow::into_owned);
            (inflated, bytes)
        };
        let (inflated, raw) =
            tokio::task::spawn_blocking(attempt).await.map_err(|_| Refusal::unavailable("stopping"))?;
        match inflated {
            Ok(inflated) => {
                room.shrink_to(inflated.len());
                return Ok(Body { bytes: inflated, room });
            }
            Err(EncodingError::TooLarge { .. }) if step < limit => step = limit,
            Err(error) => return Err(refuse(&error)),
        }
        bytes = raw;
    }
}

fn refuse(error: &EncodingError) -> Refusal {
    match error {
        EncodingError::TooLarge { .. } => Refusal::too_large(error.to_string()),
        EncodingError::Unsupported(_) => Refusal::MediaType(error.to_string()),
        EncodingError::Damaged(_) => Refusal::malformed(error.to_string()),
    }
}
