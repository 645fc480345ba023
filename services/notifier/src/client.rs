//! HTTP clients for outgoing requests, and what an answer means.

use crate::guard::{Blocked, Guard};
use crate::outcome::{Blame, Outcome, Verdict};
use crate::policy;
use bugle_store::notifications::LOST;
use chrono::{DateTime, Utc};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// How much of a list is read, in bytes: 100 messages at Twilio.
const MAX_LIST: usize = 512 * 1024;

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Name resolution, TCP and TLS.
    pub connect: Duration,
    /// The whole request, its answer included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS could not be set up.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// Another setting.
    #[error("http client: {0}")]
    Http(#[from] reqwest::Error),
}

/// A client for URLs that users set: public addresses only. Literals must be checked by [`Guard::check`] besides.
///
/// # Errors
/// See [`ClientError`].
pub fn guarded(guard: &Guard, timeouts: Timeouts) -> Result<Client, ClientError> {
    Ok(builder(timeouts)?.dns_resolver(Arc::new(guard.clone())).build()?)
}

/// A client for the operator's own settings (Twilio's and Slack's base URL), which may point anywhere.
///
/// # Errors
/// See [`ClientError`].
pub fn trusted(timeouts: Timeouts) -> Result<Client, ClientError> {
    Ok(builder(timeouts)?.build()?)
}

fn builder(timeouts: Timeouts) -> Result<reqwest::ClientBuilder, ClientError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Client::builder()
        .use_preconfigured_tls(tls)
        // A proxy from the environment would resolve names past the guard.
        .no_proxy()
        .redirect(Redirects::none())
        .user_agent(concat!("Bugle/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .pool_idle_timeout(Duration::from_secs(30)))
}

/// An answer, with as much of its body as is looked at.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// `Retry-After` in seconds from now, clamped.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: String,
}

impl Answer {
    /// The status as a number.
    #[must_use]
    pub fn code(&self) -> i32 {
        i32::from(self.status.as_u16())
    }

    /// An outcome with this answer in it.
    #[must_use]
    pub fn outcome(&self, verdict: Verdict) -> Outcome {
        Outcome { verdict, status: Some(self.code()), answer: Some(self.body.clone()) }
    }

    /// To be tried again because of the status.
    #[must_use]
    pub fn again(&self, error: String) -> Outcome {
        self.outcome(Verdict::Again {
            error,
            after: self.retry_after,
            ambiguous: false,
            blame: Blame::Destination,
        })
    }

    /// Whether the same request may succeed later: 408, 425, 429 and 5xx.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 425 | 429 | 500..=599)
    }
}

/// Sends a request and reads the beginning of its answer. The error is already an outcome.
///
/// # Errors
/// When there is no answer: to be tried again, unless the address is not allowed.
pub async fn send(request: RequestBuilder, now: DateTime<Utc>) -> Result<Answer, Outcome> {
    match request.send().await {
        Ok(response) => Ok(read(response, now, MAX_ANSWER).await),
        Err(error) => Err(no_answer(&error)),
    }
}

/// As [`send`], for an answer that is long by nature.
///
/// # Errors
/// As [`send`].
pub async fn fetch(request: RequestBuilder, now: DateTime<Utc>) -> Result<Answer, Outcome> {
    match request.send().await {
        Ok(response) => Ok(read(response, now, MAX_LIST).await),
        Err(error) => Err(no_answer(&error)),
    }
}

/// A text that is kept whole.
#[derive(Debug, Clone)]
pub struct Download {
    /// The status.
    pub status: StatusCode,
    /// The version of the text, as its server names it.
    pub etag: Option<String>,
    /// The body; empty when the status is not 200.
    pub body: Vec<u8>,
}

/// Sends a request and reads its whole answer; the body only of a 200, since nobody looks at another.
///
/// # Errors
/// In words, without the URL: there is no answer, it breaks off, or it is larger than `limit` bytes.
pub async fn download(request: RequestBuilder, limit: usize) -> Result<Download, String> {
    let mut response = request.send().await.map_err(|error| in_words(&error))?;
    let etag = response.headers().get(reqwest::header::ETAG);
    let etag = etag.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut download = Download { status: response.status(), etag, body: Vec::new() };
    if download.status != StatusCode::OK {
        return Ok(download);
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| in_words(&error))? {
        if download.body.len() + chunk.len() > limit {
            return Err(format!("the answer is larger than {limit} bytes"));
        }
        download.body.extend_from_slice(&chunk);
    }
    Ok(download)
}

async fn read(mut response: Response, now: DateTime<Utc>, limit: usize) -> Answer {
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after =
        header.and_then(|value| value.to_str().ok()).and_then(|text| policy::retry_after(text, now));
    let status = response.status();
    let mut body = Vec::new();
    // The status has arrived and decides; a body that breaks off is shown as far as it came.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= limit {
            body.truncate(limit);
            break;
        }
    }
    Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() }
}

fn no_answer(error: &reqwest::Error) -> Outcome {
    let what = in_words(error);
    if cause::<Blocked>(error).is_some() || error.is_builder() {
        return Outcome::failed(what);
    }
    // Before the connection stands nothing can have arrived.
    let ambiguous = !error.is_connect();
    let answer = ambiguous.then(|| format!("{LOST}{what}"));
    let verdict = Verdict::Again { error: what, after: None, ambiguous, blame: Blame::Destination };
    Outcome { verdict, status: None, answer }
}

fn in_words(error: &reqwest::Error) -> String {
    if let Some(blocked) = cause::<Blocked>(error) {
        blocked.to_string()
    } else if error.is_builder() {
        format!("the request cannot be made: {}", root(error))
    } else if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot connect: {}", root(error))
    } else {
        format!("the connection broke: {}", root(error))
    }
}

fn cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// The innermost cause, which names no URL (a URL may hold a secret).
fn root(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(next) = deepest.source() {
        deepest = next;
    }
    if deepest.is::<reqwest::Error>() { "invalid".to_owned() } else { deepest.to_string() }
}
