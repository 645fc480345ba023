//! `Content-Encoding`, undone with a bound on what comes out.
//!
//! The bound holds while inflating, not after: a small body that claims to be gigabytes costs at most the
//! limit. Windows are bounded too, since a decoder allocates its window before it has any output.

use std::borrow::Cow;
use std::io::{self, Read};
use thiserror::Error;

/// RFC 9659: a zstd window over HTTP is at most 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;
const BROTLI_BUFFER: usize = 4096;
/// Bodies up to this size are decoded once; larger ones are measured first.
const AT_ONCE: usize = 1 << 20;
/// `Content-Encoding` may name at most this many encodings, one inside the other.
const MAX_CHAINED: usize = 2;

/// A body that cannot be inflated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// It inflates to more than the limit.
    #[error("body: more than {limit} bytes inflated")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// An encoding that is not known, or too many of them.
    #[error(
        "content-encoding: `{0}` is not one of gzip, deflate, br, zstd, identity; at most two may be chained"
    )]
    Unsupported(String),
    /// The stream is cut or corrupt, or needs a window above the allowed.
    #[error("body: damaged {0} stream")]
    Damaged(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    fn inflate(self, raw: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
        match self {
            Self::Gzip => {
                read_bounded("gzip", || Ok(flate2::bufread::MultiGzDecoder::new(raw)), raw.len(), limit)
            }
            Self::Deflate => deflate(raw, limit),
            Self::Brotli => brotli(raw, limit),
            Self::Zstd => zstd(raw, limit),
        }
    }
}

/// Undoes `content_encoding` (a header's value): `gzip`, `x-gzip`, `deflate` (zlib, or raw as some clients
/// send it), `br`, `zstd`. None, empty, `identity` and `utf-8` mean the body as it is.
///
/// # Errors
/// When the result or anything between exceeds `limit` bytes, the encoding is unknown, or the body damaged.
pub fn inflate<'a>(
    content_encoding: Option<&str>,
    raw: &'a [u8],
    limit: usize,
) -> Result<Cow<'a, [u8]>, EncodingError> {
    let mut body = Cow::Borrowed(raw);
    // Encodings are listed in the order in which they were applied.
    for encoding in encodings(content_encoding.unwrap_or_default())?.into_iter().rev().flatten() {
        body = Cow::Owned(encoding.inflate(&body, limit)?);
    }
    if body.len() > limit {
        return Err(EncodingError::TooLarge { limit });
    }
    Ok(body)
}

fn encodings(header: &str) -> Result<[Option<Encoding>; MAX_CHAINED], EncodingError> {
    let unsupported = |text: &str| EncodingError::Unsupported(text.chars().take(64).collect());
    let mut found = [None; MAX_CHAINED];
    let mut slots = found.iter_mut();
    for name in header.split(',').map(str::trim) {
        let encoding = match name.to_ascii_lowercase().as_str() {
            "" | "identity" | "utf-8" | "utf8" => continue,
            "gzip" | "x-gzip" => Encoding::Gzip,
            "deflate" => Encoding::Deflate,
            "br" => Encoding::Brotli,
            "zstd" => Encoding::Zstd,
            _ => return Err(unsupported(name)),
        };
        *slots.next().ok_or_else(|| unsupported(header))? = Some(encoding);
    }
    Ok(found)
}

/// Inflates a zlib stream, or a raw deflate stream when it has no zlib header.
pub(crate) fn deflate(raw: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
    if has_zlib_header(raw) {
        match read_bounded("deflate", || Ok(flate2::bufread::ZlibDecoder::new(raw)), raw.len(), limit) {
            // A raw stream may begin like a zlib header by chance.
            Err(EncodingError::Damaged(_)) => {}
            done => return done,
        }
    }
    read_bounded("deflate", || Ok(flate2::bufread::DeflateDecoder::new(raw)), raw.len(), limit)
}

