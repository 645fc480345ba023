//! One item: what becomes of it.

use super::Taking;
use crate::projects::{Compiled, Snapshot};
use bugle_model::{Event, ItemKind, Outcome, OutcomeCount, RawItem};
use bugle_protocol::{Invalid, client_report, feedback, user_report};
use bugle_store::partitions;
use bugle_store::payload::Document;
use bugle_store::record::{Batch, NewAttachment, NewEvent, NewFeedback};
use chrono::{DateTime, Utc};
use std::panic::{AssertUnwindSafe, catch_unwind};
use uuid::Uuid;

/// Searchable tags: as wide as the column.
const TAG_CHARS: usize = 200;
const ERROR_TYPE_CHARS: usize = 256;

/// Prepared items.
#[derive(Default)]
pub(super) struct Part {
    pub batch: Batch,
    /// For each event, the delivery that it came in.
    pub sources: Vec<usize>,
    /// Deliveries with an item that can never be prepared.
    pub dead: Vec<usize>,
}

/// Prepares items. What one of them brings about does not touch the others.
pub(super) fn prepare(items: Vec<Taking>, projects: &Snapshot, now: DateTime<Utc>) -> Part {
    let Part { mut batch, mut sources, mut dead } = Part::default();
    for taking in items {
        let (source, item) = (taking.source, &taking.raw);
        let Some(project) = projects.get(&item.project) else {
            batch.outcomes.push(taking.ended(Outcome::Unauthorized, "unknown_project"));
            continue;
        };
        let before = batch.events.len();
        // Nothing a client sends may panic. Should it, the item is to be found in the dead letters.
        match catch_unwind(AssertUnwindSafe(|| one(&taking, project, now, &mut batch))) {
            Ok(Ok(())) => {}
            Ok(Err(invalid)) => {
                tracing::debug!(item = %item.id, project = %item.project, %invalid, "item cannot be read");
                batch.outcomes.push(taking.ended(Outcome::Invalid, &invalid.field));
            }
            Err(_) => {
                tracing::error!(item = %item.id, project = %item.project, "preparing an item panicked; its batch is a dead letter");
                batch.events.truncate(before);
                batch.outcomes.push(taking.ended(Outcome::Failed, "panic"));
                dead.push(source);
            }
        }
        sources.extend((before..batch.events.len()).map(|_| source));
    }
    Part { batch, sources, dead }
}

/// An item's end, for the statistics.
pub(super) fn outcome(item: &RawItem, outcome: Outcome, reason: &str) -> OutcomeCount {
    OutcomeCount {
        project: Some(item.project),
        key: item.key,
        outcome,
        reason: cut(reason, 64),
        category: category(item.kind).to_owned(),
        quantity: 1,
    }
}

const fn category(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Attachment => "attachment",
        ItemKind::UserReport | ItemKind::Feedback => "feedback",
        ItemKind::Security => "security",
        ItemKind::ClientReport => "internal",
        ItemKind::Event
        | ItemKind::WebhookLaravel
        | ItemKind::WebhookJava
        | ItemKind::WebhookFrontend
        | ItemKind::WebhookMobile
        | ItemKind::WebhookGeneric
        | ItemKind::Frontend => "error",
    }
}

fn one(taking: &Taking, project: &Compiled, now: DateTime<Utc>, batch: &mut Batch) -> Result<(), Invalid> {
    let item = &taking.raw;
    match item.kind {
        ItemKind::Attachment => batch.attachments.push(attachment(item, project, now)?),
        ItemKind::UserReport => {
            batch.feedback.push(feedback_row(item, project, user_report::parse(&item.body)?, now))
        }
        ItemKind::Feedback => {
            batch.feedback.push(feedback_row(item, project, feedback::parse(&item.body)?, now))
        }
        ItemKind::ClientReport => {
            for discarded in client_report::parse(&item.body)? {
                let mut ended = taking.ended(Outcome::ClientDiscarded, &discarded.reason);
                ended.count.category = cut(&discarded.category, 32);
                ended.count.quantity = i64::from(discarded.quantity);
                batch.outcomes.push(ended);
            }
        }
        _ => {
            let event = bugle_protocol::normalise(item)?;
            match project.filters.check(&event) {
                Some(reason) => batch.outcomes.push(taking.ended(Outcome::Filtered, reason)),
                None => batch.events.push(new_event(taking, project, event, now)?),
            }
        }
    }
    Ok(())
}

