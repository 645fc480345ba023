//! `POST /api/{project}/envelope/` and `/tunnel`.

use super::{answer, missing_auth, refuse_auth, request_auth, url_project};
use crate::answer::{Refusal, Style};
use crate::body::{self, Body};
use crate::door::Sender;
use crate::intake::{AttachmentHead, Draft, Shipment};
use crate::request::Meta;
use crate::state::Ingest;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::{ItemKind, Outcome};
use bugle_protocol::auth::{self, AuthError, ClientAuth};
use bugle_protocol::envelope::{self, Envelope, EnvelopeHeader, Item};
use bugle_protocol::item_category;
use bytes::Bytes;
use uuid::Uuid;

/// Attachments of one envelope that are kept.
const MAX_ATTACHMENTS: usize = 30;

/// The handler of both paths; the tunnel has no project in its path and no key but the envelope's.
pub(crate) async fn post(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    accept(&request, payload, &ingest).await.unwrap_or_else(|refusal| refusal.response(Style::Sentry))
}

async fn accept(request: &HttpRequest, payload: Payload, ingest: &Ingest) -> Result<HttpResponse, Refusal> {
    let early = match early_sender(request, ingest).await {
        Ok(early) => early,
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, "default");
            // Read to the end, so that the client gets to read the answer.
            let _ = body::discard(payload, &ingest.settings).await;
            return Err(refusal);
        }
    };
    let limit = ingest.settings.max_envelope;
    let read = body::read(request, payload, &ingest.memory, &ingest.settings, limit).await;
    let sender = early.as_ref().map(|(sender, _)| sender);
    let body = read.inspect_err(|refusal| ingest.count_refusal(sender, refusal, "default"))?;
    handle(request, body, ingest, early).await
}

/// The sender, when the request gives its key outside of the envelope.
pub(super) async fn early_sender(
    request: &HttpRequest,
    ingest: &Ingest,
) -> Result<Option<(Sender, ClientAuth)>, Refusal> {
    let Some(auth) = request_auth(request)? else { return Ok(None) };
    let sender = ingest.door.admit(&auth.public_key, url_project(request)).await?;
    Ok(Some((sender, auth)))
}

/// Handles an envelope that is in memory.
pub(super) async fn handle(
    request: &HttpRequest,
    body: Body,
    ingest: &Ingest,
    early: Option<(Sender, ClientAuth)>,
) -> Result<HttpResponse, Refusal> {
    let Body { bytes, room } = body;
    let bytes = Bytes::from(bytes);
    let refuse = |sender: Option<&Sender>, refusal: Refusal| {
        ingest.count_refusal(sender, &refusal, "default");
        refusal
    };
    let envelope = envelope::parse(&bytes).map_err(|error| {
        let refusal = Refusal::Malformed("invalid envelope".to_owned(), vec![error.to_string()]);
        refuse(early.as_ref().map(|(sender, _)| sender), refusal)
    })?;
    let (sender, auth) =
        settle_sender(request, ingest, &envelope.header, early).await.map_err(|r| refuse(None, r))?;
    let meta = Meta::of(request, ingest);
    let Sorted { drafts, event_id, too_large } = sort(ingest, &sender, &envelope, &bytes, &meta);
    let shipment = Shipment {
        sender: &sender,
        client: auth.client,
        meta: &meta,
        sent_at: envelope.header.sent_at,
        environment: None,
        release: None,
    };
    let fates = ingest.submit(&shipment, drafts).await?;
    drop(room);
    Ok(answer(&fates, too_large, event_id))
}

/// The sender, from the request and the envelope's `dsn`, which must agree.
async fn settle_sender(
    request: &HttpRequest,
    ingest: &Ingest,
    header: &EnvelopeHeader,
    early: Option<(Sender, ClientAuth)>,
) -> Result<(Sender, ClientAuth), Refusal> {
    let (admitted, auth) = early.unzip();
    let project = url_project(request);
    let Some(dsn) = &header.dsn else { return admitted.zip(auth).ok_or_else(missing_auth) };
    let merged = auth::with_dsn(auth, dsn, project).map_err(|error| match error {
        AuthError::Disagree => Refusal::malformed("dsn header mismatch between envelope and request"),
        error => refuse_auth(&error),
    })?;
    if let Some(sender) = admitted {
        return Ok((sender, merged));
    }
    let dsn_project = auth::parse_dsn(dsn).map(|dsn| dsn.project);
    let sender = ingest.door.admit(&merged.public_key, dsn_project.as_deref()).await?;
    Ok((sender, merged))
}

