//! How an item ended. Nothing disappears without one.

use crate::{KeyId, ProjectId, level::UnknownName, level::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary!(
    /// The end of an item.
    Outcome, "outcome", "recorded, filtered, rate_limited, invalid, duplicate, too_large, unauthorized, unsupported, discarded, expired, failed, client_discarded", {
        /// In the database.
        Recorded = 0 => "recorded",
        /// An inbound filter of the project matched.
        Filtered = 1 => "filtered",
        /// A quota was used up.
        RateLimited = 2 => "rate_limited",
        /// It could not be read; the reason says why.
        Invalid = 3 => "invalid",
        /// The same event id was recorded before.
        Duplicate = 4 => "duplicate",
        /// Over a size limit.
        TooLarge = 5 => "too_large",
        /// No such key, or it is disabled.
        Unauthorized = 6 => "unauthorized",
        /// A kind of item that Bugle does not keep (yet).
        Unsupported = 7 => "unsupported",
        /// Its issue was deleted with "drop future ones".
        Discarded = 8 => "discarded",
        /// It waited longer than it may be kept.
        Expired = 9 => "expired",
        /// It can never succeed and lies in the dead letters.
        Failed = 10 => "failed",
        /// The SDK dropped it before sending and said so in a client report.
        ClientDiscarded = 11 => "client_discarded",
    }
);

/// A number of items that ended the same way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeCount {
    /// The project, when it is known.
    pub project: Option<ProjectId>,
    /// The key, when it is known.
    pub key: Option<KeyId>,
    /// How they ended.
    pub outcome: Outcome,
    /// A short, closed reason such as `bad_json` or `release`; no client text beyond 64 characters.
    pub reason: String,
    /// The rate limit category of the items: `error`, `attachment`, `session`, ….
    pub category: String,
    /// How many.
    pub quantity: i64,
}
