//! PHP: `getTraceAsString`, an exception as a string, the fatal error's text, and Laravel's log.
//!
//! PHP's `#n file(line): callee()` names the place of a call and what was called there. A frame is a place
//! and the function it lies in, so each place is paired with the callee of the line after it; the place where
//! the exception was made comes from the header.

use super::chain::{Building, Chain, FrameList, Header};
use super::{Language, ParsedException, in_app, text};
use bugle_model::Frame;

type Place = (String, Option<u32>);

/// Reads a trace and its `Next …` (innermost first) or `[previous exception]` (outermost first) chain.
pub(super) fn parse(trace: &str) -> Vec<ParsedException> {
    let mut reader = Reader { chain: Chain::default(), current: Current::new(), outermost_first: false };
    for line in text::lines(trace) {
        reader.line(line.trim());
    }
    reader.flush();
    let mut chain =
        if reader.outermost_first { reader.chain.outermost_first() } else { reader.chain.innermost_first() };
    let inner = chain.len().saturating_sub(1);
    for exception in chain.iter_mut().take(inner) {
        exception.source = Some("previous");
    }
    chain
}

struct Reader {
    chain: Chain,
    current: Current,
    outermost_first: bool,
}

struct Current {
    building: Building,
    header: Header,
    place: Place,
    in_header: bool,
}

impl Current {
    fn new() -> Self {
        Self {
            building: Building::new(FrameList::innermost_first()),
            header: Header::default(),
            place: (String::new(), None),
            in_header: true,
        }
    }

    fn end_header(&mut self) {
        if self.in_header {
            self.in_header = false;
            (self.header, self.place) = read_header(self.building.header.trim());
        }
    }

    fn call(&mut self, call: Call<'_>) {
        self.end_header();
        let (file, line) = std::mem::replace(&mut self.place, (call.file.to_owned(), call.line));
        if !(call.callee.is_empty() && file.is_empty()) {
            self.building.frames.push(frame(&function_name(call.callee), &file, line));
        }
    }

    fn finish(mut self) -> Option<ParsedException> {
        self.end_header();
        let (file, line) = std::mem::take(&mut self.place);
        if !file.is_empty() {
            self.building.frames.push(frame("", &file, line));
        }
        let header = self.header;
        (!self.building.is_empty()).then(|| self.building.finish(|_| header))
    }
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(call) = call(line) {
            self.current.call(call);
        } else if line.starts_with("#") && line.ends_with(" {main}") {
            self.current.end_header();
        } else if let Some(header) = line.strip_prefix("Next ").filter(|_| !self.current.in_header) {
            self.flush();
            self.current.building.header_line(header);
        } else if let Some(header) = line.strip_prefix("[previous exception]") {
            self.outermost_first = true;
            self.flush();
            self.current.building.header_line(header.trim());
        } else if line.starts_with("Stack trace:") || line.starts_with("[stacktrace]") {
            self.current.end_header();
        } else if let Some((file, number)) = thrown_in(line) {
            self.thrown(file, number);
        } else if self.current.in_header {
            self.current.building.header_line(line);
        }
    }

    /// The last line of a fatal error, for texts whose header does not tell the place.
    fn thrown(&mut self, file: &str, line: u32) {
        self.current.end_header();
        match self.current.building.frames.first_mut() {
            Some(crash) if crash.filename.is_none() => {
                let function = crash.function.clone().unwrap_or_default();
                *crash = frame(&function, file, Some(line));
            }
            None if self.current.place.0.is_empty() => self.current.place = (file.to_owned(), Some(line)),
            _ => {}
        }
    }

    fn flush(&mut self) {
        let done = std::mem::replace(&mut self.current, Current::new());
        if let Some(exception) = done.finish() {
            self.chain.push(exception);
        }
    }
}

#[derive(Clone, Copy)]
struct Call<'a> {
    file: &'a str,
    line: Option<u32>,
    callee: &'a str,
}

/// Whether a line is one of a PHP trace.
pub(super) fn is_frame(line: &str) -> bool {
    let line = line.trim();
    call(line).is_some() || (line.starts_with('#') && line.ends_with(" {main}"))
}

/// `#0 /path/file.php(12): callee(args)` or `#1 [internal function]: callee(args)`.
fn call(line: &str) -> Option<Call<'_>> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    text::number(number)?;
    let rest = rest.trim_start();
    if let Some(callee) = rest.strip_prefix("[internal function]: ") {
        return Some(Call { file: "[internal]", line: None, callee });
    }
    let mut searched = 0;
    while let Some((before, _)) = rest.get(searched..)?.split_once("): ") {
        searched += before.len();
        let (head, tail) = rest.split_at_checked(searched)?;
        searched += 3;
        let digits = head.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (path, digits) = head.split_at_checked(head.len() - digits)?;
        if let (Some(path), Some(line)) = (path.strip_suffix('('), text::number(digits)) {
            return Some(Call { file: path, line: Some(line), callee: tail.strip_prefix("): ")? });
        }
    }
    None
}

/// Without arguments; `::` whichever arrow; closures without the place that newer versions put into the name.
fn function_name(callee: &str) -> String {
    let mut name = String::with_capacity(callee.len().min(text::MAX_FUNCTION));
    let mut rest = callee;
    while let Some((before, closure)) = rest.split_once("{closure") {
        if before.contains('(') {
            break;
        }
        name.push_str(before);
        name.push_str("{closure}");
        rest = closure.split_once('}').map_or("", |(_, after)| after);
    }
    name.push_str(rest.split('(').next().unwrap_or_default());
    name.replace("->", "::")
}

fn frame(function: &str, file: &str, line: Option<u32>) -> Frame {
    let mut frame = text::frame(function, file, line, None);
    frame.in_app = Some(in_app::guess(Language::Php, &frame));
    frame
}

/// `Class: message in /path/file.php:12`, with what a log puts before it, or Laravel's `[object] (…)`.
fn read_header(header: &str) -> (Header, Place) {
    if let Some((_, object)) = header.split_once("[object] (") {
        return read_object(object);
    }
    let header = ["Uncaught ", "Fatal error:  ", "Fatal error: "]
        .iter()
        .find_map(|mark| header.split_once(mark))
        .map_or(header, |(_, rest)| rest);
    match header.rsplit_once(" in ") {
        Some((text, place)) if text::location(place).1.is_some() => (Header::read(text), place_of(place)),
        _ => (Header::read(header), (String::new(), None)),
    }
}

/// `Class(code: 0): message at /path/file.php:12)`.
fn read_object(object: &str) -> (Header, Place) {
    let object = object.trim_end().trim_end_matches(')');
    let (kind, rest) = object.split_once("(code: ").unwrap_or((object, ""));
    let message = rest.split_once("): ").map_or("", |(_, message)| message);
    let (value, place) = message.rsplit_once(" at ").unwrap_or((message, ""));
    let header = Header {
        kind: text::filled(kind, text::MAX_TYPE),
        value: text::filled(value, text::MAX_VALUE),
        module: None,
    };
    (header, place_of(place))
}

fn place_of(place: &str) -> Place {
    let (path, line, _) = text::location(place.trim());
    (text::cut(path, text::MAX_PATH), line)
}

/// `thrown in /path/file.php on line 12`.
fn thrown_in(line: &str) -> Option<(&str, u32)> {
    let (file, line) = line.strip_prefix("thrown in ")?.rsplit_once(" on line ")?;
    Some((file, text::number(line.trim())?))
}
