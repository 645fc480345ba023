//! Which tags an event may have, without undoing its payload: a bit for each tag, of 64. An event has ten or so, so that of those
//! without a tag one in six or so looks as if it had it.

use crate::issues::TagFilter;

/// Longer ones are cut before they are written, and may be called otherwise here.
const MOST_CHARS: usize = 200;

/// The bits of an event's tags.
pub(crate) fn of<'t>(tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> i64 {
    tags.into_iter().fold(0, |bits, (key, value)| bits | bit(key, value))
}

/// The bits that an event must have for all of these filters to hold; 0 says nothing.
pub(super) fn wanted(filters: &[TagFilter]) -> i64 {
    filters.iter().fold(0, |bits, filter| match filter.values.as_slice() {
        [value] if !filter.negated && is_told(&filter.key, value) => bits | bit(&filter.key, value),
        _ => bits,
    })
}

/// `user` and `trace` stand for something else in an event than in its row.
fn is_told(key: &str, value: &str) -> bool {
    !value.contains('*')
        && !matches!(key, "user" | "trace")
        && [key, value].iter().all(|text| text.chars().count() < MOST_CHARS)
}

/// Stands in rows: what it gives must never change.
fn bit(key: &str, value: &str) -> i64 {
    // U+001F separates, as in the names of files and in nothing that people write.
    let hash = xxhash_rust::xxh3::xxh3_64(format!("{key}\u{1f}{value}").as_bytes());
    1 << (hash % 64)
}

#[cfg(test)]
mod tests {
    use super::{of, wanted};
    use crate::issues::TagFilter;
    use std::collections::BTreeMap;

    fn filter(key: &str, values: &[&str], negated: bool) -> TagFilter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        TagFilter { key: key.to_owned(), values, negated }
    }

    #[test]
    fn an_event_has_the_bits_of_each_of_its_tags() {
        let tags: BTreeMap<String, String> =
            (0..40).map(|n| (format!("key{n}"), format!("value{n}"))).collect();
        let bits = of(&tags);
        for (key, value) in &tags {
            let one = wanted(&[filter(key, &[value], false)]);
            assert_eq!((one.count_ones(), bits & one), (1, one), "{key}");
        }
        assert_eq!(wanted(&tags.iter().map(|(k, v)| filter(k, &[v], false)).collect::<Vec<_>>()), bits);
    }

    #[test]
    fn what_may_be_anything_asks_for_no_bit() {
        let long = "x".repeat(200);
        for one in [
            filter("browser", &[], false),
            filter("browser", &["a", "b"], false),
            filter("browser", &["a*"], false),
            filter("browser", &["a"], true),
            filter("browser", &[&long], false),
            filter("user", &["1"], false),
            filter("trace", &["1"], false),
        ] {
            assert_eq!(wanted(std::slice::from_ref(&one)), 0, "{one:?}");
        }
    }
}
