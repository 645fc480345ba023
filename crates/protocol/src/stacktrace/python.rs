//! Python's tracebacks: the crash is printed last, the innermost exception first.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

/// Reads a traceback with its "direct cause" and "during handling" chain.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut reader =
        Reader { chain: Chain::default(), current: Building::new(FrameList::oldest_first()), closed: false };
    for line in text::lines(trace) {
        reader.line(without_group_bars(line));
    }
    reader.flush(None);
    reader.chain.innermost_first()
}

struct Reader {
    chain: Chain,
    current: Building,
    /// A chain's sentence was read: the text until the next traceback belongs to nothing.
    closed: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let content = line.trim();
        if content.ends_with("Traceback (most recent call last):") {
            self.flush(None);
            self.closed = false;
        } else if content == "The above exception was the direct cause of the following exception:" {
            self.flush(Some("__cause__"));
            self.closed = true;
        } else if content == "During handling of the above exception, another exception occurred:" {
            self.flush(Some("__context__"));
            self.closed = true;
        } else if let Some(frame) = frame(content) {
            self.current.frames.push(frame);
        } else if self.in_code(line) {
            self.code(content);
        } else if !self.closed && !self.current.frames.is_empty() {
            self.current.header_line(line.trim_end());
        }
    }

    /// Indented lines below a frame are its code, until the exception's own line.
    fn in_code(&self, line: &str) -> bool {
        !self.current.frames.is_empty() && self.current.header.is_empty() && line.starts_with([' ', '\t'])
    }

    fn code(&mut self, content: &str) {
        let is_marker = content.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' '));
        if is_marker || content.starts_with("[Previous line repeated ") {
            return;
        }
        if let Some(frame) = self.current.frames.last_mut().filter(|frame| frame.context_line.is_none()) {
            frame.context_line = text::filled(content, text::MAX_FUNCTION);
        }
    }

    fn flush(&mut self, source: Option<&'static str>) {
        let mut done = std::mem::replace(&mut self.current, Building::new(FrameList::oldest_first()));
        if !done.is_empty() {
            done.source = source;
            self.chain.push(done.finish(Header::read_dotted));
        }
    }
}

/// Exception groups are printed with `  | ` and `+-` at the left.
fn without_group_bars(line: &str) -> &str {
    let content = line.trim_start();
    match content.strip_prefix("| ").or_else(|| content.strip_prefix("+ ")) {
        Some(rest) => rest,
        None if content.starts_with("+-") || content == "|" => "",
        None => line,
    }
}

/// Whether a line names a frame.
pub(super) fn is_frame(line: &str) -> bool {
    frame(without_group_bars(line).trim()).is_some()
}

/// `File "app.py", line 3, in f`; a syntax error's has no function.
fn frame(line: &str) -> Option<Frame> {
    let (path, rest) = line.strip_prefix("File \"")?.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let mut frame = text::frame(function, path, Some(text::number(number.trim())?), None);
    frame.in_app = Some(in_app::guess(Language::Python, &frame));
    Some(frame)
}
