//! How much a schedule may hold, and how far ahead it is looked at.

/// Layers of a schedule.
pub const MAX_LAYERS: usize = 30;
/// Participants of a layer, empty slots included.
pub const MAX_PARTICIPANTS: usize = 100;
/// Restrictions of a layer.
pub const MAX_RESTRICTIONS: usize = 50;
/// Overrides of a schedule. Past ones are to be taken out by whoever stores it.
pub const MAX_OVERRIDES: usize = 1_000;
/// The length of one override, in days.
pub const MAX_OVERRIDE_DAYS: i64 = 366;
/// How many units one turn of a rotation may take.
pub const MAX_EVERY: u16 = 366;
/// The years in which a rotation may start.
pub const START_YEARS: std::ops::RangeInclusive<i32> = 1970..=2200;
/// How far a question looks ahead of where it begins, in days: ten years.
pub const MAX_RANGE_DAYS: i64 = 3_653;
/// The size of an imported calendar, in bytes.
pub const MAX_FEED_BYTES: usize = 2 * 1024 * 1024;
/// Events of an imported calendar, each counted once however often it repeats.
pub const MAX_FEED_EVENTS: usize = 5_000;
/// Events of an imported calendar that repeat.
pub const MAX_FEED_RECURRING: usize = 500;
/// Times that an imported calendar's events take place within the range that is asked for.
pub const MAX_FEED_OCCURRENCES: usize = 10_000;
/// Times that are looked at while events that repeat are expanded, those before the range included.
pub const MAX_FEED_STEPS: usize = 100_000;
/// How deep an imported calendar's components may be nested; the standard needs three.
pub const MAX_FEED_DEPTH: usize = 8;
/// How far ahead an imported calendar is expanded, in days.
pub const MAX_FEED_DAYS: i64 = 731;
