//! `POST /api/v1/logs/frontend/`: one error, or `{"errors": […]}`, with an answer for each.

use super::webhook::{admit, fields, shipment};
use crate::answer::{Limit, Refusal, Style};
use crate::body;
use crate::door::Sender;
use crate::intake::{Draft, Fate};
use crate::request::Meta;
use crate::state::{Ingest, new_id};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::{ItemKind, Outcome};
use bugle_protocol::frontend;
use bugle_web::FieldError;
use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

/// What became of one error.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Verdict {
    Accepted { id: Uuid },
    Invalid { errors: Vec<FieldError> },
    RateLimited { retry_after: u64 },
}

#[derive(Debug, Serialize)]
struct Line {
    index: usize,
    #[serde(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Answer {
    accepted: usize,
    rejected: usize,
    /// The first accepted one's, for clients that send a single error.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    items: Vec<Line>,
}

/// The handler. 202 when any was accepted, 422 when all are invalid, 429 when none came through the limit.
pub(crate) async fn post(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    match accept(&request, payload, &ingest).await {
        Ok(verdicts) => respond(verdicts),
        Err(refusal) => refusal.response(Style::Problem),
    }
}

async fn accept(request: &HttpRequest, payload: Payload, ingest: &Ingest) -> Result<Vec<Verdict>, Refusal> {
    let (sender, payload) = admit(request, ingest, payload, "error").await?;
    let counted = |refusal: Refusal| {
        ingest.count_refusal(Some(&sender), &refusal, "error");
        refusal
    };
    let limit = ingest.settings.max_event;
    let body =
        body::read(request, payload, &ingest.memory, &ingest.settings, limit).await.map_err(counted)?;
    let items = frontend::split(&body.bytes).map_err(|errors| counted(Refusal::Invalid(fields(errors))))?;
    let meta = Meta::of(request, ingest);
    let mut verdicts = Vec::with_capacity(items.len());
    let mut drafts = Vec::new();
    for item in items {
        let verdict = match item {
            Ok(json) => limited(ingest, &sender, &meta).unwrap_or_else(|| {
                let id = bugle_protocol::event_id(&json).unwrap_or_else(|| new_id(meta.received_at));
                let draft = Draft::new(ItemKind::Frontend, "error", Bytes::from(json));
                drafts.push(Draft { event_id: Some(id), ..draft });
                Verdict::Accepted { id }
            }),
            Err(error) => {
                ingest.count(&sender, (Outcome::Invalid, "fields"), "error");
                Verdict::Invalid { errors: fields(error.errors) }
            }
        };
        verdicts.push(verdict);
    }
    let fates = ingest.submit(&shipment(&sender, &meta), drafts).await?;
    let accepted = verdicts.iter_mut().filter(|verdict| matches!(verdict, Verdict::Accepted { .. }));
    for (verdict, fate) in accepted.zip(fates) {
        if let Fate::Limited(Limit { retry_after, .. }) = fate {
            *verdict = Verdict::RateLimited { retry_after };
        }
    }
    Ok(verdicts)
}

fn limited(ingest: &Ingest, sender: &Sender, meta: &Meta) -> Option<Verdict> {
    let limit = ingest.frontend.take(meta.address?, meta.received_at).err()?;
    ingest.count(sender, (Outcome::RateLimited, limit.scope), "error");
    Some(Verdict::RateLimited { retry_after: limit.retry_after })
}

fn respond(verdicts: Vec<Verdict>) -> HttpResponse {
    let accepted = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Accepted { .. })).count();
    let waits = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::RateLimited { retry_after } => Some(*retry_after),
        Verdict::Accepted { .. } | Verdict::Invalid { .. } => None,
    });
    let wait = waits.max();
    if let (0, Some(retry_after)) = (accepted, wait) {
        return Refusal::RateLimited(Limit { retry_after, scope: "address" }).response(Style::Problem);
    }
    let id = verdicts.iter().find_map(|v| if let Verdict::Accepted { id } = v { Some(*id) } else { None });
    let rejected = verdicts.len() - accepted;
    let items = verdicts.into_iter().enumerate().map(|(index, verdict)| Line { index, verdict }).collect();
    let mut response =
        if accepted > 0 { HttpResponse::Accepted() } else { HttpResponse::UnprocessableEntity() };
    response.json(Answer { accepted, rejected, id, items })
}
