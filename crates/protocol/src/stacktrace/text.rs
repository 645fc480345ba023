//! Small pieces that the readers share. Lengths are the protocol's.

use bugle_model::Frame;

/// Characters of an exception's class.
pub(super) const MAX_TYPE: usize = 256;
/// Characters of an exception's message.
pub(super) const MAX_VALUE: usize = 8192;
/// Characters of a function's name.
pub(super) const MAX_FUNCTION: usize = 512;
/// Characters of a file, path or module.
pub(super) const MAX_PATH: usize = 256;
/// A longer line is no frame.
const MAX_LINE: usize = 8 * 1024;

/// The first bytes of a text, cut at a character.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// The last bytes of a text, cut at a character.
pub(super) fn suffix(text: &str, bytes: usize) -> &str {
    let from = text.len().saturating_sub(bytes);
    let start = (from..=text.len()).find(|&start| text.is_char_boundary(start)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => prefix(text, end).to_owned(),
        None => text.to_owned(),
    }
}

/// The same, and nothing for a blank text.
pub(super) fn filled(text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| cut(text, max))
}

/// The lines, without those that are too long to be looked at.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| prefix(line, MAX_LINE))
}

/// Decimal digits and nothing else.
pub(super) fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Takes `path:line:column` or `path:line` apart.
pub(super) fn location(text: &str) -> (&str, Option<u32>, Option<u32>) {
    let Some((rest, last)) = split_number(text) else { return (text, None, None) };
    if let Some((path, line)) = split_number(rest) {
        return (path, Some(line), Some(last));
    }
    // `http://host:8080` names a port.
    let is_origin = rest.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
    if is_origin { (text, None, None) } else { (rest, Some(last), None) }
}

fn split_number(text: &str) -> Option<(&str, u32)> {
    let (rest, digits) = text.rsplit_once(':')?;
    (!rest.is_empty()).then_some((rest, number(digits)?))
}

/// `Class: message` or `Class` on its own, where the class looks like the name of one.
pub(crate) fn split_type(header: &str) -> Option<(&str, &str)> {
    let header = header.trim();
    let header = header.strip_prefix("Uncaught ").unwrap_or(header);
    let header = header.strip_prefix("(in promise) ").unwrap_or(header);
    let (first, rest) = header.split_once('\n').unwrap_or((header, ""));
    if let Some((kind, _)) = first.split_once(": ").filter(|(kind, _)| is_type(kind)) {
        return header.strip_prefix(kind)?.strip_prefix(": ").map(|value| (kind, value));
    }
    let kind = first.trim().trim_end_matches(':');
    is_type(kind).then_some((kind, rest))
}

/// Letters, digits and what classes are qualified with; no blanks.
pub(crate) fn is_type(text: &str) -> bool {
    text.len() <= MAX_TYPE
        && text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '\\'))
        && text.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '>' | ']' | '!'))
        && text.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(c, '_' | '$' | '.' | '\\' | ':' | '@' | '`' | '+' | '<' | '>' | '[' | ']' | '!')
        })
}

/// A frame of the given parts; blank ones are absent. For a URL the file is its path.
pub(super) fn frame(function: &str, path: &str, line: Option<u32>, column: Option<u32>) -> Frame {
    let (filename, abs_path) = split_path(path);
    Frame {
        function: filled(function, MAX_FUNCTION),
        filename: filled(filename, MAX_PATH),
        abs_path: abs_path.and_then(|path| filled(path, MAX_PATH)),
        lineno: line,
        colno: column,
        ..Frame::default()
    }
}

/// `http://host/a/b.js?x` is the file `/a/b.js`; anything else is its own name.
fn split_path(path: &str) -> (&str, Option<&str>) {
    let Some((scheme, rest)) = path.split_once("://") else { return (path, None) };
    if !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
        return (path, None);
    }
    let start = rest.find('/').unwrap_or(rest.len());
    let file = rest.get(start..).unwrap_or_default();
    let file = file.split(['?', '#']).next().unwrap_or(file);
    if file.len() < 2 { (path, None) } else { (file, Some(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_taken_apart_from_the_right() {
        assert_eq!(location("http://x:80/a.js:1:2"), ("http://x:80/a.js", Some(1), Some(2)));
        assert_eq!(location("C:\\a.js:7"), ("C:\\a.js", Some(7), None));
        assert_eq!(location("http://localhost:8080"), ("http://localhost:8080", None, None));
        assert_eq!(location("native"), ("native", None, None));
        assert_eq!(location(":1:2"), (":1", Some(2), None));
        assert_eq!(location("a:99999999999999"), ("a:99999999999999", None, None));
    }

    #[test]
    fn a_header_is_class_and_message() {
        assert_eq!(split_type("Uncaught TypeError: a: b"), Some(("TypeError", "a: b")));
        assert_eq!(split_type("java.lang.X: one\ntwo\nthree"), Some(("java.lang.X", "one\ntwo\nthree")));
        assert_eq!(split_type("App\\Exceptions\\Broken"), Some(("App\\Exceptions\\Broken", "")));
        assert_eq!(split_type("something went wrong: badly"), None);
    }

    #[test]
    fn a_url_gives_its_path_as_the_file() {
        let frame = frame("f", "https://a.example/s/app.js?v=1", Some(1), Some(2));
        assert_eq!(frame.filename.as_deref(), Some("/s/app.js"));
        assert_eq!(frame.abs_path.as_deref(), Some("https://a.example/s/app.js?v=1"));
    }
}
