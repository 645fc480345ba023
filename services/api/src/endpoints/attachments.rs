//! `/api/v1/events/{event_id}/attachments` and `/api/v1/attachments/{id}`: the files that came with an event.
//!
//! Whoever can send an error can send any file: it is handed out for keeping, never for looking at on this origin.

use super::named;
use crate::access::Principal;
use crate::openapi::{Media, Raw};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::body::SizedStream;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, Charset, ContentDisposition,
    DispositionParam, DispositionType, ExtendedValue, HeaderName, HeaderValue, TryIntoHeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{Data, Json, Path};
use bugle_store::attachments::{self, Attachment};
use bugle_web::objects::key_of;
use bugle_web::{Code, Page, Problem};
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;

/// Nothing of a file may run, load or open anything.
const POLICY: &str = "default-src 'none'; sandbox";
const MEDIA_TYPE: &str = "application/octet-stream";

/// Whatever a client sent.
pub(super) struct AnyFile;

impl Media for AnyFile {
    const TYPES: &'static [&'static str] = &[MEDIA_TYPE];
}

/// A file that came with an event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attachment")]
pub(super) struct AttachmentView {
    /// Its id.
    id: i64,
    /// The name that the client gave it.
    name: String,
    /// The media type that the client gave it.
    content_type: Option<String>,
    /// What it is for, as in `event.minidump`.
    attachment_type: Option<String>,
    /// Bytes.
    size: i64,
    /// SHA-256 of the bytes, in hex.
    sha256: String,
    /// When it came.
    received_at: DateTime<Utc>,
}

impl From<Attachment> for AttachmentView {
    fn from(found: Attachment) -> Self {
        Self {
            id: found.id,
            sha256: hex(&found.sha256),
            name: found.filename,
            content_type: found.content_type,
            attachment_type: found.attachment_type,
            size: found.size,
            received_at: found.received_at,
        }
    }
}

pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
    text: Path<String>,
) -> Result<Json<Page<AttachmentView>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let event = named::event(&mut connection, &principal, &request, &text).await?;
    let found = attachments::of_event(&mut connection, event.project, event.event.event_id).await?;
    Ok(Json(Page::whole(found).map(AttachmentView::from)))
}

pub(super) async fn download(
    principal: Principal,
    state: Data<State>,
    text: Path<String>,
) -> Result<Raw<AnyFile>, ApiError> {
    let id = text.parse().map_err(|_| named::missing("attachment", &text))?;
    let mut connection = state.store.conn().await?;
    let found = attachments::get(&mut connection, &principal.scope(), id, state.clock.now()).await?;
    let found = found.ok_or_else(|| named::missing("attachment", &text))?;
    drop(connection);
    let opened =
        state.attachments.store.get(&key_of(&hex(&found.sha256))).await.map_err(|error| gone(&error))?;
    let size = opened.meta.size;
    let name = disposition(&found.filename).try_into_value().map_err(|error| Problem::internal(&error))?;
    let value = HeaderValue::from_static;
    Ok(Raw::new(MEDIA_TYPE, SizedStream::new(size, opened.into_stream()))
        .header(CONTENT_DISPOSITION, name)
        .header(CONTENT_SECURITY_POLICY, value(POLICY))
        .header(X_CONTENT_TYPE_OPTIONS, value("nosniff"))
        .header(CACHE_CONTROL, value("private, no-cache"))
        .header(HeaderName::from_static("cross-origin-resource-policy"), value("same-origin")))
}

fn gone(error: &object_store::Error) -> ApiError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        let detail = "its bytes are not in this process's object_store; every process needs the same one";
        return Problem::with_detail(Code::NotFound, detail).into();
    }
    tracing::warn!(%error, "an attachment cannot be read");
    Problem::with_detail(Code::Unavailable, "the object store does not answer").into()
}

/// As a file to be kept. Clients that do not read the extended name get the letters of it that are safe in a header.
fn disposition(name: &str) -> ContentDisposition {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let plain: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let extended =
        ExtendedValue { charset: Charset::Ext("UTF-8".to_owned()), language_tag: None, value: name.into() };
    let parameters = vec![DispositionParam::Filename(plain), DispositionParam::FilenameExt(extended)];
    ContentDisposition { disposition: DispositionType::Attachment, parameters }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = |name: &str| disposition(name).to_string();
        assert_eq!(header("dump.txt"), "attachment; filename=\"dump.txt\"; filename*=UTF-8''dump.txt");
        assert_eq!(
            header("a\r\nSet-Cookie: x=\"1\"/../\u{202e}é.html"),
            "attachment; filename=\"a__Set-Cookie_ x__1__..___.html\"; \
             filename*=UTF-8''a%0D%0ASet%2DCookie%3A%20x=%221%22%2F..%2F%E2%80%AE%C3%A9.html"
        );
    }
}
