//! The words by which issues are found: of the event that opens one, and of each new kind of event that comes in later
//! (one that is stored as an anchor).

use super::batch::NewEvent;
use super::encode::Encoded;
use super::resolve::Groups;
use crate::payload::Document;
use crate::{Connection, StoreError, statement};
use bugle_model::{Event, Frame};
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, HashSet};

/// As much as `bugle_words` reads of a text.
const TEXT_CHARS: usize = 4_000;
/// Of one message.
const MESSAGE_CHARS: usize = 600;
const MOST_EXCEPTIONS: usize = 8;
const MOST_FRAMES: usize = 200;
/// An issue that has this many words gets no more.
const MOST_WORDS: i32 = 600;

/// Adds the words of the events whose anchors were written. The issues are locked.
pub(super) async fn add(
    connection: &mut Connection,
    events: &[NewEvent],
    groups: &Groups,
    encoded: &Encoded,
    written: &HashSet<i64>,
) -> Result<(), StoreError> {
    let mut kinds: BTreeMap<i64, Vec<&NewEvent>> = BTreeMap::new();
    for made in encoded.anchors.iter().filter(|made| written.contains(&made.anchor.id)) {
        if let (Some(event), Some(issue)) = (events.get(made.event), groups.issue(made.event)) {
            kinds.entry(issue.0).or_default().push(event);
        }
    }
    if kinds.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = kinds
        .values()
        .map(|events| {
            let each = TEXT_CHARS / events.len().max(1);
            events.iter().map(|event| text(event, each)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    statement(
        "INSERT INTO issue_texts AS t (issue_id, words)
         SELECT w.i, bugle_words(w.t) FROM UNNEST($1, $2) AS w (i, t) JOIN issues ON issues.id = w.i
         ON CONFLICT (issue_id) DO UPDATE SET words = t.words || excluded.words
         WHERE length(t.words) < $3 AND NOT tsvector_to_array(excluded.words) <@ tsvector_to_array(t.words)",
    )
    .bind::<Array<BigInt>, _>(kinds.keys().copied().collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts)
    .bind::<Integer, _>(MOST_WORDS)
    .execute(connection)
    .await?;
    Ok(())
}

/// What an event says, the most telling first, up to so many characters.
fn text(event: &NewEvent, chars: usize) -> String {
    let mut parts: Vec<&str> = vec![&event.title];
    parts.extend(event.culprit.as_deref());
    parts.extend(event.error_type.as_deref());
    // What the recorder itself has written can be read; if not, the title has to do.
    let document: Option<Document> = serde_json::from_slice(&event.document).ok();
    if let Some(document) = &document {
        parts.extend(messages(&document.event));
        parts.extend(places(&document.event));
    }
    let mut met = HashSet::new();
    parts.retain(|part| met.insert(*part));
    let text: String = parts.join(" ").chars().filter(|c| *c != '\0').take(chars).collect();
    text
}

fn messages(event: &Event) -> impl Iterator<Item = &str> {
    let raised = event.exceptions.iter().rev().take(MOST_EXCEPTIONS);
    let raised = raised.flat_map(|one| [one.kind.as_deref(), one.value.as_deref()]).flatten();
    let logged = event.message.iter().map(|message| message.text());
    raised.chain(logged).map(|text| {
        text.char_indices().nth(MESSAGE_CHARS).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
    })
}

/// Functions, modules and files: the app's own first, and of those the one that crashed.
fn places(event: &Event) -> Vec<&str> {
    let of_exceptions = event.exceptions.iter().rev().filter_map(|one| one.stacktrace.as_ref());
    let of_threads = event.threads.iter().filter(|thread| thread.crashed == Some(true));
    let traces = of_exceptions.chain(of_threads.filter_map(|thread| thread.stacktrace.as_ref()));
    let frames: Vec<&Frame> = traces.flat_map(|trace| trace.frames.iter().rev()).take(MOST_FRAMES).collect();
    let (own, others): (Vec<&Frame>, Vec<&Frame>) =
        frames.into_iter().partition(|frame| frame.in_app == Some(true));
    let names = own.into_iter().chain(others);
    names
        .flat_map(|frame| [frame.function.as_deref(), frame.module.as_deref(), frame.filename.as_deref()])
        .flatten()
        .collect()
}
