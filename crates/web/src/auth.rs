//! Bearer tokens. A handler that takes a [`Caller`] cannot forget the check.

use crate::{Code, Problem};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// Longer tokens are refused unread.
const MAX_TOKEN: usize = 512;

/// Who sends the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's name; for logs and the audit trail.
    pub name: String,
}

/// SHA-256 of a token: what is stored and looked up.
pub type TokenHash = [u8; 32];

/// Knows the tokens.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Who the token with this hash belongs to; `None` when nobody's, expired or revoked.
    ///
    /// # Errors
    /// When the tokens cannot be looked at right now.
    async fn verify(&self, hash: &TokenHash) -> Result<Option<Caller>, Problem>;
}

/// The hash of a token.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A new token: `bugle_` and 64 hex digits of which 244 bits are random. The prefix lets secret scanners find it.
#[must_use]
pub fn new_token() -> String {
    format!("bugle_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Compares two hashes in a time that does not depend on where they differ.
#[must_use]
pub fn same(left: &TokenHash, right: &TokenHash) -> bool {
    use subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}

/// The token of an `Authorization: Bearer …` header.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    let usable = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN;
    usable.then_some(token)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let hash = bearer(request).map(hash);
        let verifier = request.app_data::<web::Data<dyn TokenVerifier>>().map(|data| Arc::clone(data));
        Box::pin(async move {
            let Some(hash) = hash else {
                return Err(Problem::with_detail(Code::Unauthorized, "send `Authorization: Bearer <token>`"));
            };
            let verifier = verifier.ok_or_else(|| Problem::internal(&"no token verifier is configured"))?;
            let caller = verifier.verify(&hash).await?;
            caller.ok_or_else(|| {
                Problem::with_detail(Code::Unauthorized, "this token is unknown, expired or revoked")
            })
        })
    }
}
