//! What changes something refuses parameters that it does not know: a typo must not go unnoticed. Handlers of GET look
//! at theirs themselves.

use super::{OURS, refuse};
use crate::openapi::Parameter;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use bugle_web::Params;

/// Lets a request through whose parameters are all `known`.
pub(crate) async fn parameters<B: MessageBody + 'static>(
    known: &'static [Parameter],
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.method().is_safe() && request.path().starts_with(OURS) {
        let mut params = Params::of(request.request());
        for parameter in known {
            params.text(parameter.name);
        }
        if let Err(problem) = params.finish() {
            return Ok(refuse(request, &problem));
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
