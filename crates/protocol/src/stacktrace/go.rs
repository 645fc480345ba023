//! Go's panics and `debug.Stack`: a line for the function, a line for its place.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

/// Reads the first goroutine, which is the one that panicked.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut current = Building::new(FrameList::innermost_first());
    let mut function = "";
    let mut goroutines = 0;
    let mut lines = text::lines(trace).peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        // Loggers write the frames without a goroutine's head in front.
        let is_called = lines.peek().is_some_and(|next| place(next.trim()).is_some());
        if line.starts_with("goroutine ") && line.ends_with(':') {
            goroutines += 1;
            if goroutines > 1 && !current.frames.is_empty() {
                break;
            }
            function = "";
        } else if let Some((path, row)) = place(line) {
            current.frames.push(frame(function, path, row));
            function = "";
        } else if goroutines == 0 && current.frames.is_empty() && !is_called {
            current.header_line(line);
        } else {
            function = line;
        }
    }
    let mut chain = Chain::default();
    if !current.is_empty() {
        chain.push(current.finish(header_of));
    }
    chain.innermost_first()
}

/// Whether a line names a place, or a goroutine.
pub(super) fn is_frame(line: &str) -> bool {
    let line = line.trim();
    (line.starts_with("goroutine ") && line.ends_with("]:")) || place(line).is_some()
}

/// `/src/app/main.go:12 +0x1d`.
fn place(line: &str) -> Option<(&str, u32)> {
    let (place, rest) = line.split_once(" +0x").unwrap_or((line, ""));
    let (path, row, column) = text::location(place);
    let fits = path.ends_with(".go") && column.is_none() && (path.contains('/') || !rest.is_empty());
    if fits && !path.contains(": ") { Some((path, row?)) } else { None }
}

fn frame(function: &str, path: &str, line: u32) -> Frame {
    let name = match function.strip_prefix("created by ") {
        Some(name) => name.split(" in goroutine ").next().unwrap_or(name),
        None if function.ends_with(')') => function.rsplit_once('(').map_or(function, |(name, _)| name),
        None => function,
    };
    let package_end = name.rfind('/').map_or(0, |slash| slash + 1);
    let (path_part, last) = name.split_at_checked(package_end).unwrap_or(("", name));
    let (package, short) = last.split_once('.').unwrap_or(("", last));
    let mut frame = text::frame(short, path, Some(line), None);
    if !package.is_empty() {
        frame.module = text::filled(&format!("{path_part}{package}"), text::MAX_PATH);
    }
    frame.in_app = Some(in_app::guess(Language::Go, &frame));
    frame
}

/// `panic: message`, `fatal error: message`, `http: panic serving 127.0.0.1:5: message`.
fn header_of(header: &str) -> Header {
    for line in header.lines() {
        let line = line.trim();
        let found = if let Some(value) = line.strip_prefix("panic: ") {
            Some(("panic", value.split(" [recovered").next().unwrap_or(value)))
        } else if let Some(value) = line.strip_prefix("fatal error: ") {
            Some(("fatal error", value))
        } else {
            line.split_once("panic serving ")
                .and_then(|(_, rest)| rest.split_once(": "))
                .map(|(_, value)| ("panic", value))
        };
        if let Some((kind, value)) = found {
            return Header {
                kind: Some(kind.to_owned()),
                value: text::filled(value, text::MAX_VALUE),
                module: None,
            };
        }
    }
    Header::read(header)
}
