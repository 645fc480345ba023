//! What is set for a project: what the door needs (a snapshot that survives without the database), and what
//! the recorder needs.

use crate::{KeyId, Level, ProjectId};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many items may be accepted. `None` is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Quota {
    /// Accepted items per minute.
    pub per_minute: Option<u32>,
    /// Accepted items per hour.
    pub per_hour: Option<u32>,
}

/// A key as the door knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorKey {
    /// The key's id.
    pub id: KeyId,
    /// Its project.
    pub project: ProjectId,
    /// What clients send: 32 lower-case hex digits.
    pub public_key: String,
    /// A disabled key is answered 403.
    pub enabled: bool,
    /// The key's own quota.
    #[serde(default)]
    pub quota: Quota,
}

/// A project as the door knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorProject {
    /// The project's id.
    pub id: ProjectId,
    /// The quota over all its keys.
    #[serde(default)]
    pub quota: Quota,
    /// Client addresses that are turned away.
    #[serde(default)]
    pub blocked_addresses: Vec<IpNet>,
    /// Turn web crawlers away by their user agent.
    #[serde(default)]
    pub filter_crawlers: bool,
}

/// Everything that the door needs to decide, complete. Kept as a file in the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorSnapshot {
    /// When it was read from the database.
    pub taken_at: DateTime<Utc>,
    /// All projects.
    pub projects: Vec<DoorProject>,
    /// All keys, the disabled too.
    pub keys: Vec<DoorKey>,
    /// How many ingest processes share the quotas; at least 1.
    pub ingest_processes: u32,
}

/// How long an event is kept. A partition of `events` for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "i16", try_from = "i16")]
#[schemars(extend("enum" = [7, 30, 90, 365]))]
pub enum RetentionClass {
    /// 7 days.
    Days7 = 7,
    /// 30 days.
    Days30 = 30,
    /// 90 days.
    Days90 = 90,
    /// 365 days.
    Days365 = 365,
}

impl RetentionClass {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Days7, Self::Days30, Self::Days90, Self::Days365];

    /// The number of days, which is also its number in the database.
    #[must_use]
    pub const fn days(self) -> i16 {
        match self {
            Self::Days7 => 7,
            Self::Days30 => 30,
            Self::Days90 => 90,
            Self::Days365 => 365,
        }
    }
}

impl From<RetentionClass> for i16 {
    fn from(class: RetentionClass) -> Self {
        class.days()
    }
}

impl TryFrom<i16> for RetentionClass {
    type Error = String;
    fn try_from(days: i16) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|class| class.days() == days)
            .ok_or_else(|| format!("retention: {days} is not one of 7, 30, 90, 365 days"))
    }
}

/// What is removed before anything is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScrubSettings {
    /// Off means: store what was sent. On by default.
    pub enabled: bool,
    /// Further field names, matched like the built-in ones (case-insensitive, as a part of the name).
    pub fields: Vec<String>,
    /// Field names that are never scrubbed, matched whole.
    pub keep: Vec<String>,
    /// Remove client addresses too.
    pub addresses: bool,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self { enabled: true, fields: Vec::new(), keep: Vec::new(), addresses: false }
    }
}

/// Events that the recorder drops with the outcome `filtered`. All patterns are globs (`*`), matched whole,
/// without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InboundFilters {
    /// Releases.
    pub releases: Vec<String>,
    /// Environments.
    pub environments: Vec<String>,
    /// Types of the outermost exception.
    pub exception_types: Vec<String>,
    /// `Type: value` of the outermost exception, or the message.
    pub messages: Vec<String>,
    /// Errors that come from browser extensions.
    pub browser_extensions: bool,
    /// Addresses (CIDR) that the door turns away.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// Web crawlers that the door turns away by their user agent.
    pub crawlers: bool,
}

/// The settings of a project, as stored (JSON) and as the recorder uses them. Unknown fields are an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectSettings {
    /// What is removed before storing.
    pub scrub: ScrubSettings,
    /// What is dropped.
    pub filters: InboundFilters,
    /// Grouping rules, in the syntax of `docs/grouping.md`; 64 KiB at most.
    pub grouping_rules: String,
    /// How long errors and fatals are kept.
    pub retention: RetentionClass,
    /// How long warnings and below are kept.
    pub retention_low: RetentionClass,
    /// The project's quota over all keys.
    pub quota: Quota,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            scrub: ScrubSettings::default(),
            filters: InboundFilters::default(),
            grouping_rules: String::new(),
            retention: RetentionClass::Days90,
            retention_low: RetentionClass::Days30,
            quota: Quota::default(),
        }
    }
}

impl ProjectSettings {
    /// The retention class of an event of this level.
    #[must_use]
    pub const fn retention_for(&self, level: Level) -> RetentionClass {
        match level {
            Level::Error | Level::Fatal => self.retention,
            Level::Debug | Level::Info | Level::Warning => self.retention_low,
        }
    }
}
