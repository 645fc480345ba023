use crate::harness::{KEY, Setup};
use crate::http::{parse, request};
use std::io::{Read, Write};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MIB: u64 = 1024 * 1024;

/// `count` bytes of zeros, gzipped without ever being in memory.
fn gzip_of_zeros(count: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(count), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn gzip(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

/// Sends a body without a copy of it, as the client is in this process too.
async fn send(addr: SocketAddr, encoding: &str, body: &[u8]) -> u16 {
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let length = body.len().to_string();
    let head = request("POST", &path, &[("Content-Encoding", encoding), ("Content-Length", &length)], b"");
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(&head).await.unwrap();
    socket.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    parse(&answer).status
}

/// Resident memory of this process in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_within_the_memory_that_ingest_may_use() {
    let mut setup = Setup::new();
    setup.settings.memory_wait = std::time::Duration::from_secs(60);
    let door = std::sync::Arc::new(setup.start().await);
    // A gzip stream may consist of several, one after the other: 10 GiB of zeros in 10 MiB.
    let part = gzip_of_zeros(512 * MIB);
    let ten_gib = std::sync::Arc::new(part.repeat(20));
    let twice = std::sync::Arc::new(gzip(&gzip_of_zeros(256 * MIB)));
    let zstd = zstd::encode_all(std::io::repeat(0).take(512 * MIB), 1).unwrap();
    let zstd = std::sync::Arc::new(zstd);
    let before = resident();
    let peak = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let watching = tokio::spawn({
        let peak = peak.clone();
        async move {
            loop {
                peak.fetch_max(resident(), std::sync::atomic::Ordering::Relaxed);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    let mut sending = Vec::new();
    for round in 0..12 {
        let (encoding, body) = match round % 3 {
            0 => ("gzip", ten_gib.clone()),
            1 => ("gzip, gzip", twice.clone()),
            _ => ("zstd", zstd.clone()),
        };
        let door = door.clone();
        sending.push(tokio::spawn(async move { send(door.addr, encoding, &body).await }));
    }
    for sent in sending {
        assert_eq!(sent.await.unwrap(), 413);
    }
    watching.abort();
    let grown = peak.load(std::sync::atomic::Ordering::Relaxed).saturating_sub(before);
    assert!(grown < 90, "{grown} MiB");
    assert_eq!(door.envelope("{}\n{\"type\":\"event\"}\n{}").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nesting_and_masses_are_passed_on_unread() {
    let door = Setup::new().start().await;
    let deep = format!("{{\"extra\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let tags: String = (0..60_000).map(|n| format!("\"t{n}\":{n},")).collect();
    let wide = format!("{{\"tags\":{{{tags}\"x\":1}}}}");
    let store = format!("/api/1/store/?sentry_key={KEY}");
    for event in [&deep, &wide] {
        assert_eq!(door.envelope(format!("{{}}\n{{\"type\":\"event\"}}\n{event}")).await.status, 200);
        assert_eq!(door.post(&store, &[], event).await.status, 200);
    }
    assert_eq!(door.bodies(), [&deep, &deep, &wide, &wide].map(String::clone));
    // A deep envelope header is an error.
    let header = format!("{{\"sdk\":{}", "[".repeat(100_000));
    assert_eq!(door.envelope(header).await.status, 400);
    let webhook = format!("/api/error-logging/webhook/generic/?key={KEY}");
    assert_eq!(door.post(&webhook, &[], &deep).await.status, 422);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_of_the_largest_size_comes_in() {
    let door = Setup::new().start().await;
    let length = 20 * 1024 * 1024;
    let head = format!(
        "{{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\"}}\n{{\"type\":\"attachment\",\"length\":{length}}}\n"
    );
    let body = [head.as_bytes(), &vec![7; length]].concat();
    assert_eq!(door.envelope(&body).await.status, 200);
    assert_eq!(door.items()[0].attachment.as_ref().unwrap().size, length as u64);
    door.stop().await;
}
