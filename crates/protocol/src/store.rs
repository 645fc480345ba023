//! The body of the legacy `/store/` endpoint, in the several wrappings that old clients use.

use crate::encoding::{self, EncodingError};
use crate::json::BYTE_ORDER_MARK;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use std::borrow::Cow;
use thiserror::Error;

/// An event is at most this many bytes of JSON.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// A body in which no event can be found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Neither JSON, nor base64, nor a zlib or gzip stream.
    #[error("body: neither JSON nor base64 nor compressed JSON")]
    UnknownForm,
    /// It inflates to too much, or is damaged.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

/// Finds the JSON in a body whose `Content-Encoding` is already undone: JSON as it is, zlib or gzip, base64 of
/// either, or any of these as the form or query field `sentry_data`. At most [`MAX_EVENT_BYTES`].
///
/// # Errors
/// When it is none of these, damaged, or too large.
pub fn decode(body: &[u8]) -> Result<Cow<'_, [u8]>, StoreError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let trimmed = body.trim_ascii();
    if looks_like_json(trimmed) {
        return bounded(Cow::Borrowed(trimmed));
    }
    if let Some(inflated) = inflate(body)? {
        return Ok(Cow::Owned(inflated));
    }
    let text: Cow<'_, [u8]> = match sentry_data(trimmed) {
        Some(value) => Cow::Owned(value),
        None => Cow::Borrowed(trimmed),
    };
    if looks_like_json(&text) {
        return bounded(Cow::Owned(text.into_owned()));
    }
    let decoded = base64(&text)?;
    if looks_like_json(decoded.trim_ascii()) {
        return bounded(Cow::Owned(decoded));
    }
    inflate(&decoded)?.map(Cow::Owned).ok_or(StoreError::UnknownForm)
}

fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b'{' | b'['))
}

fn bounded(body: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, StoreError> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(EncodingError::TooLarge { limit: MAX_EVENT_BYTES }.into());
    }
    Ok(body)
}

fn inflate(body: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let inflated = if body.starts_with(&[0x1f, 0x8b]) {
        encoding::inflate(Some("gzip"), body, MAX_EVENT_BYTES)?.into_owned()
    } else if encoding::has_zlib_header(body) {
        match encoding::inflate(Some("deflate"), body, MAX_EVENT_BYTES) {
            Ok(inflated) => inflated.into_owned(),
            // "x^…" is also what some base64 text begins like.
            Err(EncodingError::Damaged(_)) if body.is_ascii() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    } else {
        return Ok(None);
    };
    Ok(Some(inflated))
}

/// The value of the form field; a `+` stays, since it is base64's and unescaped as often as not.
fn sentry_data(body: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(body, b"sentry_data=")?;
    let value = body.get(at + b"sentry_data=".len()..)?;
    let value = value.split(|byte| *byte == b'&').next()?;
    Some(percent_decode(value).collect())
}

fn base64(text: &[u8]) -> Result<Vec<u8>, StoreError> {
    if text.is_empty() {
        return Err(StoreError::UnknownForm);
    }
    let standard = text.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).map(|byte| match byte {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        other => *other,
    });
    STANDARD.decode(standard.collect::<Vec<u8>>()).map_err(|_| StoreError::UnknownForm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    const JSON: &[u8] = br#"{"message":"hi there, hi there, hi there?>"}"#;

    fn zlib(raw: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(raw: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_wrapping_gives_the_json() {
        let standard = base64::engine::general_purpose::STANDARD;
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let encoded = percent_encoding::percent_encode(
            standard.encode(zlib(JSON)).as_bytes(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        for body in [
            JSON.to_vec(),
            [b" \n".as_slice(), JSON, b"\n"].concat(),
            zlib(JSON),
            gzip(JSON),
            standard.encode(JSON).into_bytes(),
            standard.encode(zlib(JSON)).into_bytes(),
            standard.encode(gzip(JSON)).into_bytes(),
            url_safe.encode(zlib(JSON)).into_bytes(),
            format!("sentry_data={encoded}").into_bytes(),
            format!("sentry_version=5&sentry_data={}&x=y", standard.encode(zlib(JSON))).into_bytes(),
            [b"sentry_data=".as_slice(), JSON].concat(),
        ] {
            assert_eq!(decode(&body).unwrap(), JSON, "{:?}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for body in [b"".as_slice(), b"   ", b"!!!", b"hello", b"\x00\x01\x02", b"\x1f\x8bxxxx"] {
            assert!(decode(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn the_size_is_bounded_in_every_wrapping() {
        let large = [b"{\"a\":\"".as_slice(), &vec![b'x'; MAX_EVENT_BYTES], b"\"}"].concat();
        let too_large = StoreError::Encoding(EncodingError::TooLarge { limit: MAX_EVENT_BYTES });
        let standard = base64::engine::general_purpose::STANDARD;
        for body in [large.clone(), zlib(&large), gzip(&large), standard.encode(zlib(&large)).into_bytes()] {
            assert_eq!(decode(&body).unwrap_err(), too_large);
        }
    }
}
