//! Issues that a commit says it fixes: `Fixes SHOP-1, SHOP-2 and TILL-7`.

/// What follows any of these in a commit's message is fixed.
const WORDS: [&str; 9] =
    ["fix", "fixes", "fixed", "close", "closes", "closed", "resolve", "resolves", "resolved"];
/// A message fixes at most this many issues; what comes after is not read.
const MOST: usize = 50;
const LONGEST_PREFIX: usize = 64;

/// What people call an issue: its project's prefix, a dash and its number, as in `SHOP-42`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId {
    /// The prefix, in upper case.
    pub prefix: String,
    /// The number within the project, from 1.
    pub number: i32,
}

impl ShortId {
    /// Reads a short id, without regard to case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, number) = text.rsplit_once('-')?;
        let is_prefix = prefix.len() <= LONGEST_PREFIX
            && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| is_prefix && is_number && *number > 0)?;
        Some(Self { prefix: prefix.to_ascii_uppercase(), number })
    }
}

/// The issues that a commit's message says it fixes, each once, in the message's order: the ids after `fix`, `close` or
/// `resolve` in any of their forms, with commas or `and` between them. A revert says the opposite of what it quotes, and
/// fixes nothing.
#[must_use]
pub fn fixed_by(message: &str) -> Vec<ShortId> {
    if is_revert(message) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut place = Place::Elsewhere;
    for line in message.lines().filter(|line| !is_revert(line)) {
        for word in line.split_whitespace() {
            place = place.after(word, &mut found);
            if found.len() >= MOST {
                return found;
            }
        }
        // A list that was begun may be broken between two lines; one that is complete is not gone on with.
        if place == Place::AfterId {
            place = Place::Elsewhere;
        }
    }
    found
}

fn is_revert(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '*', '-']).starts_with("Revert \"")
}

/// Where in a message one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Elsewhere,
    /// After the word, or what stands between ids: an id has to come.
    BeforeId,
    /// An id may come.
    AfterId,
}

impl Place {
    fn after(self, word: &str, found: &mut Vec<ShortId>) -> Self {
        if self == Self::Elsewhere {
            return Self::begun(word);
        }
        let mut place = self;
        for part in word.split_inclusive(',') {
            place = match Self::listed(part, found) {
                Some(next) => next,
                None => return Self::begun(word),
            };
        }
        place
    }

    fn begun(word: &str) -> Self {
        let word = word.trim_start_matches(['(', '[', '*', '"', '\'']);
        let word = word.strip_suffix(':').unwrap_or(word);
        if WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            Self::BeforeId
        } else {
            Self::Elsewhere
        }
    }

    /// A part of a list; `None` when it is none.
    fn listed(part: &str, found: &mut Vec<ShortId>) -> Option<Self> {
        let between = ["and", "&", ",", "issue", "issues"];
        if between.iter().any(|word| part.eq_ignore_ascii_case(word)) {
            return Some(Self::BeforeId);
        }
        let (rest, next) = match part.strip_suffix(',') {
            Some(rest) => (rest, Self::BeforeId),
            None => (part, Self::AfterId),
        };
        let id = rest.trim_start_matches(['#', '(', '[', '"', '\'']);
        let bare = id.trim_end_matches(['.', ';', ':', '!', '?', ')', ']', '"', '\'']);
        let id_read = ShortId::parse(bare)?;
        if !found.contains(&id_read) {
            found.push(id_read);
        }
        // What ends a sentence or a bracket ends the list.
        Some(if bare.len() < id.len() { Self::Elsewhere } else { next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(message: &str) -> Vec<String> {
        fixed_by(message).iter().map(|id| format!("{}-{}", id.prefix, id.number)).collect()
    }

    #[test]
    fn what_a_message_says() {
        let cases: [(&str, &[&str]); 22] = [
            ("Fixes SHOP-1", &["SHOP-1"]),
            ("Oil the drawer\n\nfixes: shop-1, SHOP-2 and my-shop2-30", &["SHOP-1", "SHOP-2", "MY-SHOP2-30"]),
            ("Oil the drawer (Closes #SHOP-1).", &["SHOP-1"]),
            ("RESOLVED SHOP-1 SHOP-2 for good", &["SHOP-1", "SHOP-2"]),
            ("fix: SHOP-1 oil the drawer, not SHOP-2", &["SHOP-1"]),
            ("Close SHOP-1,SHOP-2 & SHOP-1", &["SHOP-1", "SHOP-2"]),
            ("This resolves\nSHOP-1,\nSHOP-2\nSHOP-3", &["SHOP-1", "SHOP-2"]),
            ("Fixes SHOP-1. SHOP-2 stays", &["SHOP-1"]),
            ("fix SHOP-1; close SHOP-2", &["SHOP-1", "SHOP-2"]),
            ("Fixes issue SHOP-1", &["SHOP-1"]),
            ("Fixed fixes SHOP-1", &["SHOP-1"]),
            ("Reapply \"Fix SHOP-1\"", &["SHOP-1"]),
            ("Revert \"Fix SHOP-1\"\n\nThis reverts commit 09e93c20. Fixes SHOP-2", &[]),
            ("Release (#7)\n\n* Revert \"Fix SHOP-1\"\n* Fix SHOP-2", &["SHOP-2"]),
            ("See SHOP-1", &[]),
            ("hotfix SHOP-1, prefixes SHOP-2", &[]),
            ("Merge branch 'fix/SHOP-1'", &[]),
            ("Fixes the drawer of SHOP-1", &[]),
            ("Fixes #7, SHOP-0, SHOP-, -1, SHOP-1x, SHOP-99999999999, SHOP-+1", &[]),
            ("Fixes SHÖP-1", &[]),
            ("fixes", &[]),
            ("", &[]),
        ];
        for (message, expected) in cases {
            assert_eq!(names(message), expected, "{message:?}");
        }
        let many: String = (1..200).map(|number| format!("SHOP-{number}, ")).collect();
        assert_eq!(fixed_by(&format!("Fixes {many}")).len(), MOST);
    }

    proptest! {
        #[test]
        fn any_text_is_read(message in "\\PC{0,200}") {
            for id in fixed_by(&message) {
                prop_assert_eq!(ShortId::parse(&format!("{}-{}", id.prefix, id.number)), Some(id));
            }
        }

        #[test]
        fn a_list_is_read_whole(numbers in prop::collection::btree_set(1..i32::MAX, 1..MOST), between in "(, | |,| and |, and )") {
            let list: Vec<String> = numbers.iter().map(|number| format!("SHOP-{number}")).collect();
            prop_assert_eq!(names(&format!("closes {}", list.join(&between))), list);
        }
    }
}
