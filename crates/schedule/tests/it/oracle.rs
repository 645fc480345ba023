//! A slow second opinion on who is on call, by another way than the product's.
//!
//! It walks a clock minute by minute and never lets it go back: what it shows is the latest that the zone's clock has
//! shown. On such a clock a handoff is simply when its time has come, so turns are found by adding up, and
//! restrictions by comparing.

use bugle_model::UserId;
use bugle_schedule::{Layer, OverrideKind, Rotation, RotationUnit, Schedule, Weekday};
use chrono::{DateTime, Datelike, Days, Months, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// How long before its first answer the clock begins to walk: longer than any clock has been put back since 1975.
const LEAD: TimeDelta = TimeDelta::hours(4);

pub struct Oracle<'a> {
    schedule: &'a Schedule,
    now: DateTime<Utc>,
    shown: NaiveDateTime,
    turns: Vec<Stepper>,
}

impl<'a> Oracle<'a> {
    /// An oracle that can be asked about `from` and, in order, each later minute.
    pub fn new(schedule: &'a Schedule, from: DateTime<Utc>) -> Self {
        let now = from - LEAD;
        let shown = now.with_timezone(&schedule.zone).naive_local();
        let turns = schedule.layers.iter().map(|layer| Stepper::new(layer, shown)).collect();
        let mut oracle = Self { schedule, now, shown, turns };
        oracle.walk_to(from);
        oracle
    }

    pub fn walk_to(&mut self, at: DateTime<Utc>) {
        while self.now < at {
            self.now += TimeDelta::minutes(1);
            self.shown = self.shown.max(local(self.schedule.zone, self.now));
        }
        for turn in &mut self.turns {
            turn.walk_to(self.shown);
        }
    }

    pub fn on_call(&self) -> BTreeSet<UserId> {
        let layers = self.schedule.layers.iter().zip(&self.turns);
        let mut people: BTreeSet<UserId> =
            layers.filter_map(|(layer, turn)| self.holder(layer, turn)).next_back().into_iter().collect();
        for exception in &self.schedule.overrides {
            if !(exception.from..exception.to).contains(&self.now) {
                continue;
            }
            match exception.kind {
                OverrideKind::Add { who } => people.extend([who]),
                OverrideKind::Remove { who } => people.retain(|other| *other != who),
                OverrideKind::Replace { who, replaced } => {
                    if people.remove(&replaced) {
                        people.insert(who);
                    }
                }
                OverrideKind::Cover { who } => people = BTreeSet::from([who]),
            }
        }
        people
    }

    fn holder(&self, layer: &Layer, turn: &Stepper) -> Option<UserId> {
        let begun = layer.starts.is_none_or(|starts| starts <= self.now);
        let over = layer.ends.is_some_and(|ends| ends <= self.now);
        let allowed = layer.restrictions.is_empty()
            || layer.restrictions.iter().any(|restriction| {
                let today = self.shown.date();
                [today - Days::new(1), today].into_iter().any(|day| {
                    let end = if restriction.from < restriction.to { day } else { day + Days::new(1) };
                    restriction.weekdays.contains(&weekday(day.weekday()))
                        && day.and_time(restriction.from) <= self.shown
                        && self.shown < end.and_time(restriction.to)
                })
            });
        let count = i64::try_from(layer.participants.len()).unwrap();
        let place = (turn.number + i64::from(layer.rotation.first)).rem_euclid(count);
        layer.participants[usize::try_from(place).unwrap()].filter(|_| begun && !over && allowed)
    }
}

/// Counts turns one by one.
struct Stepper {
    rotation: Rotation,
    counted: Vec<Weekday>,
    number: i64,
    /// When the turn began, and its number of months from the start.
    began: NaiveDateTime,
    months: i32,
}

impl Stepper {
    fn new(layer: &Layer, shown: NaiveDateTime) -> Self {
        let rotation = layer.rotation.clone();
        let counted = if rotation.count_only_allowed && !layer.restrictions.is_empty() {
            layer.restrictions.iter().flat_map(|one| one.weekdays.clone()).collect()
        } else {
            Weekday::ALL.to_vec()
        };
        let mut stepper = Self { began: rotation.start, rotation, counted, number: 0, months: 0 };
        if !stepper.counts(stepper.began) {
            (stepper.began, stepper.months) = stepper.step(1);
        }
        while stepper.began > shown {
            (stepper.began, stepper.months) = stepper.step(-1);
            stepper.number -= 1;
        }
        stepper.walk_to(shown);
        stepper
    }

    fn walk_to(&mut self, shown: NaiveDateTime) {
        loop {
            let (next, months) = self.step(1);
            if next > shown {
                return;
            }
            (self.began, self.months) = (next, months);
            self.number += 1;
        }
    }

    fn counts(&self, wall: NaiveDateTime) -> bool {
        self.rotation.unit != RotationUnit::Daily || self.counted.contains(&weekday(wall.weekday()))
    }

    /// From the beginning of the turn to that of the next or the one before.
    fn step(&self, direction: i32) -> (NaiveDateTime, i32) {
        let every = i64::from(self.rotation.every) * i64::from(direction);
        match self.rotation.unit {
            RotationUnit::Hourly => (self.began + TimeDelta::hours(every), 0),
            RotationUnit::Weekly => (self.began + TimeDelta::weeks(every), 0),
            RotationUnit::Monthly => {
                let months = self.months + i32::from(self.rotation.every) * direction;
                let by = Months::new(months.unsigned_abs());
                let start = self.rotation.start;
                (if months < 0 { start - by } else { start + by }, months)
            }
            RotationUnit::Daily => {
                // On a day that does not count, the first step to one that does is not a whole turn.
                let mut left = if self.counts(self.began) { self.rotation.every } else { 1 };
                let mut began = self.began;
                while left > 0 {
                    began += TimeDelta::days(i64::from(direction));
                    left -= u16::from(self.counts(began));
                }
                (began, 0)
            }
        }
    }
}

fn weekday(day: chrono::Weekday) -> Weekday {
    Weekday::ALL[usize::try_from(day.num_days_from_monday()).unwrap()]
}

fn local(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}
