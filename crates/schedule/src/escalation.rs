//! Escalation policies: who is paged in which order until somebody answers.

use crate::Weekly;
use bugle_model::{DestinationId, Priority, ScheduleId, TeamId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Everybody of the policy's team but its viewers, who cannot answer.
    Team {
        /// Which.
        team: TeamId,
    },
    /// A destination of one of the team's projects: a room, a list, a machine. It is told, and is nobody who was paged.
    Destination {
        /// Which.
        destination: DestinationId,
    },
}

impl EscalationTarget {
    /// The destination that it is; none of one that stands for people.
    #[must_use]
    pub const fn destination(&self) -> Option<DestinationId> {
        match self {
            Self::Destination { destination } => Some(*destination),
            Self::Person { .. } | Self::Schedule { .. } | Self::Team { .. } => None,
        }
    }
}

/// One step of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// Whom it pages, and what it tells; 1 to [`EscalationPolicy::MAX_TARGETS`].
    pub targets: Vec<EscalationTarget>,
    /// How long they have to answer before the next step comes, in minutes: 1 to [`EscalationPolicy::MAX_MINUTES`].
    pub delay_minutes: u32,
    /// The step is left out for incidents below this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_priority: Option<Priority>,
    /// The step is left out at other times of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Weekly>,
    /// Its people take turns: each time that the step comes it pages one of them, the next who can be paged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_robin: bool,
}

impl EscalationStep {
    /// Whether it pages nobody by design: all its targets are destinations.
    #[must_use]
    pub fn only_posts(&self) -> bool {
        !self.targets.is_empty() && self.targets.iter().all(|target| target.destination().is_some())
    }
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
    pub fn targets(&self) -> BTreeSet<EscalationTarget> {
        self.steps.iter().flat_map(|step| &step.targets).chain(&self.fallback).copied().collect()
    }

    /// Every field that breaks a limit: its path, such as `steps[2].delay_minutes`, and what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = Mistakes(Vec::new());
        let count = self.steps.len();
        found.unless(
            (1..=Self::MAX_STEPS).contains(&count),
            "steps",
            format!("1 to {} steps", Self::MAX_STEPS),
        );
        for (index, step) in self.steps.iter().enumerate().take(Self::MAX_STEPS) {
            step.check(&format!("steps[{index}]"), &mut found);
        }
        found.unless(self.repeat <= Self::MAX_REPEAT, "repeat", format!("0 to {}", Self::MAX_REPEAT));
        let timeout = self.acknowledgement_timeout_minutes;
        found.unless(timeout.is_none_or(is_delay), "acknowledgement_timeout_minutes", of_minutes());
        let message = format!("at most {} targets", Self::MAX_TARGETS);
        found.unless(self.fallback.len() <= Self::MAX_TARGETS, "fallback", message);
        for (index, target) in self.fallback.iter().enumerate().take(Self::MAX_TARGETS) {
            let message = "people: it is there for when there is nobody".to_owned();
            found.unless(target.destination().is_none(), format!("fallback[{index}]"), message);
        }
        found.0
    }
}

impl EscalationStep {
    fn check(&self, path: &str, found: &mut Mistakes) {
        let most = EscalationPolicy::MAX_TARGETS;
        let good = (1..=most).contains(&self.targets.len());
        found.unless(good, format!("{path}.targets"), format!("1 to {most} targets"));
        found.unless(is_delay(self.delay_minutes), format!("{path}.delay_minutes"), of_minutes());
        let message = "only where a step has people, who take turns".to_owned();
        found.unless(!(self.round_robin && self.only_posts()), format!("{path}.round_robin"), message);
        for mistake in self.hours.iter().flat_map(Weekly::mistakes) {
            found.unless(false, format!("{path}.hours.{}", mistake.path), mistake.message);
        }
    }
}

fn is_delay(minutes: u32) -> bool {
    (1..=EscalationPolicy::MAX_MINUTES).contains(&minutes)
}

fn of_minutes() -> String {
    format!("1 to {} minutes", EscalationPolicy::MAX_MINUTES)
}

/// Fields and what they must be.
struct Mistakes(Vec<(String, String)>);

impl Mistakes {
    fn unless(&mut self, good: bool, field: impl Into<String>, message: String) {
        if !good {
            self.0.push((field.into(), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> EscalationPolicy {
        let targets = vec![EscalationTarget::Person { user: UserId(1) }];
        let step =
            EscalationStep { targets, delay_minutes: 5, min_priority: None, hours: None, round_robin: false };
        EscalationPolicy { steps: vec![step], ..EscalationPolicy::default() }
    }

    fn told(policy: &EscalationPolicy) -> Vec<String> {
        policy.mistakes().into_iter().map(|(field, message)| format!("{field}: {message}")).collect()
    }

    #[test]
    fn mistakes_name_the_field_and_the_limit() {
        assert_eq!(policy().mistakes(), []);
        let mut bad = policy();
        let nothing = EscalationStep { targets: Vec::new(), delay_minutes: 0, ..policy().steps.remove(0) };
        bad.steps.push(nothing);
        (bad.repeat, bad.acknowledgement_timeout_minutes) = (10, Some(9001));
        assert_eq!(
            told(&bad),
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
    fn a_room_is_nobody_who_takes_turns_or_is_there_when_nobody_is() {
        let mut bad = policy();
        let room = EscalationTarget::Destination { destination: DestinationId(1) };
        bad.fallback.push(room);
        (bad.steps[0].targets, bad.steps[0].round_robin) = (vec![room], true);
        bad.steps[0].hours = Some(Weekly { zone: chrono_tz::UTC, windows: Vec::new() });
        assert_eq!(
            told(&bad),
            [
                "steps[0].round_robin: only where a step has people, who take turns",
                "steps[0].hours.windows: 1 to 20 windows",
                "fallback[0]: people: it is there for when there is nobody",
            ]
        );
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
