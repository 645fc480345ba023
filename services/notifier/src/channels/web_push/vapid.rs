//! Who sends, for push services (VAPID, RFC 8292).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bugle_store::web_push::PushKeys;
use chrono::{DateTime, TimeDelta, Utc};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;
use url::Url;

const HEADER: &str = r#"{"typ":"JWT","alg":"ES256"}"#;
/// How long a signature holds; a day at most.
const HOLDS: TimeDelta = TimeDelta::hours(12);

/// The value of `Authorization` for a request to a push service. `None` when the keys cannot be used.
pub(super) fn authorization(
    endpoint: &Url,
    subject: &str,
    keys: &PushKeys,
    now: DateTime<Utc>,
) -> Option<String> {
    let random = SystemRandom::new();
    let key_pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &keys.key_pair, &random).ok()?;
    let claims = claims(endpoint, subject, now + HOLDS);
    let signature = key_pair.sign(&random, claims.as_bytes()).ok()?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Some(format!("vapid t={claims}.{signature}, k={}", URL_SAFE_NO_PAD.encode(&keys.public_key)))
}

/// What is signed.
fn claims(endpoint: &Url, subject: &str, until: DateTime<Utc>) -> String {
    let origin = endpoint.origin().ascii_serialization();
    let claims = json!({ "aud": origin, "exp": until.timestamp(), "sub": subject }).to_string();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    fn is_signed(token: &str, key: &str) -> bool {
        let (claims, signature) = token.rsplit_once('.').unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(claims.as_bytes(), &signature).is_ok()
    }

    /// RFC 8292, section 2.4.
    #[test]
    fn the_claims_of_rfc_8292_are_its_claims() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNo\
            QGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
        let key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        let endpoint = "https://push.example.net/p/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV".parse().unwrap();
        let until = DateTime::from_timestamp(1_453_523_768, 0).unwrap();
        assert_eq!(token.rsplit_once('.').unwrap().0, claims(&endpoint, "mailto:push@example.com", until));
        assert!(is_signed(token, key));
    }

    #[test]
    fn what_is_signed_is_signed_with_the_key_that_is_named() {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key_pair = made.as_ref().to_vec();
        let read = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key_pair, &random).unwrap();
        let keys = PushKeys { key_pair, public_key: read.public_key().as_ref().to_vec() };
        let endpoint = "https://push.example.net:8443/a".parse().unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let value = authorization(&endpoint, "https://bugle.example.com/", &keys, now).unwrap();
        let (token, key) = value.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert!(is_signed(token, key));
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let expected = json!({
            "aud": "https://push.example.net:8443", "exp": 1_800_043_200, "sub": "https://bugle.example.com/",
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&claims).unwrap(), expected);
    }
}
