//! The receiver's side of Standard Webhooks 1.0.0: checking a signature as its specification says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bugle_testkit::http::Recorded;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Whether the request carries a `v1` signature of `secret` (`whsec_…`) over id, timestamp and body.
#[must_use]
pub fn is_signed(request: &Recorded, secret: &str) -> bool {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let Ok(key) = STANDARD.decode(secret.trim_start_matches("whsec_")) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header("webhook-signature").split(' ').any(|signature| signature == expected)
}
