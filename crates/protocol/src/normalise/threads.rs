//! Threads.

use super::Notes;
use super::bag::trim;
use super::frames::stacktrace;
use bugle_model::Thread;
use serde_json::Value;

/// Of more threads those that crashed or were current are kept, then the first.
const MAX_THREADS: usize = 250;
const MAX_CHARS: usize = 256;
const MAX_OTHER_DEPTH: u8 = 4;
const MAX_OTHER_BYTES: usize = 4096;

/// Reads threads, in any of the forms of a list.
pub(crate) fn threads(value: Value, notes: &mut Notes) -> Vec<Thread> {
    let list = notes.values("threads", value);
    let mut threads: Vec<Thread> = list.into_iter().filter_map(|value| thread(value, notes)).collect();
    if threads.len() > MAX_THREADS {
        notes.note("threads", format_args!("{} of them, {MAX_THREADS} kept", threads.len()));
        threads.sort_by_key(|thread| thread.crashed != Some(true) && thread.current != Some(true));
        threads.truncate(MAX_THREADS);
    }
    threads
}

fn thread(value: Value, notes: &mut Notes) -> Option<Thread> {
    let map = notes.object("threads.values", value)?;
    let mut thread = Thread::default();
    for (key, value) in map {
        match key.as_str() {
            "id" => thread.id = notes.word("thread.id", value, MAX_CHARS),
            "name" => thread.name = notes.text("thread.name", value, MAX_CHARS),
            "crashed" => thread.crashed = notes.flag("thread.crashed", &value),
            "current" => thread.current = notes.flag("thread.current", &value),
            "stacktrace" => thread.stacktrace = stacktrace(value, notes),
            _ if value.is_null() => {}
            _ => drop(thread.other.insert(key, value)),
        }
    }
    trim(&mut thread.other, MAX_OTHER_DEPTH, MAX_OTHER_BYTES);
    Some(thread)
}
