//! On-call: escalation policies, and where an incident stands.

use crate::{ScheduleId, UserId, level::UnknownName, level::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    IncidentEvent, "event", "triggered, signal, paged, step_skipped, repeated, fallback, no_recipient, exhausted, acknowledged, acknowledgement_timed_out, unacknowledged, snoozed, snooze_ended, priority_raised, reassigned, escalated, note, resolved, merged, silenced, silence_ended, page_failed, rearmed", {
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
        /// It had no next step although nobody was paged for it: its policy begins.
        Rearmed = 26 => "rearmed",
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

/// Whom a step pages. Schedules are asked who is on call at the moment at which the step comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum EscalationTarget {
    /// One person.
    Person {
        /// Who.
        user: UserId,
    },
    /// Everybody who is on call by a schedule.
    Schedule {
        /// Which.
        schedule: ScheduleId,
    },
}

/// One step of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// Whom it pages; 1 to [`EscalationPolicy::MAX_TARGETS`].
    pub targets: Vec<EscalationTarget>,
    /// How long they have to answer before the next step comes, in minutes: 1 to [`EscalationPolicy::MAX_MINUTES`].
    pub delay_minutes: u32,
    /// The step is left out for incidents below this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_priority: Option<crate::Priority>,
}

/// Who is paged in which order until somebody answers. Unknown fields are an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationPolicy {
    /// In order; 1 to [`EscalationPolicy::MAX_STEPS`].
    pub steps: Vec<EscalationStep>,
    /// How often it begins again after its last step: 0 to [`EscalationPolicy::MAX_REPEAT`].
    #[serde(default)]
    pub repeat: u16,
    /// After how many minutes an acknowledgement ends and the policy begins again; never, when absent. 1 to
    /// [`EscalationPolicy::MAX_MINUTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_timeout_minutes: Option<u32>,
    /// Who is paged when no step has anybody; the managers of the project's team, when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<EscalationTarget>,
}

impl EscalationPolicy {
    /// Steps of a policy.
    pub const MAX_STEPS: usize = 20;
    /// Targets of a step, and of the fallback.
    pub const MAX_TARGETS: usize = 20;
    /// Minutes of a delay: 6 days and 6 hours, as GoAlert has it.
    pub const MAX_MINUTES: u32 = 9000;
    /// Repetitions.
    pub const MAX_REPEAT: u16 = 9;

    /// Every target, each once.
    #[must_use]
    pub fn targets(&self) -> std::collections::BTreeSet<EscalationTarget> {
        self.steps.iter().flat_map(|step| &step.targets).chain(&self.fallback).copied().collect()
    }

    /// Every field that breaks a limit: its path, such as `steps[2].delay_minutes`, and what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut unless = |good: bool, field: String, message: String| {
            if !good {
                found.push((field, message));
            }
        };
        let minutes = |minutes: u32| (1..=Self::MAX_MINUTES).contains(&minutes);
        let of_minutes = || format!("1 to {} minutes", Self::MAX_MINUTES);
        let count = self.steps.len();
        unless(
            (1..=Self::MAX_STEPS).contains(&count),
            "steps".to_owned(),
            format!("1 to {} steps", Self::MAX_STEPS),
        );
        for (index, step) in self.steps.iter().enumerate().take(Self::MAX_STEPS) {
            let count = step.targets.len();
            let message = format!("1 to {} targets", Self::MAX_TARGETS);
            unless((1..=Self::MAX_TARGETS).contains(&count), format!("steps[{index}].targets"), message);
            unless(minutes(step.delay_minutes), format!("steps[{index}].delay_minutes"), of_minutes());
        }
        unless(self.repeat <= Self::MAX_REPEAT, "repeat".to_owned(), format!("0 to {}", Self::MAX_REPEAT));
        let timeout = self.acknowledgement_timeout_minutes;
        unless(timeout.is_none_or(minutes), "acknowledgement_timeout_minutes".to_owned(), of_minutes());
        let message = format!("at most {} targets", Self::MAX_TARGETS);
        unless(self.fallback.len() <= Self::MAX_TARGETS, "fallback".to_owned(), message);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> EscalationPolicy {
        let targets = vec![EscalationTarget::Person { user: UserId(1) }];
        let step = EscalationStep { targets, delay_minutes: 5, min_priority: None };
        EscalationPolicy { steps: vec![step], ..EscalationPolicy::default() }
    }

    #[test]
    fn mistakes_name_the_field_and_the_limit() {
        assert_eq!(policy().mistakes(), []);
        let mut bad = policy();
        bad.steps.push(EscalationStep { targets: Vec::new(), delay_minutes: 0, min_priority: None });
        (bad.repeat, bad.acknowledgement_timeout_minutes) = (10, Some(9001));
        let found: Vec<String> =
            bad.mistakes().into_iter().map(|(field, message)| format!("{field}: {message}")).collect();
        assert_eq!(
            found,
            [
                "steps[1].targets: 1 to 20 targets",
                "steps[1].delay_minutes: 1 to 9000 minutes",
                "repeat: 0 to 9",
                "acknowledgement_timeout_minutes: 1 to 9000 minutes",
            ]
        );
        let none = EscalationPolicy::default().mistakes();
        assert_eq!(none, [("steps".to_owned(), "1 to 20 steps".to_owned())]);
    }

    #[test]
    fn what_is_left_out_is_not_written() {
        let json = serde_json::to_value(policy()).unwrap();
        let expected = serde_json::json!({
            "steps": [{ "targets": [{ "type": "person", "user": 1 }], "delay_minutes": 5 }], "repeat": 0,
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<EscalationPolicy>(json).unwrap(), policy());
    }
}
