//! Real requests as templates: an event of the corpus, sent again with ids, times and users of its own.

use crate::dirs;
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// One event as some client sent it, taken apart.
#[derive(Clone)]
pub struct Template {
    /// The kind of client: the name of its folder in the corpus.
    pub client: String,
    event: Value,
    gzip: bool,
    content_type: Option<String>,
}

/// A request that is ready to be sent.
pub struct Prepared {
    /// The event's id: 32 hex digits.
    pub event_id: String,
    /// Head and body.
    pub bytes: Vec<u8>,
    /// The size of the event's JSON.
    pub json_bytes: usize,
}

/// A small generator for ids and choices (SplitMix64): fast, and not for secrets.
pub struct Random(u64);

impl Random {
    /// Seeded from the time.
    pub fn new() -> Self {
        Self(unix_now().to_bits())
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// 32 hex digits.
    pub fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// The seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a load generator is a client, with a clock of its own")]
pub fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The events of the single captures, at most `largest` bytes of JSON each.
pub fn captured(largest: usize) -> Result<Vec<Template>> {
    let root = dirs::root().join("tests/fixtures/corpus");
    let mut templates = Vec::new();
    for client in std::fs::read_dir(&root).with_context(|| format!("cannot read {}", root.display()))? {
        let client = client?;
        if !client.file_type()?.is_dir() {
            continue;
        }
        let name = client.file_name().to_string_lossy().into_owned();
        let mut metas: Vec<_> = std::fs::read_dir(client.path())?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(".meta.json"))
            .collect();
        metas.sort();
        for meta in metas {
            let body = meta.to_string_lossy().replace(".meta.json", ".body");
            let template = template(&name, &std::fs::read(&meta)?, &std::fs::read(body)?);
            templates.extend(template.filter(|template| template.event.to_string().len() <= largest));
        }
    }
    Ok(templates)
}

/// The events of one bulk set: about 200 of one issue, or a browser's.
pub fn bulk(name: &str) -> Result<Vec<Template>> {
    let path = dirs::root().join(format!("tests/fixtures/bulk/{name}.tar.zst"));
    let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(file)?);
    let mut waiting: std::collections::HashMap<String, Vec<u8>> = std::collections::HashMap::new();
    let mut templates = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let stem = path.trim_end_matches(".meta.json").trim_end_matches(".body").to_owned();
        let is_meta = path.ends_with(".meta.json");
        match waiting.remove(&stem) {
            Some(other) if is_meta => templates.extend(template(name, &bytes, &other)),
            Some(other) => templates.extend(template(name, &other, &bytes)),
            None if is_meta || path.ends_with(".body") => drop(waiting.insert(stem, bytes)),
            None => {}
        }
    }
    Ok(templates)
}

fn template(client: &str, meta: &[u8], body: &[u8]) -> Option<Template> {
    let meta: Value = serde_json::from_slice(meta).ok()?;
    let header = |wanted: &str| {
        meta["headers"].as_array()?.iter().find_map(|pair| {
            let name = pair[0].as_str()?;
            name.eq_ignore_ascii_case(wanted).then(|| pair[1].as_str().map(str::to_owned))?
        })
    };
    let encoding = header("content-encoding");
    let body = inflate(encoding.as_deref(), body)?;
    let path = meta["path"].as_str()?;
    let event = if path.contains("/envelope/") {
        event_of_envelope(&body)?
    } else if path.contains("/store/") {
        serde_json::from_slice(&body).ok()?
    } else {
        return None;
    };
    event.is_object().then(|| Template {
        client: client.to_owned(),
        event,
        gzip: encoding.is_some(),
        content_type: header("content-type"),
    })
}

fn inflate(encoding: Option<&str>, body: &[u8]) -> Option<Vec<u8>> {
    let mut inflated = Vec::new();
    match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut inflated).ok()?,
        Some("deflate") => flate2::read::ZlibDecoder::new(body).read_to_end(&mut inflated).ok()?,
        Some("br") => brotli::Decompressor::new(body, 4096).read_to_end(&mut inflated).ok()?,
        _ => return Some(body.to_vec()),
    };
    Some(inflated)
}

