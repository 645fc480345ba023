//! `GET /api/v1/openapi.json`: the description of this API.

use crate::ApiError;
use crate::openapi::{Media, Raw};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use std::sync::LazyLock;

/// The same for every request.
static TEXT: LazyLock<String> = LazyLock::new(|| super::document().to_string());

/// The document itself: its own schema would be the whole of OpenAPI.
pub(super) struct Document;

impl Media for Document {
    const TYPES: &'static [&'static str] = &["application/json"];
}

pub(super) async fn handler() -> Result<Raw<Document>, ApiError> {
    let answer = Raw::new("application/json", TEXT.as_str());
    Ok(answer.header(CACHE_CONTROL, HeaderValue::from_static("no-cache")))
}
