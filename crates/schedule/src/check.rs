//! Whether a schedule is one that can be kept.

use crate::limits::{
    MAX_EVERY, MAX_LAYERS, MAX_OVERRIDE_DAYS, MAX_OVERRIDES, MAX_PARTICIPANTS, MAX_RESTRICTIONS, START_YEARS,
};
use crate::{Layer, Override, Restriction, Rotation, RotationUnit, Schedule};
use chrono::{Datelike, TimeDelta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// Which, such as `layers[2].rotation.every`.
    pub path: String,
    /// What it must be.
    pub message: String,
}

struct Report(Vec<FieldError>);

impl Report {
    fn unless(&mut self, good: bool, path: String, message: impl FnOnce() -> String) {
        if !good {
            self.0.push(FieldError { path, message: message() });
        }
    }
}

impl Schedule {
    /// Whether it keeps to all limits and nothing in it contradicts itself.
    ///
    /// Questions can be asked of any schedule, kept or not; of one that fails here the answers may surprise.
    ///
    /// # Errors
    /// Each field that is wrong, with what it must be.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut report = Report(Vec::new());
        report.unless(self.layers.len() <= MAX_LAYERS, "layers".to_owned(), || {
            format!("at most {MAX_LAYERS} layers")
        });
        for (index, layer) in self.layers.iter().enumerate().take(MAX_LAYERS) {
            check_layer(&mut report, &format!("layers[{index}]"), layer);
        }
        report.unless(self.overrides.len() <= MAX_OVERRIDES, "overrides".to_owned(), || {
            format!("at most {MAX_OVERRIDES} overrides")
        });
        if self.overrides.len() <= MAX_OVERRIDES {
            for (index, exception) in self.overrides.iter().enumerate() {
                check_override(&mut report, &format!("overrides[{index}]"), exception);
            }
            for conflict in self.override_conflicts() {
                report.unless(false, format!("overrides[{}]", conflict.index), || {
                    format!(
                        "overlaps overrides[{}], which names the same person: {}",
                        conflict.other, conflict.who
                    )
                });
            }
        }
        if report.0.is_empty() { Ok(()) } else { Err(report.0) }
    }
}

fn check_layer(report: &mut Report, path: &str, layer: &Layer) {
    check_rotation(report, &format!("{path}.rotation"), &layer.rotation);
    let count = layer.participants.len();
    report.unless((1..=MAX_PARTICIPANTS).contains(&count), format!("{path}.participants"), || {
        format!("1 to {MAX_PARTICIPANTS} participants")
    });
    let has_first = usize::from(layer.rotation.first) < count.max(1);
    report.unless(has_first, format!("{path}.rotation.first"), || {
        format!("the place of a participant: 0 to {}", count.saturating_sub(1))
    });
    report_restrictions(report, &format!("{path}.restrictions"), &layer.restrictions);
    let in_order = layer.starts.zip(layer.ends).is_none_or(|(starts, ends)| starts < ends);
    report.unless(in_order, format!("{path}.ends"), || "later than starts".to_owned());
}

fn check_rotation(report: &mut Report, path: &str, rotation: &Rotation) {
    report.unless((1..=MAX_EVERY).contains(&rotation.every), format!("{path}.every"), || {
        format!("1 to {MAX_EVERY}")
    });
    report.unless(START_YEARS.contains(&rotation.start.year()), format!("{path}.start"), || {
        format!("within the years {} to {}", START_YEARS.start(), START_YEARS.end())
    });
    let can_count = !rotation.count_only_allowed || rotation.unit == RotationUnit::Daily;
    report.unless(can_count, format!("{path}.count_only_allowed"), || {
        "only for a daily rotation: others count hours, weeks or months".to_owned()
    });
}

fn check_restriction(report: &mut Report, path: &str, restriction: &Restriction) {
    let mut days = restriction.weekdays.clone();
    days.sort_unstable();
    days.dedup();
    let good = !days.is_empty() && days.len() == restriction.weekdays.len();
    report.unless(good, format!("{path}.weekdays"), || "1 to 7 weekdays, each once".to_owned());
}

/// Whether restrictions keep to their limits by themselves; `path` is their field.
pub(crate) fn check_restrictions(path: &str, restrictions: &[Restriction]) -> Result<(), Vec<FieldError>> {
    let mut report = Report(Vec::new());
    report_restrictions(&mut report, path, restrictions);
    if report.0.is_empty() { Ok(()) } else { Err(report.0) }
}

fn report_restrictions(report: &mut Report, path: &str, restrictions: &[Restriction]) {
    report.unless(restrictions.len() <= MAX_RESTRICTIONS, path.to_owned(), || {
        format!("at most {MAX_RESTRICTIONS} restrictions")
    });
    for (index, restriction) in restrictions.iter().enumerate().take(MAX_RESTRICTIONS) {
        check_restriction(report, &format!("{path}[{index}]"), restriction);
    }
}

fn check_override(report: &mut Report, path: &str, exception: &Override) {
    let longest = TimeDelta::days(MAX_OVERRIDE_DAYS);
    let length = exception.to - exception.from;
    report.unless(length > TimeDelta::zero() && length <= longest, format!("{path}.to"), || {
        format!("later than from, by {MAX_OVERRIDE_DAYS} days at most")
    });
    let mut names = exception.kind.names();
    let one_twice = names.next() == names.next();
    report.unless(!one_twice, format!("{path}.replaced"), || "somebody else than who".to_owned());
}
