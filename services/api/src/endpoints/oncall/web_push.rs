//! `GET /api/v1/account/web-push-key`: the key by which push services know this installation (VAPID, RFC 8292).

use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bugle_store::web_push::{PushKeys, keep_push_keys, push_keys};
use bugle_web::{Code, Problem};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use schemars::JsonSchema;
use serde::Serialize;

/// What a browser subscribes with.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebPushKey")]
pub(in super::super) struct View {
    /// The `applicationServerKey`, in base64url.
    key: String,
}

/// `GET …`: the same for everybody, and for good.
pub(in super::super) async fn key(principal: Principal, state: Data<State>) -> Result<Json<View>, ApiError> {
    principal.session()?;
    let mut connection = state.store.conn().await?;
    let keys = match push_keys(&mut connection).await? {
        Some(keys) => keys,
        None => keep_push_keys(&mut connection, fresh()?, state.clock.now()).await?,
    };
    Ok(Json(View { key: URL_SAFE_NO_PAD.encode(keys.public_key) }))
}

fn fresh() -> Result<PushKeys, Problem> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    // Only a machine without randomness fails here.
    let failed = |_| Problem::new(Code::Internal);
    let key_pair = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(failed)?;
    let read = EcdsaKeyPair::from_pkcs8(algorithm, key_pair.as_ref(), &random);
    let read = read.map_err(|_| Problem::new(Code::Internal))?;
    Ok(PushKeys { key_pair: key_pair.as_ref().to_vec(), public_key: read.public_key().as_ref().to_vec() })
}
