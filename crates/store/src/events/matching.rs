//! What is asked of an event, and whether it holds.

use super::StoredEvent;
use crate::issues::{Range, TagFilter};
use bugle_model::{Level, UserKey};
use chrono::{DateTime, Utc};
use memchr::memmem;
use uuid::Uuid;

/// Which events. The default is all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// Only with one of these; `None` means any.
    pub levels: Option<Vec<Level>>,
    /// Only of this trace.
    pub trace: Option<Uuid>,
    /// Received within this time.
    pub received: Range<DateTime<Utc>>,
    /// Only with each of these, in title, culprit, type, message or the functions, modules and files of frames, without regard to case.
    pub texts: Vec<String>,
    /// Only with (or without) each of these tags; release, environment, user and trace are among them.
    pub tags: Vec<TagFilter>,
    /// Only of (or of none of) these users; any of a key's values.
    pub people: Vec<(UserKey, Vec<String>, bool)>,
}

impl EventFilter {
    pub(super) fn needs_payload(&self) -> bool {
        !(self.texts.is_empty() && self.tags.is_empty() && self.people.is_empty())
    }

    /// Whether the document may be of an event that matches, by its bytes: plain texts, keys and values stand in it as they are.
    pub(super) fn may_match(&self, document: &[u8]) -> bool {
        self.may_say(document) && self.may_have_tags(document)
    }

    fn may_say(&self, document: &[u8]) -> bool {
        let mut plain = self.texts.iter().filter(|text| text.is_ascii() && is_plain(text)).peekable();
        // Some letters are those of another alphabet in lower case.
        if plain.peek().is_none() || !document.is_ascii() {
            return true;
        }
        let document = document.to_ascii_lowercase();
        plain.all(|text| memmem::find(&document, text.to_ascii_lowercase().as_bytes()).is_some())
    }

    fn may_have_tags(&self, document: &[u8]) -> bool {
        let of_document = |tag: &&TagFilter| {
            !tag.negated && !["release", "environment", "user", "trace"].contains(&tag.key.as_str())
        };
        self.tags.iter().filter(of_document).all(|tag| {
            let says = |text: &str| memmem::find(document, text.as_bytes()).is_some();
            let has_key = !is_plain(&tag.key) || says(&format!("\"{}\"", tag.key));
            let may_have = |value: &String| !is_plain(value) || says(value);
            has_key && (tag.values.is_empty() || tag.values.iter().any(may_have))
        })
    }

    /// Whether what only the payload tells holds.
    pub(super) fn matches(&self, stored: &StoredEvent) -> bool {
        let texts = self.texts.iter().all(|text| says(stored, &text.to_lowercase()));
        let tags = self.tags.iter().all(|tag| {
            let value = value(stored, &tag.key);
            let has = value.is_some_and(|value| {
                tag.values.is_empty() || tag.values.iter().any(|wanted| is_like(value, wanted))
            });
            has != tag.negated
        });
        let person = |(key, values, negated): &(UserKey, Vec<String>, bool)| {
            let own = stored.event.user.as_ref().and_then(|user| user.value(*key));
            let is = own.is_some_and(|own| values.iter().any(|value| key.hash(own) == key.hash(value)));
            is != *negated
        };
        texts && tags && self.people.iter().all(person)
    }
}

/// Nothing that JSON writes otherwise, and nothing that stands for something else.
fn is_plain(text: &str) -> bool {
    !text.contains(|char: char| char.is_control() || matches!(char, '*' | '"' | '\\'))
}

fn says(stored: &StoredEvent, lowercase: &str) -> bool {
    let event = &stored.event;
    let raised =
        event.exceptions.iter().flat_map(|one| [one.kind.as_deref(), one.value.as_deref()]).flatten();
    let logged = event.message.iter().map(|message| message.text());
    let own = [Some(stored.title.as_str()), stored.culprit.as_deref()].into_iter().flatten();
    let of_exceptions = event.exceptions.iter().filter_map(|one| one.stacktrace.as_ref());
    let of_threads = event.threads.iter().filter_map(|thread| thread.stacktrace.as_ref());
    let places = of_exceptions.chain(of_threads).flat_map(|trace| &trace.frames).flat_map(|frame| {
        [frame.function.as_deref(), frame.module.as_deref(), frame.filename.as_deref()].into_iter().flatten()
    });
    own.chain(raised).chain(logged).chain(places).any(|text| text.to_lowercase().contains(lowercase))
}

fn value<'e>(stored: &'e StoredEvent, key: &str) -> Option<&'e str> {
    let event = &stored.event;
    let own = event.tags.get(key).map(String::as_str);
    match key {
        "release" => event.release.as_deref(),
        "environment" => event.environment.as_deref(),
        "transaction" => event.transaction.as_deref().or(own),
        "trace" => own.or(event.trace_id.as_deref()),
        "user" => own.or_else(|| event.user.as_ref().and_then(|user| user.identity()).map(|_| "")),
        _ => own,
    }
}

/// Whether a value is what is wanted, in which `*` stands for anything.
fn is_like(value: &str, wanted: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| value.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_anything() {
        for (value, wanted) in
            [("1.4.2", "1.4.*"), ("1.4.2", "*"), ("1.4.2", "1*.2"), ("1.4.2", "*4*"), ("a", "a"), ("", "*")]
        {
            assert!(is_like(value, wanted), "{value} {wanted}");
        }
        for (value, wanted) in [("1.4.2", "1.5.*"), ("aa", "a"), ("ab", "a*a"), ("a", "a*a"), ("", "a*")] {
            assert!(!is_like(value, wanted), "{value} {wanted}");
        }
    }
}
