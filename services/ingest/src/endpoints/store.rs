//! `/api/{project}/store/` and the legacy `/api/store/`: one event, in the wrappings of old clients.

use super::envelope;
use super::{answer, header, missing_auth};
use crate::answer::{Refusal, Style};
use crate::body::{self, Body};
use crate::door::Sender;
use crate::intake::{Draft, Fate, Shipment};
use crate::request::Meta;
use crate::state::{Ingest, new_id};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bugle_model::ItemKind;
use bugle_protocol::auth::ClientAuth;
use bugle_protocol::encoding::EncodingError;
use bugle_protocol::store::{self, StoreError};
use bytes::Bytes;
use std::borrow::Cow;
use uuid::Uuid;

/// Transparent, 1×1.
const PIXEL: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";
/// Base64 makes four bytes of three, and a form escapes some of them.
const WRAPPED: usize = 2;

/// `POST`.
pub(crate) async fn post(request: HttpRequest, payload: Payload, ingest: Data<Ingest>) -> HttpResponse {
    let answered = async {
        let early = envelope::early_sender(&request, &ingest).await;
        let early = match early.and_then(|early| early.map_or_else(|| Err(missing_auth()), Ok)) {
            Ok(early) => early,
            Err(refusal) => {
                ingest.count_refusal(None, &refusal, "error");
                let _ = body::discard(payload, &ingest.settings).await;
                return Err(refusal);
            }
        };
        let is_envelope = header(&request, &CONTENT_TYPE)
            .is_some_and(|value| value.starts_with("application/x-sentry-envelope"));
        let settings = &ingest.settings;
        let limit = if is_envelope { settings.max_envelope } else { settings.max_event * WRAPPED };
        let read = body::read(&request, payload, &ingest.memory, settings, limit).await;
        let body = read.inspect_err(|refusal| ingest.count_refusal(Some(&early.0), refusal, "error"))?;
        if is_envelope {
            return envelope::handle(&request, body, &ingest, Some(early)).await;
        }
        let Body { bytes, room } = body;
        let (fate, id) = keep(&request, &ingest, early, bytes).await?;
        drop(room);
        Ok(answer(&[fate], None, Some(id)))
    };
    answered.await.unwrap_or_else(|refusal: Refusal| refusal.response(Style::Sentry))
}

/// `GET`: the event is in the query, the answer a pixel.
pub(crate) async fn pixel(request: HttpRequest, ingest: Data<Ingest>) -> HttpResponse {
    let answered = async {
        let early = envelope::early_sender(&request, &ingest).await?.ok_or_else(missing_auth)?;
        keep(&request, &ingest, early, request.query_string().as_bytes().to_vec()).await
    };
    match answered.await {
        Ok((Fate::Limited(limit), _)) => Refusal::RateLimited(limit).response(Style::Sentry),
        Ok(_) => HttpResponse::Ok()
            .content_type("image/gif")
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(PIXEL),
        Err(refusal) => refusal.response(Style::Sentry),
    }
}

async fn keep(
    request: &HttpRequest,
    ingest: &Ingest,
    (sender, auth): (Sender, ClientAuth),
    body: Vec<u8>,
) -> Result<(Fate, Uuid), Refusal> {
    let json = unwrap(body).inspect_err(|refusal| ingest.count_refusal(Some(&sender), refusal, "error"))?;
    let meta = Meta::of(request, ingest);
    let id = bugle_protocol::event_id(&json).unwrap_or_else(|| new_id(meta.received_at));
    let draft = Draft { event_id: Some(id), ..Draft::new(ItemKind::Event, "error", json) };
    let shipment = Shipment {
        sender: &sender,
        client: auth.client,
        meta: &meta,
        sent_at: None,
        environment: None,
        release: None,
    };
    let fates = ingest.submit(&shipment, vec![draft]).await?;
    Ok((fates.into_iter().next().unwrap_or(Fate::Filtered), id))
}

fn unwrap(body: Vec<u8>) -> Result<Bytes, Refusal> {
    let body = Bytes::from(body);
    match store::decode(&body) {
        Ok(Cow::Borrowed(json)) => Ok(body.slice_ref(json)),
        Ok(Cow::Owned(json)) => Ok(Bytes::from(json)),
        Err(StoreError::Encoding(error @ EncodingError::TooLarge { .. })) => {
            Err(Refusal::too_large(error.to_string()))
        }
        Err(error) => Err(Refusal::Malformed("invalid event payload".to_owned(), vec![error.to_string()])),
    }
}
