//! `POST /api/{project}/security/` and `/csp-report/`: what browsers report of themselves.

use super::{admit, header};
use crate::answer::{Refusal, Style};
use crate::body;
use crate::door::Sender;
use crate::intake::{Draft, Fate, Shipment};
use crate::request::Meta;
use crate::state::Ingest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::{ItemKind, Outcome};
use bugle_protocol::auth::query_value;
use bytes::Bytes;
use serde_json::value::RawValue;

const MEDIA_TYPES: &[&str] = &[
    "application/csp-report",
    "application/json",
    "application/reports+json",
    "application/expect-ct-report",
    "application/expect-ct-report+json",
    "application/expect-staple-report",
];
/// Browsers gather reports for a minute; nobody sends more at once.
const MAX_REPORTS: usize = 100;
const MAX_QUERY_VALUE: usize = 200;

/// The handler.
pub(crate) async fn post(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    match accept(&request, payload, &ingest).await {
        Ok(fates) => match fates
            .iter()
            .find_map(|fate| if let Fate::Limited(limit) = fate { Some(*limit) } else { None })
        {
            Some(limit) => Refusal::RateLimited(limit).response(Style::Sentry),
            None => HttpResponse::Ok().finish(),
        },
        Err(refusal) => refusal.response(Style::Sentry),
    }
}

async fn accept(request: &HttpRequest, payload: Payload, ingest: &Ingest) -> Result<Vec<Fate>, Refusal> {
    let (sender, auth) = match admit(ingest, request).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, "security");
            let _ = body::discard(payload, &ingest.settings).await;
            return Err(refusal);
        }
    };
    let counted = |refusal: Refusal| {
        ingest.count_refusal(Some(&sender), &refusal, "security");
        refusal
    };
    let media_type = media_type(request).map_err(counted)?;
    let limit = ingest.settings.max_event;
    let body =
        body::read(request, payload, &ingest.memory, &ingest.settings, limit).await.map_err(counted)?;
    let room = body.room;
    let reports = split(media_type, Bytes::from(body.bytes)).map_err(counted)?;
    let drafts = reports.into_iter().map(|body| draft(media_type, body)).collect();
    let meta = Meta::of(request, ingest);
    let query =
        |name| query_value(request.query_string(), name).map(|v| v.chars().take(MAX_QUERY_VALUE).collect());
    let shipment = Shipment {
        sender: &sender,
        client: auth.client,
        meta: &meta,
        sent_at: None,
        environment: query("sentry_environment"),
        release: query("sentry_release"),
    };
    let fates = ingest.submit(&shipment, drafts).await?;
    drop(room);
    Ok(fates)
}

fn draft(media_type: &'static str, body: Bytes) -> Draft {
    let content_type = Some(media_type.to_owned());
    Draft { content_type, ..Draft::new(ItemKind::Security, "security", body) }
}

fn media_type(request: &HttpRequest) -> Result<&'static str, Refusal> {
    let given = header(request, &CONTENT_TYPE).unwrap_or_default();
    let bare = given.split(';').next().unwrap_or_default().trim();
    let known = MEDIA_TYPES.iter().find(|known| known.eq_ignore_ascii_case(bare));
    known.copied().ok_or_else(|| {
        Refusal::MediaType(format!("content-type: expected one of {}", MEDIA_TYPES.join(", ")))
    })
}

/// The Reporting API sends a list; each report is an item of its own.
fn split(media_type: &str, body: Bytes) -> Result<Vec<Bytes>, Refusal> {
    if media_type != "application/reports+json" || !body.trim_ascii_start().starts_with(b"[") {
        return Ok(vec![body]);
    }
    let list: Vec<&RawValue> = serde_json::from_slice(&body)
        .map_err(|error| Refusal::malformed(format!("body: not a list of reports: {error}")))?;
    if list.len() > MAX_REPORTS {
        return Err(Refusal::too_large(format!("body: more than {MAX_REPORTS} reports")));
    }
    Ok(list.into_iter().map(|report| body.slice_ref(report.get().as_bytes())).collect())
}

/// `POST /api/{project}/nel/`: accepted, counted, not kept.
pub(crate) async fn nel(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    let answered = async {
        let (sender, _) = admit(&ingest, &request).await?;
        body::discard(payload, &ingest.settings).await?;
        Ok::<Sender, Refusal>(sender)
    };
    match answered.await {
        Ok(sender) => {
            ingest.count(&sender, (Outcome::Unsupported, "nel"), "security");
            HttpResponse::Ok().finish()
        }
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, "security");
            refusal.response(Style::Sentry)
        }
    }
}
