//! Bodies of the API, read whole: with a bound and a deadline.

use crate::{Code, Problem};
use actix_web::dev::Payload;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

/// A body of the API is at most this long.
pub const MAX_BODY: usize = 1024 * 1024;
/// It must be here after this long: whoever waits for it holds something.
const DEADLINE: Duration = Duration::from_secs(30);

/// Reads a body of the API.
///
/// # Errors
/// When it is over [`MAX_BODY`], breaks off, or does not come within 30 seconds.
pub async fn read_body(payload: &mut Payload) -> Result<Bytes, Problem> {
    read_within(payload, DEADLINE).await
}

async fn read_within(payload: &mut Payload, deadline: Duration) -> Result<Bytes, Problem> {
    timeout(deadline, read(payload)).await.unwrap_or_else(|_| {
        let detail = format!("the body did not come within {} seconds", deadline.as_secs());
        Err(Problem::with_detail(Code::BadRequest, detail))
    })
}

async fn read(payload: &mut Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::with_detail(Code::BadRequest, "the body broke off"))?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Problem::with_detail(Code::TooLarge, format!("the body is over {MAX_BODY} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::error::PayloadError;
    use futures_util::stream::{self, Stream};
    use std::pin::Pin;

    type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

    fn of(chunks: Vec<Result<Bytes, PayloadError>>) -> Chunks {
        Box::pin(stream::iter(chunks))
    }

    async fn refused(chunks: Chunks) -> (Code, String) {
        let problem = read_within(&mut Payload::from(chunks), Duration::ZERO).await.unwrap_err();
        (problem.code, problem.detail.unwrap())
    }

    #[actix_web::test]
    async fn a_body_is_whole_or_refused() {
        let two = of(vec![Ok(Bytes::from_static(b"{\"a\"")), Ok(Bytes::from_static(b":1}"))]);
        assert_eq!(read_body(&mut Payload::from(two)).await.unwrap(), "{\"a\":1}");
        assert!(read_body(&mut Payload::None).await.unwrap().is_empty());

        let large = Bytes::from(vec![b' '; MAX_BODY]);
        assert_eq!(read_body(&mut Payload::from(of(vec![Ok(large.clone())]))).await.unwrap(), large);
        let (code, detail) = refused(of(vec![Ok(large), Ok(Bytes::from_static(b" "))])).await;
        assert_eq!((code, detail.as_str()), (Code::TooLarge, "the body is over 1048576 bytes"));
        let (code, detail) = refused(of(vec![Err(PayloadError::Incomplete(None))])).await;
        assert_eq!((code, detail.as_str()), (Code::BadRequest, "the body broke off"));
        let never = stream::iter([Ok(Bytes::from_static(b"{"))]).chain(stream::pending());
        let (code, detail) = refused(Box::pin(never)).await;
        assert_eq!((code, detail.as_str()), (Code::BadRequest, "the body did not come within 0 seconds"));
    }
}
