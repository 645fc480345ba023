//! What addresses, names and time zones look like.

use bugle_web::FieldError;
use chrono_tz::Tz;

const MAX_EMAIL: usize = 254;
/// Before the `@`.
const MAX_LOCAL: usize = 64;
const MAX_NAME: usize = 128;
const MAX_TEAM: usize = 64;

/// An address, trimmed. Whether it exists is only shown by a mail that arrives.
///
/// # Errors
/// What is wrong with it, for the field `email`.
pub fn email(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let parts = text.rsplit_once('@');
    let good = parts.is_some_and(|(local, domain)| {
        (1..=MAX_LOCAL).contains(&local.len())
            && !domain.is_empty()
            && !domain.contains("..")
            && !domain.starts_with('.')
    });
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c));
    if good && plain && text.len() <= MAX_EMAIL {
        return Ok(text.to_owned());
    }
    Err(FieldError::new(
        "email",
        format!(
            "expected an address such as ann@example.com: {MAX_LOCAL} bytes at most before the @, {MAX_EMAIL} in all"
        ),
    ))
}

/// A person's name, trimmed.
///
/// # Errors
/// What is wrong with it, for the field `name`.
pub fn name(text: &str) -> Result<String, FieldError> {
    words(text, MAX_NAME)
}

/// A team's name, trimmed.
///
/// # Errors
/// What is wrong with it, for the field `name`.
pub fn team_name(text: &str) -> Result<String, FieldError> {
    words(text, MAX_TEAM)
}

/// The name of a saved search, trimmed.
///
/// # Errors
/// What is wrong with it, for the field `name`.
pub fn search_name(text: &str) -> Result<String, FieldError> {
    words(text, bugle_store::saved_searches::MAX_NAME)
}

fn words(text: &str, longest: usize) -> Result<String, FieldError> {
    let text = text.trim();
    if (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(FieldError::new("name", format!("expected 1 to {longest} characters, without line breaks")))
}

/// A time zone's name (IANA).
///
/// # Errors
/// What is wrong with it, for the field `time_zone`.
pub fn time_zone(text: &str) -> Result<String, FieldError> {
    match text.parse::<Tz>() {
        Ok(zone) => Ok(zone.name().to_owned()),
        Err(_) => Err(FieldError::new("time_zone", "is no time zone; expected a name such as Europe/Vienna")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["ann@example.com", " ann+x@a.b.example ", "ä@example.com", "root@localhost"] {
            assert!(email(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in
            ["", "ann", "@example.com", "ann@", "a b@c.d", "a@b\r\nBcc: c@d", "Ann <a@b.c>", "a@b..c", &long]
        {
            assert!(email(bad).is_err(), "{bad}");
        }
        let message = email(&long).unwrap_err().message;
        assert!(message.ends_with("64 bytes at most before the @, 254 in all"), "{message}");
    }

    #[test]
    fn time_zones_are_those_that_there_are() {
        for good in ["UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert_eq!(time_zone(good).unwrap(), good);
        }
        for bad in ["", "Vienna", "europe/vienna", "Europe/Nowhere", "+01:00"] {
            assert!(time_zone(bad).is_err(), "{bad}");
        }
    }
}
