//! Loggers that write time, level and place into the message itself.

/// The message without a prefix such as loguru's `2026-11-20 18:02:44.285 | ERROR    | app.pay:charge:11 - `.
/// Anything that does not have exactly this form is left as it is.
pub(crate) fn strip_log_prefix(message: &str) -> &str {
    stripped(message).unwrap_or(message)
}

fn stripped(message: &str) -> Option<&str> {
    if !message.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (time, rest) = message.split_once(" | ")?;
    let (level, rest) = rest.split_once(" | ")?;
    let is_time = time.len() <= 40
        && time.bytes().all(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b',' | b' ' | b'T' | b'+')
        });
    let level = level.trim();
    let is_level =
        !level.is_empty() && level.len() <= 12 && level.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_time || !is_level {
        return None;
    }
    let (place, text) = rest.split_once(" - ")?;
    let (_, line) = place.rsplit_once(':')?;
    let is_place = place.len() <= 256 && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    (is_place && !text.trim().is_empty()).then_some(text)
}
