//! Destinations and notifications.

use crate::{Priority, level::UnknownName, level::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

vocabulary!(
    /// How a message travels.
    Channel, "channel", "email, slack, sms, webhook, voice, web_push", {
        /// SMTP; the target is an address.
        Email = 1 => "email",
        /// Slack; the target is an incoming webhook's URL, or a channel id when a bot token is set.
        Slack = 2 => "slack",
        /// Twilio; the target is a number in E.164.
        Sms = 3 => "sms",
        /// Standard Webhooks; the target is a URL.
        Webhook = 4 => "webhook",
        /// A call by Twilio; the target is a number in E.164. Of people only.
        Voice = 5 => "voice",
        /// Web push (RFC 8030); the target is the URL that a browser's push service has given out. Of people only.
        WebPush = 6 => "web_push",
    }
);

vocabulary!(
    /// What a notification is about. Part of its identity: one per issue, destination, kind and generation.
    SignalKind, "kind", "new, regression, events_10, events_100, events_1000, events_10000, test, digest, unignored, escalated_medium, escalated_high, escalated_critical, page, verification", {
        /// A new issue.
        New = 1 => "new",
        /// A resolved issue came back.
        Regression = 2 => "regression",
        /// 10 events within 24 h.
        Events10 = 3 => "events_10",
        /// 100 events within 24 h.
        Events100 = 4 => "events_100",
        /// 1,000 events within 24 h.
        Events1000 = 5 => "events_1000",
        /// 10,000 events within 24 h.
        Events10000 = 6 => "events_10000",
        /// Somebody pressed "send a test".
        Test = 7 => "test",
        /// Several that went stale, as one message.
        Digest = 8 => "digest",
        /// What an ignored issue was waiting for has come.
        Unignored = 9 => "unignored",
        /// Somebody raised the priority to medium.
        EscalatedMedium = 10 => "escalated_medium",
        /// Somebody raised the priority to high.
        EscalatedHigh = 11 => "escalated_high",
        /// Somebody raised the priority to critical.
        EscalatedCritical = 12 => "escalated_critical",
        /// An incident asks somebody to answer.
        Page = 13 => "page",
        /// The code that proves a contact method.
        Verification = 14 => "verification",
    }
);

impl SignalKind {
    /// The kind for a priority that somebody has raised an issue to; nothing is raised to low.
    #[must_use]
    pub const fn for_escalation(priority: Priority) -> Option<Self> {
        match priority {
            Priority::Low => None,
            Priority::Medium => Some(Self::EscalatedMedium),
            Priority::High => Some(Self::EscalatedHigh),
            Priority::Critical => Some(Self::EscalatedCritical),
        }
    }

    /// The kind for a number of events within 24 hours, when that number is a threshold.
    #[must_use]
    pub const fn for_threshold(events: i64) -> Option<Self> {
        match events {
            10 => Some(Self::Events10),
            100 => Some(Self::Events100),
            1_000 => Some(Self::Events1000),
            10_000 => Some(Self::Events10000),
            _ => None,
        }
    }
}

vocabulary!(
    /// Where a notification stands. The database enforces which fields go with which state.
    NotificationState, "state", "pending, sending, sent, failed, cancelled, bundled, expired", {
        /// Waits for its `next_at`.
        Pending = 0 => "pending",
        /// Claimed by a notifier until its lease ends.
        Sending = 1 => "sending",
        /// The provider accepted it.
        Sent = 2 => "sent",
        /// It cannot succeed, or the attempts are used up.
        Failed = 3 => "failed",
        /// No longer wanted: the issue was resolved or ignored, the destination removed.
        Cancelled = 4 => "cancelled",
        /// Its content went out inside another message.
        Bundled = 5 => "bundled",
        /// Too old to send alone; listed in a digest.
        Expired = 6 => "expired",
    }
);

vocabulary!(
    /// What a provider says of a message after it has accepted it: of an SMS or a call. Comes in any order, and may come twice.
    DeliveryStatus, "delivery", "accepted, queued, sending, sent, delivered, undelivered, failed", {
        /// Taken, and not yet given to a number to be sent from.
        Accepted = 1 => "accepted",
        /// Waits for its turn.
        Queued = 2 => "queued",
        /// On its way to the carrier; a call is being set up.
        Sending = 3 => "sending",
        /// The carrier has it. Some carriers never say more. A call rings, or is going on.
        Sent = 4 => "sent",
        /// It has arrived; a call was taken, and is over.
        Delivered = 5 => "delivered",
        /// The carrier or the phone did not take it; a call was not answered, or the line was busy.
        Undelivered = 6 => "undelivered",
        /// It could not be sent, or a call not be made.
        Failed = 7 => "failed",
    }
);

impl DeliveryStatus {
    /// Whether it has not arrived, and will not.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed)
    }

    /// What Twilio's word for a call means (<https://www.twilio.com/docs/voice/api/call-resource#call-status-values>); `None` for one that is not
    /// known.
    #[must_use]
    pub fn of_call(word: &str) -> Option<Self> {
        Some(match word {
            "queued" => Self::Queued,
            "initiated" => Self::Sending,
            "ringing" | "in-progress" => Self::Sent,
            "completed" => Self::Delivered,
            "busy" | "no-answer" => Self::Undelivered,
            "failed" | "canceled" => Self::Failed,
            _ => return None,
        })
    }
}

/// Whether one of Twilio's error codes says that a number takes no SMS, whatever is in them
/// (<https://www.twilio.com/docs/api/errors>).
#[must_use]
pub const fn takes_no_sms(code: i64) -> bool {
    matches!(code, 21211 | 21214 | 21610 | 21612 | 21614 | 21635 | 30004 | 30005 | 30006)
}

/// Whether one of Twilio's error codes says that a number cannot be called: it is none, or leads nowhere.
#[must_use]
pub const fn takes_no_calls(code: i64) -> bool {
    matches!(code, 13223 | 13224 | 21211 | 21214 | 21217)
}

/// What can be set for a destination beyond channel and target. Unknown fields are an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DestinationSettings {
    /// Only these environments; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Only these kinds; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<SignalKind>,
    /// Webhook: additional request headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Webhook: a minijinja template for the body instead of the standard payload, 16 KiB at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Webhook: the signing secret, `whsec_…`. Made when absent; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Slack: a bot token (`xoxb-…`); the target is then a channel id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_token: Option<String>,
    /// Web push: the public key of the browser's subscription, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p256dh: Option<String>,
    /// Web push: the secret of the browser's subscription, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
}

impl Channel {
    /// Whether it reaches people only, by a contact method of theirs, and no project's destination.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Voice | Self::WebPush)
    }

    /// The lowest priority that goes to such a destination unless it says otherwise: critical goes to all,
    /// high to Slack, email and webhook, medium to email and webhook, low to webhook. People's contact methods have rules instead.
    #[must_use]
    pub const fn default_min_priority(self) -> Priority {
        match self {
            Self::Sms | Self::Voice => Priority::Critical,
            Self::Slack | Self::WebPush => Priority::High,
            Self::Email => Priority::Medium,
            Self::Webhook => Priority::Low,
        }
    }
}
