//! The exception and its causes, from whichever of the forms the client chose.

use super::fields::{Field, FieldError, Fields};
use super::{frames, value};
use crate::stacktrace::{self, Language, MAX_EXCEPTIONS};
use bugle_model::{Exception, Frame, ItemKind, Mechanism, Stacktrace};
use serde_json::Value;

/// Characters of a message and of an exception's value.
const MAX_TEXT: usize = 8192;
/// Characters of a trace that could not be read and is kept as it is.
const MAX_RAW: usize = 16 * 1024;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Innermost cause first.
    pub(super) exceptions: Vec<Exception>,
    /// The message, when it says something that no exception does.
    pub(super) message: Option<String>,
    /// Whose the frames are.
    pub(super) language: Option<Language>,
    /// A trace in which no line looked like a frame.
    pub(super) unread_trace: Option<String>,
    pub(super) notes: Vec<FieldError>,
}

/// Reads the chain out of the fields.
pub(super) fn read(kind: ItemKind, fields: &mut Fields, hint: Option<Language>) -> Read {
    let mut reader =
        Reader { kind, hint, is_logged: false, read: Read::default(), outermost_first: Vec::new() };
    let mut message = fields.text(Field::Message, MAX_TEXT);
    let mut next = reader.first(fields, &mut message);
    while let Some(mut node) = next {
        reader.node(&mut node);
        next = reader.causes(&mut node);
    }
    let mut exceptions = reader.outermost_first;
    exceptions.truncate(MAX_EXCEPTIONS);
    exceptions.reverse();
    let said = exceptions.iter().any(|exception| exception.value == message);
    Read { message: if said { None } else { message }, exceptions, ..reader.read }
}

struct Reader {
    kind: ItemKind,
    hint: Option<Language>,
    /// The message beside the next exception may be what was logged, not what was thrown.
    is_logged: bool,
    read: Read,
    outermost_first: Vec<Exception>,
}

/// The fields of one exception, on the top level or in an object of its own.
const OWN: &[Field] = &[
    Field::ExceptionType,
    Field::Code,
    Field::File,
    Field::Line,
    Field::Column,
    Field::Function,
    Field::Trace,
    Field::Previous,
];

impl Reader {
    /// The outermost exception's fields; `None` when the client sent only a message.
    fn first(&mut self, fields: &mut Fields, message: &mut Option<String>) -> Option<Fields> {
        let mut node = match fields.take(Field::Exception) {
            Some(Value::Object(object)) => self.fields(object),
            Some(Value::Array(list)) => self.list(list)?,
            Some(other) => named(&other, message),
            None => Fields::default(),
        };
        node.fill_from(fields, OWN);
        let is_exception = [Field::ExceptionType, Field::File, Field::Trace, Field::Previous]
            .iter()
            .any(|field| node.has(*field))
            || node.has(Field::Message);
        let loud = message.as_deref().and_then(uncaught);
        if let Some(text) = message.as_deref().filter(|_| !node.has(Field::Message)) {
            if !is_exception && loud.is_none() {
                return None;
            }
            let (class, text) = match loud.filter(|_| !node.has(Field::ExceptionType)) {
                Some((class, text)) => (Some(class), text),
                None => (None, text),
            };
            node.set(Field::Message, text);
            match class {
                Some(class) => {
                    node.set(Field::ExceptionType, class);
                    *message = None;
                }
                None => self.is_logged = true,
            }
        }
        Some(node)
    }

    fn fields(&mut self, object: serde_json::Map<String, Value>) -> Fields {
        let mut fields = Fields::read(self.kind, object);
        self.read.notes.append(&mut fields.errors);
        if !fields.has(Field::ExceptionType)
            && let Some(name) = fields.unknown.remove("name").and_then(|name| value::text(&name, 256))
        {
            fields.set(Field::ExceptionType, &name);
        }
        if !fields.has(Field::Message)
            && let Some(text) = fields.unknown.remove("value").and_then(|text| value::text(&text, MAX_TEXT))
        {
            fields.set(Field::Message, &text);
        }
        fields
    }

    /// A list of exceptions, the outermost first: the rest of it are the causes.
    fn list(&mut self, list: Vec<Value>) -> Option<Fields> {
        let mut list = list.into_iter().take(MAX_EXCEPTIONS);
        let first = list.next()?;
        let mut node = match first {
            Value::Object(object) => self.fields(object),
            other => named(&other, &mut None),
        };
        let rest: Vec<Value> = list.collect();
        if !rest.is_empty() && !node.has(Field::Previous) {
            node.put_value(Field::Previous, Value::Array(rest));
        }
        Some(node)
    }

    fn causes(&mut self, node: &mut Fields) -> Option<Fields> {
        let previous = node.take(Field::Previous)?;
        if value::is_blank(&previous) || self.outermost_first.len() >= MAX_EXCEPTIONS {
            return None;
        }
        match previous {
            Value::Object(object) => Some(self.fields(object)),
            Value::Array(list) => self.list(list),
            other => Some(named(&other, &mut None)),
        }
    }

