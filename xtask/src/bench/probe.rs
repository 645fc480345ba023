//! How long it takes from the POST of a new issue's first event until it can be read through the API and until a
//! webhook has received it.

use super::load::Connection;
use crate::corpus::{Random, Target, Template};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

type Arrivals = Arc<(Mutex<HashMap<String, Instant>>, Condvar)>;

/// Receives webhooks and remembers when each probe's arrived.
pub struct Receiver {
    arrivals: Arrivals,
    port: u16,
}

impl Receiver {
    /// Listens on a free port of the loopback interface until the process ends.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let arrivals = Arrivals::default();
        let shared = Arc::clone(&arrivals);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrivals = Arc::clone(&shared);
                std::thread::spawn(move || drop(serve(stream, &arrivals)));
            }
        });
        Ok(Self { arrivals, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What has arrived so far, and when.
    pub fn arrived(&self) -> HashMap<String, Instant> {
        self.arrivals.0.lock().map(|arrived| arrived.clone()).unwrap_or_default()
    }

    /// Waits until so many probes have arrived, and gives what has.
    pub fn wait_for(&self, count: usize, limit: Duration) -> HashMap<String, Instant> {
        let (lock, changed) = &*self.arrivals;
        if let Ok(guard) = lock.lock() {
            drop(changed.wait_timeout_while(guard, limit, |arrived| arrived.len() < count));
        }
        self.arrived()
    }

    fn wait(&self, probe: &str, limit: Duration) -> Option<Instant> {
        let (lock, changed) = &*self.arrivals;
        let guard = lock.lock().ok()?;
        let (guard, _) =
            changed.wait_timeout_while(guard, limit, |arrived| !arrived.contains_key(probe)).ok()?;
        guard.get(probe).copied()
    }
}

fn serve(mut stream: TcpStream, arrivals: &Arrivals) -> Result<()> {
    let mut buffer = Vec::new();
    let mut chunk = [0u8; 8192];
    loop {
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Ok(());
        }
        buffer.extend_from_slice(&chunk[..n]);
        while let Some(whole) = whole_request(&buffer) {
            let now = Instant::now();
            let request: Vec<u8> = buffer.drain(..whole).collect();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
            let text = String::from_utf8_lossy(&request);
            for probe in text.match_indices("Probe").filter_map(|(at, _)| text.get(at..at + 21)) {
                let (lock, changed) = &**arrivals;
                lock.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.entry(probe.to_owned()).or_insert(now);
                changed.notify_all();
            }
        }
    }
}

fn whole_request(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0);
    (buffer.len() >= head + length).then_some(head + length)
}

/// Latencies, sorted.
pub struct Latencies {
    /// POST to readable.
    pub api: Vec<Duration>,
    /// POST to the webhook received.
    pub webhook: Vec<Duration>,
    /// Probes that did not arrive within 30 s.
    pub missing: usize,
    /// How long the slowest took to be readable, and how long after the first probe it was sent.
    pub slowest: (Duration, Duration),
}

/// Sends `count` probes, one each `pause`.
pub fn probe(
    template: &Template,
    target: &Target,
    token: &str,
    receiver: &Receiver,
    count: usize,
    pause: Duration,
) -> Result<Latencies> {
    let mut random = Random::new();
    let mut latencies = Latencies {
        api: Vec::new(),
        webhook: Vec::new(),
        missing: 0,
        slowest: (Duration::ZERO, Duration::ZERO),
    };
    let begun = Instant::now();
    let mut post = Connection::open(&target.address)?;
    let mut get = Connection::open(&target.address)?;
    for _ in 0..count {
        let name = format!("Probe{:016x}", random.next());
        let request = template.prepare_new_issue(&mut random, target, &name);
        let start = Instant::now();
        post.request(&request.bytes).context("the probe was not accepted")?;
        let read = format!(
            "GET /api/v1/projects/{}/events/{} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
            target.project, request.event_id, target.address
        );
        let visible = loop {
            if get.request(read.as_bytes())?.0 == 200 {
                break Some(start.elapsed());
            }
            if start.elapsed() > Duration::from_secs(30) {
                break None;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        latencies.api.extend(visible);
        latencies.slowest = latencies.slowest.max((start.elapsed(), start.duration_since(begun)));
        match receiver.wait(&name, Duration::from_secs(30)) {
            Some(arrived) => latencies.webhook.push(arrived.duration_since(start)),
            None => latencies.missing += 1,
        }
        std::thread::sleep(pause);
    }
    latencies.api.sort_unstable();
    latencies.webhook.sort_unstable();
    Ok(latencies)
}
