//! What an SMS says. Pure.

use bugle_model::{IncidentAnswer, IncidentId};

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing more is to be sent there. Twilio has answered it, and sends nothing more by itself.
    Stop,
    /// Messages may be sent there again.
    Start,
    /// What this number is. Twilio has answered it.
    Help,
    /// An answer to a page; without an incident to the only one that there is.
    Answer(IncidentAnswer, Option<IncidentId>),
    /// Nothing that is known.
    Nothing,
}

/// Twilio's words (<https://help.twilio.com/articles/223134027>); a single one, in any case.
const STOP: &[&str] = &["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"];
const START: &[&str] = &["start", "yes", "unstop"];
const HELP: &[&str] = &["help", "info"];

/// Reads a message: a word and a number, in any order, as in `14a`, `ack 14`, `Resolve #14`; or a word alone. `opt_out` is Twilio's
/// `OptOutType`, which knows the words that the operator has chosen.
pub(super) fn read(body: &str, opt_out: &str) -> Said {
    match opt_out {
        "STOP" => return Said::Stop,
        "START" => return Said::Start,
        "HELP" => return Said::Help,
        _ => {}
    }
    let Some((word, number)) = word_and_number(body) else { return Said::Nothing };
    if number.is_none() {
        for (words, said) in [(STOP, Said::Stop), (START, Said::Start), (HELP, Said::Help)] {
            if words.contains(&word.as_str()) {
                return said;
            }
        }
    }
    let answer = match word.as_str() {
        "a" | "ack" | "acknowledge" | "acknowledged" => IncidentAnswer::Acknowledge,
        "e" | "esc" | "escalate" | "escalated" => IncidentAnswer::Escalate,
        "r" | "res" | "resolve" | "resolved" | "c" | "close" | "closed" => IncidentAnswer::Resolve,
        _ => return Said::Nothing,
    };
    Said::Answer(answer, number.map(IncidentId))
}

/// One word in lower case and at most one number; `None` when there is anything else. What phones add does not count: spaces, quotes,
/// a dot at the end, a sign before the number.
fn word_and_number(body: &str) -> Option<(String, Option<i64>)> {
    let (mut words, mut numbers) = (Vec::new(), Vec::new());
    let mut last = None;
    for c in body.chars() {
        let kind = match c {
            c if c.is_ascii_digit() => Some(Kind::Digit),
            c if c.is_alphabetic() => Some(Kind::Letter),
            c if c.is_whitespace() || "\"'“”‘’`.,:!#".contains(c) => None,
            _ => return None,
        };
        let into: Option<&mut Vec<String>> = match kind {
            Some(Kind::Letter) => Some(&mut words),
            Some(Kind::Digit) => Some(&mut numbers),
            None => None,
        };
        if let Some(into) = into {
            if last != kind {
                into.push(String::new());
            }
            into.last_mut()?.extend(c.to_lowercase());
        }
        last = kind;
        if words.len() > 1 || numbers.len() > 1 {
            return None;
        }
    }
    let number = match numbers.first() {
        Some(digits) => Some(digits.parse().ok()?),
        None => None,
    };
    Some((words.into_iter().next()?, number))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use IncidentAnswer::{Acknowledge, Escalate, Resolve};

    #[test]
    fn an_answer_is_a_word_and_perhaps_a_number() {
        for (body, answer, number) in [
            ("14a", Acknowledge, Some(14)),
            ("14A", Acknowledge, Some(14)),
            ("14 a", Acknowledge, Some(14)),
            (" 14a \r\n", Acknowledge, Some(14)),
            ("a14", Acknowledge, Some(14)),
            ("ack 14", Acknowledge, Some(14)),
            ("Ack", Acknowledge, None),
            ("ACKNOWLEDGE", Acknowledge, None),
            ("\"14a\"", Acknowledge, Some(14)),
            ("“14a”.", Acknowledge, Some(14)),
            ("14r", Resolve, Some(14)),
            ("Resolve #14!", Resolve, Some(14)),
            ("close 14", Resolve, Some(14)),
            ("r", Resolve, None),
            ("14e", Escalate, Some(14)),
            ("escalate: 9007199254740993", Escalate, Some(9_007_199_254_740_993)),
        ] {
            assert_eq!(read(body, ""), Said::Answer(answer, number.map(IncidentId)), "{body}");
        }
    }

    #[test]
    fn what_is_not_plain_is_not_guessed_at() {
        for body in [
            "",
            "14",
            "a b",
            "14a 15a",
            "1 4 a",
            "please ack",
            "do not ack",
            "ack!?",
            "ok",
            "-14a",
            "14a; 15r",
            "99999999999999999999a",
            "аск 14",
            "👍",
        ] {
            assert_eq!(read(body, ""), Said::Nothing, "{body}");
        }
        assert_eq!(read(&"a".repeat(1600), ""), Said::Nothing);
    }

    #[test]
    fn twilios_words_are_twilios() {
        for (body, said) in [
            ("STOP", Said::Stop),
            (" stop ", Said::Stop),
            ("Unsubscribe", Said::Stop),
            ("cancel", Said::Stop),
            ("START", Said::Start),
            ("yes", Said::Start),
            ("unstop", Said::Start),
            ("HELP", Said::Help),
            ("info", Said::Help),
            // Twilio takes single words only.
            ("stop please", Said::Nothing),
            ("stop 14", Said::Nothing),
        ] {
            assert_eq!(read(body, ""), said, "{body}");
        }
        assert_eq!(read("arrêt", "STOP"), Said::Stop, "a word that the operator has chosen");
        assert_eq!(read("14a", "START"), Said::Start);
        assert_eq!(read("aide", "HELP"), Said::Help);
    }
}
