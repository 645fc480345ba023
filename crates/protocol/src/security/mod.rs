//! What browsers report by themselves: violations of a Content-Security-Policy and their kin.
//!
//! Several wires: `application/csp-report` (`{"csp-report": {…}}`), Expect-CT and Expect-Staple in objects of
//! their own, and `application/reports+json` (a list of reports of any type). [`split`] undoes the list at
//! the door, so that each report is an item; [`normalise`] reads any of them.

mod report;

use crate::Invalid;
use crate::json;
use crate::normalise::{Notes, infer_address, trim_value};
use bugle_model::{Event, EventSource, LogMessage, RawItem, Request};
use report::Report;
use serde_json::Value;

/// A request holds at most this many reports; browsers send up to 100.
const MAX_REPORTS: usize = 100;
/// A request's body is at most this many bytes.
const MAX_BODY: usize = 1024 * 1024;
const MAX_REPORT_BYTES: usize = 32 * 1024;
const MAX_REPORT_DEPTH: u8 = 6;

/// Whether the endpoint for security reports takes this `Content-Type`.
#[must_use]
pub fn is_supported(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        media_type.as_str(),
        "application/csp-report"
            | "application/json"
            | "application/reports+json"
            | "application/expect-ct-report"
            | "application/expect-ct-report+json"
            | "application/expect-staple-report"
    )
}

/// The reports of a request's body, each as JSON for [`normalise`].
///
/// # Errors
/// When the body is larger than 1 MiB, is no JSON, or holds anything but 1 to 100 objects.
pub fn split(body: &[u8]) -> Result<Vec<Vec<u8>>, Invalid> {
    let list = match parse(body)? {
        Value::Array(list) => list,
        object @ Value::Object(_) => vec![object],
        _ => return Err(Invalid::new("body", "neither a report nor a list of reports")),
    };
    if list.is_empty() || list.len() > MAX_REPORTS {
        return Err(Invalid::new("body", format!("{} reports: 1 to {MAX_REPORTS} are allowed", list.len())));
    }
    if list.iter().any(|report| !report.is_object()) {
        return Err(Invalid::new("body", "holds something that is no report"));
    }
    Ok(list.into_iter().map(|report| report.to_string().into_bytes()).collect())
}

/// Makes an event of one report; of a list, of the first.
///
/// # Errors
/// When the body is no JSON, or no report of a known form.
pub fn normalise(item: &RawItem) -> Result<Event, Invalid> {
    let value = match parse(&item.body)? {
        Value::Array(list) => list.into_iter().next().unwrap_or_default(),
        value => value,
    };
    let Value::Object(object) = value else { return Err(Invalid::new("body", "not a report")) };
    let report = report::read(object, item.content_type.as_deref().unwrap_or_default())?;
    Ok(event(report, item))
}

/// A report as it is kept.
pub(crate) fn bounded(mut value: Value) -> Option<Value> {
    trim_value(&mut value, MAX_REPORT_DEPTH, MAX_REPORT_BYTES);
    value.is_object().then_some(value)
}

fn parse(body: &[u8]) -> Result<Value, Invalid> {
    if body.len() > MAX_BODY {
        return Err(Invalid::new("body", format!("larger than {MAX_BODY} bytes")));
    }
    json::parse(body)
        .map(|parsed| parsed.value)
        .map_err(|reason| Invalid::new("body", format!("not JSON: {reason}")))
}

fn event(report: Report, item: &RawItem) -> Event {
    let mut notes = Notes::default();
    let mut event = Event::new(item.event_id.unwrap_or(item.id), item.received_at);
    event.source = EventSource::Security;
    // A browser sent it, from the user's address.
    event.platform = "javascript".to_owned();
    event.logger = Some(report.kind.to_owned());
    event.level = report.level();
    event.message = Some(LogMessage { formatted: Some(report.message()), ..LogMessage::default() });
    event.transaction = report.transaction();
    event.tags = report.tags();
    event.release.clone_from(&item.release);
    event.environment.clone_from(&item.environment);
    event.request_id.clone_from(&item.request_id);
    event.request = request(&report, item, &mut notes);
    event.security = bounded(report.into_value());
    infer_address(&mut event, item.remote_addr, &mut notes);
    event.errors = notes.into_errors();
    event
}

fn request(report: &Report, item: &RawItem, notes: &mut Notes) -> Option<Request> {
    let user_agent = item.user_agent.as_deref().or_else(|| report.user_agent());
    let header = |name: &str, value: Option<&str>| value.map(|value| serde_json::json!([name, value]));
    let headers: Vec<Value> = [header("User-Agent", user_agent), header("Referer", report.referrer())]
        .into_iter()
        .flatten()
        .collect();
    let value = serde_json::json!({ "url": report.document(), "headers": headers });
    crate::normalise::request(value, notes)
}

#[cfg(test)]
mod tests;
