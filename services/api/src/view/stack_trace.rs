//! A chain of exceptions as text, as people know it from Java: what was raised last first, the crash on top.

use bugle_model::{Event, Exception, Frame};
use std::fmt::Write;

/// The text; `None` when there is neither exception nor thread with frames.
pub(super) fn render(event: &Event) -> Option<String> {
    let mut text = String::new();
    for (number, exception) in event.exceptions.iter().rev().enumerate() {
        if number > 0 {
            text.push_str("Caused by: ");
        }
        write_exception(&mut text, exception);
    }
    if text.is_empty() {
        let thread =
            event.threads.iter().find(|thread| thread.crashed == Some(true)).or(event.threads.first())?;
        write_frames(&mut text, &thread.stacktrace.as_ref()?.frames);
    }
    (!text.is_empty()).then_some(text)
}

fn write_exception(text: &mut String, exception: &Exception) {
    text.push_str(exception.kind.as_deref().unwrap_or("Error"));
    if let Some(value) = &exception.value {
        text.push_str(": ");
        text.push_str(value);
    }
    text.push('\n');
    if let Some(stacktrace) = &exception.stacktrace {
        write_frames(text, &stacktrace.frames);
    }
}

fn write_frames(text: &mut String, frames: &[Frame]) {
    for frame in frames.iter().rev() {
        let function = frame.function.as_deref().unwrap_or("?");
        let file = frame
            .filename
            .as_deref()
            .or(frame.abs_path.as_deref())
            .or(frame.module.as_deref())
            .unwrap_or("?");
        text.push_str("    at ");
        text.push_str(function);
        text.push_str(" (");
        text.push_str(file);
        for number in [frame.lineno, frame.colno].into_iter().flatten() {
            // Writing to a String cannot fail.
            let _ = write!(text, ":{number}");
        }
        text.push_str(")\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::Stacktrace;

    #[test]
    fn the_last_exception_comes_first_and_the_crash_on_top() {
        let frame = |function: &str, lineno| Frame {
            function: Some(function.to_owned()),
            filename: Some("shop.py".to_owned()),
            lineno: Some(lineno),
            ..Frame::default()
        };
        let exception = |kind: &str, frames| Exception {
            kind: Some(kind.to_owned()),
            value: Some("no".to_owned()),
            stacktrace: Some(Stacktrace { frames, ..Stacktrace::default() }),
            ..Exception::default()
        };
        let mut event = Event::new(uuid::Uuid::nil(), chrono::DateTime::UNIX_EPOCH);
        assert_eq!(render(&event), None);
        event.exceptions = vec![
            exception("KeyError", vec![frame("lookup", 3)]),
            exception("PayError", vec![frame("main", 1), frame("pay", 2)]),
        ];
        let expected = "PayError: no\n    at pay (shop.py:2)\n    at main (shop.py:1)\nCaused by: KeyError: no\n    at lookup (shop.py:3)\n";
        assert_eq!(render(&event).unwrap(), expected);
    }
}
