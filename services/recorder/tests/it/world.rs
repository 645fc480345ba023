//! A recorder that runs, with what it stands between.

use bugle_bus::{Bus, BusConfig, DeadLetter, DeadSelection, Queue};
use bugle_model::{Clock, IntakeBatch, ItemKind, KeyId, ProjectId, RawItem};
use bugle_recorder::Deps;
use bugle_runtime::{Config, Metrics, Shutdown, SystemClock, health};
use bugle_store::{Store, projects};
use bugle_testkit::TestDatabase;
use bugle_testkit::proxy::Proxy;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::{NoContext, Timestamp, Uuid};

pub struct World {
    pub database: TestDatabase,
    /// Past the proxy.
    pub store: Store,
    /// Between the recorder and PostgreSQL.
    pub proxy: Proxy,
    pub bus: Arc<dyn Bus>,
    pub project: ProjectId,
    running: Vec<Running>,
    _folder: tempfile::TempDir,
}

struct Running {
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<Result<(), bugle_recorder::ServiceError>>,
}

impl World {
    /// A world with one recorder.
    pub async fn new() -> Self {
        let mut world = Self::idle().await;
        world.start().await;
        world
    }

    /// A world in which no recorder runs yet.
    pub async fn idle() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let store = bugle_store::connect(database.url(), 4).unwrap();
        let project =
            projects::create(&mut store.conn().await.unwrap(), "shop", SystemClock.now()).await.unwrap().id;
        let url = url::Url::parse(database.url()).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let proxy =
            Proxy::start(tokio::net::lookup_host(target).await.unwrap().next().unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bus = bugle_bus::connect(BusConfig::new(folder.path().to_owned(), Arc::new(SystemClock)))
            .await
            .unwrap();
        Self { database, store, proxy, bus, project, running: Vec::new(), _folder: folder }
    }

    /// Starts one more recorder.
    pub async fn start(&mut self) {
        self.start_at(Arc::new(SystemClock)).await;
    }

    /// Starts one more recorder with a clock of its own.
    pub async fn start_at(&mut self, clock: Arc<dyn Clock>) {
        let mut url = url::Url::parse(self.database.url()).unwrap();
        url.set_port(Some(self.proxy.address().port())).unwrap();
        let shutdown = Shutdown::new();
        let deps = Deps {
            bus: Arc::clone(&self.bus),
            store: bugle_store::connect(url.as_str(), 4).unwrap(),
            clock,
            metrics: Metrics::new(),
            health: health::Registry::new(),
        };
        let task = tokio::spawn(bugle_recorder::run(Arc::new(Config::default()), deps, shutdown.clone()));
        self.running.push(Running { shutdown, task });
    }

    /// Stops the recorders softly; nothing is left in the queues.
    pub async fn stop(self) {
        drop(self.stop_keeping_the_database().await);
    }

    /// As [`World::stop`], for a look at what is left.
    pub async fn stop_keeping_the_database(mut self) -> TestDatabase {
        for queue in [Queue::Intake, Queue::IntakeBacklog] {
            until("the queues are empty", async || self.bus.depth(queue).await.unwrap().messages == 0).await;
        }
        for running in self.running.drain(..) {
            running.shutdown.stop();
            running.task.await.unwrap().unwrap();
        }
        self.bus.close().await;
        self.database
    }

    pub async fn publish(&self, items: &[RawItem]) -> Uuid {
        self.publish_to(Queue::Intake, Uuid::now_v7(), items).await
    }

    pub async fn publish_to(&self, queue: Queue, id: Uuid, items: &[RawItem]) -> Uuid {
        let body = IntakeBatch::encode(items).unwrap();
        self.bus.publish(queue, id, body.into()).await.unwrap();
        id
    }

    pub fn item(&self, kind: ItemKind, body: impl Into<Vec<u8>>) -> RawItem {
        RawItem {
            id: Uuid::now_v7(),
            kind,
            project: self.project,
            key: Some(KeyId(1)),
            unverified_key: None,
            received_at: SystemClock.now(),
            remote_addr: None,
            client: None,
            user_agent: None,
            request_id: None,
            content_type: None,
            event_id: None,
            sent_at: None,
            environment: None,
            release: None,
            attachment: None,
            body: body.into(),
        }
    }

    /// An event that groups by `group`.
    pub fn event(&self, group: &str) -> RawItem {
        self.event_with(group, json!({}))
    }

    pub fn event_with(&self, group: &str, mut more: Value) -> RawItem {
        let mut body = json!({
            "event_id": Uuid::new_v4().simple().to_string(),
            "platform": "python",
            "fingerprint": [group],
            "exception": { "values": [{ "type": "KeyError", "value": format!("no {group}") }] },
        });
        body.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        self.item(ItemKind::Event, body.to_string())
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.database.number(sql).await.unwrap()
    }

    pub async fn rows(&self, sql: &str) -> Vec<String> {
        self.database.rows(sql).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        self.database.execute(sql).await.unwrap();
    }

    /// Waits until that many events are recorded.
    pub async fn recorded(&self, events: i64) {
        until(&format!("{events} events are recorded"), async || {
            self.number("SELECT count(*) FROM events").await >= events
        })
        .await;
        assert_eq!(self.number("SELECT count(*) FROM events").await, events);
    }

    /// The outcomes that are counted, as `outcome|reason|category|quantity`, once there are `items` of them.
    pub async fn outcomes(&self, items: i64) -> Vec<String> {
        until(&format!("{items} items have ended"), async || {
            self.number("SELECT coalesce(sum(quantity), 0)::bigint FROM outcomes").await >= items
        })
        .await;
        self.rows(
            "SELECT outcome, reason, category, sum(quantity) FROM outcomes GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        )
        .await
    }

    /// The dead letters of both queues: what a slow machine made step aside is rejected from the backlog.
    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        let mut dead = self.bus.dead_letters(Queue::Intake, 10).await.unwrap();
        dead.extend(self.bus.dead_letters(Queue::IntakeBacklog, 10).await.unwrap());
        dead
    }

    /// Waits until there is one dead letter, and gives it.
    pub async fn one_dead_letter(&self) -> DeadLetter {
        until("there is a dead letter", async || !self.dead_letters().await.is_empty()).await;
        let mut dead = self.dead_letters().await;
        assert_eq!(dead.len(), 1, "{dead:?}");
        dead.remove(0)
    }

    /// Sends all dead letters again.
    pub async fn redrive(&self) {
        for queue in [Queue::Intake, Queue::IntakeBacklog] {
            self.bus.redrive(queue, DeadSelection::All).await.unwrap();
        }
    }

    /// Every count agrees with the events.
    pub async fn assert_counts_are_exact(&self) {
        let events = self.number("SELECT count(*) FROM events").await;
        for table in ["issue_counts", "issue_hashes", "issue_minutes", "issue_hours"] {
            let counted = self.number(&format!("SELECT coalesce(sum(events), 0)::bigint FROM {table}")).await;
            assert_eq!(counted, events, "{table}");
        }
    }
}

/// The id of a message that was made a while ago.
pub fn id_of_age(age: TimeDelta) -> Uuid {
    let at = SystemClock.now() - age;
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        u64::try_from(at.timestamp()).unwrap(),
        at.timestamp_subsec_nanos(),
    ))
}

/// Waits for something that is only seen from outside.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
