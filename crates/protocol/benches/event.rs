//! What an event costs on its way from bytes to what is stored: `cargo bench -p bugle-protocol`.
//!
//! The target is 120 µs for 10 KB, so that a share of one core keeps up with 5,000 events a second.

#![expect(clippy::indexing_slicing, clippy::print_stdout, reason = "a bench, on the captured requests")]

use bugle_model::{ItemKind, ProjectId, RawItem, ScrubSettings};
use bugle_protocol::scrub::Scrubber;
use bugle_protocol::{encoding, envelope, normalise};
use chrono::DateTime;
use serde_json::Value;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ROUNDS: u32 = 30;

fn main() {
    let items = items();
    let scrubber = Scrubber::new(&ScrubSettings::default());
    let bytes: usize = items.iter().map(|item| item.body.len()).sum();
    let (mut normalising, mut scrubbing) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut events: Vec<_> = items.iter().filter_map(|item| normalise(item).ok()).collect();
        normalising = normalising.min(start.elapsed());
        let start = Instant::now();
        events.iter_mut().for_each(|event| scrubber.scrub(event));
        scrubbing = scrubbing.min(start.elapsed());
        black_box(events);
    }
    let per_10_kb = |time: Duration| time.as_secs_f64() * 1e6 * 10_240.0 / bytes as f64;
    println!(
        "{} events, {} bytes on average; for 10 KB: normalise {:.1} µs, scrub {:.1} µs",
        items.len(),
        bytes / items.len().max(1),
        per_10_kb(normalising),
        per_10_kb(scrubbing)
    );
}

/// Every event of the captured envelopes.
fn items() -> Vec<RawItem> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let mut items = Vec::new();
    for client in ["browser", "react", "node-plain", "python-django", "python-plain", "laravel", "rust"] {
        for entry in std::fs::read_dir(root.join(client)).into_iter().flatten().flatten() {
            let body = entry.path();
            if body.extension().is_some_and(|extension| extension == "body") {
                items.extend(events(&body));
            }
        }
    }
    items
}

fn events(path: &Path) -> Option<RawItem> {
    let meta: Value = serde_json::from_slice(&std::fs::read(path.with_extension("meta.json")).ok()?).ok()?;
    let encoding =
        meta["headers"].as_array()?.iter().find(|pair| pair[0].as_str() == Some("Content-Encoding"));
    let raw = std::fs::read(path).ok()?;
    let body = encoding::inflate(encoding.and_then(|pair| pair[1].as_str()), &raw, 10_000_000).ok()?;
    let envelope = envelope::parse(&body).ok()?;
    let event = envelope.items.iter().find(|item| item.header.kind == "event")?;
    Some(RawItem {
        id: Uuid::nil(),
        kind: ItemKind::Event,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: DateTime::from_timestamp(1_795_198_128, 0)?,
        remote_addr: None,
        client: None,
        user_agent: None,
        request_id: None,
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: event.payload.to_vec(),
    })
}
