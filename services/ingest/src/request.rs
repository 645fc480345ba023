//! What surrounds a request's body: who sent it, when.

use crate::answer;
use crate::state::Ingest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::USER_AGENT;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use bugle_web::{RequestId, client_address};
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use std::time::Instant;

const MAX_USER_AGENT: usize = 512;

/// What is stored with each item of a request.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) request_id: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) received_at: DateTime<Utc>,
}

impl Meta {
    /// To be taken when the whole request has arrived.
    pub(crate) fn of(request: &HttpRequest, ingest: &Ingest) -> Self {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
        Self {
            request_id,
            address: client_address(request, &ingest.settings.trusted_proxies),
            user_agent: user_agent(request),
            received_at: ingest.clock.now(),
        }
    }
}

fn user_agent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT).collect())
}

/// Goes around every endpoint: CORS on every answer, the time it took.
pub(crate) async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let ingest = request.app_data::<web::Data<Ingest>>().cloned();
    let _under_way = ingest.as_ref().map(|ingest| ingest.enter());
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.call(request).await?;
    let status = response.status();
    answer::add_cors(response.headers_mut(), is_options);
    if let Some(ingest) = ingest.filter(|_| !is_options) {
        ingest.metrics.answered(status.as_u16(), started.elapsed());
    }
    Ok(response)
}
