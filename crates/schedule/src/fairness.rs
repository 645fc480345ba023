//! How evenly being on call is spread.

use crate::Schedule;
use crate::answers::Shift;
use crate::restriction::Window;
use crate::timeline::bounded;
use crate::wall::{instant, wall};
use bugle_model::UserId;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a night begins, as an hour of the person's own wall clock.
pub const NIGHT_FROM: u32 = 22;
/// When it ends, on the next day.
pub const NIGHT_TO: u32 = 7;
/// From this percentage on something counts as all of it.
const NEARLY_ALL: f64 = 95.0;

/// What one person carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Who.
    pub who: UserId,
    /// Hours on call.
    pub hours: f64,
    /// Of these, those between 22:00 and 7:00 in the person's own zone.
    pub night_hours: f64,
    /// Of these, those on Saturdays and Sundays in the person's own zone. A weekend's night is in both.
    pub weekend_hours: f64,
    /// How much more than the average of all, in percent; negative when less.
    pub over_average: f64,
}

/// What all carry, and how evenly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fairness {
    /// Everybody who is on call at all, by id.
    pub people: Vec<Load>,
    /// How much of the range has somebody, in percent.
    pub coverage: f64,
    /// How alike the hours are, in percent: over all pairs of people, the mean of the smaller over the greater. 100
    /// for one person.
    pub balance: f64,
    /// The mean of coverage and balance, each taken as 100 from 95 on; Grafana OnCall's measure.
    pub score: u8,
}

impl Schedule {
    /// How being on call is spread within `from..to`; at most
    /// [`MAX_RANGE_DAYS`](crate::limits::MAX_RANGE_DAYS). Whoever is not among `zones` is taken to live in the
    /// schedule's.
    #[must_use]
    pub fn fairness(&self, from: DateTime<Utc>, to: DateTime<Utc>, zones: &BTreeMap<UserId, Tz>) -> Fairness {
        let range = bounded(from, to);
        let gaps: TimeDelta = self
            .gaps(from, to, from)
            .iter()
            .map(|gap| gap.end - gap.start)
            .fold(TimeDelta::zero(), |sum, one| sum + one);
        let mut loads: BTreeMap<UserId, Seconds> = BTreeMap::new();
        for shift in self.shifts(from, to) {
            let zone = zones.get(&shift.who).copied().unwrap_or(self.zone);
            loads.entry(shift.who).or_default().add(&shift, zone);
        }
        let total = seconds(range.end - range.start);
        let coverage = if total > 0.0 { (1.0 - seconds(gaps) / total) * 100.0 } else { 0.0 };
        summary(&loads, coverage)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Seconds {
    all: f64,
    night: f64,
    weekend: f64,
}

impl Seconds {
    fn add(&mut self, shift: &Shift, zone: Tz) {
        let shift = Window { start: shift.start, end: shift.end };
        self.all += seconds(shift.end - shift.start);
        let mut day = wall(zone, shift.start).date() - Days::new(1);
        let last = wall(zone, shift.end).date();
        while day <= last {
            self.night += common(shift, between(zone, day, NIGHT_FROM, day + Days::new(1), NIGHT_TO));
            if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                self.weekend += common(shift, between(zone, day, 0, day + Days::new(1), 0));
            }
            day = day + Days::new(1);
        }
    }
}

fn between(zone: Tz, day: NaiveDate, hour: u32, end_day: NaiveDate, end_hour: u32) -> Window {
    let at = |day: NaiveDate, hour| {
        instant(zone, day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN)))
    };
    Window { start: at(day, hour), end: at(end_day, end_hour) }
}

fn common(one: Window, other: Window) -> f64 {
    seconds(one.end.min(other.end) - one.start.max(other.start)).max(0.0)
}

fn seconds(time: TimeDelta) -> f64 {
    time.as_seconds_f64()
}

fn summary(loads: &BTreeMap<UserId, Seconds>, coverage: f64) -> Fairness {
    let count = loads.len();
    let all: f64 = loads.values().map(|load| load.all).sum();
    let average = if count == 0 { 0.0 } else { all / count_as_f64(count) };
    let over = |load: &Seconds| if average > 0.0 { (load.all / average - 1.0) * 100.0 } else { 0.0 };
    let people = loads
        .iter()
        .map(|(who, load)| Load {
            who: *who,
            hours: load.all / 3_600.0,
            night_hours: load.night / 3_600.0,
            weekend_hours: load.weekend / 3_600.0,
            over_average: over(load),
        })
        .collect();
    let balance = balance(loads);
    let full = |percent: f64| if percent >= NEARLY_ALL { 100.0 } else { percent };
    let score = ((full(coverage) + full(balance)) / 2.0).round().clamp(0.0, 100.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100, whole")]
    let score = score as u8;
    Fairness { people, coverage, balance, score }
}

fn balance(loads: &BTreeMap<UserId, Seconds>) -> f64 {
    let hours: Vec<f64> = loads.values().map(|load| load.all).collect();
    let pairs = hours.iter().enumerate().flat_map(|(place, one)| {
        hours.iter().skip(place + 1).map(move |other| one.min(*other) / one.max(*other))
    });
    let (count, sum) = pairs.fold((0, 0.0), |(count, sum), pair| (count + 1, sum + pair));
    match (hours.len(), count) {
        (0, _) => 0.0,
        (_, 0) => 100.0,
        (_, count) => sum / count_as_f64(count) * 100.0,
    }
}

fn count_as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
