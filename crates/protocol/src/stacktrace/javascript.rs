//! JavaScript: V8 (Chrome, Node, Hermes), Firefox and Safari.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

/// How the names of scripts end.
const SCRIPTS: &[&str] = &[".js", ".mjs", ".cjs", ".bundle", ".jsx", ".ts", ".tsx"];

/// Reads `Error.stack` and what Node prints of an error with causes: the outermost first.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut chain = Chain::default();
    let mut current = Building::new(FrameList::innermost_first());
    for line in text::lines(trace) {
        let line = line.trim();
        if let Some(frame) = frame(line) {
            current.frames.push(frame);
        } else if let Some(header) =
            line.strip_prefix("[cause]: ").or_else(|| line.strip_prefix("Caused by: "))
        {
            let mut next = Building::new(FrameList::innermost_first());
            next.source = Some("cause");
            next.header_line(header);
            chain.push(std::mem::replace(&mut current, next).finish(header_of));
        } else if current.frames.is_empty() {
            current.header_line(line);
        }
    }
    if !current.is_empty() {
        chain.push(current.finish(header_of));
    }
    chain.outermost_first()
}

/// Node prints the line of code and a caret above the error.
fn header_of(header: &str) -> Header {
    let mut start = header;
    let mut rest = header;
    while let Some((line, after)) = rest.split_once('\n') {
        let line = line.trim();
        if !line.is_empty() && line.bytes().all(|byte| byte == b'^') {
            start = after;
        }
        rest = after;
    }
    Header::read(start.trim())
}

/// One line of either form.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let mut frame = v8(line).or_else(|| gecko(line))?;
    frame.in_app = Some(in_app::guess(Language::JavaScript, &frame));
    Some(frame)
}

/// `at async fn (url:1:2)`, `at new X (url:1:2)`, `at url:1:2`, `at eval (eval at f (url:1:2), <anonymous>:1:1)`.
fn v8(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("at ")?.trim_end_matches('{').trim_end();
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let Some((function, place)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) else {
        let (path, line, column) = text::location(rest);
        let fits = column.is_some() && (!path.contains(' ') || path.contains(['/', '\\']));
        return (fits || rest == "<anonymous>").then(|| text::frame("", path, line, column));
    };
    let function = v8_function(function);
    let place = place.strip_prefix("address at ").unwrap_or(place);
    if let Some(evaluated) = place.strip_prefix("eval at ") {
        let origin = evaluated.rsplit_once('(').map_or(evaluated, |(_, origin)| origin);
        let origin = origin.split_once(')').map_or(origin, |(origin, _)| origin);
        let (path, line, column) = text::location(origin);
        return Some(text::frame(function, path, line, column));
    }
    if matches!(place, "native" | "<anonymous>" | "[native code]") || place.starts_with("index ") {
        let path = if place.starts_with("index ") { "" } else { place };
        return Some(text::frame(function, path, None, None));
    }
    let (path, line, column) = text::location(place);
    let fits = column.is_some() || path.starts_with("wasm://");
    fits.then(|| text::frame(function, path, line, column))
}

/// Without `[as alias]`; what has no name has none.
fn v8_function(function: &str) -> &str {
    let function = function.split_once(" [as ").map_or(function, |(name, _)| name);
    let function = function.strip_prefix("async ").unwrap_or(function);
    if function == "<anonymous>" { "" } else { function.trim() }
}

/// `fn@url:1:2`, `@url:1:2`, `fn@[native code]`, `global code`, and Safari's line of a URL alone.
fn gecko(line: &str) -> Option<Frame> {
    if matches!(line, "[native code]" | "eval code" | "global code" | "module code") {
        let (function, path) = if line == "[native code]" { ("", line) } else { (line, "") };
        return Some(text::frame(function, path, None, None));
    }
    let (function, place, named) = match line.split_once('@') {
        Some((function, place)) if !function.contains("://") => (function, place, true),
        _ => ("", line, false),
    };
    let function = gecko_function(function);
    if place == "[native code]" {
        return Some(text::frame(function, place, None, None));
    }
    let (path, line, column) = gecko_place(place);
    let is_url = !path.contains(' ') && (path.contains("://") || path.starts_with("blob:"));
    let is_file = named
        && (["/", "debugger eval code", "webpack"].iter().any(|start| path.starts_with(start))
            || SCRIPTS.iter().any(|end| path.ends_with(end)));
    let placed = line.is_some() && (column.is_some() || place.contains(" > "));
    (placed && (is_url || is_file)).then(|| text::frame(function, path, line, column))
}

/// `http://x/a.js line 5 > eval:1:2` happened in line 5 of `a.js`.
fn gecko_place(place: &str) -> (&str, Option<u32>, Option<u32>) {
    let Some((path, rest)) = place.split_once(" line ") else { return text::location(place) };
    let digits = rest.split(' ').next().unwrap_or_default();
    (path, text::number(digits), None)
}

/// Without Firefox's `async*`, `/<` and `setTimeout handler*`.
fn gecko_function(function: &str) -> &str {
    let function = function.rsplit_once('*').map_or(function, |(_, name)| name);
    let function = function.trim_end_matches("/<");
    if function == "anonymous" { "" } else { function }
}
