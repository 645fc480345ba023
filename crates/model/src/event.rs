//! One occurrence, in the normalised form in which it is stored and read back.
//!
//! Every field is optional in what clients send; here a list may be empty and a text may be absent, but
//! nothing has two spellings any more. Order is the protocol's: the outermost exception and the frame that
//! crashed come last.

use crate::stack::{Exception, Thread};
use crate::{Level, Priority};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How an event came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// A Sentry SDK.
    #[default]
    Sentry,
    /// A browser's security report (CSP and its kin).
    Security,
    /// `POST /api/error-logging/webhook/…/` or `POST /api/error-logging/errors/`.
    Webhook,
    /// `POST /api/v1/logs/frontend/`.
    Frontend,
}

/// One occurrence of an error or message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The client's id, or the item's when the client gave none.
    pub event_id: Uuid,
    /// When it happened, corrected for the client's clock.
    pub timestamp: DateTime<Utc>,
    /// The client's level.
    pub level: Level,
    /// How it came in.
    #[serde(default)]
    pub source: EventSource,
    /// The language or runtime: `python`, `javascript`, `java`, ….
    pub platform: String,
    /// What the person or client chose as severity; wins over the derived priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The name of the logger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The route, task or page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The version of the app, as in `shop@1.4.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The build within the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
    /// `production`, `staging`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The log message, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<LogMessage>,
    /// The chain of exceptions: innermost cause first, outermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Threads, when the client sent them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
    /// What happened before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breadcrumbs: Vec<Breadcrumb>,
    /// Who it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The HTTP request during which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Named objects: `trace`, `runtime`, `os`, `device`, `browser`, `app`, and any other.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub contexts: Map<String, Value>,
    /// Tags; keys are unique.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Anything else that the client attached.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
    /// Installed packages and their versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// The client's fingerprint; empty means the default grouping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprint: Vec<String>,
    /// The old way to say the fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The client library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Sdk>,
    /// Images and source maps that addresses and positions refer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_meta: Option<Value>,
    /// A browser's security report, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Value>,
    /// The `X-Request-ID` of the request that carried the event (or that ingest made).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The trace, 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The span, 16 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// What normalising had to change or drop, as `field: reason`; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl Event {
    /// An event with nothing but what every event has.
    #[must_use]
    pub fn new(event_id: Uuid, timestamp: DateTime<Utc>) -> Self {
        Self {
            event_id,
            timestamp,
            level: Level::Error,
            source: EventSource::Sentry,
            platform: "other".to_owned(),
            priority: None,
            logger: None,
            transaction: None,
            server_name: None,
            release: None,
            dist: None,
            environment: None,
            message: None,
            exceptions: Vec::new(),
            threads: Vec::new(),
            breadcrumbs: Vec::new(),
            user: None,
            request: None,
            contexts: Map::new(),
            tags: BTreeMap::new(),
            extra: Map::new(),
            modules: BTreeMap::new(),
            fingerprint: Vec::new(),
            checksum: None,
            sdk: None,
            debug_meta: None,
            security: None,
            request_id: None,
            trace_id: None,
            span_id: None,
            errors: Vec::new(),
        }
    }

    /// Whether the app caught it: no exception says `handled: false`.
    #[must_use]
    pub fn is_handled(&self) -> bool {
        !self.exceptions.iter().any(|exception| {
            exception.mechanism.as_ref().is_some_and(|mechanism| mechanism.handled == Some(false))
        })
    }
}

/// A log message. `formatted` is what people read, `template` what groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogMessage {
    /// The message before its parameters were put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// The message as shown; absent when it equals the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
}

impl LogMessage {
    /// What people read.
    #[must_use]
    pub fn text(&self) -> &str {
        self.formatted.as_deref().or(self.template.as_deref()).unwrap_or_default()
    }
}

/// Something that happened before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breadcrumb {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// `default`, `http`, `navigation`, `ui`, `query`, …; absent means `default`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A dotted name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Absent means info.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

/// Who it happened to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventUser")]
pub struct User {
    /// The app's id for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Anything else: `geo`, `segment`, ….
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl User {
    /// What tells this person from another, as `kind:value`, in the order id, email, username, address.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        [("id", &self.id), ("email", &self.email), ("username", &self.username), ("ip", &self.ip_address)]
            .into_iter()
            .find_map(|(kind, value)| value.as_ref().filter(|v| !v.is_empty()).map(|v| format!("{kind}:{v}")))
    }

    /// [`User::identity`] as an evenly distributed hash, for counting people without keeping who they are.
    #[must_use]
    pub fn identity_hash(&self) -> Option<i64> {
        self.identity().map(|identity| xxhash_rust::xxh3::xxh3_64(identity.as_bytes()).cast_signed())
    }
}

/// What somebody can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKey {
    /// [`User::id`].
    Id,
    /// [`User::email`], without regard to case.
    Email,
    /// [`User::username`].
    Username,
    /// [`User::ip_address`].
    Ip,
}

impl UserKey {
    /// By the name that searches use: `user.id`, `user.email`, `user.username`, `user.ip`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "user.id" => Some(Self::Id),
            "user.email" => Some(Self::Email),
            "user.username" => Some(Self::Username),
            "user.ip" => Some(Self::Ip),
            _ => None,
        }
    }

    /// What is stored instead of the value: an evenly distributed hash.
    #[must_use]
    pub fn hash(self, value: &str) -> i64 {
        let text = match self {
            Self::Id => format!("id:{value}"),
            Self::Email => format!("email:{}", value.to_lowercase()),
            Self::Username => format!("username:{value}"),
            Self::Ip => format!("ip:{value}"),
        };
        xxhash_rust::xxh3::xxh3_64(text.as_bytes()).cast_signed()
    }
}

impl User {
    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: UserKey) -> Option<&str> {
        let value = match key {
            UserKey::Id => &self.id,
            UserKey::Email => &self.email,
            UserKey::Username => &self.username,
            UserKey::Ip => &self.ip_address,
        };
        value.as_deref().filter(|value| !value.is_empty())
    }

    /// The hashes of everything that this person can be found by.
    #[must_use]
    pub fn key_hashes(&self) -> Vec<i64> {
        let keys = [UserKey::Id, UserKey::Email, UserKey::Username, UserKey::Ip];
        keys.into_iter().filter_map(|key| Some(key.hash(self.value(key)?))).collect()
    }
}

/// An HTTP request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventRequest")]
pub struct Request {
    /// The URL without query and fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The method in upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The query as pairs, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragment: Option<String>,
    /// The headers as pairs, names as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The cookies as pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<(String, String)>,
    /// The body: text or structure, 8 KiB at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The server's environment.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub env: Map<String, Value>,
    /// Whatever else was sent: `body_size`, `api_target`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The client library.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sdk {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `integrations`, `packages`, `settings`, ….
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
