//! The worked examples of `docs/grouping.md`.

use bugle_grouping::{Grouper, Hash, hex};
use bugle_model::Event;
use serde_json::{Map, Value, json};

const DOC: &str = include_str!("../../../../docs/grouping.md");

/// The blocks of the document that are examples.
fn examples() -> Vec<Value> {
    let blocks = DOC.split("```json example\n").skip(1);
    blocks
        .map(|block| {
            let text = block.split("\n```").next().unwrap();
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
        })
        .collect()
}

fn position(place: &str) -> (&str, Vec<u32>) {
    let mut place = place;
    let mut numbers = Vec::new();
    while let Some((head, tail)) = place.rsplit_once(':')
        && let Ok(number) = tail.parse()
    {
        numbers.insert(0, number);
        place = head;
    }
    (place, numbers)
}

/// `~place:12:34 in function @ source line`.
fn frame(text: &str) -> Value {
    let (text, context) =
        text.split_once(" @ ").map_or((text, None), |(text, context)| (text, Some(context)));
    let (place, function) = text.split_once(" in ").map_or((text, None), |(place, name)| (place, Some(name)));
    let flags = [("~", Some(false)), ("?", None)];
    let flagged = flags.into_iter().find_map(|(mark, in_app)| Some((place.strip_prefix(mark)?, in_app)));
    let (place, in_app) = flagged.unwrap_or((place, Some(true)));
    let (place, numbers) = position(place);
    let mut frame = Map::new();
    if place.contains('/') {
        frame.insert("filename".to_owned(), json!(place.trim_end_matches('/')));
        frame.insert("abs_path".to_owned(), json!(place.trim_end_matches('/')));
    } else if !place.is_empty() {
        frame.insert("module".to_owned(), json!(place));
    }
    let optional =
        [("function", json!(function)), ("context_line", json!(context)), ("in_app", json!(in_app))];
    let position = [("lineno", json!(numbers.first())), ("colno", json!(numbers.get(1)))];
    for (key, value) in optional.into_iter().chain(position) {
        if !value.is_null() {
            frame.insert(key.to_owned(), value);
        }
    }
    Value::Object(frame)
}

fn frames(list: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for entry in list.as_array().unwrap() {
        match entry {
            Value::String(text) => out.push(frame(text)),
            block => {
                let inner = frames(&block["frames"]);
                for _ in 0..block["times"].as_u64().unwrap() {
                    out.extend(inner.iter().cloned());
                }
            }
        }
    }
    out
}

/// Puts `stacktrace` in the place of the short `frames`.
fn with_stacktrace(short: &Value) -> Map<String, Value> {
    let mut full = short.as_object().unwrap().clone();
    if let Some(list) = full.remove("frames") {
        full.insert("stacktrace".to_owned(), json!({ "frames": frames(&list) }));
    }
    full
}

fn exception(short: &Value) -> Value {
    let mut full = with_stacktrace(short);
    let mut mechanism = Map::new();
    for (short, long) in [
        ("synthetic", "synthetic"),
        ("group", "is_exception_group"),
        ("id", "exception_id"),
        ("parent", "parent_id"),
    ] {
        if let Some(value) = full.remove(short) {
            mechanism.insert(long.to_owned(), value);
        }
    }
    if !mechanism.is_empty() {
        mechanism.insert("type".to_owned(), json!("generic"));
        full.insert("mechanism".to_owned(), Value::Object(mechanism));
    }
    Value::Object(full)
}

fn event(base: &Value, short: &Value) -> Event {
    let mut full = json!({
        "event_id": "00000000-0000-4000-8000-000000000001",
        "timestamp": "2026-11-20T18:02:44Z",
        "level": "error",
        "platform": "other",
    });
    let fields = base.as_object().into_iter().flatten().chain(short.as_object().unwrap());
    for (key, value) in fields {
        full[key] = match key.as_str() {
            "exceptions" => value.as_array().unwrap().iter().map(exception).collect(),
            "threads" => {
                value.as_array().unwrap().iter().map(|t| Value::Object(with_stacktrace(t))).collect()
            }
            "message" if value.is_string() => json!({ "formatted": value }),
            _ => value.clone(),
        };
    }
    serde_json::from_value(full).unwrap()
}

/// Finds issues as the recorder does: the first known hash wins, and all are attached.
#[derive(Default)]
struct Issues(Vec<(Hash, usize)>, usize);

impl Issues {
    fn of(&mut self, hashes: &[Hash]) -> usize {
        let known = hashes.iter().find_map(|hash| self.0.iter().find(|(known, _)| known == hash));
        let issue = known.map_or_else(
            || {
                self.1 += 1;
                self.1
            },
            |(_, issue)| *issue,
        );
        for hash in hashes {
            if !self.0.iter().any(|(known, _)| known == hash) {
                self.0.push((*hash, issue));
            }
        }
        issue
    }
}

fn check(example: &Value) -> Vec<String> {
    let name = example["name"].as_str().unwrap();
    let grouper = Grouper::new(example["rules"].as_str().unwrap_or_default()).unwrap();
    let mut issues = Issues::default();
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for kind in ["same", "different"] {
        for (number, short) in example[kind].as_array().unwrap().iter().enumerate() {
            let event = event(&example["base"], short);
            let grouping = grouper.group(&event);
            let issue = issues.of(&grouping.hashes);
            let right = if kind == "same" {
                seen.is_empty() || seen.contains(&issue)
            } else {
                !seen.contains(&issue)
            };
            let explained = grouper.explain(&event);
            if !right {
                let why = serde_json::to_string_pretty(&explained).unwrap();
                wrong.push(format!("{name}: {kind} {number} is in issue {issue}: {why}"));
            }
            seen.push(issue);
            let explained: Vec<_> = explained.hashes.into_iter().map(|named| named.hash).collect();
            let hashes: Vec<_> = grouping.hashes.iter().map(hex).collect();
            assert_eq!(explained, hashes, "{name}: explain and group differ");
            if kind == "same" && number == 0 {
                for (field, found) in [("title", Some(grouping.title)), ("culprit", grouping.culprit)] {
                    let expected = example[field].as_str();
                    if expected.is_some() && expected != found.as_deref() {
                        wrong.push(format!("{name}: the {field} is {found:?}"));
                    }
                }
            }
        }
    }
    wrong
}

#[test]
fn the_documents_examples_hold() {
    let examples = examples();
    assert!(examples.len() >= 40, "the document has {} examples", examples.len());
    let wrong: Vec<_> = examples.iter().flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_documents_rules_are_valid() {
    let rules = DOC.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap();
    Grouper::new(rules).unwrap();
}
