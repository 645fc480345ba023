//! Names whose values are secret.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind, StartKind};
use bugle_model::ScrubSettings;

/// Anywhere in a name, without regard to case and separators: `X-Api-Key` is `xapikey`.
const PARTS: [&str; 32] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "secret",
    "token",
    "apikey",
    "authorization",
    "authkey",
    "cookie",
    "credential",
    "privatekey",
    "accesskey",
    "signingkey",
    "encryptionkey",
    "sshkey",
    "masterkey",
    "sessionid",
    "session",
    "sessid",
    "csrf",
    "xsrf",
    "jwt",
    "bearer",
    "mysqlpwd",
    "creditcard",
    "cardnumber",
    "ccnumber",
    "securitycode",
    "connectionstring",
    "socialsecurity",
    "webhookurl",
];
/// The whole name: too short to look for inside of others.
const WHOLE: [&str; 16] = [
    "auth",
    "pwd",
    "pass",
    "pw",
    "pin",
    "cvv",
    "cvc",
    "cvv2",
    "ssn",
    "sid",
    "connectsid",
    "otp",
    "totp",
    "card",
    "userpass",
    "dbpass",
];
/// The whole name of an address, for projects that keep none.
const ADDRESSES: [&str; 17] = [
    "ip",
    "ipaddress",
    "ipaddr",
    "clientip",
    "clientaddress",
    "remoteip",
    "remoteaddr",
    "remoteaddress",
    "xforwardedfor",
    "httpxforwardedfor",
    "xrealip",
    "httpxrealip",
    "forwarded",
    "cfconnectingip",
    "trueclientip",
    "xclientip",
    "peerip",
];
/// Numbers under such a name are about secrets, not secrets.
const COUNTS: [&str; 6] = ["tokens", "count", "length", "size", "expires", "ttl"];
/// A project may add this many names.
const MAX_FIELDS: usize = 500;
/// A longer name is looked at up to here.
const MAX_NAME: usize = 96;

/// The names that a project filters.
#[derive(Debug)]
pub(super) struct Names {
    parts: Option<AhoCorasick>,
    keep: Vec<String>,
    addresses: bool,
}

impl Names {
    pub fn new(settings: &ScrubSettings) -> Self {
        let mut patterns: Vec<String> = PARTS.iter().map(|part| (*part).to_owned()).collect();
        patterns.extend(fields(settings).map(plain).filter(|field| !field.is_empty()));
        Self {
            parts: automaton(&patterns, false),
            keep: settings.keep.iter().map(|name| name.trim().to_lowercase()).collect(),
            addresses: settings.addresses,
        }
    }

    /// Whether values of this name are secret.
    pub fn is_secret(&self, name: &str) -> bool {
        let mut buffer = [0; MAX_NAME];
        let plain = squeeze(name, &mut buffer);
        if plain.len() < 2 {
            return false;
        }
        let is_whole = |list: &[&str]| list.iter().any(|word| word.as_bytes() == plain);
        let is_part = || {
            let input = Input::new(plain).earliest(true);
            self.parts.as_ref().is_some_and(|parts| parts.is_match(input))
        };
        (is_part() || is_whole(&WHOLE) || (self.addresses && is_whole(&ADDRESSES))) && !self.is_kept(name)
    }

    /// Whether the project wants this name untouched.
    pub fn is_kept(&self, name: &str) -> bool {
        !self.keep.is_empty() && self.keep.contains(&name.trim().to_lowercase())
    }

    /// Whether a number of this name counts something.
    pub fn is_count(name: &str) -> bool {
        let mut buffer = [0; MAX_NAME];
        let plain = squeeze(name, &mut buffer);
        COUNTS.iter().any(|word| plain.ends_with(word.as_bytes()))
    }
}

/// The project's own names; what is beyond reason would make the automaton too large to build.
pub(super) fn fields(settings: &ScrubSettings) -> impl Iterator<Item = &str> {
    let fields = settings.fields.iter().map(|field| field.trim());
    fields.filter(|field| (2..=MAX_NAME).contains(&field.len())).take(MAX_FIELDS)
}

/// A small automaton that prefers the longest of several words.
pub(super) fn automaton(patterns: &[String], ignore_case: bool) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .start_kind(StartKind::Unanchored)
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(ignore_case)
        .build(patterns)
        .ok()
}

/// The letters and digits of a name, in lower case.
fn squeeze<'a>(name: &str, buffer: &'a mut [u8; MAX_NAME]) -> &'a [u8] {
    let mut length = 0;
    let kept = name.bytes().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    for (slot, byte) in buffer.iter_mut().zip(kept) {
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length).unwrap_or_default()
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || !c.is_ascii())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names() {
        let names = Names::new(&ScrubSettings::default());
        for name in [
            "password",
            "PASSWORD",
            "user_password2",
            "db.passwd",
            "client-secret",
            "X-Api-Key",
            "apiKey",
            "api key",
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "access_token",
            "csrfmiddlewaretoken",
            "XSRF-TOKEN",
            "PHPSESSID",
            "session",
            "AWS_SECRET_ACCESS_KEY",
            "private_key",
            "credentials",
            "jwt",
            "auth",
            "pwd",
            "pin",
            "cvv",
            "connect.sid",
            "credit_card",
        ] {
            assert!(names.is_secret(name), "{name}");
        }
        for name in
            ["author", "key", "pinned", "passed", "bypass", "id", "user", "inside", "", "x", "ip", "card_id"]
        {
            assert!(!names.is_secret(name), "{name}");
        }
    }

    #[test]
    fn settings_add_and_keep() {
        let settings = ScrubSettings {
            fields: vec!["Tax-Id".into(), "  ".into()],
            keep: vec!["Session_Type".into()],
            addresses: true,
            ..ScrubSettings::default()
        };
        let names = Names::new(&settings);
        assert!(names.is_secret("customer_tax_id"));
        assert!(!names.is_secret("session_type"));
        assert!(names.is_secret("session_type_2"));
        assert!(names.is_secret("X-Forwarded-For"));
        assert!(!names.is_secret("y"));
    }
}
