//! What a destination may look like, per channel.

use super::HIDDEN;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bugle_model::{Channel, DestinationSettings, SignalKind};
use url::{Host, Url};

/// A field that is wrong, with the limit it broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// The field, as in the API: `target`, `settings.headers`.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Longest target, in characters.
const MAX_TARGET: usize = 2048;
/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 16 * 1024;
/// Most additional headers, and the longest name and value in bytes.
const MAX_HEADERS: usize = 20;
const MAX_HEADER_NAME: usize = 64;
const MAX_HEADER_VALUE: usize = 1024;
/// Most environments in a filter; the longest name in bytes.
const MAX_ENVIRONMENTS: usize = 50;
const MAX_ENVIRONMENT: usize = 64;

/// Bytes of a browser's public key, an uncompressed point, and of its secret (RFC 8291).
const PUBLIC_KEY: usize = 65;
const AUTH_SECRET: usize = 16;

/// Headers that frame the request or belong to the connection, and those that carry the signature.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const RESERVED_PREFIXES: &[&str] = &["webhook-", "proxy-"];

/// The secret of 24 random bytes, in the form of Standard Webhooks 1.0.0: `whsec_` and base64.
#[must_use]
pub fn secret_from(random: [u8; 24]) -> String {
    format!("whsec_{}", STANDARD.encode(random))
}

/// What of a destination is checked, whoever it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks<'a> {
    pub(crate) channel: Channel,
    pub(crate) target: &'a str,
    pub(crate) settings: &'a DestinationSettings,
}

/// Everything that is wrong.
pub(crate) fn mistakes(new: Looks<'_>) -> Vec<Invalid> {
    let mut found = Vec::new();
    let mut say = |field, problem: Option<String>| {
        found.extend(problem.map(|reason| Invalid { field, reason }));
    };
    let settings = new.settings;
    say("target", target(new));
    say("settings.environments", environments(settings));
    say("settings.kinds", kinds(settings));
    say(
        "settings.headers",
        headers(settings).or_else(|| only(new, Channel::Webhook, !settings.headers.is_empty())),
    );
    say(
        "settings.template",
        template(settings).or_else(|| only(new, Channel::Webhook, settings.template.is_some())),
    );
    say(
        "settings.secret",
        secret(settings).or_else(|| only(new, Channel::Webhook, settings.secret.is_some())),
    );
    say(
        "settings.bot_token",
        bot_token(settings).or_else(|| only(new, Channel::Slack, settings.bot_token.is_some())),
    );
    say("settings.p256dh", of_subscription(new, settings.p256dh.as_deref(), PUBLIC_KEY));
    say("settings.auth", of_subscription(new, settings.auth.as_deref(), AUTH_SECRET));
    found
}

fn only(new: Looks<'_>, channel: Channel, given: bool) -> Option<String> {
    (given && new.channel != channel).then(|| format!("only for the channel {channel}"))
}

/// A value of a browser's subscription, which web push needs and nothing else has.
fn of_subscription(new: Looks<'_>, given: Option<&str>, length: usize) -> Option<String> {
    if new.channel != Channel::WebPush {
        return only(new, Channel::WebPush, given.is_some());
    }
    let bytes = given.and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok());
    let is_fine = bytes.is_some_and(|bytes| bytes.len() == length);
    (!is_fine).then(|| format!("expected {length} bytes in base64url, of the browser's subscription"))
}

fn target(new: Looks<'_>) -> Option<String> {
    let text = new.target.trim();
    if text.is_empty() {
        return Some("is empty".to_owned());
    }
    if text.chars().count() > MAX_TARGET {
        return Some(format!("longer than {MAX_TARGET} characters"));
    }
    match new.channel {
        Channel::Email => {
            (!is_address(text)).then(|| "expected one mail address such as dev@example.com".to_owned())
        }
        Channel::Sms | Channel::Voice => {
            (!is_number(text)).then(|| "expected a number in E.164 such as +15005550006".to_owned())
        }
        Channel::Webhook => web_url(text),
        Channel::WebPush => web_url(text).or_else(|| {
            (!text.starts_with("https://")).then(|| "expected the https:// URL of a push service".to_owned())
        }),
        Channel::Slack if new.settings.bot_token.is_some() => (!is_slack_channel(text))
            .then(|| "expected a channel id such as C0123456789, because a bot token is set".to_owned()),
        Channel::Slack => web_url(text)
            .map(|problem| format!("{problem}; expected the URL of an incoming webhook, or a bot token")),
    }
}

