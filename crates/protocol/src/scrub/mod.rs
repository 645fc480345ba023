//! Removing secrets, before anything is stored.
//!
//! Two questions are asked of everything: does the name say that the value is secret, and does the value look
//! like a secret wherever it stands? A secret is replaced by [`FILTERED`]; names stay, so that people see what
//! there was.

mod assign;
mod cards;
mod environ;
mod event;
mod names;
mod pem;
mod text;
mod tree;

use bugle_model::{Event, ScrubSettings};
use names::Names;
use serde_json::{Map, Value};
use text::TextScrubber;

/// Stands where a secret was.
pub const FILTERED: &str = "[Filtered]";

/// A project's scrubbing, ready for use. Building one compiles its patterns: keep it.
#[derive(Debug)]
pub struct Scrubber {
    active: Option<Active>,
}

#[derive(Debug)]
struct Active {
    names: Names,
    text: TextScrubber,
    addresses: bool,
}

impl Scrubber {
    /// Prepares what a project has set.
    #[must_use]
    pub fn new(settings: &ScrubSettings) -> Self {
        let active = settings.enabled.then(|| Active {
            names: Names::new(settings),
            text: TextScrubber::new(settings),
            addresses: settings.addresses,
        });
        Self { active }
    }

    /// Removes secrets from every part of the event.
    pub fn scrub(&self, event: &mut Event) {
        if let Some(active) = &self.active {
            active.event(event);
        }
    }

    /// Removes secrets from named values.
    pub fn scrub_fields(&self, fields: &mut Map<String, Value>) {
        if let Some(active) = &self.active {
            active.map(fields);
        }
    }

    /// Removes secrets from a text that stands alone, such as a person's feedback.
    pub fn scrub_text(&self, text: &mut String) {
        if let Some(active) = &self.active {
            active.text.prose(text);
        }
    }
}

#[cfg(test)]
mod tests;
