//! Every captured request of every client: inflated, parsed, normalised, scrubbed; nothing lost, nothing to
//! complain about.

#![cfg(test)]

use crate::source::{counts_of_event, counts_of_source};
use bugle_model::{Event, ItemKind, ProjectId, RawItem, ScrubSettings};
use bugle_protocol::scrub::Scrubber;
use bugle_protocol::{auth, client_report, encoding, envelope, normalise, store};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const LIMIT: usize = 10 * 1024 * 1024;

pub struct Captured {
    number: String,
    path: String,
    headers: Vec<(String, String)>,
    received_at: DateTime<Utc>,
    body: Vec<u8>,
}

impl Captured {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn inflated(&self) -> Cow<'_, [u8]> {
        encoding::inflate(self.header("content-encoding"), &self.body, LIMIT).unwrap()
    }

    /// The raw items of the request, as the door makes them; and the types of all items.
    pub fn items(&self) -> (Vec<RawItem>, Vec<String>) {
        let body = self.inflated();
        let path = self.path.split('?').next().unwrap();
        if path.ends_with("/security/") {
            return (vec![self.item(ItemKind::Security, &body)], vec!["security".to_owned()]);
        }
        if path.ends_with("/store/") {
            return (
                vec![self.item(ItemKind::Event, &store::decode(&body).unwrap())],
                vec!["event".to_owned()],
            );
        }
        if !path.ends_with("/envelope/") && path != "/tunnel" {
            return (Vec::new(), Vec::new());
        }
        let envelope = envelope::parse(&body).unwrap();
        let kinds = envelope.items.iter().map(|item| item.header.kind.clone()).collect();
        let events = envelope.items.iter().filter_map(|found| {
            let kind = match found.header.kind.as_str() {
                "event" => ItemKind::Event,
                "client_report" => ItemKind::ClientReport,
                _ => return None,
            };
            let mut item = self.item(kind, found.payload);
            item.event_id = envelope.header.event_id;
            item.sent_at = envelope.header.sent_at;
            Some(item)
        });
        (events.collect(), kinds)
    }

    fn item(&self, kind: ItemKind, body: &[u8]) -> RawItem {
        RawItem {
            id: Uuid::from_u128(7),
            kind,
            project: ProjectId(1),
            key: None,
            unverified_key: None,
            received_at: self.received_at,
            remote_addr: Some("203.0.113.9".parse().unwrap()),
            client: None,
            user_agent: self.header("user-agent").map(Into::into),
            request_id: None,
            content_type: self.header("content-type").map(Into::into),
            event_id: None,
            sent_at: None,
            environment: None,
            release: None,
            attachment: None,
            body: body.to_vec(),
        }
    }
}

pub fn clients() -> Vec<String> {
    let mut clients: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    clients.sort();
    clients
}

pub fn requests(client: &str) -> Vec<Captured> {
    let folder = root().join(client);
    let mut numbers: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().into_string().unwrap().strip_suffix(".meta.json").map(Into::into)
        })
        .collect();
    numbers.sort();
    numbers.into_iter().map(|number| read(&folder, number)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus")
}

fn read(folder: &Path, number: String) -> Captured {
    let meta: Value =
        serde_json::from_slice(&std::fs::read(folder.join(format!("{number}.meta.json"))).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = meta["headers"].as_array().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "a time of day")]
    let received = (meta["received"].as_f64().unwrap() * 1e6) as i64;
    Captured {
        path: text(&meta["path"]),
        headers: headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        received_at: DateTime::from_timestamp_micros(received).unwrap(),
        body: std::fs::read(folder.join(format!("{number}.body"))).unwrap(),
        number,
    }
}

