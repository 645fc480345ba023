//! Encryption for one browser (RFC 8291), as one record of `aes128gcm` (RFC 8188).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SystemRandom;

/// Bytes of a public key (an uncompressed point), of a browser's secret, and of a salt.
const KEY: usize = 65;
const AUTH: usize = 16;
const SALT: usize = 16;
/// The size of a record, which push services take at least, and the most of it that is text: without header, tag and delimiter.
const RECORD: u32 = 4096;
const MAX_TEXT: usize = 4096 - (SALT + 4 + 1 + KEY) - 16 - 1;
/// The end of the last record.
const LAST: u8 = 2;

/// A browser's subscription.
pub(super) struct Receiver {
    /// Its public key.
    key: [u8; KEY],
    /// The secret that it shares with whoever may send.
    auth: [u8; AUTH],
}

impl Receiver {
    /// From base64url. `None` when it has not the right length.
    pub(super) fn read(key: Option<&str>, auth: Option<&str>) -> Option<Self> {
        let bytes = |text: Option<&str>| URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok();
        Some(Self { key: bytes(key)?.try_into().ok()?, auth: bytes(auth)?.try_into().ok()? })
    }
}

/// A message for a browser, with a key and a salt of its own. `None` when it is too long, or the browser's key no point on the curve.
pub(super) fn seal(text: &[u8], receiver: &Receiver) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
    let public = <[u8; KEY]>::try_from(private.compute_public_key().ok()?.as_ref()).ok()?;
    let salt: [u8; SALT] = ring::rand::generate(&random).ok()?.expose();
    let theirs = UnparsedPublicKey::new(&ECDH_P256, receiver.key);
    agree_ephemeral(private, &theirs, |shared| sealed(text, receiver, &public, shared, salt)).ok()?
}

/// The same, once both sides agree on a secret.
fn sealed(
    text: &[u8],
    receiver: &Receiver,
    public: &[u8; KEY],
    shared: &[u8],
    salt: [u8; SALT],
) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let (key, nonce) = derived(receiver, public, shared, salt)?;
    let mut record = [text, &[LAST]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record).ok()?;
    let length = u8::try_from(KEY).ok()?;
    Some([salt.as_slice(), &RECORD.to_be_bytes(), &[length], public, &record].concat())
}

fn derived(
    receiver: &Receiver,
    public: &[u8; KEY],
    shared: &[u8],
    salt: [u8; SALT],
) -> Option<(LessSafeKey, Nonce)> {
    let agreed = Salt::new(HKDF_SHA256, &receiver.auth).extract(shared);
    let keys: [u8; 32] = expanded(&agreed, &[b"WebPush: info\0", &receiver.key, public])?;
    let content = Salt::new(HKDF_SHA256, &salt).extract(&keys);
    let key: [u8; 16] = expanded(&content, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expanded(&content, &[b"Content-Encoding: nonce\0"])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    Some((key, Nonce::assume_unique_for_key(nonce)))
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn expanded<const N: usize>(from: &Prk, info: &[&[u8]]) -> Option<[u8; N]> {
    let mut out = [0; N];
    from.expand(info, Bytes(N)).and_then(|okm| okm.fill(&mut out)).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_testkit::push::Browser;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8291, section 5 and appendix A, from the secret on which both sides agree.
    #[test]
    fn the_message_of_rfc_8291_is_its_message() {
        let receiver = Receiver::read(
            Some("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            Some("BTBZMqHH6r4Tts7J_aSIgg"),
        );
        let public =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let shared = bytes::<32>("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let text = b"When I grow up, I want to be a watermelon";
        let message = sealed(text, &receiver.unwrap(), &public, &shared, salt).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(message),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT\
             pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_is_sealed_for_a_browser_it_opens_and_no_other() {
        for text in [&b""[..], b"page", &[b'x'; MAX_TEXT]] {
            let (browser, another) = (Browser::new(), Browser::new());
            let receiver = Receiver::read(Some(&browser.p256dh()), Some(&browser.auth())).unwrap();
            let message = seal(text, &receiver).unwrap();
            assert!(message.len() <= 4096 && message != seal(text, &receiver).unwrap());
            assert_eq!(another.open(&message), None);
            assert_eq!(browser.open(&message).as_deref(), Some(text));
        }
        let off_the_curve = Receiver { key: [4; KEY], auth: [7; AUTH] };
        assert_eq!(seal(b"page", &off_the_curve), None);
        let receiver = Receiver { key: Browser::new().key(), auth: [7; AUTH] };
        assert_eq!(seal(&[b'x'; MAX_TEXT + 1], &receiver), None, "too long");
    }
}
