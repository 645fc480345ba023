//! Inbound filters: events that a project does not want.

mod glob;

use bugle_model::{Event, Frame, InboundFilters};
use glob::Glob;
use serde_json::Value;

/// Where browser extensions live.
const EXTENSION_SCHEMES: [&str; 6] = [
    "chrome-extension://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "ms-browser-extension://",
    "chrome://",
];

/// Errors that extensions and injected scripts raise in everyone's pages.
const EXTENSION_MESSAGES: [&str; 8] = [
    "extension context invalidated",
    "top.globals",
    "jigsaw is not defined",
    "originalcreatenotification",
    "atomicfindclose",
    "_avast_submit",
    "__gcrweb",
    "webkitexitfullscreen",
];

/// Parts of the names of programs that fetch pages by themselves.
const CRAWLERS: [&str; 26] = [
    "googlebot",
    "google-inspectiontool",
    "adsbot",
    "mediapartners-google",
    "bingbot",
    "bingpreview",
    "yandexbot",
    "baiduspider",
    "duckduckbot",
    "slurp",
    "applebot",
    "facebookexternalhit",
    "twitterbot",
    "linkedinbot",
    "slackbot",
    "telegrambot",
    "discordbot",
    "pinterestbot",
    "petalbot",
    "ahrefsbot",
    "semrushbot",
    "mj12bot",
    "gptbot",
    "crawler",
    "spider",
    "bot/",
];

/// A project's filters, ready for use.
#[derive(Debug, Default)]
pub struct Filters {
    releases: Vec<Glob>,
    environments: Vec<Glob>,
    exception_types: Vec<Glob>,
    messages: Vec<Glob>,
    browser_extensions: bool,
}

impl Filters {
    /// Prepares the filters that are decided by the event; those by address and user agent are the door's.
    #[must_use]
    pub fn new(settings: &InboundFilters) -> Self {
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        Self {
            releases: globs(&settings.releases),
            environments: globs(&settings.environments),
            exception_types: globs(&settings.exception_types),
            messages: globs(&settings.messages),
            browser_extensions: settings.browser_extensions,
        }
    }

    /// Why the project does not want this event; nothing when it does.
    #[must_use]
    pub fn check(&self, event: &Event) -> Option<&'static str> {
        let matches = |globs: &[Glob], text: Option<&str>| {
            !globs.is_empty()
                && text
                    .map(str::to_lowercase)
                    .is_some_and(|text| globs.iter().any(|glob| glob.matches(&text)))
        };
        let outermost = event.exceptions.last();
        if matches(&self.releases, event.release.as_deref()) {
            Some("release")
        } else if matches(&self.environments, event.environment.as_deref()) {
            Some("environment")
        } else if matches(&self.exception_types, outermost.and_then(|exception| exception.kind.as_deref())) {
            Some("exception_type")
        } else if !self.messages.is_empty()
            && texts(event).iter().any(|text| matches(&self.messages, Some(text)))
        {
            Some("message")
        } else if self.browser_extensions && is_browser_extension(event) {
            Some("browser_extension")
        } else {
            None
        }
    }
}

/// Whether a `User-Agent` is that of a web crawler.
#[must_use]
pub fn is_crawler(user_agent: &str) -> bool {
    let user_agent = user_agent.to_ascii_lowercase();
    CRAWLERS.iter().any(|name| user_agent.contains(name))
}

