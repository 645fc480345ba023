//! What providers can do here, by what is set.

use super::Config;
use url::Host;

impl Config {
    /// Whether Twilio can call this installation under its public URL, as far as that tells: a name or address of the internet.
    /// Twilio refuses messages that ask it to report to a name with an underscore (error 21609).
    #[must_use]
    pub fn twilio_reaches_here(&self) -> bool {
        match self.public_url.host() {
            Some(Host::Domain(name)) => {
                let local = ["localhost", "local", "internal", "lan", "home.arpa"];
                let is_local =
                    local.iter().any(|end| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')));
                name.contains('.') && !name.contains('_') && !is_local
            }
            Some(Host::Ipv4(address)) => {
                !(address.is_loopback()
                    || address.is_private()
                    || address.is_link_local()
                    || address.is_unspecified())
            }
            Some(Host::Ipv6(address)) => {
                address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000)
            }
            None => false,
        }
    }

    /// Whether people can reply to an SMS: it comes from a number or a messaging service, not from a name, and Twilio can pass replies on.
    #[must_use]
    pub fn takes_sms_replies(&self) -> bool {
        let from = self.twilio_from.as_deref().unwrap_or_default();
        self.twilio_reaches_here() && (from.starts_with('+') || from.starts_with("MG"))
    }

    /// The number that calls come from, in E.164: the one that is set for them, or else the one that SMS come from. A name or a messaging service
    /// calls nobody.
    #[must_use]
    pub fn calls_from(&self) -> Option<&str> {
        let from = self.twilio_voice_from.as_deref().or(self.twilio_from.as_deref())?;
        from.starts_with('+').then_some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilio_reaches_what_is_on_the_internet() {
        for (url, expected) in [
            ("https://bugle.example.com/sub", true),
            ("https://203.0.113.7:8443", true),
            ("http://[2001:db8::1]", true),
            ("http://localhost:8080", false),
            ("http://bugle", false),
            ("https://bugle.internal", false),
            ("https://bugle.lan", false),
            ("https://my_bugle.example.com", false),
            ("http://127.0.0.1:8080", false),
            ("http://10.1.2.3", false),
            ("http://[::1]:8080", false),
        ] {
            let config = Config { public_url: url.parse().unwrap(), ..Config::default() };
            assert_eq!(config.twilio_reaches_here(), expected, "{url}");
            assert!(!config.takes_sms_replies(), "no number is set");
        }
    }

    #[test]
    fn one_replies_to_a_number_and_not_to_a_name() {
        for (from, expected) in [("+15005550006", true), ("MG0123", true), ("Bugle", false)] {
            let public_url = "https://bugle.example.com".parse().unwrap();
            let config = Config { public_url, twilio_from: Some(from.to_owned()), ..Config::default() };
            assert_eq!(config.takes_sms_replies(), expected, "{from}");
        }
    }

    #[test]
    fn calls_come_from_a_number() {
        for (sms, voice, expected) in [
            ("+15005550006", None, Some("+15005550006")),
            ("+15005550006", Some("+15005550007"), Some("+15005550007")),
            ("MG0123", Some("+15005550007"), Some("+15005550007")),
            ("MG0123", None, None),
            ("Bugle", None, None),
        ] {
            let (twilio_from, twilio_voice_from) = (Some(sms.to_owned()), voice.map(str::to_owned));
            let config = Config { twilio_from, twilio_voice_from, ..Config::default() };
            assert_eq!(config.calls_from(), expected, "{sms} {voice:?}");
        }
    }
}
