//! The names that clients give their fields, and what may stand in them.
//!
//! A name is compared without case, `_`, `-`, `.` and blanks, so `exception_class`, `exceptionClass` and
//! `Exception-Class` are one. Where several names of one field are sent, the first in the table wins and the
//! others are kept as extra.

use bugle_model::ItemKind;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field as the client named it; `body` for the whole.
    pub field: String,
    /// What is wrong with it, the limit included; never what was sent.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// What the fields mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    AppId,
    AppName,
    AppVersion,
    Breadcrumbs,
    Browser,
    BrowserVersion,
    Code,
    Column,
    Context,
    Contexts,
    Cookies,
    Device,
    DeviceModel,
    Dist,
    Environment,
    EventId,
    Exception,
    ExceptionType,
    Fatal,
    File,
    Fingerprint,
    Function,
    Handled,
    Headers,
    Host,
    Ip,
    Level,
    Line,
    Logger,
    Manufacturer,
    Message,
    Method,
    Os,
    OsVersion,
    Platform,
    Previous,
    Priority,
    Query,
    Release,
    Request,
    RequestBody,
    RequestId,
    Response,
    ResponseBody,
    ResponseHeaders,
    ResponseStatus,
    RuntimeVersion,
    Session,
    Severity,
    SpanId,
    Tags,
    Timestamp,
    Trace,
    TraceId,
    Transaction,
    Url,
    User,
    UserAgent,
    UserEmail,
    UserId,
    UserName,
}

/// What may stand in a field. A number or flag is taken as a text, a text of digits as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Number,
    Flag,
    TextOrObject,
    TextOrList,
    TextListOrObject,
    ListOrObject,
    Any,
}

impl Form {
    fn fits(self, value: &Value) -> bool {
        let text = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        match self {
            Self::Text => text,
            Self::Number => {
                value.is_number() || value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok())
            }
            Self::Flag => super::value::flag(value).is_some(),
            Self::TextOrObject => text || value.is_object(),
            Self::TextOrList => text || value.is_array(),
            Self::TextListOrObject => text || value.is_array() || value.is_object(),
            Self::ListOrObject => value.is_array() || value.is_object(),
            Self::Any => true,
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Text => "expected a text",
            Self::Number => "expected a number",
            Self::Flag => "expected true or false",
            Self::TextOrObject => "expected a text or an object",
            Self::TextOrList => "expected a text or a list",
            Self::TextListOrObject => "expected a text, a list or an object",
            Self::ListOrObject => "expected a list or an object",
            Self::Any => "unexpected",
        }
    }
}

type Spec = (Field, Form, &'static [&'static str]);

