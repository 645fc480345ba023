//! Payment card numbers: 13 to 19 digits of a known issuer that pass Luhn's check.

use std::ops::Range;

const MIN_DIGITS: usize = 13;
const MAX_DIGITS: usize = 19;

/// Where card numbers stand in a text. Digits may be grouped by single blanks or dashes; a number that is
/// part of a longer word (a hex id) or of a fraction is none.
pub(super) fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    if text.len() < MIN_DIGITS {
        return;
    }
    let mut at = 0;
    while at < text.len() {
        let Some(start) = text.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) else {
            return;
        };
        let start = at + start;
        let run = run(text, start);
        if run.digits >= MIN_DIGITS && run.digits <= MAX_DIGITS && is_alone(text, start, run.end) {
            let digits = run.number.get(..run.digits).unwrap_or_default();
            if is_card(digits) {
                found.push(start..run.end);
            }
        }
        at = run.end.max(start + 1);
    }
}

/// Whether a number that stands alone is a card's.
pub(super) fn is_card_number(number: u64) -> bool {
    let text = number.to_string();
    let digits: Vec<u8> = text.bytes().map(|byte| byte - b'0').collect();
    digits.len() >= MIN_DIGITS && digits.len() <= MAX_DIGITS && is_card(&digits)
}

struct Run {
    number: [u8; MAX_DIGITS],
    digits: usize,
    /// After the last digit.
    end: usize,
}

/// The digits from `start`, over single separators of one sort.
fn run(text: &[u8], start: usize) -> Run {
    let mut run = Run { number: [0; MAX_DIGITS], digits: 0, end: start };
    let mut separator = None;
    let mut at = start;
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_digit() {
            if let Some(slot) = run.number.get_mut(run.digits) {
                *slot = byte - b'0';
            }
            run.digits += 1;
            run.end = at + 1;
        } else {
            let is_separator = matches!(byte, b' ' | b'-') && separator.is_none_or(|known| known == byte);
            let is_between = text.get(at + 1).is_some_and(u8::is_ascii_digit);
            if !is_separator || !is_between {
                break;
            }
            separator = Some(byte);
        }
        at += 1;
    }
    run
}

fn is_alone(text: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(end);
    let is_fraction = before == Some(&b'.')
        && start.checked_sub(2).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    !before.is_some_and(is_word) && !after.is_some_and(is_word) && !is_fraction
}

fn is_card(digits: &[u8]) -> bool {
    is_issued(digits) && luhn(digits)
}

/// The ranges of ISO/IEC 7812 that payment networks use; without them one in ten long ids would match.
fn is_issued(digits: &[u8]) -> bool {
    let lead =
        |length: usize| digits.iter().take(length).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    match digits.len() {
        13 => lead(1) == 4,
        14 => matches!(lead(3), 300..=305 | 309) || matches!(lead(2), 36 | 38 | 39),
        15 => matches!(lead(2), 34 | 37),
        16 => {
            lead(1) == 4
                || matches!(lead(2), 50..=58 | 60..=69 | 35 | 36 | 38)
                || matches!(lead(4), 2200..=2204 | 2221..=2720)
        }
        17..=19 => lead(1) == 4 || matches!(lead(2), 50 | 56..=69),
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (1, digit @ 5..) => digit * 2 - 9,
            (1, digit) => digit * 2,
            (_, digit) => digit,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text.as_bytes(), &mut found);
        found.into_iter().map(|range| text.get(range).unwrap()).collect()
    }

    #[test]
    fn cards_are_found() {
        for (text, card) in [
            ("4111111111111111", "4111111111111111"),
            ("card=4111 1111 1111 1111, x", "4111 1111 1111 1111"),
            ("a 5555-5555-5555-4444.", "5555-5555-5555-4444"),
            ("378282246310005", "378282246310005"),
            ("\"30569309025904\"", "30569309025904"),
            ("6011111111111117é", "6011111111111117"),
            ("3530111333300000", "3530111333300000"),
            ("2223003122003222", "2223003122003222"),
            ("4222222222222", "4222222222222"),
        ] {
            assert_eq!(cards(text), [card], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "4111111111111112",
            "1763661600123",
            "a4111111111111111",
            "4111111111111111f",
            "0.4111111111111111",
            "41111111111111111111111",
            "0000000000000000",
            "4111 1111-1111 1111",
            "",
            "1234",
        ] {
            assert_eq!(cards(text), [] as [&str; 0], "{text}");
        }
    }
}
