//! Dates and times in the forms that logs and runtimes write.

use super::{Found, Text, is_word};

const DATE: &str = "<date>";
const TIME: &str = "<time>";

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// The length of a name that begins with one of `known` and has `longest` letters at most.
fn name(text: Text<'_>, index: usize, known: &[&[u8]], longest: usize) -> Option<usize> {
    let length = text.run(index, longest + 1, |byte| byte.is_ascii_alphabetic());
    let head = text.from(index).get(..3)?;
    (length >= 3 && length <= longest && known.iter().any(|name| head.eq_ignore_ascii_case(name)))
        .then_some(length)
}

fn month(text: Text<'_>, index: usize) -> Option<usize> {
    name(text, index, &MONTHS, 9)
}

fn day_name(text: Text<'_>, index: usize) -> Option<usize> {
    name(text, index, &DAYS, 9)
}

/// The value of `count` digits.
fn value(text: Text<'_>, index: usize, count: usize) -> u32 {
    text.from(index)
        .iter()
        .take(count)
        .filter(|byte| byte.is_ascii_digit())
        .fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'))
}

/// `HH:MM:SS` with a fraction, a half of the day and a zone, or `3:04PM`. Without seconds and half it is left
/// alone: `12:30` may as well be a line and a column.
fn clock(text: Text<'_>, index: usize) -> Option<usize> {
    let hours = text.digits(index);
    if !(1..=2).contains(&hours) || text.at(index + hours) != b':' || text.digits(index + hours + 1) != 2 {
        return None;
    }
    if value(text, index, hours) > 24 || value(text, index + hours + 1, 2) > 59 {
        return None;
    }
    let mut length = hours + 3;
    let seconds = text.at(index + length) == b':' && text.digits(index + length + 1) == 2;
    if seconds {
        length += 3;
        if matches!(text.at(index + length), b'.' | b',') && text.digits(index + length + 1) > 0 {
            length += 1 + text.digits(index + length + 1);
        }
    }
    let half = half(text, index + length);
    if !seconds && half == 0 {
        return None;
    }
    length += half;
    length += zone(text, index + length);
    (!is_word(text.at(index + length))).then_some(length)
}

/// `AM`, `pm`, with a space before or not.
fn half(text: Text<'_>, index: usize) -> usize {
    let space = usize::from(text.at(index) == b' ');
    let is_half =
        matches!(text.at(index + space) | 0x20, b'a' | b'p') && text.at(index + space + 1) | 0x20 == b'm';
    if is_half && !is_word(text.at(index + space + 2)) { space + 2 } else { 0 }
}

/// `Z`, `+01:00`, ` +0100`, ` UTC`, ` GMT+0100 (CET)`.
fn zone(text: Text<'_>, index: usize) -> usize {
    if text.at(index) == b'Z' && !is_word(text.at(index + 1)) {
        return 1;
    }
    let mut length = usize::from(text.at(index) == b' ');
    let named = [b"UTC".as_slice(), b"GMT", b"CEST", b"CET", b"EST", b"EDT", b"PST", b"PDT"]
        .into_iter()
        .find(|zone| text.starts(index + length, zone))
        .map_or(0, <[u8]>::len);
    let mut found = named > 0;
    length += named;
    if matches!(text.at(index + length), b'+' | b'-') {
        let hours = text.digits(index + length + 1);
        if hours == 4 {
            length += 5;
            found = true;
        } else if hours == 2 && text.at(index + length + 3) == b':' && text.digits(index + length + 4) == 2 {
            length += 6;
            found = true;
        } else if hours == 2 && !is_word(text.at(index + length + 3)) {
            length += 3;
            found = true;
        }
    }
    if found && text.starts(index + length, b" (") {
        let inside = text.run(index + length + 2, 48, |byte| byte.is_ascii_alphabetic() || byte == b' ');
        if inside > 0 && text.at(index + length + 2 + inside) == b')' {
            length += inside + 3;
        }
    }
    if found { length } else { 0 }
}

/// A clock after a date: `T`, a space, `:` or `, ` and then the time; hours and minutes are enough here.
fn with_clock(text: Text<'_>, index: usize, length: usize) -> usize {
    let end = index + length;
    for separator in [b"T".as_slice(), b" ", b":", b", ", b" at "] {
        if !text.starts(end, separator) {
            continue;
        }
        let start = end + separator.len();
        if let Some(time) = clock(text, start) {
            return length + separator.len() + time;
        }
        let hours = text.digits(start) == 2 && text.at(start + 2) == b':' && text.digits(start + 3) == 2;
        if hours {
            let time = 5 + zone(text, start + 5);
            if !is_word(text.at(start + time)) && text.at(start + time) != b':' {
                return length + separator.len() + time;
            }
        }
    }
    length
}

