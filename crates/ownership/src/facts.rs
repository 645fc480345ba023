//! What rules look at, of an event.

use bugle_model::{Event, Frame};
use std::collections::{BTreeMap, BTreeSet};

/// Frames that are looked at: those that the client says are the app's first, then the last ones, which are the nearest to the crash.
const MAX_FRAMES: usize = 50;

/// What rules look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Files of frames, as the app names them and with their full paths, with slashes.
    pub paths: BTreeSet<String>,
    /// Modules or classes of frames.
    pub modules: BTreeSet<String>,
    /// The URL of the request.
    pub url: Option<String>,
    /// Tags, with `release` and `environment`.
    pub tags: BTreeMap<String, String>,
}

impl Facts {
    /// Those of an event. Frames of libraries do not count; where the client does not say which these are, all count.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let mut facts =
            Self { url: event.request.as_ref().and_then(|request| request.url.clone()), ..Self::default() };
        let mut frames = frames(event);
        frames.reverse();
        frames.sort_by_key(|frame| frame.in_app != Some(true));
        for frame in frames.into_iter().take(MAX_FRAMES) {
            facts
                .paths
                .extend([&frame.filename, &frame.abs_path].into_iter().flatten().map(|path| slashes(path)));
            facts.modules.extend(frame.module.clone());
        }
        facts.tags = event.tags.clone();
        for (name, value) in [("release", &event.release), ("environment", &event.environment)] {
            if let Some(value) = value {
                facts.tags.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
        }
        facts
    }

    /// Those of a file alone.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self { paths: BTreeSet::from([slashes(path)]), ..Self::default() }
    }
}

fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}

/// The frames of all exceptions; of an event without any, those of its threads.
fn frames(event: &Event) -> Vec<&Frame> {
    let own = |frame: &&Frame| frame.in_app != Some(false);
    let of_exceptions = event.exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    let found: Vec<&Frame> = of_exceptions.flat_map(|trace| &trace.frames).filter(own).collect();
    if !found.is_empty() {
        return found;
    }
    let of_threads = event.threads.iter().filter_map(|thread| thread.stacktrace.as_ref());
    of_threads.flat_map(|trace| &trace.frames).filter(own).collect()
}
