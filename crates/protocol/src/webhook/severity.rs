//! From a client's word for how bad it is to a level and a priority.

use bugle_model::{Level, Priority};

/// Critical, high, medium and low are priorities and give a level; any other word is a level alone.
pub(super) fn read(word: &str) -> (Option<Level>, Option<Priority>) {
    let word = word.trim().to_ascii_lowercase();
    match word.as_str() {
        "critical" => (Some(Level::Fatal), Some(Priority::Critical)),
        "high" => (Some(Level::Error), Some(Priority::High)),
        "medium" => (Some(Level::Warning), Some(Priority::Medium)),
        "low" => (Some(Level::Info), Some(Priority::Low)),
        "severe" => (Some(Level::Error), None),
        "config" | "fine" | "finer" | "finest" => (Some(Level::Debug), None),
        // Monolog's numbers.
        "100" => (Some(Level::Debug), None),
        "200" | "250" => (Some(Level::Info), None),
        "300" => (Some(Level::Warning), None),
        "400" => (Some(Level::Error), None),
        "500" | "550" | "600" => (Some(Level::Fatal), None),
        other => (Level::from_client(other), None),
    }
}
