//! On-call: where an incident stands, and what its timeline tells.

use crate::{level::UnknownName, level::vocabulary};

vocabulary!(
    /// Where an incident stands.
    IncidentState, "state", "triggered, acknowledged, resolved", {
        /// Nobody has answered: its policy runs.
        Triggered = 1 => "triggered",
        /// Somebody deals with it: nobody else is paged.
        Acknowledged = 2 => "acknowledged",
        /// Over. What comes of the issue later is another incident.
        Resolved = 3 => "resolved",
    }
);

vocabulary!(
    /// What an incident's timeline tells.
    IncidentEvent, "event", "triggered, signal, paged, step_skipped, repeated, fallback, no_recipient, exhausted, acknowledged, acknowledgement_timed_out, unacknowledged, snoozed, snooze_ended, priority_raised, reassigned, escalated, note, resolved, merged, silenced, silence_ended, page_failed, response_overdue, posted", {
        /// A signal, an alert or a person opened it.
        Triggered = 1 => "triggered",
        /// Another signal about the same issue, or another alert with the same key, came; it paged nobody.
        Signal = 2 => "signal",
        /// A step paged people.
        Paged = 3 => "paged",
        /// A step had nobody to page, and the next one came at once.
        StepSkipped = 4 => "step_skipped",
        /// The policy began again at its first step.
        Repeated = 5 => "repeated",
        /// No step had anybody: those who are there for that case were paged.
        Fallback = 6 => "fallback",
        /// There is nobody to page at all.
        NoRecipient = 7 => "no_recipient",
        /// All steps are done and nobody has answered.
        Exhausted = 8 => "exhausted",
        /// Somebody deals with it.
        Acknowledged = 9 => "acknowledged",
        /// The time that an acknowledgement holds was over.
        AcknowledgementTimedOut = 10 => "acknowledgement_timed_out",
        /// Whoever dealt with it does not any more.
        Unacknowledged = 11 => "unacknowledged",
        /// Put off until a time.
        Snoozed = 12 => "snoozed",
        /// That time has come.
        SnoozeEnded = 13 => "snooze_ended",
        /// It has become more urgent.
        PriorityRaised = 14 => "priority_raised",
        /// It was given to somebody.
        Reassigned = 15 => "reassigned",
        /// Somebody had the next step come at once.
        Escalated = 16 => "escalated",
        /// Somebody wrote something down.
        Note = 17 => "note",
        /// It is over.
        Resolved = 18 => "resolved",
        /// Its issue became part of another one.
        Merged = 19 => "merged",
        /// It was opened while a silence matched: nobody is paged before that ends.
        Silenced = 20 => "silenced",
        /// No silence matches any more: its policy begins.
        SilenceEnded = 21 => "silence_ended",
        /// A page that its provider had taken has not arrived.
        PageFailed = 22 => "page_failed",
        /// Nobody answered within the response time: the next step came at once.
        ResponseOverdue = 23 => "response_overdue",
        /// A step posted it to destinations.
        Posted = 24 => "posted",
    }
);

vocabulary!(
    /// What one can answer a page with from where it is read.
    IncidentAnswer, "answer", "acknowledge, escalate, resolve", {
        /// One deals with it.
        Acknowledge = 1 => "acknowledge",
        /// The next step is to come at once.
        Escalate = 2 => "escalate",
        /// It is over.
        Resolve = 3 => "resolve",
    }
);