fn web_url(text: &str) -> Option<String> {
    let Ok(url) = Url::parse(text) else { return Some("expected an http:// or https:// URL".to_owned()) };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("expected an http:// or https:// URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a URL with a name or password in it; send an Authorization header instead".to_owned());
    }
    match url.host() {
        Some(Host::Domain("")) | None => Some("the URL has no host".to_owned()),
        Some(_) => None,
    }
}

/// One address; deliberately stricter than RFC 5321: no quotes, no comments, no address literals.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_ok = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(local_ok)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.split('.').all(label_ok)
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

fn is_slack_channel(text: &str) -> bool {
    text.len() <= 80
        && text.strip_prefix('#').unwrap_or(text).chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
}

fn environments(settings: &DestinationSettings) -> Option<String> {
    if settings.environments.len() > MAX_ENVIRONMENTS {
        return Some(format!("more than {MAX_ENVIRONMENTS}"));
    }
    let bad = settings.environments.iter().find(|name| name.is_empty() || name.len() > MAX_ENVIRONMENT);
    bad.map(|_| format!("a name has 1 to {MAX_ENVIRONMENT} bytes"))
}

fn kinds(settings: &DestinationSettings) -> Option<String> {
    let made_here = |kind: &&SignalKind| matches!(kind, SignalKind::Test | SignalKind::Digest);
    settings.kinds.iter().find(made_here).map(|kind| format!("`{kind}` always comes and cannot be chosen"))
}

fn template(settings: &DestinationSettings) -> Option<String> {
    let text = settings.template.as_ref()?;
    (text.len() > MAX_TEMPLATE).then(|| format!("longer than {MAX_TEMPLATE} bytes"))
}

fn secret(settings: &DestinationSettings) -> Option<String> {
    let text = settings.secret.as_ref()?;
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).unwrap_or_default();
    (!(24..=64).contains(&key.len())).then(|| "expected `whsec_` and 24 to 64 bytes in base64".to_owned())
}

fn bot_token(settings: &DestinationSettings) -> Option<String> {
    let text = settings.bot_token.as_ref()?;
    let fine =
        text.starts_with("xox") && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    (!fine).then(|| "expected a token such as xoxb-…, 255 characters at most".to_owned())
}

fn headers(settings: &DestinationSettings) -> Option<String> {
    if settings.headers.len() > MAX_HEADERS {
        return Some(format!("more than {MAX_HEADERS}"));
    }
    settings.headers.iter().find_map(|(name, value)| header(name, value))
}

