//! A JSON body that its handler reads by itself.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use bugle_web::{Problem, read_body};
use futures_util::future::LocalBoxFuture;
use std::marker::PhantomData;

/// A body in the form of another's contract: what is wrong with it is told in that form, or costs a part of it only. `T` says for the
/// document what it is.
#[derive(Debug)]
pub(crate) struct RawJson<T> {
    /// Up to 1 MiB, as it was sent.
    pub(crate) bytes: Bytes,
    shape: PhantomData<T>,
}

impl<T: 'static> FromRequest for RawJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move { Ok(Self { bytes: read_body(&mut payload).await?, shape: PhantomData }) })
    }
}