/// RFC 1950: method 8, window of at most 32 KiB, and a header that divides by 31.
pub(crate) fn has_zlib_header(raw: &[u8]) -> bool {
    match raw {
        [method, flags, ..] => {
            method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

fn brotli(raw: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
    // RFC 7932 ends at windows of 16 MiB; this bit pattern announces the "large window" extension beyond it.
    if raw.first().is_none_or(|first| first & 0x7f == 0x11) {
        return Err(EncodingError::Damaged("br"));
    }
    read_bounded("br", || Ok(brotli::Decompressor::new(raw, BROTLI_BUFFER)), raw.len(), limit)
}

fn zstd(raw: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
    let decoder = || {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Ok(decoder)
    };
    read_bounded("zstd", decoder, raw.len(), limit)
}

/// Reads what the decoder gives, `limit` bytes at most. What goes beyond [`AT_ONCE`] is measured before memory is
/// taken for it, by decoding twice: a bomb costs no more than that, and no body twice its size.
fn read_bounded<R: Read>(
    name: &'static str,
    decoder: impl Fn() -> io::Result<R>,
    raw_length: usize,
    limit: usize,
) -> Result<Vec<u8>, EncodingError> {
    let damaged = |_| EncodingError::Damaged(name);
    let at_once = limit.min(AT_ONCE);
    let mut body = Vec::with_capacity(raw_length.saturating_mul(4).min(at_once));
    let mut reader = decoder().map_err(damaged)?;
    let length = read_up_to(&mut reader, at_once, &mut body).map_err(damaged)?;
    if length <= at_once {
        return Ok(body);
    }
    drop(body);
    let rest = io::copy(&mut reader.take((limit - at_once) as u64), &mut io::sink()).map_err(damaged)?;
    let length = usize::try_from(rest).map_or(usize::MAX, |rest| rest.saturating_add(length));
    if length > limit {
        return Err(EncodingError::TooLarge { limit });
    }
    let mut body = Vec::with_capacity(length + 1);
    let mut reader = decoder().map_err(damaged)?;
    read_up_to(&mut reader, length, &mut body).map_err(damaged)?;
    Ok(body)
}

/// Reads to the end, or one byte beyond `most`; gives the number of bytes.
fn read_up_to(reader: &mut impl Read, most: usize, body: &mut Vec<u8>) -> io::Result<usize> {
    reader.take((most as u64).saturating_add(1)).read_to_end(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    fn gzip(raw: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(raw: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(raw: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    fn br(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 4, 22).write_all(raw).unwrap();
        out
    }

    fn zst(raw: &[u8]) -> Vec<u8> {
        zstd::encode_all(raw, 1).unwrap()
    }

    #[test]
    fn every_encoding_gives_the_body_back() {
        let body = b"hello hello hello hello".repeat(10);
        for (header, raw) in [
            (None, body.clone()),
            (Some(""), body.clone()),
            (Some("identity"), body.clone()),
            (Some("UTF-8"), body.clone()),
            (Some("gzip"), gzip(&body)),
            (Some("X-Gzip"), gzip(&body)),
            (Some("gzip"), [gzip(&body[..100]), gzip(&body[100..])].concat()),
            (Some("deflate"), zlib(&body)),
            (Some("deflate"), raw_deflate(&body)),
            (Some("br"), br(&body)),
            (Some("zstd"), zst(&body)),
            (Some("br, gzip"), gzip(&br(&body))),
            (Some("identity,zstd , deflate"), zlib(&zst(&body))),
        ] {
            assert_eq!(inflate(header, &raw, 1000).unwrap(), body, "{header:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0_u8; 20_000_000];
        for (header, raw) in [
            (None, zeros.clone()),
            (Some("gzip"), gzip(&zeros)),
            (Some("deflate"), zlib(&zeros)),
            (Some("deflate"), raw_deflate(&zeros)),
            (Some("br"), br(&zeros)),
            (Some("zstd"), zst(&zeros)),
            (Some("gzip, gzip"), gzip(&gzip(&zeros))),
        ] {
            assert_eq!(
                inflate(header, &raw, 1_000_000),
                Err(EncodingError::TooLarge { limit: 1_000_000 }),
                "{header:?}"
            );
        }
    }

    #[test]
    fn exactly_the_limit_is_allowed() {
        let body = vec![7_u8; 1000];
        assert_eq!(inflate(Some("gzip"), &gzip(&body), 1000).unwrap().len(), 1000);
        assert!(inflate(Some("gzip"), &gzip(&body), 999).is_err());
    }

    #[test]
    fn unknown_and_too_many_are_named() {
        assert_eq!(inflate(Some("lzma"), b"", 10), Err(EncodingError::Unsupported("lzma".into())));
        assert_eq!(
            inflate(Some("gzip,gzip,gzip"), b"", 10),
            Err(EncodingError::Unsupported("gzip,gzip,gzip".into()))
        );
    }

    #[test]
    fn damage_is_an_error() {
        let body = b"some text that is long enough to be cut".repeat(8);
        for (header, raw) in
            [("gzip", gzip(&body)), ("deflate", zlib(&body)), ("br", br(&body)), ("zstd", zst(&body))]
        {
            let cut = &raw[..raw.len() / 2];
            assert!(matches!(inflate(Some(header), cut, 10_000), Err(EncodingError::Damaged(_))), "{header}");
            assert!(
                matches!(inflate(Some(header), b"\x01\x02nonsense", 10_000), Err(EncodingError::Damaged(_))),
                "{header}"
            );
        }
    }

    #[test]
    fn windows_are_bounded() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(27)).unwrap();
        encoder.write_all(&vec![1; 1000]).unwrap();
        let wide = encoder.finish().unwrap();
        assert_eq!(inflate(Some("zstd"), &wide, 10_000), Err(EncodingError::Damaged("zstd")));
        assert_eq!(inflate(Some("br"), &[0x11, 0x1e, 0, 0], 10_000), Err(EncodingError::Damaged("br")));
    }
}
