//! `user_report` items, the older form of feedback.

use crate::Invalid;
use crate::feedback::{self, Feedback};
use crate::normalise::parse_object;

/// Reads `{event_id, name, email, comments}`.
///
/// # Errors
/// When the body is no JSON object, or holds no comments.
pub fn parse(body: &[u8]) -> Result<Feedback, Invalid> {
    let (mut report, mut notes) = parse_object(body)?;
    feedback::read(&mut report, &mut notes)
}
