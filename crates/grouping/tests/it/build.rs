//! Events for tests.

use bugle_model::{Event, Exception, Frame, Stacktrace};

/// An event that says nothing yet.
pub fn event(platform: &str) -> Event {
    let mut event = Event::new(uuid::Uuid::nil(), chrono::DateTime::UNIX_EPOCH);
    event.platform = platform.to_owned();
    event
}

/// A frame of the app.
pub fn frame(module: &str, function: &str) -> Frame {
    Frame {
        module: Some(module.to_owned()),
        function: Some(function.to_owned()),
        in_app: Some(true),
        ..Frame::default()
    }
}

/// An exception with frames of the app; without any it has no stack trace.
pub fn exception(kind: &str, value: &str, frames: &[(&str, &str)]) -> Exception {
    let frames: Vec<_> = frames.iter().map(|(module, function)| frame(module, function)).collect();
    Exception {
        kind: Some(kind.to_owned()),
        value: Some(value.to_owned()),
        stacktrace: (!frames.is_empty()).then(|| Stacktrace { frames, ..Stacktrace::default() }),
        ..Exception::default()
    }
}
