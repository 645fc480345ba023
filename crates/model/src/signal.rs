//! Signals: small facts that the recorder (and the API) tell the other services through the outbox.

use crate::{IssueId, Level, Priority, ProjectId, SignalKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One fact about one issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueSignal {
    /// The issue.
    pub issue: IssueId,
    /// Its project.
    pub project: ProjectId,
    /// How often the issue has come back: 0 for a new one, one more with each regression and each end of being ignored.
    pub generation: i32,
    /// The event that caused the signal.
    pub event_id: Uuid,
    /// When ingest accepted that event; the start of the latency that is measured.
    pub received_at: DateTime<Utc>,
    /// The issue's level.
    pub level: Level,
    /// The issue's priority after this event.
    pub priority: Priority,
    /// The event's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// What happened. The routing key is [`Signal::routing_key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal")]
pub enum Signal {
    /// A new issue.
    #[serde(rename = "issue.opened")]
    IssueOpened(IssueSignal),
    /// A resolved issue has come back.
    #[serde(rename = "issue.regressed")]
    IssueRegressed(IssueSignal),
    /// An issue is not ignored any more: what it was ignored until has come.
    #[serde(rename = "issue.unignored")]
    IssueUnignored(IssueSignal),
    /// An issue reached 10, 100, 1,000 or 10,000 events within 24 hours.
    #[serde(rename = "threshold.reached")]
    ThresholdReached {
        /// The issue and the event that crossed the line.
        #[serde(flatten)]
        about: IssueSignal,
        /// Which line.
        events: i64,
    },
    /// Somebody raised an issue's priority, for others to hear of it.
    #[serde(rename = "issue.escalated")]
    IssueEscalated(IssueSignal),
    /// Events were added to an issue: counts per batch.
    #[serde(rename = "issue.seen")]
    IssueSeen {
        /// The issue.
        issue: IssueId,
        /// Its project.
        project: ProjectId,
        /// How many in this batch.
        events: i64,
    },
    /// Somebody changed an issue: status, assignee, priority.
    #[serde(rename = "issue.changed")]
    IssueChanged {
        /// The issue.
        issue: IssueId,
        /// Its project.
        project: ProjectId,
    },
}

impl Signal {
    /// The name, which is also the routing key on the signals exchange.
    #[must_use]
    pub const fn routing_key(&self) -> &'static str {
        match self {
            Self::IssueOpened(_) => "issue.opened",
            Self::IssueRegressed(_) => "issue.regressed",
            Self::IssueUnignored(_) => "issue.unignored",
            Self::ThresholdReached { .. } => "threshold.reached",
            Self::IssueEscalated(_) => "issue.escalated",
            Self::IssueSeen { .. } => "issue.seen",
            Self::IssueChanged { .. } => "issue.changed",
        }
    }

    /// What a notification about this signal is about, with the issue's part; `None` when nobody is told.
    #[must_use]
    pub const fn notifies(&self) -> Option<(SignalKind, &IssueSignal)> {
        match self {
            Self::IssueOpened(about) => Some((SignalKind::New, about)),
            Self::IssueRegressed(about) => Some((SignalKind::Regression, about)),
            Self::IssueUnignored(about) => Some((SignalKind::Unignored, about)),
            Self::ThresholdReached { about, events } => match SignalKind::for_threshold(*events) {
                Some(kind) => Some((kind, about)),
                None => None,
            },
            Self::IssueEscalated(about) => match SignalKind::for_escalation(about.priority) {
                Some(kind) => Some((kind, about)),
                None => None,
            },
            Self::IssueSeen { .. } | Self::IssueChanged { .. } => None,
        }
    }
}

/// The body of a message on the signals exchange: all signals of one kind from one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalBatch {
    /// The version of this form; 1.
    pub v: u8,
    /// The id of the message, for consumers that keep what they have seen.
    pub id: Uuid,
    /// The signals; never empty, all with the same routing key.
    pub signals: Vec<Signal>,
}
