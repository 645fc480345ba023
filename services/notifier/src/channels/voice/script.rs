//! What a call says, as TwiML (<https://www.twilio.com/docs/voice/twiml>).

use crate::content::{Content, Item, cut};
use bugle_model::SignalKind;

/// Characters of a title that are read aloud, and of other names: about ten seconds.
const MAX_TITLE: usize = 120;
const MAX_NAME: usize = 40;
/// How long it waits for a key after everything was said, in seconds.
const PATIENCE: u32 = 10;

/// The script: everything twice, as nobody understands the first words of a call at night. With the address that hears of it the page of one
/// incident is answered by a key, at any moment; a key would not say which of several it means.
#[must_use]
pub(super) fn compose(content: &Content, key: Option<&str>) -> String {
    let words = words(content);
    let is_page = content.items.first().is_some_and(|item| item.incident.is_some());
    let key = key.filter(|_| is_page && !content.is_list);
    let body = match key {
        Some(url) => {
            let words = format!(
                "{words} Press 4 to acknowledge, 6 to resolve, 8 to have the next step come at once."
            );
            format!(
                "<Gather numDigits=\"1\" timeout=\"{PATIENCE}\" method=\"POST\" action=\"{}\">{}</Gather><Say>Goodbye.</Say>",
                escaped(url),
                twice(&words)
            )
        }
        None => twice(&words),
    };
    format!("<Response>{body}</Response>")
}

fn twice(words: &str) -> String {
    let say = format!("<Say>{}</Say>", escaped(words));
    format!("{say}<Pause length=\"1\"/>{say}")
}

fn words(content: &Content) -> String {
    match (content.kind, &content.code, content.items.first()) {
        (SignalKind::Verification, Some(code), _) => {
            let digits: Vec<String> = code.chars().map(String::from).collect();
            format!("This is Bugle. Your code is: {}.", digits.join(", "))
        }
        (_, _, Some(item)) => about(item, content),
        (..) => "This is a test call from Bugle. Nothing is wrong.".to_owned(),
    }
}

fn about(item: &Item, content: &Content) -> String {
    let project = spoken(&content.project, MAX_NAME);
    let several = if content.is_list {
        format!(" {}. Answer them in Bugle. The first:", spoken(&content.headline, MAX_NAME))
    } else {
        String::new()
    };
    let environment = item.environment.as_deref().map(|name| format!(", {}", spoken(name, MAX_NAME)));
    format!(
        "This is Bugle.{several} {} priority, {}, {project}{}. {}.",
        item.priority,
        spoken(&item.short_id, MAX_NAME),
        environment.unwrap_or_default(),
        spoken(&item.title, MAX_TITLE).trim_end_matches(['.', ':', ',', '!', '?'])
    )
}

/// The first characters of a text, without what cannot be read aloud.
fn spoken(text: &str, limit: usize) -> String {
    let heard = |c: char| if c.is_alphanumeric() || ".,:!?'-%".contains(c) { c } else { ' ' };
    let plain: String = text.chars().map(heard).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    cut(&words.join(" "), limit).replace('…', "")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_aloud_is_left_out() {
        for (text, expected) in [
            ("ValueError: “bad” input – see `x`", "ValueError: bad input see x"),
            ("</Say><Hangup/> & co.", "Say Hangup co."),
            ("a_b/c\\d\u{0}\u{202e}e 😀", "a b c d e"),
            ("Überlauf in Straße 50%", "Überlauf in Straße 50%"),
        ] {
            assert_eq!(spoken(text, MAX_TITLE), expected);
        }
        assert_eq!(spoken(&"x".repeat(500), MAX_TITLE).len(), MAX_TITLE - 1);
    }
}
