//! Addresses of calendars.

use url::{Host, Url};

/// Longest address, in characters.
pub const MAX_CALENDAR_URL: usize = 2048;

/// The address of a calendar. It is a secret: whoever knows it reads the calendar.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarUrl(Url);

impl CalendarUrl {
    /// What somebody gives as an address: `https`, `http`, or `webcal`, which calendar programs write for `https`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let too_long = || format!("longer than {MAX_CALENDAR_URL} characters");
        if text.chars().count() > MAX_CALENDAR_URL {
            return Err(too_long());
        }
        let url = match text.split_once("://") {
            Some((scheme, rest))
                if ["webcal", "webcals"].iter().any(|own| scheme.eq_ignore_ascii_case(own)) =>
            {
                Url::parse(&format!("https://{rest}"))
            }
            _ => Url::parse(text),
        };
        let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("expected an https:// or http:// URL of a calendar")?;
        if matches!(url.host(), None | Some(Host::Domain(""))) {
            return Err("the URL has no host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with a name or password in it is not taken".to_owned());
        }
        if url.as_str().chars().count() > MAX_CALENDAR_URL {
            return Err(too_long());
        }
        Ok(Self(url))
    }

    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What may be shown of it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}/…", self.0.origin().ascii_serialization())
    }
}

impl std::fmt::Debug for CalendarUrl {
    /// Without what makes it a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CalendarUrl").field(&self.host()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{CalendarUrl, MAX_CALENDAR_URL};

    #[test]
    fn an_address_is_shown_without_its_secret() {
        for (given, kept, shown) in [
            (
                " https://calendar.example/private-1/basic.ics ",
                "https://calendar.example/private-1/basic.ics",
                "https://calendar.example/…",
            ),
            (
                "webcal://calendar.example/1.ics",
                "https://calendar.example/1.ics",
                "https://calendar.example/…",
            ),
            (
                "WEBCALS://calendar.example:8443/1",
                "https://calendar.example:8443/1",
                "https://calendar.example:8443/…",
            ),
            ("http://Calendar.example?key=1", "http://calendar.example/?key=1", "http://calendar.example/…"),
        ] {
            let url = CalendarUrl::parse(given).unwrap();
            assert_eq!((url.as_str(), url.host().as_str()), (kept, shown));
            assert_eq!(format!("{url:?}"), format!("CalendarUrl({shown:?})"));
        }
    }

    #[test]
    fn what_is_no_address_of_a_calendar_is_refused() {
        let long = format!("https://calendar.example/{}", "a".repeat(MAX_CALENDAR_URL));
        for (given, why) in [
            ("", "expected an https:// or http:// URL of a calendar"),
            ("calendar.example/1.ics", "expected an https:// or http:// URL of a calendar"),
            ("ftp://calendar.example/1.ics", "expected an https:// or http:// URL of a calendar"),
            ("file:///etc/passwd", "expected an https:// or http:// URL of a calendar"),
            ("https://ann:secret@calendar.example/", "a URL with a name or password in it is not taken"),
            (long.as_str(), "longer than 2048 characters"),
        ] {
            assert_eq!(CalendarUrl::parse(given).unwrap_err(), why, "{given}");
        }
    }
}
