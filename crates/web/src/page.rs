//! Pages: `{"items": […], "next": …}` with an opaque cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Longer cursors are none of ours.
const MAX_CURSOR: usize = 512;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What `cursor` gives the next part; null when this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` items, of which the surplus one only tells that there are more.
    pub fn cut<C: Serialize>(mut items: Vec<T>, limit: usize, cursor_after: impl Fn(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor::encode(&cursor_after(last)));
        Self { items, next }
    }

    /// A list that has no further parts.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// Where a list goes on, as text that clients do not look into.
#[derive(Debug)]
pub struct Cursor;

impl Cursor {
    /// The text for a position.
    #[must_use]
    pub fn encode(position: &impl Serialize) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
    }

    /// The position, when the text is one of ours.
    #[must_use]
    pub fn decode<C: DeserializeOwned>(text: &str) -> Option<C> {
        if text.len() > MAX_CURSOR {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_next_only_when_there_is_more() {
        let page = Page::cut(vec![1, 2, 3], 2, |last| *last);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(Cursor::decode::<i32>(page.next.as_deref().unwrap()), Some(2));
        assert_eq!(Page::cut(vec![1, 2], 2, |last| *last).next, None);
        assert_eq!(Page::cut(Vec::<i32>::new(), 2, |last| *last).next, None);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in ["", "!", "bm90IGpzb24", &"A".repeat(600)] {
            assert_eq!(Cursor::decode::<i32>(text), None, "{text}");
        }
    }
}
