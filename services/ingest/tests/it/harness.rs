//! An ingest of one's own for each test.

use crate::fake_bus::{FakeBus, Mood};
use crate::http::{Answer, exchange, request};
use actix_web::rt::System;
use bugle_bus::{Bus, Queue};
use bugle_ingest::{Deps, Service, Settings, routes};
use bugle_model::{Clock, DoorKey, DoorProject, DoorSnapshot, KeyId, ManualClock, ProjectId, Quota, RawItem};
use bugle_runtime::health::Registry;
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::Store;
use chrono::DateTime;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The key of project 1.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";
/// A disabled key of project 1.
pub const DISABLED: &str = "dddddddddddddddddddddddddddddddd";
/// The key of project 2.
pub const OTHER: &str = "22222222222222222222222222222222";
/// A key that nobody knows.
pub const UNKNOWN: &str = "99999999999999999999999999999999";

/// What a test may change before the start.
pub struct Setup {
    pub dir: TempDir,
    pub settings: Settings,
    pub snapshot: Option<DoorSnapshot>,
    pub store: Option<Store>,
    pub clock: Arc<ManualClock>,
    pub bus: Arc<FakeBus>,
    /// Used instead of the fake.
    pub real_bus: Option<Arc<dyn Bus>>,
}

pub fn key(id: i32, project: i32, public_key: &str) -> DoorKey {
    DoorKey {
        id: KeyId(id),
        project: ProjectId(project),
        public_key: public_key.to_owned(),
        enabled: true,
        quota: Quota::default(),
    }
}

pub fn project(id: i32) -> DoorProject {
    DoorProject {
        id: ProjectId(id),
        quota: Quota::default(),
        blocked_addresses: Vec::new(),
        filter_crawlers: false,
    }
}

pub fn snapshot() -> DoorSnapshot {
    DoorSnapshot {
        taken_at: DateTime::UNIX_EPOCH,
        projects: vec![project(1), project(2)],
        keys: vec![key(11, 1, KEY), DoorKey { enabled: false, ..key(12, 1, DISABLED) }, key(21, 2, OTHER)],
        ingest_processes: 1,
    }
}

impl Setup {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::in_dir(dir)
    }

    /// With what an earlier process left behind.
    pub fn in_dir(dir: TempDir) -> Self {
        let config = Config { data_dir: dir.path().to_path_buf(), min_free_disk: 0, ..Config::default() };
        let start = DateTime::parse_from_rfc3339("2026-11-20T12:00:00Z").unwrap().to_utc();
        Self {
            settings: Settings::from_config(&config),
            dir,
            snapshot: Some(snapshot()),
            store: None,
            clock: Arc::new(ManualClock::new(start)),
            bus: Arc::new(FakeBus::new(Mood::Fine)),
            real_bus: None,
        }
    }

    pub async fn start(self) -> Harness {
        if let Some(snapshot) = &self.snapshot {
            save_snapshot(self.dir.path(), snapshot);
        }
        let bus = self.real_bus.unwrap_or_else(|| self.bus.clone());
        let metrics = Metrics::new();
        let health = Registry::new();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let deps = Deps { bus, store: self.store, clock, metrics: metrics.clone(), health: health.clone() };
        let service = Service::start(self.settings, deps).await.unwrap();
        let shutdown = Shutdown::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (state, stop) = (service.state(), shutdown.clone());
        let server = std::thread::spawn(move || {
            let configure = move |config: &mut actix_web::web::ServiceConfig| routes(config, state.clone());
            System::new().block_on(bugle_web::serve(listener, 2, stop, configure)).unwrap();
        });
        let running = tokio::spawn(service.run(shutdown.clone()));
        Harness {
            dir: self.dir,
            addr,
            bus: self.bus,
            clock: self.clock,
            metrics,
            health,
            shutdown,
            server,
            running,
        }
    }
}

pub fn save_snapshot(dir: &Path, snapshot: &DoorSnapshot) {
    std::fs::create_dir_all(dir.join("ingest")).unwrap();
    std::fs::write(dir.join("ingest/door.json"), serde_json::to_vec(snapshot).unwrap()).unwrap();
}

/// A running ingest.
pub struct Harness {
    pub dir: TempDir,
    pub addr: SocketAddr,
    pub bus: Arc<FakeBus>,
    pub clock: Arc<ManualClock>,
    pub metrics: Metrics,
    pub health: Registry,
    pub shutdown: Shutdown,
    server: JoinHandle<()>,
    running: tokio::task::JoinHandle<()>,
}

impl Harness {
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        exchange(self.addr, &request(method, path, headers, body)).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", path, headers, body.as_ref()).await
    }

    /// Posts an envelope to project 1 with its key.
    pub async fn envelope(&self, body: impl AsRef<[u8]>) -> Answer {
        self.post(&format!("/api/1/envelope/?sentry_key={KEY}"), &[], body).await
    }

    /// What has reached the intake queue so far.
    pub fn items(&self) -> Vec<RawItem> {
        self.bus.items(Queue::Intake)
    }

    pub fn bodies(&self) -> Vec<String> {
        self.items().into_iter().map(|item| String::from_utf8(item.body).unwrap()).collect()
    }

    /// How often items ended so at the door.
    pub fn outcome(&self, outcome: &str) -> u64 {
        let line = format!("bugle_ingest_outcomes_total{{outcome=\"{outcome}\"}} ");
        let text = self.metrics.render();
        text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    }

    /// Stops softly and waits for the end.
    pub async fn stop(self) -> TempDir {
        self.shutdown.stop();
        self.running.await.unwrap();
        tokio::task::spawn_blocking(|| self.server.join()).await.unwrap().unwrap();
        self.dir
    }
}

/// Waits until the condition holds.
pub async fn eventually(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
