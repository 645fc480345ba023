//! Cuts a query into terms.

use super::QueryError;

/// A word, a phrase, or a key with a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// Where it begins: characters from 0.
    pub(super) position: usize,
    /// What stands before the first `:` outside quotes, with a leading `!`.
    pub(super) key: Option<String>,
    /// The value, or the text when there is no key; quotes are gone.
    pub(super) text: String,
    /// Where the value begins.
    pub(super) value_position: usize,
    /// The text or value was quoted, so that nothing in it has a meaning.
    pub(super) quoted: bool,
}

/// Splits at white space; quotes keep words together, `\"` is a quote within them.
pub(super) fn split(characters: &[char]) -> Result<Vec<Term>, QueryError> {
    let mut terms = Vec::new();
    let mut rest = characters.iter().copied().enumerate().peekable();
    while let Some((position, first)) = rest.next_if(|_| true) {
        if first.is_whitespace() {
            continue;
        }
        let mut term =
            Term { position, key: None, text: String::new(), value_position: position, quoted: false };
        let mut next = Some((position, first));
        while let Some((at, c)) = next {
            match c {
                '"' if term.text.is_empty() && !term.quoted => {
                    term.text = phrase(&mut rest, at)?;
                    term.quoted = true;
                }
                ':' if term.key.is_none() && !term.quoted => {
                    term.key = Some(std::mem::take(&mut term.text));
                    term.value_position = at + 1;
                }
                c => term.text.push(c),
            }
            next = rest.next_if(|(_, c)| !c.is_whitespace());
        }
        terms.push(term);
    }
    Ok(terms)
}

/// The rest of a phrase whose first quote stands at `start`.
fn phrase(rest: &mut impl Iterator<Item = (usize, char)>, start: usize) -> Result<String, QueryError> {
    let mut text = String::new();
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.extend(rest.next().map(|(_, c)| c)),
            c => text.push(c),
        }
    }
    Err(QueryError::new(start, "this quote is not closed"))
}
