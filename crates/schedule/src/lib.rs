//! On-call schedules: who is on call when; and escalation policies: who is paged in which order. Arithmetic only; the time of day is
//! always an argument.
//!
//! All of it works on the wall clock of the schedule's zone, with two rules (those of GoAlert): a time that the
//! clock skips is the first instant after the gap, and a time that the clock shows twice is the first of the two.
//! In other words: a handoff is at the first instant at which the clock shows its time or a later one. So shifts
//! never leave a gap and never overlap, and a day is 23, 24 or 25 hours long.
//!
//! Every range is half-open, `from <= t < to`. Questions look at most [`limits::MAX_RANGE_DAYS`] ahead of where
//! they begin, so that an answer's size has a bound; instants before the year 2 and after 9998 are taken as those.

mod answers;
mod bookings;
mod check;
mod digest;
mod edit;
mod escalation;
mod fairness;
mod giving;
pub mod ical;
mod layer;
pub mod limits;
mod minute;
mod missing;
mod overlay;
mod overrides;
mod quiet;
mod restriction;
mod rotation;
mod timeline;
mod wall;
mod weekly;
mod words;

pub use answers::{Gap, Handoff, OnCall, Shift, Source};
pub use bookings::{DoubleBooking, OverrideConflict, double_bookings};
pub use check::FieldError;
pub use digest::{next_full_hour, next_morning};
pub use escalation::{EscalationPolicy, EscalationStep, EscalationTarget};
pub use fairness::{Fairness, Load, NIGHT_FROM, NIGHT_TO};
pub use giving::{CannotGive, Giving};
pub use layer::Layer;
pub use overrides::{Override, OverrideKind};
pub use quiet::{check_quiet_hours, quiet_until};
pub use restriction::{Restriction, Weekday};
pub use rotation::{Rotation, RotationUnit};
pub use weekly::Weekly;
pub use words::{range_in_words, time_in_words};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is on call, by layers and overrides. Unknown fields are an error.
///
/// Where several layers have somebody, the later one in the list wins. Overrides come on top of all layers, each
/// applied to the result of those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The zone, by its IANA name, whose wall clock rotations and restrictions are read from.
    #[schemars(with = "String")]
    pub zone: Tz,
    /// From the bottom up; [`limits::MAX_LAYERS`] at most.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// In the order in which they are applied; [`limits::MAX_OVERRIDES`] at most.
    #[serde(default)]
    pub overrides: Vec<Override>,
}