#[rustfmt::skip]
const SPECS: &[Spec] = &[
    (Field::Message, Form::Text, &["message", "errormessage", "exceptionmessage", "msg", "description", "title", "@m", "@mt"]),
    (Field::ExceptionType, Form::Text, &["exceptionclass", "exceptiontype", "errortype", "errorclass", "exceptionname", "errorname", "classname", "type", "class", "@class"]),
    (Field::Exception, Form::TextListOrObject, &["exception", "error", "throwable", "exceptions", "err"]),
    (Field::Code, Form::Text, &["code", "errorcode", "exceptioncode"]),
    (Field::File, Form::Text, &["file", "filename", "filepath", "sourcefile"]),
    (Field::Line, Form::Number, &["line", "lineno", "linenumber"]),
    (Field::Column, Form::Number, &["column", "col", "colno", "columnnumber"]),
    (Field::Function, Form::Text, &["function", "functionname", "methodname"]),
    (Field::Trace, Form::TextListOrObject, &["stacktrace", "stack", "trace", "backtrace", "traceback", "errorstack", "callstack", "exceptiontrace", "stacktracestring", "extendedstacktrace", "excinfo", "exctext", "@x", "frames"]),
    (Field::Previous, Form::TextListOrObject, &["previous", "cause", "causedby", "causes", "previousexception", "innerexception", "chain"]),
    (Field::Handled, Form::Flag, &["handled", "ishandled"]),
    (Field::Fatal, Form::Flag, &["fatal", "isfatal", "crash", "crashed", "unhandled"]),
    (Field::Severity, Form::Text, &["severity"]),
    (Field::Level, Form::Text, &["level", "levelname", "loglevel", "@l"]),
    (Field::Priority, Form::Text, &["priority"]),
    (Field::Url, Form::Text, &["url", "requesturl", "fullurl", "uri", "requesturi", "pageurl", "href"]),
    (Field::Method, Form::Text, &["method", "httpmethod", "requestmethod", "verb"]),
    (Field::Headers, Form::ListOrObject, &["headers", "requestheaders"]),
    (Field::Query, Form::TextListOrObject, &["query", "querystring", "queryparams"]),
    (Field::Cookies, Form::TextListOrObject, &["cookies"]),
    (Field::RequestBody, Form::Any, &["requestbody", "requestdata", "input", "params", "payload", "body"]),
    (Field::Request, Form::TextOrObject, &["request", "http"]),
    (Field::Response, Form::TextOrObject, &["response"]),
    (Field::ResponseStatus, Form::Number, &["responsestatus", "statuscode", "responsestatuscode", "httpstatus", "responsecode", "status"]),
    (Field::ResponseBody, Form::Any, &["responsebody", "responsedata"]),
    (Field::ResponseHeaders, Form::ListOrObject, &["responseheaders"]),
    (Field::User, Form::TextOrObject, &["user"]),
    (Field::UserId, Form::Text, &["userid", "uid"]),
    (Field::UserEmail, Form::Text, &["useremail"]),
    (Field::UserName, Form::Text, &["username"]),
    (Field::Ip, Form::Text, &["ip", "ipaddress", "clientip", "userip", "remoteaddr", "remoteaddress"]),
    (Field::UserAgent, Form::Text, &["useragent"]),
    (Field::Browser, Form::TextOrObject, &["browser", "browsername"]),
    (Field::BrowserVersion, Form::Text, &["browserversion"]),
    (Field::Os, Form::TextOrObject, &["os", "osname", "operatingsystem"]),
    (Field::OsVersion, Form::Text, &["osversion", "platformversion", "androidversion", "iosversion", "systemversion"]),
    (Field::Device, Form::TextOrObject, &["device", "deviceinfo", "devicename"]),
    (Field::DeviceModel, Form::Text, &["devicemodel", "model"]),
    (Field::Manufacturer, Form::Text, &["manufacturer", "devicemanufacturer", "devicebrand", "brand"]),
    (Field::Platform, Form::Text, &["platform", "language", "lang"]),
    (Field::RuntimeVersion, Form::Text, &["phpversion", "javaversion", "jvmversion", "dartversion", "flutterversion", "nodeversion", "runtimeversion"]),
    (Field::Release, Form::Text, &["release"]),
    (Field::AppVersion, Form::Text, &["appversion", "applicationversion", "version", "versionname", "serviceversion"]),
    (Field::Dist, Form::Text, &["dist", "buildnumber", "build", "appbuild", "versioncode"]),
    (Field::AppId, Form::Text, &["appid", "bundleid", "packagename", "applicationid", "appidentifier"]),
    (Field::AppName, Form::Text, &["service", "servicename", "appname", "applicationname", "application", "app"]),
    (Field::Environment, Form::Text, &["environment", "env", "appenv", "stage", "serviceenvironment"]),
    (Field::Session, Form::TextOrObject, &["sessionid", "session"]),
    (Field::Context, Form::TextListOrObject, &["context", "extra", "metadata", "meta", "data", "customdata", "additionaldata", "additionalinfo", "properties", "attributes"]),
    (Field::Contexts, Form::ListOrObject, &["contexts"]),
    (Field::Tags, Form::ListOrObject, &["tags", "labels"]),
    (Field::Fingerprint, Form::TextOrList, &["fingerprint", "groupingkey"]),
    (Field::Breadcrumbs, Form::ListOrObject, &["breadcrumbs"]),
    (Field::Timestamp, Form::TextListOrObject, &["timestamp", "occurredat", "datetime", "time", "@timestamp", "ts", "date", "createdat", "asctime", "@t"]),
    (Field::RequestId, Form::Text, &["requestid", "xrequestid", "correlationid"]),
    (Field::TraceId, Form::Text, &["traceid"]),
    (Field::SpanId, Form::Text, &["spanid"]),
    (Field::Host, Form::Text, &["hostname", "host", "servername", "server", "instance", "machine"]),
    (Field::Logger, Form::Text, &["logger", "loggername", "loglogger", "channel"]),
    (Field::Transaction, Form::Text, &["transaction", "route", "routename", "endpoint", "screen", "screenname", "path", "action", "view"]),
    (Field::EventId, Form::Text, &["eventid", "id", "uuid"]),
];

struct Entry {
    field: Field,
    form: Form,
    rank: usize,
}

static NAMES: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for &(field, form, aliases) in SPECS {
        for (rank, alias) in aliases.iter().enumerate() {
            names.insert(*alias, Entry { field, form, rank });
        }
    }
    names
});

/// The name as it is compared.
pub(super) fn squash(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.' | ' '))
        .take(64)
        .collect::<String>()
        .to_ascii_lowercase()
}

