//! What each key means.

use super::choice::Choice;
use super::terms::Term;
use super::{Query, QueryError};
use bugle_model::{UnknownName, UserKey, parse_event_id};
use bugle_store::issues::{Range, TagFilter};
use chrono::{DateTime, TimeDelta, Utc};
use std::str::FromStr;

/// The keys that are no tags, for error messages.
const KEYS: &str = "is, level, priority, assigned, has, times_seen, users, age, last_seen, trace, user.id, user.email, user.username, user.ip";
const MAX_TAG_KEY: usize = 200;

impl Query {
    pub(super) fn add(&mut self, term: &Term, now: DateTime<Utc>) -> Result<(), QueryError> {
        let Some(key) = term.key.as_deref() else { return self.add_text(term) };
        let (key, negated) = match key.strip_prefix('!') {
            Some(key) => (key, true),
            None => (key, false),
        };
        let value = Value { text: &term.text, position: term.value_position };
        if value.text.is_empty() {
            let message = format!("`{key}:` has no value; quote it to search for the text");
            return Err(QueryError::new(term.position, message));
        }
        match key {
            "is" => self.add_state(&value, negated),
            "level" => value.choose(negated, &mut self.levels),
            "priority" => value.choose(negated, &mut self.priorities),
            "assigned" => {
                self.add_assigned(value.text, negated);
                Ok(())
            }
            "times_seen" => value.narrow(key, negated, &mut self.events),
            "users" => value.narrow(key, negated, &mut self.users),
            "age" => value.narrow_age(negated, &mut self.first_seen, now),
            "last_seen" => value.narrow_age(negated, &mut self.last_seen, now),
            "has" => self.add_tag(
                term.value_position,
                TagFilter { key: term.text.clone(), values: Vec::new(), negated },
            ),
            "trace" => self.add_trace(&value, negated),
            key if key.starts_with("user.") => self.add_person(key, term, negated),
            key if is_tag_key(key) => {
                let values = vec![term.text.clone()];
                self.add_tag(term.position, TagFilter { key: key.to_owned(), values, negated })
            }
            _ => Err(QueryError::new(
                term.position,
                format!("`{key}` is neither a tag nor one of {KEYS}; quote it to search for the text"),
            )),
        }
    }

    fn add_text(&mut self, term: &Term) -> Result<(), QueryError> {
        if !term.quoted && ["OR", "AND", "NOT"].contains(&term.text.as_str()) {
            let message = format!("`{}` is not understood; quote it to search for the word", term.text);
            return Err(QueryError::new(term.position, message));
        }
        if !term.text.is_empty() && !term.text.contains(char::is_alphanumeric) {
            let message = format!("`{}` has no letter and no digit to search for", term.text);
            return Err(QueryError::new(term.position, message));
        }
        if !term.text.is_empty() {
            self.texts.push(term.text.clone());
        }
        Ok(())
    }

    fn add_state(&mut self, value: &Value<'_>, negated: bool) -> Result<(), QueryError> {
        match value.text {
            "assigned" => self.is_assigned.add(true, negated),
            "unassigned" => self.is_assigned.add(false, negated),
            "bookmarked" => self.bookmarked.add(true, negated),
            _ => value.choose(negated, &mut self.statuses)?,
        }
        Ok(())
    }

    fn add_assigned(&mut self, name: &str, negated: bool) {
        let assignees = if negated { &mut self.not_assigned_to } else { &mut self.assigned_to };
        match name {
            "none" => assignees.nobody = true,
            "me" => assignees.me = true,
            // A team's name is kept with a `#`; without one, both are meant.
            name if name.starts_with('#') => assignees.names.push(name.to_owned()),
            name => assignees.names.extend([name.to_owned(), format!("#{name}")]),
        }
    }

    fn add_trace(&mut self, value: &Value<'_>, negated: bool) -> Result<(), QueryError> {
        if negated {
            return Err(value.wrong("`!trace:` is not understood: a trace can only be looked for"));
        }
        let id = parse_event_id(value.text)
            .ok_or_else(|| value.wrong(format!("`{}` is not a trace's id: 32 hex digits", value.text)))?;
        if self.trace.is_some_and(|known| known != id) {
            return Err(value.wrong("a search is for one trace at most"));
        }
        self.trace = Some(id);
        Ok(())
    }

