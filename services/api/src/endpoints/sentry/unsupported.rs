//! Uploads of source maps, debug files and other artefacts.

use crate::ApiError;
use crate::openapi::NoContent;
use bugle_web::{Code, Problem};

pub(super) async fn uploads() -> Result<NoContent, ApiError> {
    let detail = "Bugle does not take source maps, debug files and other artefacts yet";
    // Of a 404 sentry-cli would say that the organisation is missing.
    Err(Problem::with_detail(Code::MethodNotAllowed, detail).into())
}
