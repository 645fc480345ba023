//! A webhook's own body: a minijinja template that cannot take more than its share.
//!
//! Fuel bounds the steps and the writer bounds the output, but a value in between could still double with each step.
//! So whatever builds new text out of values is left out (`~`, `+`, `*`, `set`, `filter` blocks), and each filter bounds
//! what it gives.

use minijinja::{Environment, Error, ErrorKind, Value};
use std::io;

/// Instructions that one rendering may take.
const FUEL: u64 = 20_000;
/// Bytes that one rendering may write.
const MAX_OUTPUT: usize = 64 * 1024;
/// Bytes that a filter may give.
const MAX_VALUE: usize = 64 * 1024;
/// Operators and statements that could make a value grow without a bound.
const FORBIDDEN_CHARACTERS: &[char] = &['~', '+', '*'];
const FORBIDDEN_WORDS: &[&str] = &["set", "filter", "macro", "call", "include", "import", "extends", "block"];

/// Renders the body and tells its content type: JSON when it is, else plain text.
///
/// # Errors
/// A sentence for people: what is wrong with the template, or which limit it broke.
pub fn render(source: &str, payload: &serde_json::Value) -> Result<(String, &'static str), String> {
    check(source)?;
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    add_filters(&mut environment);
    let explain = |error: &Error| match error.kind() {
        ErrorKind::OutOfFuel => format!("template: needs more than {FUEL} steps"),
        ErrorKind::WriteFailure => format!("template: gives more than {MAX_OUTPUT} bytes"),
        _ => format!("template: {error}"),
    };
    let template = environment.template_from_str(source).map_err(|error| explain(&error))?;
    let mut output = Bounded(Vec::new());
    template.render_captured_to(payload, &mut output).map_err(|error| explain(&error))?;
    let body = String::from_utf8(output.0).map_err(|_| "template: gives no UTF-8".to_owned())?;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    Ok((body, if is_json { "application/json" } else { "text/plain; charset=utf-8" }))
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses what is forbidden inside of tags; text and string literals may hold anything.
fn check(source: &str) -> Result<(), String> {
    let mut rest = source;
    while let Some((_, tag)) = ["{{", "{%", "{#"]
        .iter()
        .filter_map(|open| rest.split_once(open).map(|(before, after)| (before.len(), (*open, after))))
        .min_by_key(|(at, _)| *at)
    {
        rest = match tag {
            ("{#", after) => after.split_once("#}").map_or("", |(_, after)| after),
            (_, after) => check_tag(after)?,
        };
    }
    Ok(())
}

/// Checks from behind a tag's opening; what follows the tag.
fn check_tag(tag: &str) -> Result<&str, String> {
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    let mut characters = tag.chars();
    while let Some(c) = characters.next() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if let Some(found) = FORBIDDEN_WORDS.iter().find(|forbidden| **forbidden == word) {
            return Err(format!("template: `{found}` is not available"));
        }
        word.clear();
        if FORBIDDEN_CHARACTERS.contains(&c) {
            return Err(format!("template: `{c}` is not available"));
        }
        let after = characters.as_str();
        if matches!(c, '}' | '%') && after.starts_with('}') {
            return Ok(after.strip_prefix('}').unwrap_or(after));
        }
        quote = matches!(c, '"' | '\'').then_some(c);
    }
    Ok("")
}

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", |value: Value| {
        let text = serde_json::to_string(&value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
        bounded(text)
    });
    environment.add_filter("upper", |text: String| bounded(text.to_uppercase()));
    environment.add_filter("lower", |text: String| bounded(text.to_lowercase()));
    environment.add_filter("trim", |text: String| bounded(text.trim().to_owned()));
    environment
        .add_filter("truncate", |text: String, limit: usize| bounded(crate::content::cut(&text, limit)));
    environment.add_filter(
        "default",
        |value: Value, other: Value| {
            if value.is_undefined() || value.is_none() { other } else { value }
        },
    );
    environment.add_filter("length", |value: Value| {
        value.len().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "length: neither text nor list"))
    });
    environment.add_filter("first", |value: Value| {
        value.try_iter().map(|mut items| items.next().unwrap_or(Value::UNDEFINED))
    });
}

fn bounded(text: String) -> Result<String, Error> {
    if text.len() > MAX_VALUE {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value has more than {MAX_VALUE} bytes"),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payload() -> serde_json::Value {
        json!({"type": "issue.opened", "data": {"issue": {"title": "a \"b\" <c>", "short_id": "SHOP-1"}}})
    }

    #[test]
    fn renders_json_and_text() {
        let (body, kind) = render(r#"{"text": {{ data.issue.title | tojson }}}"#, &payload()).unwrap();
        assert_eq!((body.as_str(), kind), (r#"{"text": "a \"b\" <c>"}"#, "application/json"));
        let (body, kind) =
            render("{% if data.issue %}{{ data.issue.short_id|lower }}: +~*{% endif %}", &payload()).unwrap();
        assert_eq!((body.as_str(), kind), ("shop-1: +~*", "text/plain; charset=utf-8"));
        let (body, _) = render(
            "{{ data.nothing.at_all | default('none + set') }}{# ~ #}",
            &json!({"data": {"nothing": {}}}),
        )
        .unwrap();
        assert_eq!(body, "none + set");
    }

    #[test]
    fn steps_and_size_are_bounded() {
        let nested = "{% for a in [1,2,3,4,5,6,7,8,9,0] %}".repeat(6) + "x" + &"{% endfor %}".repeat(6);
        assert_eq!(render(&nested, &payload()).unwrap_err(), "template: needs more than 20000 steps");
        let long = format!("{{% for a in [1,2,3,4,5,6] %}}{}{{% endfor %}}", "x".repeat(15_000));
        assert_eq!(render(&long, &payload()).unwrap_err(), "template: gives more than 65536 bytes");
        let chain = format!("{{{{ data {} }}}}", "| tojson".repeat(40));
        assert!(render(&chain, &payload()).unwrap_err().contains("65536 bytes"));
    }

    #[test]
    fn nothing_that_grows_values_is_available() {
        for source in [
            "{{ 'a' * 1000000000 }}",
            "{% set x = 'a' %}",
            "{%set x%}a{%endset%}",
            "{{ a ~ a }}",
            "{{ [1] + [2] }}",
            "{% filter upper %}a{% endfilter %}",
            "{% include 'a' %}",
            "{{ 2 ** 1000 }}",
            "{{ range(1000000) }}",
            "{{ 'a'|replace('a', 'b') }}",
            "{{ '%99999999d'|format(1) }}",
            "{{ 'a\\'' * 9 }}",
            "{% macro a() %}{% endmacro %}",
        ] {
            assert!(render(source, &payload()).unwrap_err().starts_with("template: "), "{source}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for source in ["{{ a", "{% if %}", "{{ nope() }}", "{{ 'a'|nope }}", "{% endfor %}", "{% for %}"] {
            assert!(render(source, &payload()).unwrap_err().starts_with("template: "), "{source}");
        }
    }
}
