use crate::harness::{KEY, Setup};
use std::io::Write;

const BODY: &str = "{}\n{\"type\":\"event\"}\n{\"message\":\"hello hello hello hello\"}";

fn gzip(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

fn zlib(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

fn brotli(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 4, 22).write_all(raw).unwrap();
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_content_encoding() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let raw = BODY.as_bytes();
    let zstd = zstd::encode_all(raw, 1).unwrap();
    let cases = [
        ("identity", raw.to_vec()),
        ("", raw.to_vec()),
        ("utf-8", raw.to_vec()),
        ("gzip", gzip(raw)),
        ("x-gzip", gzip(raw)),
        ("deflate", zlib(raw)),
        ("br", brotli(raw)),
        ("zstd", zstd),
        ("br, gzip", gzip(&brotli(raw))),
    ];
    for (encoding, body) in &cases {
        let answer = door.post(&path, &[("Content-Encoding", encoding)], body).await;
        assert_eq!(answer.status, 200, "{encoding}: {answer:?}");
    }
    assert_eq!(door.bodies(), vec!["{\"message\":\"hello hello hello hello\"}"; cases.len()]);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_inflated_is_named() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    for (encoding, body, status) in [
        ("lzma", b"x".to_vec(), 415),
        ("gzip, gzip, gzip", b"x".to_vec(), 415),
        ("gzip", b"not gzip".to_vec(), 400),
        ("gzip", gzip(BODY.as_bytes())[..20].to_vec(), 400),
        ("zstd", b"\x28\xb5\x2f\xfd\x00".to_vec(), 400),
    ] {
        let answer = door.post(&path, &[("Content-Encoding", encoding)], &body).await;
        assert_eq!(answer.status, status, "{encoding}: {answer:?}");
        assert!(answer.json()["detail"].is_string());
    }
    assert_eq!(door.outcome("invalid"), 5);
    door.stop().await;
}