fn header(name: &str, value: &str) -> Option<String> {
    let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    let lower = name.to_ascii_lowercase();
    if !(1..=MAX_HEADER_NAME).contains(&name.len()) || !name.bytes().all(token) {
        return Some(format!("a name has 1 to {MAX_HEADER_NAME} letters, digits or dashes"));
    }
    if RESERVED_HEADERS.contains(&lower.as_str()) || RESERVED_PREFIXES.iter().any(|p| lower.starts_with(p)) {
        return Some(format!("`{lower}` is set by Bugle"));
    }
    // Of a secret that is there it was replaced by now.
    if value == HIDDEN {
        return Some(format!("`{lower}`: `{HIDDEN}` keeps a value that is there, and there is none"));
    }
    let visible = |byte: u8| (b' '..=b'~').contains(&byte);
    if value.len() > MAX_HEADER_VALUE || !value.bytes().all(visible) {
        return Some(format!("`{lower}`: a value has at most {MAX_HEADER_VALUE} visible ASCII characters"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(channel: Channel, target: &str) -> bool {
        mistakes(Looks { channel, target, settings: &DestinationSettings::default() }).is_empty()
    }

    #[test]
    fn targets_are_checked_per_channel() {
        for fine in ["dev@example.com", "a.b+c@sub.example.com", "root@localhost"] {
            assert!(is_fine(Channel::Email, fine), "{fine}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "dev",
            "a b@example.com",
            "a@b@c",
            "x@-a.de",
            "a@b,c@d",
            "a@b\r\nBcc: x@y",
            "@b",
            "a@",
            &long,
        ] {
            assert!(!is_fine(Channel::Email, bad), "{bad}");
        }
        for channel in [Channel::Sms, Channel::Voice] {
            assert!(is_fine(channel, "+15005550006"));
            for bad in ["15005550006", "+0123456789", "+1", "+1500555000612345", "+1500 555"] {
                assert!(!is_fine(channel, bad), "{channel} {bad}");
            }
        }
        assert!(is_fine(Channel::Webhook, "https://example.com/hook?a=b"));
        for bad in [
            "ftp://example.com",
            "example.com",
            "https://u:p@example.com/",
            "https://u@example.com/",
            "http://",
        ] {
            assert!(!is_fine(Channel::Webhook, bad), "{bad}");
        }
        assert!(is_fine(Channel::Slack, "https://hooks.slack.com/services/T/B/x"));
        assert!(!is_fine(Channel::Slack, "C0123456789"), "a channel id needs a bot token");
    }

    #[test]
    fn settings_belong_to_their_channel_and_have_limits() {
        let mut settings =
            DestinationSettings { bot_token: Some("xoxb-1".to_owned()), ..DestinationSettings::default() };
        let slack = |settings: &DestinationSettings| {
            mistakes(Looks { channel: Channel::Slack, target: "C0123456789", settings })
        };
        assert!(slack(&settings).is_empty());
        settings.template = Some("x".repeat(MAX_TEMPLATE + 1));
        settings.headers.insert("X-A".to_owned(), "b".to_owned());
        let fields: Vec<_> = slack(&settings).into_iter().map(|m| m.field).collect();
        assert_eq!(fields, ["settings.headers", "settings.template"]);
    }

    #[test]
    fn a_subscription_has_a_url_a_key_and_a_secret() {
        let of = |bytes: usize| Some(URL_SAFE_NO_PAD.encode(vec![4; bytes]));
        let fields = |target, p256dh, auth| {
            let settings = DestinationSettings { p256dh, auth, ..DestinationSettings::default() };
            let found = mistakes(Looks { channel: Channel::WebPush, target, settings: &settings });
            found.into_iter().map(|one| one.field).collect::<Vec<_>>()
        };
        let url = "https://push.example.com/a";
        assert_eq!(fields(url, of(65), of(16)), [""; 0]);
        assert_eq!(fields("http://push.example.com/a", of(65), of(16)), ["target"]);
        assert_eq!(fields(url, None, None), ["settings.p256dh", "settings.auth"]);
        assert_eq!(fields(url, of(64), Some("?".to_owned())), ["settings.p256dh", "settings.auth"]);
        let settings = DestinationSettings { auth: of(16), ..DestinationSettings::default() };
        let found = mistakes(Looks { channel: Channel::Webhook, target: url, settings: &settings });
        assert_eq!(found.into_iter().map(|one| one.field).collect::<Vec<_>>(), ["settings.auth"]);
    }

    #[test]
    fn headers_that_frame_or_sign_are_refused() {
        for bad in [
            "Host",
            "content-LENGTH",
            "Webhook-Id",
            "webhook-anything",
            "Proxy-Authorization",
            "a b",
            "",
            "é",
        ] {
            assert!(header(bad, "x").is_some(), "{bad}");
        }
        for (name, value) in [("Authorization", "Bearer x"), ("X-Custom", ""), ("Content-Type", "text/plain")]
        {
            assert_eq!(header(name, value), None, "{name}");
        }
        assert!(header("X-A", "a\r\nHost: b").is_some());
        assert!(header("X-A", &"a".repeat(1025)).is_some());
        assert!(header("X-A", HIDDEN).is_some(), "as it was shown, by mistake");
    }

    #[test]
    fn secrets_have_24_to_64_bytes_with_or_without_prefix() {
        let hook = |settings: &DestinationSettings| {
            mistakes(Looks { channel: Channel::Webhook, target: "https://example.com/", settings })
        };
        for (secret, fine) in [
            (secret_from([7; 24]), true),
            (STANDARD.encode([7; 64]), true),
            (format!("whsec_{}", STANDARD.encode([7; 23])), false),
            ("whsec_***".to_owned(), false),
        ] {
            let settings =
                DestinationSettings { secret: Some(secret.clone()), ..DestinationSettings::default() };
            assert_eq!(hook(&settings).is_empty(), fine, "{secret}");
        }
    }
}
