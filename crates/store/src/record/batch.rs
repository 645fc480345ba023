//! What the recorder hands over.

use bugle_model::{KeyId, Level, Outcome, OutcomeCount, Priority, ProjectId, RetentionClass};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An event that is parsed, scrubbed, grouped and serialised.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The message that it came in.
    pub message: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// The key that it came with, for its outcome.
    pub key: Option<KeyId>,
    /// The client's id, or the item's: unique within the project.
    pub event_id: Uuid,
    /// When ingest accepted it, inside the partitions (see [`crate::partitions::clamp`]).
    pub received_at: DateTime<Utc>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// How long it is kept.
    pub retention: RetentionClass,
    /// Its level.
    pub level: Level,
    /// The app caught it.
    pub handled: bool,
    /// The priority that a client chose.
    pub priority: Option<Priority>,
    /// Grouping: the primary first; never empty.
    pub hashes: Vec<[u8; 16]>,
    /// The version of the grouping.
    pub algorithm: i16,
    /// The title of an issue that it opens, 256 characters at most.
    pub title: String,
    /// The culprit of an issue that it opens, 512 characters at most.
    pub culprit: Option<String>,
    /// The type of the exception, 256 characters at most.
    pub error_type: Option<String>,
    /// The platform.
    pub platform: String,
    /// The release, 200 bytes at most.
    pub release: Option<String>,
    /// The environment, 64 bytes at most.
    pub environment: Option<String>,
    /// Who it happened to, as an evenly distributed hash.
    pub user: Option<i64>,
    /// What they can be found by: [`bugle_model::User::key_hashes`].
    pub user_keys: Vec<i64>,
    /// The trace.
    pub trace: Option<Uuid>,
    /// Tags to search by, release and environment among them; keys and values 200 characters at most.
    pub tags: BTreeMap<String, String>,
    /// What is kept: the stored document as JSON.
    pub document: Vec<u8>,
}

/// An attachment whose bytes are in the object store.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// The item's id: a second delivery changes nothing.
    pub item: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// Its event.
    pub event_id: Uuid,
    /// SHA-256 of the content.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// The file's name, 255 characters at most.
    pub filename: String,
    /// The media type, 128 characters at most.
    pub content_type: Option<String>,
    /// The protocol's `attachment_type`, 64 characters at most.
    pub attachment_type: Option<String>,
    /// When ingest accepted it.
    pub received_at: DateTime<Utc>,
    /// How long it is kept.
    pub retention: RetentionClass,
}

/// What a user said about an error.
#[derive(Debug, Clone)]
pub struct NewFeedback {
    /// The item's id: a second delivery changes nothing.
    pub item: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// The event that it is about.
    pub event_id: Option<Uuid>,
    /// The name, 128 characters at most.
    pub name: Option<String>,
    /// The mail address, 254 characters at most.
    pub email: Option<String>,
    /// The text, 4,096 characters at most.
    pub message: String,
    /// The page, 2,048 characters at most.
    pub url: Option<String>,
    /// When ingest accepted it.
    pub received_at: DateTime<Utc>,
    /// How long it is kept.
    pub retention: RetentionClass,
}

/// How items ended that leave no row behind: filtered, invalid, ….
#[derive(Debug, Clone)]
pub struct Ended {
    /// The message that they came in: delivered again, it is not counted again.
    pub message: Uuid,
    /// What and how many.
    pub count: OutcomeCount,
}

/// What goes into one transaction.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Events, of any projects, in any order.
    pub events: Vec<NewEvent>,
    /// Attachments.
    pub attachments: Vec<NewAttachment>,
    /// Feedback.
    pub feedback: Vec<NewFeedback>,
    /// Items that end here.
    pub outcomes: Vec<Ended>,
    /// Which one of the transactions that its messages are recorded in; 0 unless they take several.
    pub part: i16,
}

impl Batch {
    /// The same without the events at these places, which nobody wants to hear of.
    pub(super) fn without(&self, discarded: &[usize]) -> Self {
        let mut rest = Self {
            events: Vec::with_capacity(self.events.len()),
            attachments: self.attachments.clone(),
            feedback: self.feedback.clone(),
            outcomes: self.outcomes.clone(),
            part: self.part,
        };
        for (index, event) in self.events.iter().enumerate() {
            if !discarded.contains(&index) {
                rest.events.push(event.clone());
                continue;
            }
            let count = OutcomeCount {
                project: Some(event.project),
                key: event.key,
                outcome: Outcome::Filtered,
                reason: "discarded".to_owned(),
                category: "error".to_owned(),
                quantity: 1,
            };
            rest.outcomes.push(Ended { message: event.message, count });
        }
        rest
    }
}
