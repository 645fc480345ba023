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
    /// Where somebody's question who takes their shift stands.
    SwapState, "state", "open, taken, declined, withdrawn, past_due", {
        /// Nobody has taken it yet.
        Open = 1 => "open",
        /// Somebody has: an override puts them on call.
        Taken = 2 => "taken",
        /// Everybody who was asked has said no.
        Declined = 3 => "declined",
        /// Whoever asked has taken it back.
        Withdrawn = 4 => "withdrawn",
        /// Its time has ended, and nobody had taken it. Never in the database.
        PastDue = 5 => "past_due",
    }
);

vocabulary!(
    /// What an incident's timeline tells.
    IncidentEvent, "event", "triggered, signal, paged, step_skipped, repeated, fallback, no_recipient, exhausted, acknowledged, acknowledgement_timed_out, unacknowledged, snoozed, snooze_ended, priority_raised, reassigned, escalated, note, resolved, merged, silenced, silence_ended, page_failed, rearmed, response_overdue, posted, responder_added, responder_joined, absorbed, inhibited, flapping", {
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
        /// It became part of another one, or its issue did.
        Merged = 19 => "merged",
        /// It was opened while a silence matched: nobody is paged before that ends.
        Silenced = 20 => "silenced",
        /// Nothing keeps it silent any more: its policy begins.
        SilenceEnded = 21 => "silence_ended",
        /// A page that its provider had taken has not arrived.
        PageFailed = 22 => "page_failed",
        /// Nobody answered within the response time: the next step came at once.
        ResponseOverdue = 23 => "response_overdue",
        /// A step posted it to destinations.
        Posted = 24 => "posted",
        /// It had no next step although nobody was paged for it: its policy begins.
        Rearmed = 26 => "rearmed",
        /// Somebody was asked to help, and is paged at once.
        ResponderAdded = 29 => "responder_added",
        /// Whoever was asked to help does.
        ResponderJoined = 30 => "responder_joined",
        /// Another incident became part of it.
        Absorbed = 31 => "absorbed",
        /// It was opened while another incident was open that keeps it silent: nobody is paged before that ends.
        Inhibited = 32 => "inhibited",
        /// Its issue or key has had too many incidents within an hour: this is the last that pages at once, or nobody is paged before it
        /// has been calm.
        Flapping = 33 => "flapping",
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

vocabulary!(
    /// How often pages that can wait are put together into one message.
    DigestInterval, "digest", "hourly, daily", {
        /// At each full hour.
        Hourly = 1 => "hourly",
        /// At nine in the morning.
        Daily = 2 => "daily",
    }
);
