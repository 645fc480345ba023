//! Stack traces: frames, oldest call first.

use super::bag::trim;
use super::{Notes, truncate};
use bugle_model::{Frame, Stacktrace};
use serde_json::{Map, Value};

/// Of more frames the outermost 50 and the innermost 200 are kept: a recursion's middle says nothing.
const OUTERMOST: usize = 50;
const INNERMOST: usize = 200;
/// Above this number of frames, source lines and variables are kept for this many only.
const DETAILED: usize = 50;
const MAX_FUNCTION_CHARS: usize = 512;
const MAX_PATH_CHARS: usize = 256;
const MAX_LINE_CHARS: usize = 1024;
const MAX_CONTEXT_LINES: usize = 20;
const MAX_VARS_DEPTH: u8 = 5;
const MAX_VARS_BYTES: usize = 2048;
const MAX_OTHER_DEPTH: u8 = 4;
const MAX_OTHER_BYTES: usize = 4096;
const MAX_REGISTERS_BYTES: usize = 8192;

/// Reads a stack trace; nothing when it holds nothing.
pub(crate) fn stacktrace(value: Value, notes: &mut Notes) -> Option<Stacktrace> {
    let map = match value {
        // Some clients send the frames without the object around them.
        Value::Array(frames) => Map::from_iter([("frames".to_owned(), Value::Array(frames))]),
        other => notes.object("stacktrace", other)?,
    };
    let mut stacktrace = Stacktrace::default();
    for (key, value) in map {
        match key.as_str() {
            "frames" => {
                let (frames, omitted) = frames(value, notes);
                stacktrace.frames = frames;
                if omitted > 0 {
                    stacktrace.frames_omitted = Some(omitted + stacktrace.frames_omitted.unwrap_or(0));
                }
            }
            "frames_omitted" => {
                let omitted =
                    frames_omitted(&value).map(|count| count + stacktrace.frames_omitted.unwrap_or(0));
                stacktrace.frames_omitted = omitted.or(stacktrace.frames_omitted);
            }
            _ if value.is_null() => {}
            _ => drop(stacktrace.other.insert(key, value)),
        }
    }
    trim(&mut stacktrace.other, MAX_OTHER_DEPTH, MAX_REGISTERS_BYTES);
    (!stacktrace.frames.is_empty() || !stacktrace.other.is_empty()).then_some(stacktrace)
}

/// A count, or the range that old SDKs send.
fn frames_omitted(value: &Value) -> Option<usize> {
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    match value {
        Value::Array(range) => match range.as_slice() {
            [from, to] => number(to)?.checked_sub(number(from)?),
            _ => None,
        },
        other => number(other),
    }
}

fn frames(value: Value, notes: &mut Notes) -> (Vec<Frame>, usize) {
    let list = match value {
        Value::Array(list) => list,
        Value::Null => return (Vec::new(), 0),
        single @ Value::Object(_) => vec![single],
        _ => {
            notes.note("stacktrace.frames", "expected a list: dropped");
            return (Vec::new(), 0);
        }
    };
    let count = list.len();
    let omitted = count.saturating_sub(OUTERMOST + INNERMOST);
    let cut = if omitted > 0 { OUTERMOST..OUTERMOST + omitted } else { count..count };
    let mut frames: Vec<Frame> = list
        .into_iter()
        .enumerate()
        .filter(|(index, value)| !cut.contains(index) && !value.is_null())
        .filter_map(|(_, value)| frame(value, notes))
        .collect();
    slim(&mut frames);
    (frames, omitted)
}

/// Reads one frame.
fn frame(value: Value, notes: &mut Notes) -> Option<Frame> {
    let map = notes.object("stacktrace.frames", value)?;
    let mut frame = Frame::default();
    for (key, value) in map {
        match key.as_str() {
            "function" => frame.function = notes.text("frame.function", value, MAX_FUNCTION_CHARS),
            "module" => frame.module = notes.text("frame.module", value, MAX_PATH_CHARS),
            "package" => frame.package = notes.text("frame.package", value, MAX_PATH_CHARS),
            "filename" => frame.filename = notes.text("frame.filename", value, MAX_PATH_CHARS),
            "abs_path" => frame.abs_path = notes.text("frame.abs_path", value, MAX_PATH_CHARS),
            "lineno" => frame.lineno = notes.position("frame.lineno", &value),
            "colno" => frame.colno = notes.position("frame.colno", &value),
            "in_app" => frame.in_app = notes.flag("frame.in_app", &value),
            "pre_context" => frame.pre_context = lines("frame.pre_context", value, notes),
            "context_line" => frame.context_line = context_line(value, notes),
            "post_context" => frame.post_context = lines("frame.post_context", value, notes),
            "vars" => frame.vars = vars(value, notes),
            _ if value.is_null() => {}
            _ => drop(frame.other.insert(key, value)),
        }
    }
    trim(&mut frame.other, MAX_OTHER_DEPTH, MAX_OTHER_BYTES);
    Some(frame)
}

/// A blank line is a line.
fn context_line(value: Value, notes: &mut Notes) -> Option<String> {
    match value {
        Value::String(mut line) => {
            truncate(&mut line, MAX_LINE_CHARS);
            Some(line)
        }
        other => notes.text("frame.context_line", other, MAX_LINE_CHARS),
    }
}

fn lines(field: &str, value: Value, notes: &mut Notes) -> Vec<String> {
    match value {
        Value::Array(list) => list
            .into_iter()
            .take(MAX_CONTEXT_LINES)
            .map(|line| context_line(line, notes).unwrap_or_default())
            .collect(),
        Value::Null => Vec::new(),
        _ => {
            notes.note(field, "expected a list of lines: dropped");
            Vec::new()
        }
    }
}

fn vars(value: Value, notes: &mut Notes) -> Map<String, Value> {
    let mut vars = notes.map("frame.vars", value).unwrap_or_default();
    trim(&mut vars, MAX_VARS_DEPTH, MAX_VARS_BYTES);
    vars
}

/// Takes source lines and variables from all but [`DETAILED`] frames: first from the system's, the oldest
/// first, then from the app's. The frame that crashed keeps its own.
fn slim(frames: &mut [Frame]) {
    let mut excess = frames.len().saturating_sub(DETAILED);
    let Some((_, frames)) = frames.split_last_mut() else { return };
    for of_app in [false, true] {
        for frame in frames.iter_mut().filter(|frame| (frame.in_app == Some(true)) == of_app) {
            if excess == 0 {
                return;
            }
            excess -= 1;
            frame.pre_context = Vec::new();
            frame.post_context = Vec::new();
            frame.vars = Map::new();
        }
    }
}
