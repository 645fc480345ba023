//! Lines of a calendar.

/// The length of a line, in bytes and without its end, from which on it is folded.
const FOLD_AT: usize = 75;

/// Appends `name:value` as one content line, folded between characters.
pub(super) fn push_line(to: &mut String, name: &str, value: &str) {
    let mut length = 0;
    for character in name.chars().chain([':']).chain(value.chars()) {
        if length + character.len_utf8() > FOLD_AT {
            to.push_str("\r\n ");
            length = 1;
        }
        to.push(character);
        length += character.len_utf8();
    }
    to.push_str("\r\n");
}

/// `text` as a value of type TEXT. Control characters but line ends are left out: no escape exists for them.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\n' => escaped.push_str("\\n"),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// The content lines of `text`: unfolded, empty ones left out, each ended by CR LF whatever it was.
///
/// The parser looks for CR LF through the whole text before it is content with LF, so that a calendar with bare
/// LFs would take time by the square of its size, and one with both kinds would be read wrong.
pub(super) fn content_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').split(['\r', '\n']).filter(|line| !line.is_empty()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}