fn line(event: &Event) -> String {
    let counts = counts_of_event(event);
    let outermost = event.exceptions.last();
    let title = outermost.map_or_else(
        || event.message.as_ref().map(|message| message.text().to_owned()).unwrap_or_default(),
        |exception| {
            let (kind, value) = (exception.kind.as_deref(), exception.value.as_deref());
            format!("{}: {}", kind.unwrap_or("-"), value.unwrap_or("-"))
        },
    );
    let title: String = title.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = format!("{} {} [{title}]", event.level, event.platform);
    let fields = [
        ("exceptions", counts.exceptions),
        ("frames", counts.frames),
        ("threads", counts.threads),
        ("crumbs", counts.breadcrumbs),
        ("tags", event.tags.len()),
        ("fingerprint", event.fingerprint.len()),
    ];
    for (name, count) in fields.into_iter().filter(|(_, count)| *count > 0) {
        write!(line, " {name}={count}").unwrap();
    }
    for (name, value) in
        [("release", &event.release), ("env", &event.environment), ("tx", &event.transaction)]
    {
        if let Some(value) = value {
            write!(line, " {name}={value}").unwrap();
        }
    }
    if event.user.is_some() {
        line.push_str(" user");
    }
    if !event.is_handled() {
        line.push_str(" unhandled");
    }
    line
}

/// What a client's requests come to, a line for each item that is looked at.
fn summary(client: &str) -> String {
    let scrubber = Scrubber::new(&ScrubSettings::default());
    let mut out = String::new();
    for request in requests(client) {
        let (items, kinds) = request.items();
        writeln!(out, "{} {}", request.number, kinds.join(" ")).unwrap();
        for item in items {
            if item.kind == ItemKind::ClientReport {
                writeln!(out, "     {:?}", client_report::parse(&item.body).unwrap()).unwrap();
                continue;
            }
            let mut event = normalise(&item).unwrap();
            if item.kind == ItemKind::Event {
                assert_eq!(
                    counts_of_event(&event),
                    counts_of_source(&item.body),
                    "{client}/{}",
                    request.number
                );
            }
            writeln!(out, "     {}", line(&event)).unwrap();
            for error in &event.errors {
                writeln!(out, "     ! {error}").unwrap();
            }
            scrubber.scrub(&mut event);
            let stored = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, event, "{client}/{}", request.number);
        }
    }
    out
}

#[test]
fn every_client_is_understood() {
    for client in clients() {
        insta::assert_snapshot!(client.clone(), summary(&client));
    }
}

#[test]
fn every_client_is_authenticated() {
    for client in clients() {
        for request in requests(&client) {
            let query = request.path.split_once('?').map(|(_, query)| query);
            let found =
                auth::parse_auth(request.header("x-sentry-auth"), request.header("authorization"), query);
            let mut found = found.unwrap();
            if client == "browser-tunnel" {
                let body = request.inflated();
                let dsn = envelope::parse(&body).unwrap().header.dsn.unwrap();
                found = Some(auth::with_dsn(found, &dsn, None).unwrap());
            }
            if client == "curl-crons" && found.is_none() {
                let key = request.path.split('/').nth(5).unwrap();
                found = Some(auth::with_path_key(None, key).unwrap());
            }
            let key = found.unwrap().public_key;
            assert_eq!(key.len(), 32, "{client}/{}", request.number);
        }
    }
}

/// What the captured apps were given as secrets.
const SECRETS: [&str; 6] = [
    "4000000000000341",
    "tok_live_4242",
    "theme=dark",
    "01d01d01d01d01d01d01d01d01d01d01@",
    "5ec5ec5ec5ec5ec5ec5ec5ec5ec5ec5e",
    "http://c11c11c11c11c11c11c11c11c11c11c1@",
];

#[test]
fn no_secret_is_left() {
    let scrubber = Scrubber::new(&ScrubSettings::default());
    let mut seen = std::collections::BTreeSet::new();
    for client in clients() {
        for item in requests(&client).iter().flat_map(|request| request.items().0) {
            let Ok(mut event) = normalise(&item) else { continue };
            let raw = String::from_utf8_lossy(&item.body).into_owned();
            scrubber.scrub(&mut event);
            let stored = serde_json::to_string(&event).unwrap();
            for secret in SECRETS {
                seen.extend(raw.contains(secret).then_some(secret));
                assert!(!stored.contains(secret), "{client}: {secret}");
            }
        }
    }
    assert!(seen.len() >= 5, "{seen:?}");
}
