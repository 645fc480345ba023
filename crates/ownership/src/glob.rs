//! Globs over one text: `*` is any characters, `?` is one.

use std::cell::Cell;

/// How many more steps matching may take. Odd patterns on odd texts take as many as both are long, multiplied; thousands of such would take
/// minutes. With nothing left nothing matches.
#[derive(Debug)]
pub(crate) struct Effort(Cell<u64>);

impl Effort {
    pub(crate) const fn new(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    /// Takes a step, if there is one left.
    pub(crate) fn spend(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Any,
}

/// A compiled glob, matched whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    tokens: Vec<Token>,
    folds: bool,
}

impl Glob {
    /// Without regard to ASCII case; nothing is escaped.
    pub(crate) fn lenient(pattern: &str) -> Self {
        let token = |c: char| match c {
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Char(c.to_ascii_lowercase()),
        };
        Self { tokens: pattern.chars().map(token).collect(), folds: true }
    }

    /// With regard to case; a backslash takes the meaning from what follows.
    pub(crate) fn strict(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' => Token::Char(chars.next().unwrap_or('\\')),
                c => Token::Char(c),
            });
        }
        Self { tokens, folds: false }
    }

    fn takes(&self, token: Token, c: char) -> bool {
        match token {
            Token::Char(wanted) => wanted == if self.folds { c.to_ascii_lowercase() } else { c },
            Token::One => true,
            Token::Any => false,
        }
    }

    /// Greedy, with one place to go back to: a later star never needs what an earlier one has taken.
    pub(crate) fn matches(&self, text: &str, effort: &Effort) -> bool {
        let first = |at: usize| text.get(at..).and_then(|rest| rest.chars().next());
        let (mut at, mut token) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while effort.spend() {
            match (self.tokens.get(token), first(at)) {
                (Some(Token::Any), _) => {
                    token += 1;
                    star = Some((token, at));
                }
                (None, None) => return true,
                (Some(wanted), Some(c)) if self.takes(*wanted, c) => {
                    token += 1;
                    at += c.len_utf8();
                }
                _ => {
                    let Some((after, taken)) = star else { return false };
                    let Some(c) = first(taken) else { return false };
                    at = taken + c.len_utf8();
                    token = after;
                    star = Some((after, at));
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Effort, Glob};

    fn matches(glob: &Glob, text: &str) -> bool {
        glob.matches(text, &Effort::new(1_000_000))
    }

    #[test]
    fn texts() {
        for (pattern, text, expected) in [
            ("shop.*", "Shop.Cart", true),
            ("shop.*", "shop", false),
            ("*cart*", "a.cart.b", true),
            ("a?c", "aöc", true),
            ("a?c", "ac", false),
            ("*ab*ab", "abxabxxab", true),
            ("*ab*ab", "abxabxxa", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            (r"a\b", r"A\B", true),
        ] {
            assert_eq!(matches(&Glob::lenient(pattern), text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn escapes_and_case() {
        for (pattern, text, expected) in [
            (r"\*.py", "*.py", true),
            (r"\*.py", "a.py", false),
            (r"a\ b", "a b", true),
            (r"\#x", "#x", true),
            ("A", "a", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(matches(&Glob::strict(pattern), text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn hard_patterns_end_soon() {
        assert!(!matches(&Glob::lenient(&"*a".repeat(250)), &format!("{}b", "a".repeat(1000))));
    }

    #[test]
    fn nothing_matches_without_steps_left() {
        let effort = Effort::new(4);
        assert!(Glob::lenient("abc").matches("abc", &effort), "three characters and the end");
        assert!(effort.is_spent());
        assert!(!Glob::lenient("*").matches("", &effort));
    }
}
