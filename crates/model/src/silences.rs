//! What a silence, or an inhibition rule, is about.

use crate::{Priority, ProjectId, SignalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a label's value is compared, as in Alertmanager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MatchOperator {
    /// Is this.
    #[serde(rename = "=")]
    Is,
    /// Is not this.
    #[serde(rename = "!=")]
    IsNot,
    /// The regular expression matches the whole of it.
    #[serde(rename = "=~")]
    Matches,
    /// The regular expression does not match the whole of it.
    #[serde(rename = "!~")]
    MatchesNot,
}

/// What a label must be. One that an alert does not have is the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelMatcher {
    /// The label's name, 1 to 128 characters.
    pub name: String,
    /// How it is compared.
    pub op: MatchOperator,
    /// With what, up to 1,024 characters.
    pub value: String,
}

/// What something is about: incidents that meet all of it. At least one of these must be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceMatchers {
    /// Only this project of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Only these environments, 50 at most; of alerts, their label `environment`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Only from this priority on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_priority: Option<Priority>,
    /// Only up to this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_priority: Option<Priority>,
    /// Only these kinds of signals, 20 at most, and then no alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<SignalKind>,
    /// The title, in which `*` stands for anything; 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Labels, 20 at most, and then only alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelMatcher>,
}
