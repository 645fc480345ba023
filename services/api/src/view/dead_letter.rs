//! A dead letter, scrubbed.

use bugle_bus::{DeadLetter, Queue};
use bugle_model::{IntakeBatch, RawItem, ScrubSettings};
use bugle_protocol::normalise;
use bugle_protocol::scrub::Scrubber;
use chrono::DateTime;
use serde_json::{Value, json};

/// A batch shows at most this many of its items.
const MAX_ITEMS: usize = 50;

/// The letter with what can be shown of its body: items as the recorder would see them, scrubbed by the defaults
/// whatever the project says; of those that cannot be read only what they are.
pub(crate) fn dead_letter(queue: Queue, letter: &DeadLetter) -> Value {
    let time = |milliseconds: Option<i64>| milliseconds.and_then(DateTime::from_timestamp_millis);
    json!({
        "id": letter.id,
        "queue": queue.name(),
        "reason": letter.reason,
        "attempts": letter.attempts,
        "published_at": time(letter.published_at),
        "rejected_at": time(letter.rejected_at),
        "size": letter.body.len(),
        "content": content(queue, &letter.body),
    })
}

fn content(queue: Queue, body: &[u8]) -> Value {
    match queue {
        Queue::Intake | Queue::IntakeBacklog => match IntakeBatch::decode(body) {
            Ok(items) => {
                let scrubber = Scrubber::new(&ScrubSettings::default());
                items.iter().take(MAX_ITEMS).map(|raw| item(&scrubber, raw)).collect()
            }
            Err(error) => json!({ "unreadable": error.to_string() }),
        },
        // Signals hold ids and numbers only.
        Queue::NotifierSignals => {
            serde_json::from_slice(body).unwrap_or_else(|_| json!({ "unreadable": "not JSON" }))
        }
    }
}

fn item(scrubber: &Scrubber, raw: &RawItem) -> Value {
    let event = normalise(raw).ok().map(|mut event| {
        scrubber.scrub(&mut event);
        event
    });
    json!({
        "id": raw.id,
        "kind": raw.kind,
        "project": raw.project,
        "received_at": raw.received_at,
        "client": raw.client,
        "size": raw.body.len(),
        "event": event,
    })
}
