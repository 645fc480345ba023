//! The page where a link of a mail is confirmed: without scripts, without anything from elsewhere, for any browser.

use crate::openapi::Shown;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bugle_model::{IncidentAnswer, IncidentState};
use bugle_store::oncall::Incident;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;padding:16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;background:#f4f4f5;color:#18181b}\
main{max-width:560px;margin:0 auto;padding:24px;background:#fff;border:1px solid #e4e4e7;border-radius:8px;overflow-wrap:anywhere}\
h1{margin:0 0 16px;font-size:22px;line-height:1.3}\
p{margin:0 0 16px}\
button{min-height:48px;padding:0 24px;font:inherit;font-weight:600;color:#fff;background:#18181b;border:0;border-radius:6px;cursor:pointer}\
@media(prefers-color-scheme:dark){body{background:#09090b;color:#fafafa}main{background:#18181b;border-color:#3f3f46}\
button{color:#18181b;background:#fafafa}a{color:#93c5fd}}";

/// The page may have these styles and post its form here: nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// In one line.
    pub(super) title: String,
    /// Paragraphs.
    pub(super) lines: Vec<String>,
    /// The button, and the value that proves that it was pressed here.
    pub(super) form: Option<(&'static str, String)>,
    /// The issue or incident in the dashboard, and what leads there.
    pub(super) more: Option<(String, &'static str)>,
}

impl Page {
    /// The answer.
    pub(super) fn shown(self, status: StatusCode) -> Shown {
        Shown { status, html: self.html(), policy: POLICY.clone() }
    }

    fn html(&self) -> String {
        let title = escape(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n"
        );
        for line in &self.lines {
            // Writing to a String cannot fail.
            let _ = writeln!(html, "<p>{}</p>", escape(line));
        }
        if let Some((label, proof)) = &self.form {
            let _ = writeln!(
                html,
                "<form method=\"post\"><input type=\"hidden\" name=\"proof\" value=\"{}\"><p><button>{label}</button></p></form>",
                escape(proof)
            );
        }
        if let Some((url, label)) = &self.more {
            let _ = writeln!(html, "<p><a href=\"{}\">{label}</a></p>", escape(url));
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }
}

/// Text for HTML, also inside of quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The button of an answer.
pub(super) const fn label(answer: IncidentAnswer) -> &'static str {
    match answer {
        IncidentAnswer::Acknowledge => "Acknowledge",
        IncidentAnswer::Escalate => "Escalate",
        IncidentAnswer::Resolve => "Resolve",
    }
}

/// What an answer does, before it is given.
pub(super) const fn meaning(answer: IncidentAnswer) -> &'static str {
    match answer {
        IncidentAnswer::Acknowledge => "You deal with it, and nobody else is paged.",
        IncidentAnswer::Escalate => "The next step of its policy is paged at once.",
        IncidentAnswer::Resolve => "It ends, and its issue is resolved.",
    }
}

/// What was done, as a title.
pub(super) fn done(answer: IncidentAnswer, name: &str) -> String {
    match answer {
        IncidentAnswer::Acknowledge => format!("{name} is acknowledged"),
        IncidentAnswer::Escalate => format!("{name} is escalated"),
        IncidentAnswer::Resolve => format!("{name} is resolved"),
    }
}

/// How an incident stands, with times in somebody's zone.
pub(super) fn stands(incident: &Incident, zone: chrono_tz::Tz) -> String {
    let at = |time: DateTime<Utc>| time.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    let since =
        |time: Option<DateTime<Utc>>| time.map(|time| format!(" at {}", at(time))).unwrap_or_default();
    let by = |name: &Option<String>| name.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
    match incident.state {
        IncidentState::Triggered => {
            format!("It was triggered at {}, and nobody has acknowledged it.", at(incident.triggered_at))
        }
        IncidentState::Acknowledged => {
            let until = incident.snoozed_until.map(|time| format!(", and is put off until {}", at(time)));
            let (by, since) = (by(&incident.acknowledged_by), since(incident.acknowledged_at));
            format!("It was acknowledged{by}{since}{}.", until.unwrap_or_default())
        }
        IncidentState::Resolved => {
            format!("It was resolved{}{}.", by(&incident.resolved_by), since(incident.resolved_at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_stays_text() {
        let page = Page {
            title: "<b>\"x\"</b>".to_owned(),
            lines: vec!["a & 'b' <script>alert(1)</script>".to_owned()],
            form: Some(("Acknowledge", "0f".to_owned())),
            more: Some(("https://example.com/?a=1&b=\"".to_owned(), "Open the issue")),
        };
        let html = page.html();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        for part in [
            "<h1>&lt;b&gt;&quot;x&quot;&lt;/b&gt;</h1>",
            "<p>a &amp; &#39;b&#39; &lt;script&gt;alert(1)&lt;/script&gt;</p>",
            "name=\"proof\" value=\"0f\"",
            "href=\"https://example.com/?a=1&amp;b=&quot;\"",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