    fn add_person(&mut self, name: &str, term: &Term, negated: bool) -> Result<(), QueryError> {
        let Some(key) = UserKey::named(name) else {
            let message = format!("`{name}` is not one of user.id, user.email, user.username, user.ip");
            return Err(QueryError::new(term.position, message));
        };
        if term.text.contains('*') && !term.quoted {
            let message = format!(
                "`{name}:` is looked up whole: a `*` does not stand for anything; quote it to mean itself"
            );
            return Err(QueryError::new(term.value_position, message));
        }
        match self.people.iter_mut().find(|(known, _, round)| *known == key && *round == negated) {
            Some((_, values, _)) => values.push(term.text.clone()),
            None => self.people.push((key, vec![term.text.clone()], negated)),
        }
        Ok(())
    }

    /// Several values of one key mean any of them; with `!` in front, none of them.
    fn add_tag(&mut self, position: usize, filter: TagFilter) -> Result<(), QueryError> {
        if filter.key.len() > MAX_TAG_KEY {
            return Err(QueryError::new(position, format!("a tag's name has at most {MAX_TAG_KEY} bytes")));
        }
        let same = |known: &&mut TagFilter| {
            known.key == filter.key && known.negated == filter.negated && !known.values.is_empty()
        };
        match self.tags.iter_mut().find(same) {
            Some(known) if !filter.values.is_empty() => known.values.extend(filter.values),
            _ => {
                self.tags.push(filter);
                self.tag_places.push(position);
            }
        }
        Ok(())
    }
}

/// A value and where it stands.
struct Value<'a> {
    text: &'a str,
    position: usize,
}

impl Value<'_> {
    fn wrong(&self, message: impl Into<String>) -> QueryError {
        QueryError::new(self.position, message)
    }

    /// Adds one of a few names.
    fn choose<T>(&self, negated: bool, choice: &mut Choice<T>) -> Result<(), QueryError>
    where
        T: FromStr<Err = UnknownName> + PartialEq + Copy,
    {
        let value: T = self.text.parse().map_err(|error: UnknownName| {
            self.wrong(format!("`{}` is not one of {}", error.value, error.allowed))
        })?;
        choice.add(value, negated);
        Ok(())
    }

    /// `10`, `>10`, `>=10`, `<10`, `<=10`.
    fn narrow(&self, key: &str, negated: bool, range: &mut Range<i64>) -> Result<(), QueryError> {
        if negated {
            return Err(self.wrong(format!(
                "`!{key}:` is not understood; say which numbers it may be, such as `{key}:<=10`"
            )));
        }
        let (sign, digits) = sign(self.text);
        let number: i64 =
            digits.parse().ok().filter(|number| *number >= 0).ok_or_else(|| {
                self.wrong(format!("`{}` is not a number such as 10, >10 or <=10", self.text))
            })?;
        range.narrow(sign, number);
        Ok(())
    }

    /// `-24h`: less than 24 hours ago; `+24h`: longer.
    fn narrow_age(
        &self,
        negated: bool,
        range: &mut Range<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), QueryError> {
        let expected =
            || self.wrong(format!("`{}` is not an age such as -24h (younger) or +7d (older)", self.text));
        let (younger, rest) = match self.text.split_at_checked(1) {
            Some(("-", rest)) => (true, rest),
            Some(("+", rest)) => (false, rest),
            _ => return Err(expected()),
        };
        let at = duration(rest).and_then(|age| now.checked_sub_signed(age)).ok_or_else(expected)?;
        range.narrow(if younger != negated { ">=" } else { "<" }, at);
        Ok(())
    }
}

fn sign(text: &str) -> (&'static str, &str) {
    for sign in [">=", "<=", ">", "<"] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (sign, rest);
        }
    }
    ("=", text)
}

/// `90m`, `24h`, `7d`, `2w`.
fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().next_back()?;
    let number: i64 =
        text.strip_suffix(unit)?.parse().ok().filter(|number| (0..=100_000).contains(number))?;
    match unit {
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }
}

/// As SDKs make them: letters, digits, `_`, `.`, `-`; the first one is a letter in lower case, so that `TypeError:x` is
/// no tag.
fn is_tag_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}
