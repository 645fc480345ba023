//! What holds for every request, whatever it asks for; wrapped around the routes where they are mounted.
//!
//! From the outside in: [`safety`] headers, the guard with its [`limit`], unknown [`parameters`], [`version`]s of things
//! (`ETag`, `If-Match`), and doing things [`once`] (`Idempotency-Key`).

pub(crate) mod limit;
pub(crate) mod once;
pub(crate) mod parameters;
pub(crate) mod safety;
pub(crate) mod version;

use actix_web::ResponseError;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use bugle_web::Problem;

/// Versions, keys and strict parameters are of this API; the others keep their clients' contracts.
pub(crate) const OURS: &str = "/api/v1/";

/// An answer and not an error: what wraps the routes is to see it.
fn refuse(request: ServiceRequest, problem: &Problem) -> ServiceResponse<BoxBody> {
    request.into_response(problem.error_response())
}
