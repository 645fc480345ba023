//! A trace as text, as a list of texts, or as objects with file, line and function.

use super::value;
use crate::stacktrace::{self, Language};
use bugle_model::{Exception, Frame, Stacktrace};
use serde_json::{Map, Value};

/// Frames that are kept of a list, as of a text.
const MAX_FRAMES: usize = stacktrace::MAX_FRAMES;
/// Of those, how many are of the outer end.
const OUTERMOST: usize = 50;

/// What a trace held: several exceptions when a text told the causes. Innermost first.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) exceptions: Vec<Exception>,
    pub(super) language: Option<Language>,
}

/// Reads any of the forms.
pub(super) fn read(trace: &Value, hint: Option<Language>) -> Found {
    match trace {
        Value::String(text) => from_text(text, hint),
        Value::Array(list) => from_list(list, hint, true),
        Value::Object(object) => match object.get("frames").or_else(|| object.get("values")) {
            // The protocol's own form: the oldest call first.
            Some(Value::Array(list)) => from_list(list, hint, false),
            _ => object
                .get("text")
                .or_else(|| object.get("raw"))
                .and_then(Value::as_str)
                .map_or_else(Found::default, |text| from_text(text, hint)),
        },
        _ => Found::default(),
    }
}

fn from_text(text: &str, hint: Option<Language>) -> Found {
    let Some(language) = stacktrace::detect(text, hint.map(Language::platform)) else {
        return Found::default();
    };
    let exceptions: Vec<_> = stacktrace::parse_as(language, text).into_iter().map(Exception::from).collect();
    Found { language: (!exceptions.is_empty()).then_some(language), exceptions }
}

fn from_list(list: &[Value], hint: Option<Language>, innermost_first: bool) -> Found {
    if list.iter().any(Value::is_object) {
        return from_objects(list, hint, innermost_first);
    }
    let lines: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    let found = from_text(&lines.join("\n"), hint);
    if found.exceptions.is_empty() { from_places(&lines, hint) } else { found }
}

/// `/path/file.php:12`, one a line.
fn from_places(lines: &[&str], hint: Option<Language>) -> Found {
    let frames = lines.iter().filter_map(|line| {
        let (file, row) = line.trim().rsplit_once(':')?;
        let lineno = row.parse().ok()?;
        Some(Frame { filename: Some(value::cut(file, 256)), lineno: Some(lineno), ..Frame::default() })
    });
    finish(frames.collect(), hint, true)
}

fn from_objects(list: &[Value], hint: Option<Language>, innermost_first: bool) -> Found {
    let calls: Vec<Call<'_>> = list.iter().filter_map(Value::as_object).map(Call).collect();
    let is_php = calls.iter().any(|call| matches!(call.text(&["type"]), Some("->" | "::")))
        || (hint == Some(Language::Php)
            && calls.iter().all(|call| call.text(&["filename", "abs_path"]).is_none()));
    let is_java =
        calls.iter().any(|call| call.text(&["declaringClass", "methodName", "className"]).is_some());
    let language = match (is_php, is_java) {
        (true, _) => Some(Language::Php),
        (_, true) if hint != Some(Language::JavaScript) => hint.or(Some(Language::Java)),
        _ => hint,
    };
    let frames = if is_php && innermost_first {
        php_frames(&calls)
    } else {
        calls.iter().map(|call| call.frame(language)).collect()
    };
    finish(frames, language, innermost_first)
}

/// PHP names the place of a call and the callee: a place lies in the function that the next entry calls.
fn php_frames(calls: &[Call<'_>]) -> Vec<Frame> {
    let mut frames = Vec::with_capacity(calls.len() + 1);
    let mut place = Frame::default();
    for call in calls {
        let callee = call.frame(Some(Language::Php));
        let mut frame = std::mem::take(&mut place);
        frame.function = callee.function;
        place = Frame { filename: callee.filename, lineno: callee.lineno, ..Frame::default() };
        frames.push(frame);
    }
    if place.filename.is_some() {
        frames.push(place);
    }
    frames
}

fn finish(mut frames: Vec<Frame>, language: Option<Language>, innermost_first: bool) -> Found {
    if innermost_first {
        frames.reverse();
    }
    let omitted = frames.len().saturating_sub(MAX_FRAMES);
    if omitted > 0 {
        frames.drain(OUTERMOST..OUTERMOST + omitted);
    }
    for frame in frames.iter_mut().filter(|frame| frame.in_app.is_none()) {
        frame.in_app = language.map(|language| stacktrace::guess_in_app(language, frame));
    }
    if frames.is_empty() {
        return Found::default();
    }
    let stacktrace =
        Stacktrace { frames, frames_omitted: (omitted > 0).then_some(omitted), ..Stacktrace::default() };
    Found { exceptions: vec![Exception { stacktrace: Some(stacktrace), ..Exception::default() }], language }
}

/// One entry of a list of objects.
struct Call<'a>(&'a Map<String, Value>);

impl<'a> Call<'a> {
    fn text(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.0.get(*name)?.as_str()).filter(|text| !text.is_empty())
    }

    fn number(&self, names: &[&str]) -> Option<u32> {
        names.iter().find_map(|name| value::number(self.0.get(*name)?)).filter(|number| *number > 0)
    }

    fn frame(&self, language: Option<Language>) -> Frame {
        let class = self.text(&["class", "className", "class_name", "declaringClass", "module"]);
        let name = self.text(&[
            "function",
            "functionName",
            "function_name",
            "methodName",
            "method_name",
            "method",
            "member",
        ]);
        let (module, function) = match (class, name) {
            (Some(class), Some(name)) if language == Some(Language::Php) => {
                (None, Some(format!("{class}::{name}")))
            }
            (class, name) => (class, name.map(str::to_owned)),
        };
        let own = |names: &[&str]| self.text(names).map(|text| value::cut(text, 256));
        Frame {
            function: function.map(|text| value::cut(&text.replace("->", "::"), 512)),
            module: module.map(|text| value::cut(text, 256)),
            package: own(&["package", "library", "moduleName"]),
            filename: own(&["file", "fileName", "filename", "file_name", "filePath", "uri", "url", "source"]),
            abs_path: own(&["abs_path", "absPath"]),
            lineno: self.number(&["line", "lineNumber", "lineno", "line_number"]),
            colno: self.number(&["column", "columnNumber", "colno", "column_number", "col"]),
            in_app: ["in_app", "inApp"].iter().find_map(|name| self.0.get(*name)?.as_bool()),
            context_line: own(&["context_line", "code"]),
            ..Frame::default()
        }
    }
}
