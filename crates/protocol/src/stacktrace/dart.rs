//! Dart and Flutter: the VM's traces, those of the `stack_trace` package (compiled for the web too), and the
//! addresses of a release build.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;
use serde_json::Value;

/// Reads one trace; Dart prints no chains.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut current = Building::new(FrameList::innermost_first());
    for line in text::lines(trace) {
        let line = line.trim();
        if let Some(frame) = frame(line) {
            current.frames.push(frame);
        } else if current.frames.is_empty() {
            header_line(&mut current, line);
        }
    }
    let mut chain = Chain::default();
    if !current.is_empty() {
        chain.push(current.finish(Header::read));
    }
    chain.innermost_first()
}

fn header_line(current: &mut Building, line: &str) {
    let line = line.split_once("Unhandled Exception: ").map_or(line, |(_, rest)| rest);
    let is_preamble = line == "Unhandled exception:"
        || line.starts_with("*** ")
        || line.starts_with("pid: ")
        || line.starts_with("build_id: ")
        || line.starts_with("isolate_dso_base: ")
        || line.starts_with("os: ");
    if !is_preamble {
        current.header_line(line);
    }
}

/// One line of any of the forms.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let mut frame = vm(line).or_else(|| friendly(line))?;
    frame.in_app = Some(in_app::guess(Language::Dart, &frame));
    Some(frame)
}

/// `#0      Class.method (package:app/file.dart:12:5)`.
fn vm(line: &str) -> Option<Frame> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    text::number(number)?;
    let rest = rest.trim_start();
    if rest.starts_with("abs ") {
        return address(rest);
    }
    let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let (path, line, column) = text::location(place);
    is_source(path).then(|| placed(function, path, line, column))
}

/// `abs 0000007d1a2b virt 00000000001a2b _kDartIsolateSnapshotInstructions+0x1a2b`: needs the build's symbols.
fn address(rest: &str) -> Option<Frame> {
    let mut words = rest.split_ascii_whitespace().skip(1);
    let address = words.next()?;
    let symbol = words.last()?;
    let mut frame = text::frame(symbol, "", None, None);
    let _ = frame
        .other
        .insert("instruction_addr".to_owned(), Value::String(format!("0x{}", text::cut(address, 32))));
    Some(frame)
}

/// `package:app/main.dart 12:5   function`, as the `stack_trace` package prints it.
fn friendly(line: &str) -> Option<Frame> {
    let (path, rest) = line.split_once(' ')?;
    let (place, function) = rest.trim_start().split_once(' ')?;
    let (row, column) = place.split_once(':').unwrap_or((place, ""));
    let row = text::number(row)?;
    is_source(path).then(|| placed(function.trim(), path, Some(row), text::number(column)))
}

fn is_source(path: &str) -> bool {
    path.starts_with("package:")
        || path.starts_with("dart:")
        || path.starts_with("org-dartlang")
        || path.ends_with(".dart")
        || path.ends_with(".dart.js")
        || path.ends_with(".dart.lib.js")
}

fn placed(function: &str, path: &str, line: Option<u32>, column: Option<u32>) -> Frame {
    let mut frame = text::frame(function, path, line, column);
    if let Some((package, file)) = path.strip_prefix("package:").and_then(|path| path.split_once('/')) {
        frame.package = text::filled(package, text::MAX_PATH);
        frame.filename = text::filled(file, text::MAX_PATH);
        frame.abs_path = text::filled(path, text::MAX_PATH);
    }
    frame
}
