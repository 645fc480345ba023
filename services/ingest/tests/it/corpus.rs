//! Every captured request, replayed byte for byte.

use crate::harness::{Harness, Setup, key, project};
use crate::http::exchange;
use bugle_model::{DoorKey, DoorProject, ItemKind};
use bugle_protocol::auth::{parse_auth, parse_dsn};
use bugle_protocol::{encoding, envelope};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Meta {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    chunked: bool,
    response_status: u16,
}

struct Captured {
    name: String,
    meta: Meta,
    body: Vec<u8>,
}

fn find(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else if path.to_string_lossy().ends_with(".meta.json") {
            found.push(path);
        }
    }
}

fn corpus() -> Vec<Captured> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let mut found = Vec::new();
    find(&dir, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let body = PathBuf::from(path.to_string_lossy().replace(".meta.json", ".body"));
        Captured {
            name: path.strip_prefix(&dir).unwrap().display().to_string(),
            meta: serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap(),
            body: std::fs::read(body).unwrap_or_default(),
        }
    };
    found.into_iter().map(read).collect()
}

impl Captured {
    fn header(&self, name: &str) -> Option<&str> {
        self.meta
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn inflated(&self) -> Vec<u8> {
        encoding::inflate(self.header("content-encoding"), &self.body, 64 << 20).unwrap().into_owned()
    }

    fn is_envelope(&self) -> bool {
        self.meta.path.contains("/envelope/") || self.meta.path == "/tunnel"
    }

    /// Key and project, from wherever the client put them.
    fn sender(&self) -> (String, i32) {
        let query = self.meta.path.split_once('?').map(|(_, query)| query);
        let mut segments = self.meta.path.split(['/', '?']);
        let project = segments.clone().nth(2).and_then(|text| text.parse().ok());
        let auth = parse_auth(self.header("x-sentry-auth"), self.header("authorization"), query).unwrap();
        if let (Some(auth), Some(project)) = (auth, project) {
            return (auth.public_key, project);
        }
        if let Some(project) = project {
            return (segments.find(|part| part.len() == 32).unwrap().to_owned(), project);
        }
        let inflated = self.inflated();
        let dsn = parse_dsn(&envelope::parse(&inflated).unwrap().header.dsn.unwrap()).unwrap();
        (dsn.public_key, dsn.project.parse().unwrap())
    }

    /// The request as it was on the wire, but for the host's connection handling.
    fn bytes(&self) -> Vec<u8> {
        let Meta { method, path, headers, chunked, .. } = &self.meta;
        let mut bytes = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in headers {
            let value = match name.to_ascii_lowercase().as_str() {
                "connection" => continue,
                // Keys of another length were put in after the capture.
                "content-length" => self.body.len().to_string(),
                _ => value.clone(),
            };
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        if *chunked {
            for chunk in self.body.chunks(16 * 1024) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// What of it is kept.
    fn kept(&self) -> Vec<ItemKind> {
        if self.is_envelope() {
            let inflated = self.inflated();
            let envelope = envelope::parse(&inflated).unwrap();
            return envelope.items.iter().filter_map(|item| kind(&item.header.kind)).collect();
        }
        match self.meta.path.split('/').nth(3).unwrap_or_default() {
            "store" => vec![ItemKind::Event],
            "security" | "csp-report" => vec![ItemKind::Security],
            _ => vec![],
        }
    }
}

fn kind(item_type: &str) -> Option<ItemKind> {
    Some(match item_type {
        "event" => ItemKind::Event,
        "attachment" => ItemKind::Attachment,
        "user_report" => ItemKind::UserReport,
        "feedback" => ItemKind::Feedback,
        "client_report" => ItemKind::ClientReport,
        _ => return None,
    })
}

async fn door_for(corpus: &[Captured]) -> Harness {
    let senders: BTreeMap<(String, i32), ()> =
        corpus.iter().map(|captured| (captured.sender(), ())).collect();
    let mut setup = Setup::new();
    let snapshot = setup.snapshot.as_mut().unwrap();
    let mut projects: BTreeMap<i32, DoorProject> = BTreeMap::new();
    let mut keys: Vec<DoorKey> = Vec::new();
    for (id, (public_key, of)) in (100..).zip(senders.into_keys()) {
        projects.insert(of, project(of));
        keys.push(key(id, of, &public_key));
    }
    snapshot.projects = projects.into_values().collect();
    snapshot.keys = keys;
    setup.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_captured_request_is_answered_as_the_protocol_says_and_its_items_are_kept() {
    let corpus = corpus();
    assert!(corpus.len() > 300, "{} requests", corpus.len());
    let door = door_for(&corpus).await;
    for captured in &corpus {
        let before = door.items().len();
        let answer = exchange(door.addr, &captured.bytes()).await;
        assert_eq!(answer.status, captured.meta.response_status, "{}: {answer:?}", captured.name);
        let items = door.items().split_off(before);
        let kinds: Vec<_> = items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, captured.kept(), "{}", captured.name);
        assert!(items.iter().all(|item| item.unverified_key.is_none()), "{}", captured.name);
        if let Some(event) = items.iter().find(|item| item.kind == ItemKind::Event) {
            assert_eq!(
                answer.json()["id"],
                event.event_id.unwrap().simple().to_string(),
                "{}",
                captured.name
            );
        }
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", captured.name);
    }
    door.stop().await;
}
