//! Identifiers. A newtype for each, so that an issue's id is never passed where a project's is meant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A project: one app or service. The digits in a DSN's path.
    ProjectId(i32)
);
id!(
    /// A project key (DSN). The public part that clients send is a string of 32 hex digits, not this.
    KeyId(i32)
);
id!(
    /// An issue: a group of events. People see `SHOP-42`, see `IssueRow` in the store.
    IssueId(i64)
);
id!(
    /// A stored event that others of its issue are compressed against.
    AnchorId(i64)
);
id!(
    /// A place that notifications go to.
    DestinationId(i32)
);
id!(
    /// One message to one destination.
    NotificationId(i64)
);

id!(
    /// A person who can sign in.
    UserId(i32)
);
id!(
    /// A team: people who own projects together.
    TeamId(i32)
);

id!(
    /// A way to reach a person. The number of the destination that it is.
    ContactMethodId(i32)
);
id!(
    /// When a person is told by which contact method.
    NotificationRuleId(i32)
);
id!(
    /// Who is on call when.
    ScheduleId(i32)
);
id!(
    /// An exception from a schedule.
    OverrideId(i32)
);
id!(
    /// Somebody's question who takes a shift of theirs.
    SwapId(i32)
);
id!(
    /// Who is paged in which order.
    EscalationPolicyId(i32)
);
id!(
    /// Which signals open an incident.
    RoutingRuleId(i32)
);
id!(
    /// Something that somebody must answer.
    IncidentId(i64)
);
id!(
    /// A tool that tells of alerts.
    AlertSourceId(i32)
);
id!(
    /// A time in which incidents are opened without paging anybody.
    SilenceId(i32)
);
id!(
    /// A rule by which an open incident keeps others silent.
    InhibitionRuleId(i32)
);

/// Parses an event id as clients write it: 32 hex digits, with or without dashes, in either case.
#[must_use]
pub fn parse_event_id(text: &str) -> Option<Uuid> {
    let text = text.trim();
    if text.len() != 32 && text.len() != 36 {
        return None;
    }
    Uuid::try_parse(text).ok()
}
