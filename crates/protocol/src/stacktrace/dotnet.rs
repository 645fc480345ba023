//! .NET: `Exception.ToString()`, the outermost exception first in the header, last in the frames.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, MAX_EXCEPTIONS, ParsedException, in_app, text};
use bugle_model::Frame;

/// Reads an exception with its `--->` chain.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    // Headers that wait for their frames, the outermost at the bottom.
    let mut open = vec![begin(None)];
    let mut chain = Chain::default();
    for line in text::lines(trace) {
        let line = line.trim();
        if let Some(frame) = frame(line) {
            if let Some(current) = open.last_mut() {
                current.frames.push(frame);
            }
        } else if line.starts_with("--- End of inner exception") {
            if open.len() > 1 {
                close(open.pop(), &mut chain);
            }
        } else if !line.starts_with("--- End of stack trace") {
            headers(line, &mut open);
        }
    }
    while let Some(building) = open.pop() {
        close(Some(building), &mut chain);
    }
    chain.innermost_first()
}

/// `Outer: message ---> Inner: message`, on one line or on several.
fn headers(line: &str, open: &mut Vec<Building>) {
    let line = line
        .strip_prefix("Unhandled exception. ")
        .or_else(|| line.strip_prefix("Unhandled Exception: "))
        .unwrap_or(line);
    let line = line.strip_suffix("<---").unwrap_or(line);
    for (place, part) in line.split("---> ").enumerate() {
        if place > 0 && open.len() < MAX_EXCEPTIONS {
            open.push(begin(Some("InnerException")));
        }
        let part = without_number(part.trim_end());
        if let Some(current) = open.last_mut().filter(|current| current.frames.is_empty() && !part.is_empty())
        {
            current.header_line(part);
        }
    }
}

/// `(Inner Exception #0) System.Exception: …` of an `AggregateException`.
fn without_number(header: &str) -> &str {
    header
        .strip_prefix("(Inner Exception #")
        .and_then(|rest| rest.split_once(") "))
        .map_or(header, |(_, rest)| rest)
}

fn begin(source: Option<&'static str>) -> Building {
    let mut building = Building::new(FrameList::innermost_first());
    building.source = source;
    building
}

fn close(building: Option<Building>, chain: &mut Chain) {
    if let Some(building) = building.filter(|building| !building.is_empty()) {
        chain.push(building.finish(Header::read));
    }
}

/// `at Ns.Class.Method(Type arg) in C:\f.cs:line 12`; without debug symbols the place is missing.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("at ")?;
    let (qualified, rest) = rest.split_once('(')?;
    let (arguments, rest) = rest.split_once(')')?;
    let named = qualified.contains('.') && !qualified.contains([' ', '/']) && !arguments.contains(':');
    if !named {
        return None;
    }
    let (path, row) = match rest.rsplit_once(" in ").and_then(|(_, place)| place.rsplit_once(":line ")) {
        Some((path, row)) => (path, Some(text::number(row.trim())?)),
        // Mono: ` [0x00000] in <hash>:0 `.
        None if rest.trim().is_empty() || rest.starts_with(" [0x") => ("", None),
        None => return None,
    };
    if path.is_empty()
        && arguments.rsplit_once('.').is_some_and(|(_, last)| matches!(last, "java" | "kt" | "scala"))
    {
        return None;
    }
    let (module, function) = names(qualified)?;
    let mut frame = text::frame(function, path, row, None);
    frame.module = text::filled(module, text::MAX_PATH);
    frame.in_app = Some(in_app::guess(Language::DotNet, &frame));
    Some(frame)
}

/// Class and method; an async method's is taken out of its state machine (`Class.<Method>d__5.MoveNext`).
fn names(qualified: &str) -> Option<(&str, &str)> {
    if let Some((class, rest)) = qualified.strip_suffix(".MoveNext").and_then(|name| name.rsplit_once(".<")) {
        return rest.split_once('>').map(|(method, _)| (class, method));
    }
    let (class, method) = qualified.rsplit_once('.')?;
    let (method, _) = method.split_once('[').unwrap_or((method, ""));
    match class.strip_suffix('.') {
        // `Class..ctor`
        Some(class) => Some((class, ".ctor")),
        None => Some((class, method)),
    }
}
