//! What changes something, or takes no parameters, refuses those that it does not know: a typo must not go unnoticed. Handlers
//! of GET that take some look at theirs themselves, to name every mistake at once.

use super::{OURS, refuse};
use crate::openapi::Parameter;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use bugle_web::Params;

/// Lets a request through whose parameters are all `known`. Lists take `limit`, also those that come whole: whoever reads lists
/// need not know which ones do.
pub(crate) async fn parameters<B: MessageBody + 'static>(
    path: &'static str,
    known: &'static [Parameter],
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_read = request.method().is_safe();
    if path.starts_with(OURS) && (known.is_empty() || !is_read) {
        let mut params = Params::parse(request.query_string());
        for parameter in known {
            params.text(parameter.name);
        }
        if is_read && !path.ends_with('}') {
            params.limit();
        }
        if let Err(problem) = params.finish() {
            return Ok(refuse(request, &problem));
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