fn new_event(
    taking: &Taking,
    project: &Compiled,
    mut event: Event,
    now: DateTime<Utc>,
) -> Result<NewEvent, Invalid> {
    let item = &taking.raw;
    project.scrubber.scrub(&mut event);
    project.grouper.apply_in_app(&mut event);
    let grouping = project.grouper.group(&event);
    let mut tags = event.tags.clone();
    for (key, value) in [
        ("release", &event.release),
        ("environment", &event.environment),
        ("transaction", &event.transaction),
    ] {
        if let Some(value) = value {
            tags.insert(key.to_owned(), value.clone());
        }
    }
    let trace = event.trace_id.as_deref().and_then(bugle_model::parse_event_id);
    // `has:trace` and `has:user` ask for tags without a value.
    if trace.is_some() {
        tags.entry("trace".to_owned()).or_default();
    }
    if event.user.as_ref().is_some_and(|user| user.identity().is_some()) {
        tags.entry("user".to_owned()).or_default();
    }
    let tags = tags.into_iter().map(|(key, value)| (cut(&key, TAG_CHARS), cut(&value, TAG_CHARS))).collect();
    let mut new = NewEvent {
        message: taking.message,
        project: item.project,
        key: item.key,
        event_id: event.event_id,
        received_at: partitions::clamp(item.received_at, now),
        timestamp: event.timestamp,
        retention: project.settings.retention_for(event.level),
        level: event.level,
        handled: event.is_handled(),
        priority: event.priority,
        hashes: grouping.hashes.clone(),
        algorithm: grouping.version,
        title: grouping.title.clone(),
        culprit: grouping.culprit.clone(),
        error_type: grouping.error_type.as_deref().map(|text| cut(text, ERROR_TYPE_CHARS)),
        platform: event.platform.clone(),
        release: event.release.clone(),
        environment: event.environment.clone(),
        user: event.user.as_ref().and_then(bugle_model::User::identity_hash),
        user_keys: event.user.as_ref().map(bugle_model::User::key_hashes).unwrap_or_default(),
        trace,
        tags,
        document: Vec::new(),
    };
    let document = Document {
        v: 1,
        grouping: grouping.version,
        hashes: grouping.hashes.iter().map(bugle_grouping::hex).collect(),
        title: grouping.title,
        culprit: grouping.culprit,
        event,
    };
    new.document = document.to_bytes().map_err(|error| Invalid::new("event", error.to_string()))?;
    Ok(new)
}

fn attachment(item: &RawItem, project: &Compiled, now: DateTime<Utc>) -> Result<NewAttachment, Invalid> {
    let reference =
        item.attachment.as_ref().ok_or_else(|| Invalid::new("attachment", "its content is missing"))?;
    let sha256 =
        from_hex(&reference.sha256).ok_or_else(|| Invalid::new("attachment.sha256", "not 64 hex digits"))?;
    let mut filename = reference.filename.clone();
    project.scrubber.scrub_text(&mut filename);
    Ok(NewAttachment {
        item: item.id,
        project: item.project,
        event_id: item
            .event_id
            .ok_or_else(|| Invalid::new("event_id", "an attachment belongs to an event"))?,
        sha256,
        size: i64::try_from(reference.size).unwrap_or(i64::MAX),
        filename: cut(&filename, 255),
        content_type: reference.content_type.as_deref().map(|text| cut(text, 128)),
        attachment_type: reference.attachment_type.as_deref().map(|text| cut(text, 64)),
        received_at: partitions::clamp(item.received_at, now),
        retention: project.settings.retention,
    })
}

fn feedback_row(
    item: &RawItem,
    project: &Compiled,
    parsed: feedback::Feedback,
    now: DateTime<Utc>,
) -> NewFeedback {
    let event_id: Option<Uuid> =
        parsed.event_id.or(item.event_id.filter(|_| item.kind == ItemKind::UserReport));
    let scrubbed = |mut text: String| {
        project.scrubber.scrub_text(&mut text);
        text
    };
    NewFeedback {
        item: item.id,
        project: item.project,
        event_id,
        name: parsed.name.as_deref().map(|text| cut(text, 128)),
        email: parsed.email.as_deref().map(|text| cut(text, 254)),
        message: cut(&scrubbed(parsed.message), 4096),
        url: parsed.url.map(|text| cut(&scrubbed(text), 2048)),
        received_at: partitions::clamp(item.received_at, now),
        retention: project.settings.retention,
    }
}

/// At most `chars` characters, without the NUL that PostgreSQL cannot keep in a text.
fn cut(text: &str, chars: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(chars).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..32).map(|i| u8::from_str_radix(text.get(i * 2..i * 2 + 2)?, 16).ok()).collect()
}
