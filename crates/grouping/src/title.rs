//! What an issue is called, and where it happened.

use crate::basis;
use crate::exceptions::MAX_EXCEPTIONS;
use crate::frames::{self, FramePart, Skip};
use crate::parameterise::strip_log_prefix;
use crate::rules::StackRules;
use crate::security;
use bugle_model::{Event, Exception, Frame};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 256;
/// The longest culprit, in characters.
pub const MAX_CULPRIT: usize = 200;
/// What an event without anything to name it by is called.
const UNTITLED: &str = "(no message)";

/// At most `limit` characters, with `…` for what was cut off.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The exception that gives the title when it is not the group's only member: the outermost.
pub(crate) fn outermost(event: &Event) -> Option<&Exception> {
    event.exceptions.last()
}

/// The exception at `main` of those that grouping looks at.
pub(crate) fn exception_at(event: &Event, main: usize) -> Option<&Exception> {
    event.exceptions.get(event.exceptions.len().saturating_sub(MAX_EXCEPTIONS) + main)
}

fn some(text: Option<&str>) -> Option<&str> {
    text.map(first_line).filter(|line| !line.is_empty())
}

/// The title: `type: first line of value`, else what was blocked, else the first line of the message.
pub(crate) fn title(event: &Event, main: Option<&Exception>, rules: &StackRules<'_>) -> String {
    let title = match main {
        Some(exception) => {
            let value = some(exception.value.as_deref().map(strip_log_prefix));
            match (some(exception.kind.as_deref()), value) {
                (Some(kind), Some(value)) => Some(format!("{kind}: {value}")),
                (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
                (None, None) => None,
            }
        }
        None => None,
    };
    let title = title
        .or_else(|| security::violation(event).map(|violation| violation.title()))
        .or_else(|| some(event.message.as_ref().map(|log| strip_log_prefix(log.text()))).map(str::to_owned))
        .or_else(|| {
            some(crash_frame(event, main, rules).and_then(|part| part.frame.function.as_deref()))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| UNTITLED.to_owned());
    shortened(&title, MAX_TITLE)
}

/// The innermost frame of the app that has a name worth showing.
pub(crate) fn crash_frame<'e>(
    event: &'e Event,
    main: Option<&'e Exception>,
    rules: &StackRules<'_>,
) -> Option<FramePart<'e>> {
    let readable = |part: &FramePart<'_>| {
        !matches!(
            part.skip,
            Some(
                Skip::Sdk
                    | Skip::Minified
                    | Skip::Eval
                    | Skip::Nameless
                    | Skip::Comprehension
                    | Skip::Rule(_)
            )
        )
    };
    frames_of(event, main)
        .iter()
        .rev()
        .map(|frame| frames::part(frame, &event.platform, rules))
        .find(|part| part.in_app && readable(part))
}

/// The frames that tell where it happened: the main exception's, else the thread's.
fn frames_of<'e>(event: &'e Event, main: Option<&'e Exception>) -> &'e [Frame] {
    let stack = main.and_then(|exception| exception.stacktrace.as_ref());
    let stack = stack.filter(|stack| !stack.frames.is_empty());
    let stack = stack.or_else(|| basis::thread(event).and_then(|thread| thread.stacktrace.as_ref()));
    stack.map_or(&[], |stack| stack.frames.as_slice())
}

fn described(frame: &Frame) -> Option<String> {
    let place = frame.module.as_deref().or(frame.filename.as_deref()).or(frame.abs_path.as_deref());
    let place = place.map(str::trim).filter(|place| !place.is_empty());
    let function =
        frame.function.as_deref().map(str::trim).filter(|name| !matches!(*name, "" | "?" | "<anonymous>"));
    Some(match (place, function) {
        (Some(place), Some(function)) => format!("{place} in {function}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => return None,
    })
}

/// The culprit: `module|file in function` of the app's innermost frame, else the transaction, else the
/// innermost frame that has any name, the app's first.
pub(crate) fn culprit(event: &Event, main: Option<&Exception>, rules: &StackRules<'_>) -> Option<String> {
    let by_frame = crash_frame(event, main, rules).and_then(|part| described(part.frame));
    let transaction = || event.transaction.clone().filter(|transaction| !transaction.trim().is_empty());
    let any = |only_in_app: bool| {
        let shown = |frame: &&Frame| {
            let part = frames::part(frame, &event.platform, rules);
            part.skip != Some(Skip::Sdk) && (part.in_app || !only_in_app)
        };
        frames_of(event, main).iter().rev().filter(shown).find_map(described)
    };
    by_frame
        .or_else(transaction)
        .or_else(|| any(true))
        .or_else(|| any(false))
        .map(|text| shortened(&text, MAX_CULPRIT))
}
