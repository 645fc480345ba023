//! What a secret link shows of an issue: what it is and where it happens; nothing about whom it happened to.

use bugle_model::{Exception, Frame, Level};
use bugle_store::events::StoredEvent;
use bugle_store::issues::Issue;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// An issue as whoever has its link sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SharedIssue {
    short_id: String,
    title: String,
    culprit: Option<String>,
    error_type: Option<String>,
    level: Level,
    platform: String,
    /// How many events.
    count: i64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    /// The latest event, while one is kept.
    event: Option<SharedEvent>,
}

/// An event of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SharedEvent {
    timestamp: DateTime<Utc>,
    /// Of the exceptions, or of the thread that crashed when there are none.
    exceptions: Vec<SharedException>,
}

/// An exception.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SharedException {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
    /// The innermost last.
    frames: Vec<SharedFrame>,
}

/// A frame without its variables.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SharedFrame {
    function: Option<String>,
    module: Option<String>,
    filename: Option<String>,
    lineno: Option<u32>,
    colno: Option<u32>,
    in_app: Option<bool>,
    pre_context: Vec<String>,
    context_line: Option<String>,
    post_context: Vec<String>,
}

impl SharedIssue {
    pub(crate) fn new(issue: Issue, latest: Option<StoredEvent>) -> Self {
        Self {
            short_id: issue.short_id(),
            title: issue.title,
            culprit: issue.culprit,
            error_type: issue.error_type,
            level: issue.level,
            platform: issue.platform,
            count: issue.count,
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            event: latest.map(SharedEvent::from),
        }
    }
}

impl From<StoredEvent> for SharedEvent {
    fn from(stored: StoredEvent) -> Self {
        let event = stored.event;
        let mut exceptions: Vec<_> = event.exceptions.into_iter().map(SharedException::from).collect();
        if exceptions.is_empty() {
            let thread = event.threads.into_iter().find(|thread| thread.crashed == Some(true));
            let frames = thread.and_then(|thread| thread.stacktrace).map(|trace| frames(trace.frames));
            exceptions.extend(frames.map(|frames| SharedException { kind: None, value: None, frames }));
        }
        Self { timestamp: event.timestamp, exceptions }
    }
}

impl From<Exception> for SharedException {
    fn from(exception: Exception) -> Self {
        let frames = exception.stacktrace.map(|trace| frames(trace.frames)).unwrap_or_default();
        Self { kind: exception.kind, value: exception.value, frames }
    }
}

fn frames(frames: Vec<Frame>) -> Vec<SharedFrame> {
    frames.into_iter().map(SharedFrame::from).collect()
}

impl From<Frame> for SharedFrame {
    fn from(frame: Frame) -> Self {
        let Frame { function, module, filename, lineno, colno, in_app, pre_context, .. } = frame;
        let Frame { context_line, post_context, .. } = frame;
        Self { function, module, filename, lineno, colno, in_app, pre_context, context_line, post_context }
    }
}
