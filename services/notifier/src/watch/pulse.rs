//! When the parts of the engine last went through what is due.

use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, PoisonError};

/// A part that goes through what is due, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Steps of incidents.
    Escalator,
    /// Notifications and pages.
    Sender,
}

/// The end of each part's last round that went well. Clones share it.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Mutex<[DateTime<Utc>; 2]>>);

impl Pulse {
    /// Nothing was missed before `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new([now; 2])))
    }

    /// A round has ended well.
    pub fn beat(&self, part: Part, now: DateTime<Utc>) {
        let [escalator, sender] = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match part {
            Part::Escalator => *escalator = now,
            Part::Sender => *sender = now,
        }
    }

    /// When the part that is furthest behind has ended a round.
    #[must_use]
    pub fn last_round(&self) -> DateTime<Utc> {
        let [escalator, sender] = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        escalator.min(sender)
    }
}
