//! Reads settings one by one from the file and the environment and collects what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The key as written where it was found: `http_addr` in a file, `BUGLE_HTTP_ADDR` in the environment.
    pub key: String,
    /// Where it was found: the file's name, or `environment`.
    pub source: String,
    /// What is wrong, and what is expected.
    pub problem: String,
}

/// Every mistake, in the order of the keys. Printed one a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        for error in &self.0 {
            write!(f, "\n  {} ({}): {}", error.key, error.source, error.problem)?;
        }
        Ok(())
    }
}

/// A value with where it came from.
#[derive(Debug, Clone)]
struct Entry {
    key: String,
    source: String,
    value: Value,
}

/// Everything is text in the end, so that both sources follow one set of rules.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// One value.
    Text(String),
    /// A TOML array.
    List(Vec<String>),
    /// A TOML array of tables or a table, for the few settings that have parts.
    Tables(Vec<toml::Table>),
}

/// The settings not yet taken, and what was wrong with those taken.
pub(super) struct Reader {
    entries: BTreeMap<String, Entry>,
    known: BTreeSet<&'static str>,
    errors: Vec<ConfigError>,
}

/// Variables that others put into the environment: Docker links and Kubernetes services named `bugle-…`, our
/// own tests, and the command line's.
fn is_foreign(variable: &str) -> bool {
    let rest = variable.trim_start_matches("BUGLE_");
    rest.starts_with("TEST_")
        || ["CONFIG", "API_TOKEN", "SERVER"].contains(&rest)
        || rest == "PORT"
        || rest.starts_with("PORT_")
        || rest.ends_with("_PORT")
        || rest.contains("_PORT_")
        || rest.contains("SERVICE_HOST")
        || rest.contains("SERVICE_PORT")
}

impl Reader {
    /// Later sources win: the environment over the file.
    pub(super) fn new(file: Option<(&str, &str)>, environment: &[(String, String)]) -> Self {
        let mut reader = Self { entries: BTreeMap::new(), known: BTreeSet::new(), errors: Vec::new() };
        if let Some((name, text)) = file {
            reader.add_file(name, text);
        }
        for (variable, value) in environment {
            let Some(key) = variable.strip_prefix("BUGLE_") else { continue };
            if is_foreign(variable) {
                continue;
            }
            let source = "environment".to_owned();
            let value = Value::Text(value.clone());
            reader.entries.insert(key.to_ascii_lowercase(), Entry { key: variable.clone(), source, value });
        }
        reader
    }

    fn add_file(&mut self, name: &str, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let line = error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |t| t.matches('\n').count() + 1);
                let problem = format!("not TOML: {} (line {line})", error.message());
                self.errors.push(ConfigError { key: "*".to_owned(), source: name.to_owned(), problem });
                return;
            }
        };
        for (key, value) in table {
            let entry = Entry { key: key.clone(), source: name.to_owned(), value: Value::from_toml(value) };
            self.entries.insert(key, entry);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Entry> {
        self.known.insert(key);
        // An empty variable is an unset one: that is how compose files and CI leave things out.
        self.entries
            .remove(key)
            .filter(|entry| !matches!(&entry.value, Value::Text(text) if text.trim().is_empty()))
    }

    fn complain(&mut self, entry: &Entry, given: Option<&str>, expected: &str) {
        // Secrets may be in any value with an @ or behind a key that says so: such values are not shown.
        let hidden =
            ["url", "token", "sid", "dsn"].iter().any(|part| entry.key.to_ascii_lowercase().contains(part));
        let given = match given {
            Some(given) if !hidden => {
                format!("`{}` is not valid; ", given.chars().take(100).collect::<String>())
            }
            _ => String::new(),
        };
        let problem = format!("{given}expected {expected}");
        self.errors.push(ConfigError { key: entry.key.clone(), source: entry.source.clone(), problem });
    }

    /// One optional value.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let entry = self.take(key)?;
        match &entry.value {
            Value::Text(text) => {
                let value = parse(text.trim());
                if value.is_none() {
                    self.complain(&entry, Some(text), expected);
                }
                value
            }
            Value::List(_) | Value::Tables(_) => {
                self.complain(&entry, None, expected);
                None
            }
        }
    }

    /// One value with a default.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        default: T,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.optional(key, expected, parse).unwrap_or(default)
    }

    /// A list: a TOML array, or text with commas.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(entry) = self.take(key) else { return Vec::new() };
        let parts: Vec<String> = match &entry.value {
            Value::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Value::List(parts) => parts.clone(),
            Value::Tables(_) => {
                self.complain(&entry, None, expected);
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for part in parts.iter().filter(|part| !part.is_empty()) {
            match parse(part.trim()) {
                Some(value) => values.push(value),
                None => self.complain(&entry, Some(part), expected),
            }
        }
        values
    }

    /// A list of tables in the file, or text with commas in the environment.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse_table: impl Fn(&toml::Table) -> Option<T>,
        parse_text: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(entry) = self.take(key) else { return Vec::new() };
        let values: Option<Vec<T>> = match &entry.value {
            Value::Tables(tables) => tables.iter().map(parse_table).collect(),
            Value::List(parts) => parts.iter().map(|part| parse_text(part.trim())).collect(),
            Value::Text(text) => text.split(',').map(|part| parse_text(part.trim())).collect(),
        };
        values.unwrap_or_else(|| {
            self.complain(&entry, None, expected);
            Vec::new()
        })
    }

    /// Adds a mistake found between settings.
    pub(super) fn conflict(&mut self, key: &str, problem: &str) {
        let (key, source, problem) = (key.to_owned(), "together".to_owned(), problem.to_owned());
        self.errors.push(ConfigError { key, source, problem });
    }

    /// All mistakes, also every key that nobody took.
    pub(super) fn finish(mut self) -> Result<(), ConfigErrors> {
        for (name, entry) in std::mem::take(&mut self.entries) {
            let similar = self.known.iter().map(|known| (distance(&name, known), known)).min();
            let problem = match similar {
                Some((distance, known)) if distance <= (name.len() / 3).max(2) => {
                    let known = if entry.source == "environment" {
                        format!("BUGLE_{}", known.to_ascii_uppercase())
                    } else {
                        (*known).to_owned()
                    };
                    format!("no such setting; did you mean `{known}`?")
                }
                _ => "no such setting".to_owned(),
            };
            self.errors.push(ConfigError { key: entry.key, source: entry.source, problem });
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ConfigErrors(self.errors)) }
    }
}

impl Value {
    fn from_toml(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Table(table) => Self::Tables(vec![table]),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                Self::Tables(items.into_iter().filter_map(|item| item.try_into().ok()).collect())
            }
            toml::Value::Array(items) => Self::List(items.iter().map(scalar).collect()),
            other => Self::Text(scalar(&other)),
        }
    }
}

fn scalar(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Levenshtein's distance; both texts are short.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut last = i + 1;
        for ((b, above), diagonal) in right.chars().zip(row.iter().skip(1)).zip(row.iter()) {
            last = (above + 1).min(last + 1).min(diagonal + usize::from(a != b));
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