fn lookup(kind: ItemKind, squashed: &str) -> Option<(Field, Form, usize)> {
    let own = match kind {
        ItemKind::WebhookLaravel => super::laravel::name(squashed),
        ItemKind::WebhookJava => super::java::name(squashed),
        ItemKind::WebhookFrontend | ItemKind::Frontend => super::frontend::name(squashed),
        ItemKind::WebhookMobile => super::mobile::name(squashed),
        _ => super::generic::name(squashed),
    };
    let entry = |name: &str| NAMES.get(name).map(|entry| (entry.field, entry.form, entry.rank));
    match own {
        // Any name of the field serves to find its form; such an alias ranks behind the common ones.
        Some(canonical) => entry(canonical).map(|(field, form, _)| (field, form, usize::MAX)),
        None => entry(squashed),
    }
}

/// Whether a field of that name means something to the webhook; any other is kept as extra.
#[must_use]
pub fn is_known_field(kind: ItemKind, name: &str) -> bool {
    lookup(kind, &squash(name)).is_some()
}

/// One object's fields under their meaning.
#[derive(Debug, Default)]
pub(super) struct Fields {
    known: BTreeMap<Field, (usize, String, Value)>,
    /// Everything that has no meaning here, as sent.
    pub(super) unknown: Map<String, Value>,
    /// Fields of the wrong type.
    pub(super) errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn read(kind: ItemKind, object: Map<String, Value>) -> Self {
        let mut fields = Self::default();
        for (name, value) in object {
            let squashed = squash(&name);
            if value.is_null() {
                continue;
            }
            let Some((field, form, rank)) = lookup(kind, &squashed) else {
                fields.unknown.insert(name, value);
                continue;
            };
            let is_part = matches!(field, Field::Exception | Field::Previous | Field::Trace);
            if is_part && value == Value::Bool(false) {
                continue;
            }
            let lenient = rank > 0 && is_ambiguous(&squashed);
            if !form.fits(&value) {
                if lenient {
                    fields.unknown.insert(name, value);
                } else {
                    fields.errors.push(FieldError::new(super::value::cut(&name, 64), form.expected()));
                }
                continue;
            }
            fields.put(field, rank, name, value);
        }
        fields
    }

    fn put(&mut self, field: Field, rank: usize, name: String, value: Value) {
        match self.known.get(&field) {
            Some((kept, _, _)) if *kept <= rank => {
                self.unknown.insert(name, value);
            }
            _ => {
                if let Some((_, name, value)) = self.known.insert(field, (rank, name, value)) {
                    self.unknown.insert(name, value);
                }
            }
        }
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.known.get(&field).is_some_and(|(_, _, value)| !super::value::is_blank(value))
    }

    pub(super) fn take(&mut self, field: Field) -> Option<Value> {
        self.known.remove(&field).map(|(_, _, value)| value)
    }

    /// A text that is not blank, cut to so many characters.
    pub(super) fn text(&mut self, field: Field, max: usize) -> Option<String> {
        self.take(field).and_then(|value| super::value::text(&value, max))
    }

    pub(super) fn number(&mut self, field: Field) -> Option<u32> {
        self.take(field).and_then(|value| super::value::number(&value))
    }

    pub(super) fn flag(&mut self, field: Field) -> Option<bool> {
        self.take(field).and_then(|value| super::value::flag(&value))
    }

    pub(super) fn put_value(&mut self, field: Field, value: Value) {
        self.known.insert(field, (0, String::new(), value));
    }

    pub(super) fn set(&mut self, field: Field, text: &str) {
        self.put_value(field, Value::String(text.to_owned()));
    }

    /// Gives what is missing here from `other`.
    pub(super) fn fill_from(&mut self, other: &mut Self, wanted: &[Field]) {
        for field in wanted {
            if !self.has(*field)
                && let Some(entry) = other.known.remove(field)
            {
                self.known.insert(*field, entry);
            }
        }
    }
}

/// Words so common that a value of another type is something else, not a mistake.
fn is_ambiguous(squashed: &str) -> bool {
    matches!(
        squashed,
        "status"
            | "type"
            | "class"
            | "title"
            | "description"
            | "date"
            | "time"
            | "app"
            | "application"
            | "path"
            | "view"
            | "action"
            | "version"
            | "build"
            | "server"
            | "instance"
            | "id"
            | "crash"
            | "fatal"
            | "screen"
            | "model"
            | "channel"
            | "host"
            | "query"
            | "params"
            | "col"
            | "env"
            | "code"
            | "labels"
            | "name"
    )
}
