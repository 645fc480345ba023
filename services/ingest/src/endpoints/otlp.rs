//! OTLP over HTTP: accepted and counted, not kept yet.

use super::{admit, header};
use crate::answer::{Refusal, Style};
use crate::body;
use crate::state::Ingest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::Outcome;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The handler of `…/v1/{traces,logs,metrics}`: an empty ExportResponse in the request's own form.
pub(crate) async fn export(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    let (reason, category) = match request.match_info().get("signal") {
        Some("traces") => ("otlp_traces", "span"),
        Some("logs") => ("otlp_logs", "log_item"),
        _ => ("otlp_metrics", "trace_metric"),
    };
    let answered = async {
        let (sender, _) = admit(&ingest, &request).await?;
        let media_type = media_type(&request)?;
        body::discard(payload, &ingest.settings).await?;
        ingest.count(&sender, (Outcome::Unsupported, reason), category);
        Ok::<_, Refusal>(media_type)
    };
    match answered.await {
        Ok(JSON) => HttpResponse::Ok().content_type(JSON).body("{}"),
        // A message without fields has no bytes.
        Ok(media_type) => HttpResponse::Ok().content_type(media_type).body(""),
        Err(refusal) => {
            ingest.count_refusal(None, &refusal, category);
            refusal.response(Style::Sentry)
        }
    }
}

fn media_type(request: &HttpRequest) -> Result<&'static str, Refusal> {
    let given = header(request, &CONTENT_TYPE).unwrap_or_default();
    let bare = given.split(';').next().unwrap_or_default().trim();
    [PROTOBUF, JSON]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(bare))
        .ok_or_else(|| Refusal::MediaType(format!("content-type: expected {PROTOBUF} or {JSON}")))
}
