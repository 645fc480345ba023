//! Ruby: `file:line:in 'method': message (Class)` and the `from …` lines after it.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

/// Reads a full message or a bare backtrace, with the causes that follow it: the outermost first.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut chain = Chain::default();
    let mut current = Building::new(FrameList::innermost_first());
    let mut calls = 0;
    for line in text::lines(trace) {
        let line = line.trim();
        let Some((frame, message)) = frame_and_message(line) else {
            if calls <= 1 {
                current.header_line(line);
            }
            continue;
        };
        if !message.is_empty() && !current.frames.is_empty() {
            let next = Building::new(FrameList::innermost_first());
            chain.push(std::mem::replace(&mut current, next).finish(header_of));
            current.source = Some("cause");
            calls = 0;
        }
        if !message.is_empty() {
            current.header_line(message);
        }
        calls += 1;
        current.frames.push(frame);
    }
    if !current.is_empty() {
        chain.push(current.finish(header_of));
    }
    chain.outermost_first()
}

/// One line without its message.
pub(super) fn frame(line: &str) -> Option<Frame> {
    frame_and_message(line).map(|(frame, _)| frame)
}

/// `from app.rb:12:in 'Cart#add': message (Class)`; older versions open the quote with a back-tick.
fn frame_and_message(line: &str) -> Option<(Frame, &str)> {
    let line = line.strip_prefix("from ").unwrap_or(line);
    let (place, rest) = line.split_once(":in ")?;
    let rest = rest.strip_prefix(['`', '\''])?;
    let (function, message) = match rest.split_once("': ") {
        Some((function, message)) => (function, message),
        None => (rest.trim_end().strip_suffix('\'')?, ""),
    };
    let (path, row, column) = text::location(place);
    let row = row.filter(|_| column.is_none())?;
    let mut frame = text::frame(function, path, Some(row), None);
    frame.in_app = Some(in_app::guess(Language::Ruby, &frame));
    Some((frame, message))
}

/// `message (Class)`, or `Class: message` where a logger turned it round.
fn header_of(header: &str) -> Header {
    let (first, rest) = header.split_once('\n').unwrap_or((header, ""));
    let Some((message, kind)) = first.strip_suffix(')').and_then(|first| first.rsplit_once(" (")) else {
        return Header::read(header);
    };
    if !text::is_type(kind) {
        return Header::read(header);
    }
    let value = if rest.is_empty() { message.to_owned() } else { format!("{message}\n{rest}") };
    Header {
        kind: Some(text::cut(kind, text::MAX_TYPE)),
        value: text::filled(&value, text::MAX_VALUE),
        module: None,
    }
}
