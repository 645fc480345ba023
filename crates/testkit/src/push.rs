//! A browser that has subscribed to web push: it reads what is encrypted for it (RFC 8291, RFC 8188).

#![expect(clippy::expect_used, reason = "a fake for tests: a surprise has to fail the test")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SystemRandom, generate};

/// A subscription, for one message.
pub struct Browser {
    private: EphemeralPrivateKey,
    key: [u8; 65],
    auth: [u8; 16],
}

impl Browser {
    /// A subscription with keys of its own.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no two are alike")]
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&ECDH_P256, &random).expect("a key");
        let key = private.compute_public_key().expect("a public key");
        let key = key.as_ref().try_into().expect("an uncompressed point");
        let auth = generate(&random).expect("randomness").expose();
        Self { private, key, auth }
    }

    /// Its public key.
    #[must_use]
    pub const fn key(&self) -> [u8; 65] {
        self.key
    }

    /// The public key as a browser gives it out.
    #[must_use]
    pub fn p256dh(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key)
    }

    /// The secret as a browser gives it out.
    #[must_use]
    pub fn auth(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.auth)
    }

    /// The text of a message; `None` when it was not encrypted for this subscription.
    #[must_use]
    pub fn open(self, message: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = message.split_at_checked(16)?;
        let (size, rest) = rest.split_at_checked(4)?;
        let (length, rest) = rest.split_first()?;
        let (public, record) = rest.split_at_checked(usize::from(*length))?;
        if size != 4096_u32.to_be_bytes() || message.len() > 4096 {
            return None;
        }
        let theirs = UnparsedPublicKey::new(&ECDH_P256, public);
        let shared = agree_ephemeral(self.private, &theirs, <[u8]>::to_vec).ok()?;
        let info = [b"WebPush: info\0", &self.key[..], public].concat();
        let agreed = hkdf(&self.auth, &shared, &info);
        let key = hkdf(salt, &agreed, b"Content-Encoding: aes128gcm\0");
        let nonce = hkdf(salt, &agreed, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.get(..16)?).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(nonce.get(..12)?).ok()?;
        let mut record = record.to_vec();
        let text = key.open_in_place(nonce, Aad::empty(), &mut record).ok()?;
        // The last record ends so; padding would follow.
        text.strip_suffix(&[2]).map(<[u8]>::to_vec)
    }
}

/// HKDF with SHA-256, of which one block is enough (RFC 5869).
fn hkdf(salt: &[u8], secret: &[u8], info: &[u8]) -> Vec<u8> {
    let extracted = sign(&Key::new(HMAC_SHA256, salt), secret);
    let block = [info, &[1]].concat();
    sign(&Key::new(HMAC_SHA256, extracted.as_ref()), &block).as_ref().to_vec()
}
