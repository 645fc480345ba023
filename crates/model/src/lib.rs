//! Plain types that Bugle's services share: ids, events, issues, messages, settings.
//!
//! Invariant: this crate does no I/O and knows neither a database nor a broker nor HTTP. What leaves a
//! process (messages on the bus, stored events) is versioned here, and old versions stay readable.

mod access;
mod alerts;
mod clock;
mod event;
mod fixes;
mod ids;
mod intake;
mod level;
mod notification;
mod oncall;
mod outcome;
mod ownership;
mod project;
mod release;
mod signal;
mod silences;
mod stack;

pub use access::{ActorKind, InstallationRole, TeamRole, TokenScope};
pub use alerts::{Alert, AlertLink, AlertSignal, AlertSourceKind, IncidentOrigin};
pub use clock::{Clock, ManualClock};
pub use event::{Breadcrumb, Event, EventSource, LogMessage, Request, Sdk, User, UserKey};
pub use fixes::{ShortId, fixed_by};
pub use ids::{
    AlertSourceId, AnchorId, ContactMethodId, DestinationId, EscalationPolicyId, IncidentId,
    InhibitionRuleId, IssueId, KeyId, NotificationId, NotificationRuleId, OverrideId, ProjectId,
    RoutingRuleId, ScheduleId, SilenceId, SwapId, TeamId, UserId, parse_event_id,
};
pub use intake::{AttachmentRef, BatchError, IntakeBatch, ItemKind, RawItem};
pub use level::{IssueStatus, Level, Priority, UnknownName};
pub use notification::{
    Channel, DeliveryStatus, DestinationSettings, NotificationState, SignalKind, takes_no_calls, takes_no_sms,
};
pub use oncall::{DigestInterval, IncidentAnswer, IncidentEvent, IncidentState, SwapState};
pub use outcome::{Outcome, OutcomeCount};
pub use ownership::{
    Availability, Codeowners, CodeownersRule, Otherwise, Owner, Ownership, OwnershipMatch, OwnershipRule,
};
pub use project::{
    DoorKey, DoorProject, DoorSnapshot, InboundFilters, ProjectSettings, Quota, RetentionClass, ScrubSettings,
};
pub use release::ReleaseStatus;
pub use signal::{IssueSignal, Signal, SignalBatch};
pub use silences::{LabelMatcher, MatchOperator, SilenceMatchers};
pub use stack::{Exception, Frame, Mechanism, Stacktrace, Thread};
