//! A database with a project, and events to record.

use bugle_model::{
    Event, Exception, IssueId, Level, Priority, ProjectId, RetentionClass, Signal, SignalBatch,
};
use bugle_store::events::{self, StoredEvent};
use bugle_store::payload::Document;
use bugle_store::record::{Batch, Cache, NewEvent, Recorded, record};
use bugle_store::{Store, StoreError, partitions, projects};
use bugle_testkit::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

pub struct World {
    pub database: TestDatabase,
    pub store: Store,
    pub cache: Cache,
    pub project: ProjectId,
    pub now: DateTime<Utc>,
}

/// Noon of the day that the tests play on.
pub fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let store = bugle_store::connect(database.url(), 2).unwrap();
        let mut connection = store.conn().await.unwrap();
        let project = projects::create(&mut connection, "shop", noon()).await.unwrap().id;
        partitions::make(&mut connection, noon()).await.unwrap();
        drop(connection);
        Self { database, store, cache: Cache::default(), project, now: noon() }
    }

    pub async fn try_record(&mut self, events: &[NewEvent]) -> Result<Recorded, StoreError> {
        let batch = Batch { events: events.to_vec(), ..Batch::default() };
        record(&self.store, &mut self.cache, &batch, self.now).await
    }

    pub async fn record(&mut self, events: &[NewEvent]) -> Recorded {
        self.try_record(events).await.unwrap()
    }

    /// An event of the group `group`, received now.
    pub fn event(&self, group: &str) -> NewEvent {
        event(self.project, group, self.now)
    }

    pub fn events(&self, group: &str, count: usize) -> Vec<NewEvent> {
        (0..count).map(|_| self.event(group)).collect()
    }

    pub async fn stored(&self, event_id: Uuid) -> StoredEvent {
        let mut connection = self.store.conn().await.unwrap();
        events::find(&mut connection, &bugle_store::Scope::All, event_id, Some(self.project))
            .await
            .unwrap()
            .remove(0)
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

    /// The only issue.
    pub async fn issue(&self) -> IssueId {
        IssueId(self.number("SELECT id FROM issues").await)
    }

    /// Until a statement waits for a lock of another connection.
    pub async fn somebody_waits(&self) {
        self.database.until_waiting(1).await.unwrap();
    }

    pub fn later(&mut self, by: TimeDelta) {
        self.now += by;
    }
}

pub fn hash(text: &str) -> [u8; 16] {
    let mut state = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in text.bytes() {
        state = (state ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
    }
    state.to_be_bytes()
}

pub fn event(project: ProjectId, group: &str, received_at: DateTime<Utc>) -> NewEvent {
    let mut model = Event::new(Uuid::new_v4(), received_at);
    model.platform = "python".to_owned();
    model.exceptions = vec![Exception { kind: Some(group.to_owned()), ..Exception::default() }];
    from_model(project, &model, group, received_at)
}

pub fn from_model(project: ProjectId, model: &Event, group: &str, received_at: DateTime<Utc>) -> NewEvent {
    let hashes = vec![hash(group)];
    let document = Document {
        v: 1,
        grouping: 1,
        hashes: hashes.iter().map(hex).collect(),
        title: format!("{group}: failed"),
        culprit: Some("app.views.checkout".to_owned()),
        event: model.clone(),
    };
    NewEvent {
        message: Uuid::now_v7(),
        project,
        key: None,
        event_id: model.event_id,
        received_at,
        timestamp: model.timestamp,
        retention: RetentionClass::Days90,
        level: Level::Error,
        handled: true,
        priority: None,
        hashes,
        algorithm: 1,
        title: document.title.clone(),
        culprit: document.culprit.clone(),
        error_type: Some(group.to_owned()),
        platform: "python".to_owned(),
        release: None,
        environment: None,
        user: None,
        user_keys: Vec::new(),
        trace: None,
        tags: BTreeMap::new(),
        document: document.to_bytes().unwrap(),
    }
}

pub fn hex(hash: &[u8; 16]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signals that a batch has left, in the order of their routing keys.
pub fn signals(recorded: &Recorded) -> Vec<Signal> {
    recorded
        .signals
        .iter()
        .flat_map(|row| serde_json::from_slice::<SignalBatch>(&row.body).unwrap().signals)
        .collect()
}

/// Each signal as `name generation priority`, with the threshold where there is one.
pub fn told(recorded: &Recorded) -> Vec<String> {
    let tell = |signal: &Signal| {
        let (_, about) = signal.notifies().unwrap();
        let line = format!("{} {} {}", signal.routing_key(), about.generation, about.priority);
        match signal {
            Signal::ThresholdReached { events, .. } => format!("{line} {events}"),
            _ => line,
        }
    };
    signals(recorded).iter().map(tell).collect()
}

pub fn unhandled(event: NewEvent) -> NewEvent {
    NewEvent { handled: false, ..event }
}

pub fn chosen(event: NewEvent, priority: Priority) -> NewEvent {
    NewEvent { priority: Some(priority), ..event }
}