    /// One exception; a textual trace may bring the causes along.
    fn node(&mut self, node: &mut Fields) {
        let mut parsed = self.trace(node.take(Field::Trace));
        let mut own = parsed.pop().unwrap_or_default();
        let class = node.text(Field::ExceptionType, 256);
        let message = node.text(Field::Message, MAX_TEXT);
        let is_told = std::mem::take(&mut self.is_logged)
            && own.value.is_some()
            && class.as_deref().is_none_or(|class| is_named(&own, class));
        if let Some(class) = class {
            self.name(&mut own, &class);
        }
        if message.is_some() && !is_told {
            own.value = message;
        }
        self.place(&mut own, node);
        if !self.outermost_first.is_empty() && own.mechanism.is_none() {
            own.mechanism = Some(Mechanism {
                kind: "chained".to_owned(),
                source: Some("cause".to_owned()),
                ..Mechanism::default()
            });
        }
        if let (Some(code), Some(class)) =
            (node.text(Field::Code, 64).filter(|code| code != "0"), own.kind.as_ref())
        {
            let mechanism = own
                .mechanism
                .get_or_insert_with(|| Mechanism { kind: "generic".to_owned(), ..Mechanism::default() });
            let data = serde_json::json!({ "code": code, "class": class });
            mechanism.other.insert("data".to_owned(), data);
        }
        self.outermost_first.push(own);
        if !parsed.is_empty() {
            // The text told the causes: the same as objects would be twice.
            node.take(Field::Previous);
        }
        parsed.reverse();
        self.outermost_first.append(&mut parsed);
    }

    /// The class; Java's and Kotlin's without the package, as their SDKs send it.
    fn name(&self, own: &mut Exception, class: &str) {
        let is_java = self.read.language.or(self.hint) == Some(Language::Java);
        match class.rsplit_once('.').filter(|(package, _)| is_java && !package.is_empty()) {
            Some((package, short)) => {
                own.module = Some(value::cut(package, 256));
                own.kind = Some(short.to_owned());
            }
            None => {
                own.module = None;
                own.kind = Some(class.to_owned());
            }
        }
    }

    fn trace(&mut self, trace: Option<Value>) -> Vec<Exception> {
        let Some(trace) = trace.filter(|trace| !value::is_blank(trace)) else { return Vec::new() };
        let found = frames::read(&trace, self.hint);
        if found.exceptions.is_empty() {
            self.read.unread_trace = value::any_text(&trace, MAX_RAW);
        }
        self.read.language = self.read.language.or(found.language);
        found.exceptions
    }

    /// File and line, where the frames do not tell them.
    fn place(&self, own: &mut Exception, node: &mut Fields) {
        let mut line = node.number(Field::Line);
        let column = node.number(Field::Column);
        let function = node.text(Field::Function, 512);
        let Some(mut file) = node.text(Field::File, 256) else { return };
        let language = self.read.language.or(self.hint);
        // Monolog writes both as one.
        if let (None, Some(Language::Php), Some((path, row))) = (line, language, file.rsplit_once(':'))
            && let Ok(row) = row.parse()
        {
            line = Some(row);
            file = path.to_owned();
        }
        let stacktrace = own.stacktrace.get_or_insert_with(Stacktrace::default);
        let is_php = language == Some(Language::Php);
        match stacktrace.frames.last_mut() {
            Some(crash) if is_php && crash.filename.is_none() => {
                crash.filename = Some(file);
                crash.lineno = line;
                crash.in_app = Some(stacktrace::guess_in_app(Language::Php, crash));
                return;
            }
            // A trace of PHP tells where the calls were made, not where it was thrown.
            Some(call) if is_php && call.function.is_none() && call.lineno != line => {}
            Some(_) => return,
            None => {}
        }
        let mut frame =
            Frame { function, filename: Some(file), lineno: line, colno: column, ..Frame::default() };
        frame.in_app = language.map(|language| stacktrace::guess_in_app(language, &frame));
        stacktrace.frames.push(frame);
    }
}

/// `exception` as a text: a class, `Class: message`, a whole trace, or a message.
fn named(text: &Value, message: &mut Option<String>) -> Fields {
    let mut node = Fields::default();
    let Some(text) = value::text(text, stacktrace::MAX_TEXT) else { return node };
    if stacktrace::is_type(&text) {
        node.set(Field::ExceptionType, &text);
    } else if text.contains('\n') && stacktrace::detect(&text, None).is_some() {
        node.set(Field::Trace, &text);
    } else if let Some((class, value)) = stacktrace::split_type(&text) {
        node.set(Field::ExceptionType, class);
        node.set(Field::Message, value);
    } else {
        let text = value::cut(&text, MAX_TEXT);
        node.set(Field::Message, &text);
        message.get_or_insert(text);
    }
    node
}

/// Whether the trace's own head names that class, with or without its package.
fn is_named(exception: &Exception, class: &str) -> bool {
    let short = |name: &str| name.rsplit(['.', '\\']).next().unwrap_or(name).to_owned();
    exception.kind.as_deref().is_some_and(|kind| short(kind) == short(class))
}

/// `Uncaught TypeError: x is undefined`, as browsers give it to `window.onerror`.
fn uncaught(message: &str) -> Option<(&str, &str)> {
    let (class, text) = stacktrace::split_type(message)?;
    let is_class = class.ends_with("Error") || class.ends_with("Exception");
    (is_class && !text.is_empty()).then_some((class, text))
}
