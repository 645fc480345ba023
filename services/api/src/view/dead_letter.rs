//! A dead letter, scrubbed.

use bugle_bus::{DeadLetter, Queue};
use bugle_model::{Event, IntakeBatch, ItemKind, ProjectId, RawItem, ScrubSettings};
use bugle_protocol::normalise;
use bugle_protocol::scrub::Scrubber;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A batch shows at most this many of its items.
const MAX_ITEMS: usize = 50;

/// A message that was rejected for good.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeadLetter")]
pub(crate) struct DeadLetterView {
    id: Uuid,
    queue: &'static str,
    /// What the consumer said.
    reason: String,
    attempts: u32,
    published_at: Option<DateTime<Utc>>,
    rejected_at: Option<DateTime<Utc>>,
    /// Of the raw message, in bytes.
    size: usize,
    content: Content,
}

/// What can be shown of a message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "DeadLetterContent")]
enum Content {
    /// The items of a batch.
    Items(Vec<Item>),
    /// Why it cannot be read.
    Unreadable { unreadable: String },
    /// A signal: it holds ids and numbers only.
    Signal(Value),
}

/// An item of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeadItem")]
struct Item {
    id: Uuid,
    kind: ItemKind,
    project: ProjectId,
    received_at: DateTime<Utc>,
    client: Option<String>,
    /// In bytes.
    size: usize,
    /// As the recorder would see it, scrubbed; null when it cannot be read.
    event: Option<Event>,
}

impl DeadLetterView {
    /// The letter with what can be shown of its body: items as the recorder would see them, scrubbed by the defaults
    /// whatever the project says; of those that cannot be read only what they are.
    pub(crate) fn new(queue: Queue, letter: &DeadLetter) -> Self {
        let time = |milliseconds: Option<i64>| milliseconds.and_then(DateTime::from_timestamp_millis);
        Self {
            id: letter.id,
            queue: queue.name(),
            reason: letter.reason.clone(),
            attempts: letter.attempts,
            published_at: time(letter.published_at),
            rejected_at: time(letter.rejected_at),
            size: letter.body.len(),
            content: content(queue, &letter.body),
        }
    }
}

fn content(queue: Queue, body: &[u8]) -> Content {
    match queue {
        Queue::Intake | Queue::IntakeBacklog => match IntakeBatch::decode(body) {
            Ok(items) => {
                let scrubber = Scrubber::new(&ScrubSettings::default());
                Content::Items(items.iter().take(MAX_ITEMS).map(|raw| item(&scrubber, raw)).collect())
            }
            Err(error) => Content::Unreadable { unreadable: error.to_string() },
        },
        Queue::NotifierSignals => match serde_json::from_slice(body) {
            Ok(signal) => Content::Signal(signal),
            Err(_) => Content::Unreadable { unreadable: "not JSON".to_owned() },
        },
    }
}

fn item(scrubber: &Scrubber, raw: &RawItem) -> Item {
    let event = normalise(raw).ok().map(|mut event| {
        scrubber.scrub(&mut event);
        event
    });
    Item {
        id: raw.id,
        kind: raw.kind,
        project: raw.project,
        received_at: raw.received_at,
        client: raw.client.clone(),
        size: raw.body.len(),
        event,
    }
}