/// `Type: value` of the outermost exception, and the message.
fn texts(event: &Event) -> Vec<String> {
    let exception = event.exceptions.last().map(|exception| {
        let parts = [exception.kind.as_deref(), exception.value.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    let message = event.message.as_ref().map(|message| message.text().to_owned());
    exception.into_iter().chain(message).collect()
}

/// What a security report names as the source, whatever its form.
fn report_sources(sent: &Value) -> impl Iterator<Item = &str> {
    let reports = [Some(sent), sent.get("csp-report"), sent.get("body")];
    let names = ["source-file", "sourceFile", "blocked-uri", "blockedURL"];
    reports
        .into_iter()
        .flatten()
        .flat_map(move |report| names.into_iter().filter_map(|name| report.get(name).and_then(Value::as_str)))
}

fn is_browser_extension(event: &Event) -> bool {
    let is_extension = |text: &str| EXTENSION_SCHEMES.iter().any(|scheme| text.starts_with(scheme));
    let is_in_extension = |frame: &Frame| {
        [&frame.abs_path, &frame.filename].into_iter().flatten().any(|path| is_extension(path))
    };
    let mut traces = event.exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    let mut reported = event.security.iter().flat_map(report_sources);
    traces.any(|trace| trace.frames.iter().any(is_in_extension))
        || reported.any(|text| is_extension(text) || text.ends_with("-extension"))
        || texts(event).iter().any(|text| {
            let text = text.to_ascii_lowercase();
            EXTENSION_MESSAGES.iter().any(|message| text.contains(message))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::{Exception, LogMessage, Stacktrace};
    use chrono::DateTime;
    use uuid::Uuid;

    fn event() -> Event {
        let mut event = Event::new(Uuid::nil(), DateTime::UNIX_EPOCH);
        event.release = Some("shop@1.2.3".into());
        event.environment = Some("Staging".into());
        event.exceptions = vec![
            Exception { kind: Some("Cause".into()), ..Exception::default() },
            Exception {
                kind: Some("ValueError".into()),
                value: Some("bad id 7".into()),
                ..Exception::default()
            },
        ];
        event
    }

    #[test]
    fn each_filter_gives_its_reason() {
        let list = |pattern: &str| vec![pattern.to_owned()];
        for (filters, reason) in [
            (InboundFilters::default(), None),
            (InboundFilters { releases: list("shop@1.*"), ..Default::default() }, Some("release")),
            (InboundFilters { releases: list("shop@2.*"), ..Default::default() }, None),
            (InboundFilters { environments: list("staging"), ..Default::default() }, Some("environment")),
            (
                InboundFilters { exception_types: list("valueerror"), ..Default::default() },
                Some("exception_type"),
            ),
            (InboundFilters { exception_types: list("Cause"), ..Default::default() }, None),
            (
                InboundFilters { messages: list("ValueError: bad id *"), ..Default::default() },
                Some("message"),
            ),
            (InboundFilters { messages: list("bad id"), ..Default::default() }, None),
        ] {
            assert_eq!(Filters::new(&filters).check(&event()), reason, "{filters:?}");
        }
    }

    #[test]
    fn browser_extensions() {
        let filters = Filters::new(&InboundFilters { browser_extensions: true, ..Default::default() });
        assert_eq!(filters.check(&event()), None);
        let mut by_frame = event();
        let path = Some("chrome-extension://abc/content.js".to_owned());
        by_frame.exceptions[1].stacktrace = Some(Stacktrace {
            frames: vec![Frame { abs_path: path, ..Frame::default() }],
            ..Stacktrace::default()
        });
        assert_eq!(filters.check(&by_frame), Some("browser_extension"));
        let mut by_message = event();
        by_message.message = Some(LogMessage {
            template: Some("Extension context invalidated.".into()),
            ..Default::default()
        });
        assert_eq!(filters.check(&by_message), Some("browser_extension"));
        let mut by_report = event();
        by_report.security = Some(serde_json::json!({"csp-report": {"source-file": "moz-extension"}}));
        assert_eq!(filters.check(&by_report), Some("browser_extension"));
    }

    #[test]
    fn crawlers() {
        assert!(is_crawler("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"));
        assert!(is_crawler("SomethingBot/1.0"));
        for person in
            ["Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0", "sentry.python/2.75.0", "", "Cubot X30"]
        {
            assert!(!is_crawler(person), "{person}");
        }
    }
}
