//! What people write when they meet an error.

use crate::Invalid;
use crate::normalise::{Notes, parse_object};
use bugle_model::parse_event_id;
use serde_json::{Map, Value};
use uuid::Uuid;

const MAX_MESSAGE_CHARS: usize = 4096;
const MAX_NAME_CHARS: usize = 200;
const MAX_URL_CHARS: usize = 2048;

/// A person's words about an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feedback {
    /// The event it is about, when the client knows.
    pub event_id: Option<Uuid>,
    /// The person's name.
    pub name: Option<String>,
    /// The person's address for mail.
    pub email: Option<String>,
    /// What they wrote, 4,096 characters at most.
    pub message: String,
    /// The page they were on.
    pub url: Option<String>,
}

/// Reads a `feedback` item: an event whose `contexts.feedback` holds the words.
///
/// # Errors
/// When the body is no JSON object, or holds no message.
pub fn parse(body: &[u8]) -> Result<Feedback, Invalid> {
    let (mut event, mut notes) = parse_object(body)?;
    let context = match event.remove("contexts") {
        Some(Value::Object(mut contexts)) => contexts.remove("feedback"),
        _ => None,
    };
    let Some(Value::Object(mut context)) = context else {
        return Err(Invalid::new("contexts.feedback", "missing"));
    };
    let feedback = read(&mut context, &mut notes)?;
    // Browsers name the page where they name it for any event.
    let page = || match event.remove("request") {
        Some(Value::Object(mut request)) => notes.word("request.url", request.remove("url")?, MAX_URL_CHARS),
        _ => None,
    };
    Ok(Feedback { url: feedback.url.clone().or_else(page), ..feedback })
}

/// Reads the flat object that both forms come down to.
pub(crate) fn read(map: &mut Map<String, Value>, notes: &mut Notes) -> Result<Feedback, Invalid> {
    let mut take =
        |names: &[&str], max: usize| names.iter().find_map(|name| notes.word(name, map.remove(*name)?, max));
    let message = take(&["message", "comments"], MAX_MESSAGE_CHARS)
        .ok_or_else(|| Invalid::new("message", "required, and must be text"))?;
    let event_id = take(&["associated_event_id", "event_id"], 64);
    Ok(Feedback {
        event_id: event_id.as_deref().and_then(parse_event_id),
        name: take(&["name"], MAX_NAME_CHARS),
        email: take(&["contact_email", "email"], MAX_NAME_CHARS),
        message,
        url: take(&["url"], MAX_URL_CHARS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

    #[test]
    fn both_forms_are_read() {
        let expected = Feedback {
            event_id: parse_event_id(ID),
            name: Some("Ada".into()),
            email: Some("ada@example.com".into()),
            message: "It broke".into(),
            url: None,
        };
        let feedback = format!(
            r#"{{"type":"feedback","contexts":{{"feedback":{{"message":" It broke ","contact_email":"ada@example.com",
            "name":"Ada","associated_event_id":"{ID}","replay_id":null}}}},"request":{{"url":"https://x.example/"}}}}"#
        );
        let page = Some("https://x.example/".to_owned());
        assert_eq!(parse(feedback.as_bytes()).unwrap(), Feedback { url: page, ..expected.clone() });
        let report =
            format!(r#"{{"event_id":"{ID}","name":"Ada","email":"ada@example.com","comments":"It broke"}}"#);
        assert_eq!(crate::user_report::parse(report.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn the_message_is_required_and_bounded() {
        for body in [
            "{}",
            r#"{"contexts":[]}"#,
            r#"{"contexts":{"feedback":{}}}"#,
            r#"{"contexts":{"feedback":{"message":"  "}}}"#,
            r#"{"contexts":{"feedback":{"message":{}}}}"#,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        let long = format!(r#"{{"comments":"{}"}}"#, "x".repeat(10_000));
        assert_eq!(
            crate::user_report::parse(long.as_bytes()).unwrap().message.chars().count(),
            MAX_MESSAGE_CHARS
        );
    }
}