/// `2026-11-20`, `2026/11/20`, `20.11.2026`, `11/20/2026`, `20-Nov-26`, `20/Nov/2026`, `20 Nov 2026`.
fn numeric_date(text: Text<'_>, index: usize) -> Option<usize> {
    let first = text.digits(index);
    let separator = text.at(index + first);
    if !matches!(separator, b'-' | b'/' | b'.' | b' ') {
        return None;
    }
    let second = index + first + 1;
    if let Some(length) = month(text, second)
        && first <= 2
    {
        let mut end = second + length;
        if matches!(text.at(end), b'-' | b'/' | b' ') && matches!(text.digits(end + 1), 2 | 4) {
            end += 1 + text.digits(end + 1);
            return (!is_word(text.at(end))).then_some(end - index);
        }
        return None;
    }
    let middle = text.digits(second);
    let third = second + middle + 1;
    if separator == b' ' || !(1..=2).contains(&middle) || text.at(third - 1) != separator {
        return None;
    }
    let last = text.digits(third);
    let year_first = first == 4 && (1..=2).contains(&last) && value(text, second, middle) <= 12;
    let year_last = (1..=2).contains(&first) && last == 4 && value(text, index, first) <= 31;
    let more = text.at(third + last) == b'.' && text.at(third + last + 1).is_ascii_digit();
    (((year_first && separator != b'.') || year_last) && !more).then_some(third + last - index)
}

/// A date or a time that begins with a digit.
pub(super) fn beginning_with_digit(text: Text<'_>, index: usize, before: u8) -> Found {
    if let Some(length) = numeric_date(text, index) {
        let length = with_clock(text, index, length);
        return (!is_word(text.at(index + length))).then_some((length, DATE));
    }
    if text.digits(index) == 8 && text.at(index + 8) == b'T' && matches!(text.digits(index + 9), 4 | 6) {
        let length = 9 + text.digits(index + 9);
        let length = length + zone(text, index + length);
        return (!is_word(text.at(index + length))).then_some((length, DATE));
    }
    if before == b':' {
        return None;
    }
    clock(text, index).map(|length| (length, TIME))
}

/// A date that begins with a name: `Fri, 20 Nov 2026 18:02:44 GMT`, `Nov 20 18:02:44`, `datetime.date(…)`.
pub(super) fn beginning_with_word(text: Text<'_>, index: usize) -> Found {
    // `may 3 retries` is no date; `May 3` is.
    if !text.at(index).is_ascii_uppercase() && text.at(index) != b'd' {
        return None;
    }
    if text.starts(index, b"datetime.") {
        return python(text, index);
    }
    if let Some(length) = day_name(text, index) {
        let mut at = index + length;
        at += usize::from(text.at(at) == b',');
        if text.at(at) != b' ' {
            return None;
        }
        at += 1;
        let rest = numeric_date(text, at).map(|length| with_clock(text, at, length));
        let rest = rest.or_else(|| month_first(text, at))?;
        return Some((at + rest - index, DATE));
    }
    month_first(text, index).map(|length| (length, DATE))
}

/// `Nov 20 2026 18:02:44 GMT+0100`, `Nov 20, 2026`, `Nov 20 18:02:44 2026`.
fn month_first(text: Text<'_>, index: usize) -> Option<usize> {
    let length = month(text, index)?;
    let mut at = index + length;
    if text.at(at) != b' ' {
        return None;
    }
    at += 1;
    let day = text.digits(at);
    if !(1..=2).contains(&day) {
        return None;
    }
    at += day;
    let year = |at: usize| -> usize {
        let comma = usize::from(text.at(at) == b',');
        let is_year = text.at(at + comma) == b' '
            && text.digits(at + comma + 1) == 4
            && text.at(at + comma + 5) != b':'
            && !is_word(text.at(at + comma + 5));
        if is_year { comma + 5 } else { 0 }
    };
    at += year(at);
    let timed = with_clock(text, index, at - index);
    at = index + timed;
    at += year(at);
    let plain = at == index + length + 1 + day;
    let more = is_word(text.at(at)) || (plain && text.at(at) == b':');
    (!more).then_some(at - index)
}

/// `datetime.datetime(2026, 11, 20, 18, 2)`, with at most one more pair of brackets inside for the zone.
fn python(text: Text<'_>, index: usize) -> Found {
    let open =
        [b"datetime.datetime(".as_slice(), b"datetime.date(", b"datetime.time(", b"datetime.timedelta("]
            .into_iter()
            .find(|prefix| text.starts(index, prefix))?
            .len();
    let mut depth = 1;
    for (offset, byte) in text.from(index + open).iter().take(160).enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((open + offset + 1, DATE));
        }
    }
    None
}
