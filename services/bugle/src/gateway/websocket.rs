//! WebSockets through the gateway: it shakes hands with both sides and passes the bytes on as they are.

use actix_http::ws::handshake;
use actix_web::body::{BodyStream, MessageBody};
use actix_web::http::header::{self, HeaderMap};
use actix_web::rt;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use awc::Client;
use awc::error::WsClientError;
use bugle_runtime::Shutdown;
use bugle_web::{Code, Problem};
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const CHUNK: usize = 16 * 1024;

/// Whether a request wants to become a WebSocket.
pub(super) fn is_asked_for(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// What became of it.
pub(super) enum Opened {
    /// This is the answer.
    Answer(HttpResponse),
    /// The upstream does not want to: what it says is its answer to the plain request.
    Refused,
}

/// Opens a WebSocket to `url` and ties both together until one side ends it, or the gateway stops.
pub(super) async fn open(
    request: &HttpRequest,
    payload: Payload,
    client: &Client,
    url: String,
    headers: &HeaderMap,
    shutdown: &Shutdown,
) -> Opened {
    let mut answer = match handshake(request.head()) {
        Ok(answer) => answer,
        Err(error) => {
            return Opened::Answer(
                Problem::with_detail(Code::BadRequest, error.to_string()).error_response(),
            );
        }
    };
    let mut onward = client.ws(url);
    for (name, value) in headers.iter().filter(|(name, _)| !name.as_str().starts_with("sec-websocket-")) {
        onward = onward.header(name.clone(), value.clone());
    }
    let framed = match onward.connect().await {
        Ok((_, framed)) => framed,
        Err(WsClientError::InvalidResponseStatus(_)) => return Opened::Refused,
        Err(error) => {
            tracing::warn!(%error, "an upstream opens no socket");
            return Opened::Answer(Problem::new(Code::Unavailable).retry_after(1).error_response());
        }
    };
    // What it has said along with its handshake.
    let parts = framed.into_parts();
    let said = parts.read_buf.freeze();
    let (from_upstream, to_upstream) = tokio::io::split(parts.io);
    rt::spawn(pass_on(payload, to_upstream));
    let stop = shutdown.soft.clone().cancelled_owned();
    let body = Box::pin(stream::iter([Ok(said)]).chain(chunks(from_upstream)).take_until(stop));
    match answer.message_body(BodyStream::new(body).boxed()) {
        Ok(response) => Opened::Answer(response.into()),
        Err(error) => Opened::Answer(Problem::internal(&error).error_response()),
    }
}

/// Writes what the client sends, until there is no more or nobody takes it.
async fn pass_on(mut from: Payload, mut to: impl AsyncWrite + Unpin) {
    while let Some(Ok(chunk)) = from.next().await {
        if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    // It may be closed already.
    let _ = to.shutdown().await;
}

/// What an upstream sends, until it ends.
fn chunks(from: impl AsyncRead + Unpin) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(from, async |mut from| {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        match from.read_buf(&mut chunk).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(chunk.freeze()), from)),
            Err(error) => Some((Err(error), from)),
        }
    })
}
