//! `logentry`, `message`, `sentry.interfaces.Message`: one text in four forms.

use super::bag::trim_value;
use super::{Notes, truncate};
use bugle_model::LogMessage;
use serde_json::Value;

const MAX_CHARS: usize = 8192;
const MAX_PARAM_BYTES: usize = 8192;
const MAX_PARAM_DEPTH: u8 = 4;

/// Reads a message: text, or an object of `message` (the template), `params` and `formatted`.
pub(crate) fn message(field: &str, value: Value, notes: &mut Notes) -> Option<LogMessage> {
    let map = match value {
        Value::Object(map) => map,
        other => {
            let formatted = notes.text(field, other, MAX_CHARS)?;
            return Some(LogMessage { formatted: Some(formatted), ..LogMessage::default() });
        }
    };
    let mut message = LogMessage::default();
    for (key, value) in map {
        match key.as_str() {
            "message" | "template" => message.template = notes.text(field, value, MAX_CHARS),
            "formatted" => message.formatted = notes.text(field, value, MAX_CHARS),
            "params" if !is_empty(&value) => {
                let mut params = value;
                trim_value(&mut params, MAX_PARAM_DEPTH, MAX_PARAM_BYTES);
                message.params = Some(params);
            }
            _ => {}
        }
    }
    Some(settle(message)).filter(|message| message != &LogMessage::default())
}

/// `logentry` and a top-level `message` together: the latter is what people read, when the former does not say.
pub(crate) fn merge(logentry: Option<LogMessage>, message: Option<LogMessage>) -> Option<LogMessage> {
    match (logentry, message) {
        (Some(mut logentry), Some(message)) => {
            logentry.template = logentry.template.or(message.template);
            logentry.params = logentry.params.or(message.params);
            logentry.formatted = logentry.formatted.or(message.formatted);
            Some(settle(logentry))
        }
        (one, other) => one.or(other),
    }
}

/// Fills in `formatted` from template and parameters.
pub(crate) fn settled(mut message: LogMessage) -> LogMessage {
    if let (None, Some(template), Some(params)) = (&message.formatted, &message.template, &message.params) {
        let mut formatted = format(template, params);
        truncate(&mut formatted, MAX_CHARS);
        message.formatted = Some(formatted);
    }
    settle(message)
}

/// `formatted` is absent when it equals the template.
fn settle(mut message: LogMessage) -> LogMessage {
    if message.formatted == message.template {
        message.formatted = None;
    }
    message
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Puts parameters into `%s`, `%d`, `%(name)s`, `{}`, `{0}` and `{name}`. What cannot be resolved stays as it
/// is written.
fn format(template: &str, params: &Value) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    let mut next = 0;
    while let Some(at) = rest.find(['%', '{']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some((length, argument)) = placeholder(from) else {
            let (sign, after) = from.split_at(1);
            out.push_str(sign);
            rest = after;
            continue;
        };
        let (written, after) = from.split_at_checked(length).unwrap_or((from, ""));
        if written == "%%" {
            out.push('%');
        } else {
            match lookup(params, argument, &mut next) {
                Some(Value::String(text)) => out.push_str(text),
                Some(other) => out.push_str(&other.to_string()),
                None => out.push_str(written),
            }
        }
        rest = after;
        // Parameters may be long and named often.
        if out.len() > 8 * MAX_CHARS {
            return out;
        }
    }
    out.push_str(rest);
    out
}

/// The length of the placeholder at the start of `text`, and its name; empty for "the next one".
fn placeholder(text: &str) -> Option<(usize, &str)> {
    if let Some(inner) = text.strip_prefix('{') {
        let spec = short_until(inner, b'}')?;
        let name = spec.split([':', '!']).next().unwrap_or_default();
        let is_name =
            name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return is_name.then_some((spec.len() + 2, name));
    }
    let inner = text.strip_prefix('%')?;
    let named = inner.strip_prefix('(').and_then(|named| Some((short_until(named, b')')?, named)));
    let (name, spec, skipped) = match named {
        Some((name, named)) => (name, named.get(name.len() + 1..)?, name.len() + 3),
        None => ("", inner, 1),
    };
    let flags =
        spec.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | '#')).filter(|flags| *flags < 8)?;
    let conversion = spec.get(flags..)?.chars().next()?;
    matches!(conversion, 's' | 'd' | 'i' | 'r' | 'f' | 'u' | 'x' | 'v' | 'e' | 'g' | '%')
        .then_some((skipped + flags + 1, name))
}

/// What stands before `end`, when it is as short as a placeholder.
fn short_until(text: &str, end: u8) -> Option<&str> {
    let at = text.bytes().take(80).position(|byte| byte == end)?;
    text.get(..at)
}

fn lookup<'a>(params: &'a Value, name: &str, next: &mut usize) -> Option<&'a Value> {
    match params {
        Value::Array(list) => match name.parse::<usize>() {
            Ok(index) => list.get(index),
            Err(_) if name.is_empty() => {
                *next += 1;
                list.get(*next - 1)
            }
            Err(_) => None,
        },
        Value::Object(map) => map.get(name),
        scalar if name.is_empty() && *next == 0 => {
            *next += 1;
            Some(scalar)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_put_in() {
        for (template, params, expected) in [
            ("user %s has %d items", json!(["ada", 3]), "user ada has 3 items"),
            ("%(who)s at %(n)05.2f", json!({"who": "bob", "n": 1.5}), "bob at 1.5"),
            ("{} and {1} and {0}", json!(["a", "b"]), "a and b and a"),
            ("{name!r:>10}", json!({"name": "x"}), "x"),
            ("100%% of %s", json!(["x"]), "100% of x"),
            ("100% sure {\"a\": 1} %", json!(["x"]), "100% sure {\"a\": 1} %"),
            ("%s %s", json!(["one"]), "one %s"),
            ("%s", json!("single"), "single"),
            ("{nothing} é%é", json!({}), "{nothing} é%é"),
        ] {
            assert_eq!(format(template, &params), expected, "{template}");
        }
    }

    #[test]
    fn forms_of_a_message() {
        let read = |value: Value| message("logentry", value, &mut Notes::default()).map(settled);
        let form = |template: Option<&str>, formatted: Option<&str>| {
            Some(LogMessage {
                template: template.map(Into::into),
                params: None,
                formatted: formatted.map(Into::into),
            })
        };
        assert_eq!(read(json!("hi")), form(None, Some("hi")));
        assert_eq!(read(json!({"formatted": "hi"})), form(None, Some("hi")));
        assert_eq!(read(json!({"message": "hi", "formatted": "hi"})), form(Some("hi"), None));
        assert_eq!(read(json!({"message": "hi", "params": []})), form(Some("hi"), None));
        assert_eq!(read(json!({})), None);
        assert_eq!(read(json!("")), None);
        assert_eq!(read(json!(null)), None);
        assert_eq!(read(json!(12)), form(None, Some("12")));
        let full = read(json!({"message": "hi %s", "params": ["ada"]})).unwrap();
        assert_eq!(full.text(), "hi ada");
        assert_eq!(full.template.as_deref(), Some("hi %s"));
    }
}