struct Sorted {
    drafts: Vec<Draft>,
    /// What the client is answered.
    event_id: Option<Uuid>,
    too_large: Option<Refusal>,
}

/// Sorts the items into what is kept, what is too large and what is not supported.
fn sort(ingest: &Ingest, sender: &Sender, envelope: &Envelope<'_>, bytes: &Bytes, meta: &Meta) -> Sorted {
    let event_id = envelope_event_id(envelope, meta);
    let mut sorted = Sorted { drafts: Vec::with_capacity(envelope.items.len()), event_id, too_large: None };
    let mut attachments = 0;
    for item in &envelope.items {
        let category = item_category(&item.header.kind);
        let Some(kind) = kept_kind(&item.header.kind) else {
            ingest.count(sender, (Outcome::Unsupported, unsupported_reason(&item.header.kind)), category);
            continue;
        };
        attachments += usize::from(kind == ItemKind::Attachment);
        let limit = limit_of(ingest, kind);
        if item.payload.len() > limit || attachments > MAX_ATTACHMENTS {
            let reason = if item.payload.len() > limit { "item" } else { "attachments" };
            ingest.count(sender, (Outcome::TooLarge, reason), category);
            let what = match reason {
                "item" => format!("{}: more than {limit} bytes", item.header.kind),
                _ => format!("envelope: more than {MAX_ATTACHMENTS} attachments"),
            };
            sorted.too_large = Some(Refusal::too_large(what));
            continue;
        }
        if kind == ItemKind::Attachment && event_id.is_none() {
            ingest.count(sender, (Outcome::Invalid, "no_event_id"), category);
            continue;
        }
        sorted.drafts.push(draft(kind, category, item, bytes, event_id));
    }
    sorted
}

fn draft(
    kind: ItemKind,
    category: &'static str,
    item: &Item<'_>,
    bytes: &Bytes,
    event_id: Option<Uuid>,
) -> Draft {
    let header = &item.header;
    let attachment = (kind == ItemKind::Attachment).then(|| AttachmentHead {
        filename: header.filename.clone(),
        content_type: header.content_type.clone(),
        attachment_type: header.attachment_type.clone(),
    });
    Draft {
        kind,
        category,
        body: bytes.slice_ref(item.payload),
        content_type: header.content_type.clone(),
        attachment,
        event_id,
    }
}

fn kept_kind(item_type: &str) -> Option<ItemKind> {
    Some(match item_type {
        "event" => ItemKind::Event,
        "user_report" => ItemKind::UserReport,
        "feedback" => ItemKind::Feedback,
        "attachment" => ItemKind::Attachment,
        "client_report" => ItemKind::ClientReport,
        "raw_security" | "security" => ItemKind::Security,
        _ => return None,
    })
}

/// A closed set: what else a client calls its items is not kept.
fn unsupported_reason(item_type: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "transaction",
        "session",
        "sessions",
        "check_in",
        "log",
        "span",
        "trace_metric",
        "profile",
        "profile_chunk",
        "replay_event",
        "replay_recording",
        "replay_video",
        "statsd",
        "metric_buckets",
        "nel",
        "form_data",
        "unreal_report",
        "otel_log",
        "otel_span",
        "integration",
        "metric_meta",
        "profile_chunk_ui",
    ];
    KNOWN.iter().find(|known| **known == item_type).copied().unwrap_or("unknown_type")
}

fn limit_of(ingest: &Ingest, kind: ItemKind) -> usize {
    match kind {
        ItemKind::Attachment => ingest.settings.max_attachment,
        ItemKind::ClientReport | ItemKind::UserReport => ingest.settings.max_report,
        _ => ingest.settings.max_event,
    }
}

/// The id of the event in an envelope: the header's; else the event's own; else a new one. Nothing without both.
fn envelope_event_id(envelope: &Envelope<'_>, meta: &Meta) -> Option<Uuid> {
    if envelope.header.event_id.is_some() {
        return envelope.header.event_id;
    }
    let event =
        envelope.items.iter().find(|item| matches!(item.header.kind.as_str(), "event" | "feedback"))?;
    Some(bugle_protocol::event_id(event.payload).unwrap_or_else(|| crate::state::new_id(meta.received_at)))
}
