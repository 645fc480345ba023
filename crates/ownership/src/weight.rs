//! How much somebody has to do.

use bugle_model::Priority;
use schemars::JsonSchema;
use serde::Serialize;

/// What an open incident weighs: as much as a critical issue.
const INCIDENT: f64 = 8.0;
/// So many hours on call weigh 1.
const SHIFT_HOURS: f64 = 8.0;

/// How much somebody has to do, by what it is. The unit is an open issue of low priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct Weight {
    /// Of open issues: low 1, medium 2, high 4, critical 8.
    pub issues: f64,
    /// Of open incidents: 8 each.
    pub incidents: f64,
    /// Of the time on call lately: 1 for 8 hours.
    pub on_call: f64,
    /// Of all.
    pub sum: f64,
}

impl Weight {
    /// The weight of open issues, by priority, of open incidents, and of hours on call.
    #[must_use]
    pub fn of(issues: impl IntoIterator<Item = (Priority, i64)>, incidents: i64, on_call_hours: f64) -> Self {
        let issues: f64 = issues
            .into_iter()
            .map(|(priority, count)| each(priority) * count as f64)
            .fold(0.0, |sum, one| sum + one);
        let incidents = INCIDENT * incidents as f64;
        let on_call = tenths(on_call_hours / SHIFT_HOURS);
        Self { issues, incidents, on_call, sum: tenths(issues + incidents + on_call) }
    }
}

const fn each(priority: Priority) -> f64 {
    match priority {
        Priority::Low => 1.0,
        Priority::Medium => 2.0,
        Priority::High => 4.0,
        Priority::Critical => 8.0,
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::Weight;
    use bugle_model::Priority;

    #[test]
    fn all_of_it_counts() {
        let issues =
            [(Priority::Critical, 1), (Priority::High, 2), (Priority::Medium, 1), (Priority::Low, 3)];
        let weight = Weight::of(issues, 2, 20.0);
        assert_eq!(weight, Weight { issues: 21.0, incidents: 16.0, on_call: 2.5, sum: 39.5 });
    }
}
