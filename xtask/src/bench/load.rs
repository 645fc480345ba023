//! The load generator: blocking connections, one thread each; latencies from the moment a request was due.

use crate::corpus::Prepared;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One kept-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends one request and reads its whole answer: status and body.
    pub fn request(&mut self, bytes: &[u8]) -> Result<(u16, Vec<u8>)> {
        self.stream.write_all(bytes)?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill()?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|digits| digits.parse().ok()).context("no status")?;
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(Ok(0), |value| value.trim().parse())?;
        while self.buffer.len() < head + length {
            self.fill()?;
        }
        Ok((status, self.buffer[head..head + length].to_vec()))
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0u8; 4096];
        match self.stream.read(&mut chunk)? {
            0 => bail!("the server closed the connection"),
            n => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
    }
}

/// What a run of requests gave.
pub struct Sent {
    /// Answered 200.
    pub accepted: usize,
    /// Answered otherwise, or not at all.
    pub refused: usize,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Sorted.
    pub latencies: Vec<Duration>,
}

/// Sends all requests over `connections`, each as soon as the one before is answered.
pub fn flat_out(address: &str, requests: &[Prepared], connections: usize) -> Result<Sent> {
    send(address, requests, connections, None)
}

/// Sends all requests over `connections` at `rate` a second, whatever the answers take.
pub fn at_rate(address: &str, requests: &[Prepared], connections: usize, rate: f64) -> Result<Sent> {
    send(address, requests, connections, Some(rate))
}

fn send(address: &str, requests: &[Prepared], connections: usize, rate: Option<f64>) -> Result<Sent> {
    let next = AtomicUsize::new(0);
    let start = Instant::now() + Duration::from_millis(5);
    let results: Vec<Result<(usize, Vec<Duration>)>> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| worker(address, requests, &next, start, rate))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| bail!("a sender panicked")))
            .collect()
    });
    let elapsed = start.elapsed();
    let mut latencies = Vec::with_capacity(requests.len());
    let mut accepted = 0;
    for result in results {
        let (ok, mut some) = result?;
        accepted += ok;
        latencies.append(&mut some);
    }
    latencies.sort_unstable();
    Ok(Sent { accepted, refused: requests.len() - accepted, elapsed, latencies })
}

fn worker(
    address: &str,
    requests: &[Prepared],
    next: &AtomicUsize,
    start: Instant,
    rate: Option<f64>,
) -> Result<(usize, Vec<Duration>)> {
    let mut connection = Connection::open(address)?;
    let mut latencies = Vec::new();
    let mut accepted = 0;
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(index) else { return Ok((accepted, latencies)) };
        let due = match rate {
            Some(rate) => start + Duration::from_secs_f64(index as f64 / rate),
            None => Instant::now(),
        };
        if let Some(wait) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(wait);
        }
        match connection.request(&request.bytes) {
            Ok((200, _)) => accepted += 1,
            Ok(_) => {}
            Err(_) => connection = Connection::open(address)?,
        }
        latencies.push(due.elapsed());
    }
}

/// The value below which `share` (0 to 1) of the sorted latencies lie, in milliseconds.
pub fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
}