fn event_of_envelope(body: &[u8]) -> Option<Value> {
    let mut rest = body.splitn(2, |byte| *byte == b'\n').nth(1)?;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let header: Value = serde_json::from_slice(rest.get(..end)?).ok()?;
        rest = rest.get(end + 1..).unwrap_or_default();
        let length = header["length"]
            .as_u64()
            .map(|length| length as usize)
            .or_else(|| rest.iter().position(|byte| *byte == b'\n'))
            .unwrap_or(rest.len());
        if header["type"] == "event" {
            return serde_json::from_slice(rest.get(..length)?).ok();
        }
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    None
}

impl Template {
    /// A request with an event of its own id, time, user and trace.
    pub fn prepare(&self, random: &mut Random, target: &Target) -> Prepared {
        let mut event = self.event.clone();
        let event_id = random.hex32();
        event["event_id"] = json!(event_id);
        event["timestamp"] = json!(unix_now());
        let user = format!("user-{}", random.below(2000));
        event["user"] = json!({ "id": user, "email": format!("{user}@example.com"), "ip_address": format!("203.0.113.{}", random.below(250)) });
        if event["contexts"]["trace"].is_object() {
            event["contexts"]["trace"]["trace_id"] = json!(random.hex32());
            event["contexts"]["trace"]["span_id"] = json!(format!("{:016x}", random.next()));
        }
        self.envelope(&event_id, &event, target)
    }

    /// A request whose event is an issue of its own: the type of its exception is `type_name`.
    pub fn prepare_new_issue(&self, random: &mut Random, target: &Target, type_name: &str) -> Prepared {
        let event_id = random.hex32();
        let event = json!({
            "event_id": event_id, "timestamp": unix_now(), "platform": "python", "level": "error",
            "exception": { "values": [{ "type": type_name, "value": "probe", "mechanism": { "type": "generic", "handled": false },
                "stacktrace": { "frames": [{ "function": type_name, "module": "probe", "filename": "probe.py", "lineno": 1, "in_app": true }] } }] },
        });
        self.envelope(&event_id, &event, target)
    }

    fn envelope(&self, event_id: &str, event: &Value, target: &Target) -> Prepared {
        let payload = event.to_string();
        let mut body =
            format!("{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n", payload.len())
                .into_bytes();
        body.extend_from_slice(payload.as_bytes());
        body.push(b'\n');
        let json_bytes = payload.len();
        let mut encoding = "";
        if self.gzip
            && let Ok(compressed) = gzip(&body)
        {
            body = compressed;
            encoding = "Content-Encoding: gzip\r\n";
        }
        let content_type =
            self.content_type.as_deref().map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
        let mut bytes = format!(
            "POST /api/{}/envelope/?sentry_key={}&sentry_version=7 HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n{content_type}{encoding}Content-Length: {}\r\n\r\n",
            target.project, target.key, target.address, self.client, body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&body);
        Prepared { event_id: event_id.to_owned(), bytes, json_bytes }
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body)?;
    encoder.finish()
}

/// Where requests go.
#[derive(Clone)]
pub struct Target {
    /// host:port.
    pub address: String,
    /// The project's number.
    pub project: String,
    /// The public key.
    pub key: String,
}

impl Target {
    /// Reads `http://KEY@HOST/PROJECT`.
    pub fn from_dsn(dsn: &str) -> Result<Self> {
        let rest = dsn.split_once("://").context("the DSN has no scheme")?.1;
        let (key, rest) = rest.split_once('@').context("the DSN has no key")?;
        let (address, project) = rest.rsplit_once('/').context("the DSN has no project")?;
        Ok(Self { address: address.to_owned(), project: project.to_owned(), key: key.to_owned() })
    }
}
