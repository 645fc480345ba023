//! A server of its own for each test: private database, private bus, a clock that stands still.

use crate::contract::{self, Exchange};
use bugle_api::{Deps, State};
use bugle_bus::{Bus, BusConfig};
use bugle_model::{Clock, Event, IssueId, ManualClock, ProjectId};
use bugle_runtime::health::Registry;
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::{Pooled, Store, projects, tokens};
use bugle_testkit::TestDatabase;
use bugle_web::{auth, operations};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::redirect::Policy;
use serde_json::Value;
use std::net::TcpListener;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub const TOKEN: &str = "bugle_a_token_for_tests";
pub const LOCAL_TOKEN: &str = "bugle_a_local_token_for_tests";

/// Noon of a day, the time of every test.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_014_400, 0).unwrap()
}

pub struct App {
    pub database: TestDatabase,
    pub store: Store,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<ManualClock>,
    pub health: Registry,
    pub base: String,
    pub client: reqwest::Client,
    shutdown: Shutdown,
    server: JoinHandle<std::io::Result<()>>,
    folder: TempDir,
}

impl App {
    pub async fn start() -> Self {
        // The clock stands still: a minute would never be over.
        Self::start_with(Config { api_rate_limit: 0, ..Config::default() }).await
    }

    pub async fn start_with(mut config: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::new().await.unwrap();
        let store = bugle_store::connect(database.url(), 4).unwrap();
        let folder = tempfile::tempdir().unwrap();
        config.data_dir = folder.path().to_path_buf();
        let clock = Arc::new(ManualClock::new(noon()));
        let bus =
            bugle_bus::connect(BusConfig::new(folder.path().to_path_buf(), clock.clone())).await.unwrap();
        let (health, metrics, shutdown) = (Registry::new(), Metrics::new(), Shutdown::new());
        let deps = Deps {
            bus: Arc::clone(&bus),
            store: store.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            health: health.clone(),
            local_token: Some(auth::hash(LOCAL_TOKEN)),
        };
        let state = State::new(Arc::new(config), &deps).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let registry = health.clone();
        let server = bugle_web::serve(listener, 1, shutdown.clone(), move |config| {
            operations::routes(config, registry.clone(), metrics.clone());
            bugle_api::routes(config, actix_web::web::Data::new(state.clone()));
        });
        let server = tokio::spawn(server);
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let app = Self { database, store, bus, clock, health, base, client, shutdown, server, folder };
        let mut connection = app.connection().await;
        tokens::create(&mut connection, "tests", &auth::hash(TOKEN), None, noon()).await.unwrap();
        app
    }

    pub async fn connection(&self) -> Pooled {
        self.store.conn().await.unwrap()
    }

    pub async fn stop(self) {
        self.shutdown.stop();
        self.server.await.unwrap().unwrap();
        self.bus.close().await;
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.url(path)).bearer_auth(TOKEN)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.post(self.url(path)).bearer_auth(TOKEN).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.patch(self.url(path)).bearer_auth(TOKEN).json(body)).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a request; its answer has to be as the OpenAPI document says.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, url) = (request.method().clone(), request.url().clone());
        let given = request.body().and_then(|body| body.as_bytes()).map(<[u8]>::to_vec);
        let response = self.client.execute(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        contract::check(&Exchange {
            method: method.as_str(),
            path: url.path(),
            given: given.as_deref(),
            status,
            media_type: headers.get("content-type").and_then(|value| value.to_str().ok()),
            text: &text,
        });
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    pub async fn project(&self, name: &str) -> ProjectId {
        projects::create(&mut *self.connection().await, name, noon()).await.unwrap().id
    }

    /// An issue that was last seen so many minutes before noon.
    pub async fn issue(&self, project: ProjectId, number: i32, title: &str, minutes: i64) -> IssueId {
        let seen = (noon() - TimeDelta::minutes(minutes)).to_rfc3339();
        let id = self
            .database
            .number(&format!(
                "WITH issue AS (
                     INSERT INTO issues (project_id, number, title, culprit, error_type, platform, level, priority,
                                         first_seen, active_at)
                     VALUES ({project}, {number}, '{title}', 'shop.views in pay', 'PayError', 'python', 40, 3,
                             '2027-01-01T00:00:00Z', '{seen}')
                     RETURNING id
                 ), counts AS (
                     INSERT INTO issue_counts (issue_id, events, last_seen, users)
                     SELECT id, {number} * 10, '{seen}', {number} FROM issue
                 )
                 SELECT id FROM issue"
            ))
            .await
            .unwrap();
        IssueId(id)
    }

    /// An event of an issue, stored alone.
    pub async fn event(&self, project: ProjectId, issue: IssueId, event: &Event, minutes: i64) {
        let received = noon() - TimeDelta::minutes(minutes);
        let payload = crate::events::encode_alone(event);
        let client = self.database.client().await.unwrap();
        client
            .execute(
                "SELECT bugle_make_event_partition(90::smallint, $1::text::timestamptz::date)",
                &[&received.to_rfc3339()],
            )
            .await
            .unwrap();
        client
            .execute(
                "INSERT INTO events (received_at, issue_id, project_id, level, retention, event_id, payload)
                 VALUES ($1::text::timestamptz, $2, $3, 40, 90, $4::text::uuid, $5)",
                &[&received.to_rfc3339(), &issue.0, &project.0, &event.event_id.to_string(), &payload],
            )
            .await
            .unwrap();
    }

    /// A file of an event whose bytes are where ingest puts them; its SHA-256 is made up.
    pub async fn attachment(&self, project: ProjectId, event: &Event, id: i64, name: &str, bytes: &[u8]) {
        let sha256 = format!("{id:064x}");
        let folder = self.folder.path().join("attachments").join(sha256.split_at(2).0);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&sha256), bytes).unwrap();
        let client = self.database.client().await.unwrap();
        client
            .execute(
                "INSERT INTO attachments (id, item_id, project_id, event_id, sha256, size, filename, content_type,
                     attachment_type, received_at, expires_on)
                 VALUES ($1, gen_random_uuid(), $2, $3::text::uuid, decode($4, 'hex'), $5, $6, 'text/html',
                     'event.attachment', $7::text::timestamptz, '2027-03-01') ON CONFLICT DO NOTHING",
                &[
                    &id,
                    &project.0,
                    &event.event_id.to_string(),
                    &sha256,
                    &i64::try_from(bytes.len()).unwrap(),
                    &name,
                    &noon().to_rfc3339(),
                ],
            )
            .await
            .unwrap();
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The body, of an answer that must have this status.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// `field: message` of each wrong field, of a 422.
    #[track_caller]
    pub fn mistakes(self) -> Vec<String> {
        let body = self.ok(422);
        let text = |error: &Value, key: &str| error[key].as_str().unwrap().to_owned();
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| format!("{}: {}", text(error, "field"), text(error, "message"))).collect()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }
}

/// The ids of a page's items.
pub fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
