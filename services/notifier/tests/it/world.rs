//! What a test needs: a database with a project, a clock that is moved by hand, senders.

use bugle_model::{
    Channel, Clock, DestinationId, DestinationSettings, Event, IssueId, IssueSignal, Level, ManualClock,
    NotificationState, Priority, ProjectId, Signal, SignalBatch, SignalKind,
};
use bugle_notifier::client::Timeouts;
use bugle_notifier::guard::{Lookup, SystemLookup};
use bugle_notifier::sender::Parts;
use bugle_notifier::signals::Wakes;
use bugle_notifier::{Channels, Policy, Sender, Signals};
use bugle_runtime::{Config, Metrics};
use bugle_store::destinations::{self, Destination, NewDestination};
use bugle_store::notifications::{self, Filter, Notification};
use bugle_store::payload::{Document, Encoder};
use bugle_store::{Store, StoreError};
use bugle_testkit::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use uuid::Uuid;

pub struct World {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub metrics: Metrics,
    pub config: Config,
    pub policy: Policy,
    pub timeouts: Timeouts,
    pub project: ProjectId,
    pub sql: tokio_postgres::Client,
    pub wake: Arc<Notify>,
    lookup: Arc<dyn Lookup>,
    pub database: TestDatabase,
}

pub fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-20T12:00:00Z").unwrap().to_utc()
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (sql, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        let row = sql
            .query_one(
                "INSERT INTO projects (name, prefix, created_at) VALUES ('shop', 'SHOP', '2026-11-01T00:00:00Z') RETURNING id",
                &[],
            )
            .await
            .unwrap();
        let config = Config {
            public_url: "https://bugle.example.com".parse().unwrap(),
            allow_private_nets: vec!["127.0.0.0/8".parse().unwrap()],
            smtp_from: "Bugle <bugle@example.com>".to_owned(),
            twilio_account_sid: Some("AC1".to_owned()),
            twilio_auth_token: Some(bugle_runtime::Secret::new("token")),
            twilio_from: Some("+15005550006".to_owned()),
            ..Config::default()
        };
        Self {
            store: bugle_store::connect(database.url(), 12).unwrap(),
            clock: Arc::new(ManualClock::new(noon())),
            metrics: Metrics::new(),
            config,
            policy: Policy::default(),
            timeouts: Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(10) },
            project: ProjectId(row.get(0)),
            sql,
            wake: Arc::new(Notify::new()),
            lookup: Arc::new(SystemLookup),
            database,
        }
    }

    /// Names resolve as `lookup` says.
    pub fn resolving(mut self, lookup: impl Lookup) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    pub fn sender(&self) -> Sender {
        self.sender_on(self.store.clone())
    }

    /// One whose connections are not those of the others.
    pub fn sender_of_its_own(&self) -> Sender {
        self.sender_on(self.another_store())
    }

    pub fn another_store(&self) -> Store {
        bugle_store::connect(self.database.url(), 4).unwrap()
    }

    fn sender_on(&self, store: Store) -> Sender {
        Sender::new(Parts {
            store,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            channels: Channels::new(&self.config, Arc::clone(&self.lookup), self.timeouts).unwrap(),
            policy: self.policy.clone(),
            seed: 7,
            metrics: self.metrics.clone(),
        })
    }

    pub async fn destination(
        &self,
        channel: Channel,
        target: &str,
        settings: DestinationSettings,
    ) -> Destination {
        let new = NewDestination {
            project: self.project,
            channel,
            target: target.to_owned(),
            min_priority: Some(Priority::Low),
            settings,
        };
        let mut conn = self.store.conn().await.unwrap();
        destinations::create(&mut conn, &new, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", noon()).await.unwrap()
    }

    /// A webhook without settings.
    pub async fn webhook(&self, target: &str) -> Destination {
        self.destination(Channel::Webhook, target, DestinationSettings::default()).await
    }

    pub async fn destination_now(&self, id: DestinationId) -> Destination {
        destinations::get(&mut self.store.conn().await.unwrap(), id).await.unwrap().unwrap()
    }

    pub async fn issue(&self, title: &str) -> IssueId {
        self.issue_of(title, Priority::High).await
    }

    pub async fn issue_of(&self, title: &str, priority: Priority) -> IssueId {
        let row = self
            .sql
            .query_one(
                "WITH made AS (
                    INSERT INTO issues (project_id, number, title, culprit, error_type, platform, level, priority, first_seen, active_at)
                    SELECT $1, 1 + count(*), $2, 'shop.cart in add', 'ValueError', 'python', 40, $3, $4, $4
                    FROM issues WHERE project_id = $1 RETURNING id)
                 INSERT INTO issue_counts (issue_id, events, last_seen, users) SELECT id, 3, $4, 2 FROM made RETURNING issue_id",
                &[&self.project.0, &title, &priority.code(), &SystemTime::from(self.clock.now())],
            )
            .await
            .unwrap();
        IssueId(row.get(0))
    }

    /// Resolved (1), ignored (2) or unresolved (0).
    pub async fn set_status(&self, issue: IssueId, status: i16) {
        let resolved_at = (status == 1).then(|| SystemTime::from(self.clock.now()));
        let sql = "UPDATE issues SET status = $2, resolved_at = $3 WHERE id = $1";
        assert_eq!(self.sql.execute(sql, &[&issue.0, &status, &resolved_at]).await.unwrap(), 1);
    }

    pub fn about(&self, issue: IssueId) -> IssueSignal {
        IssueSignal {
            issue,
            project: self.project,
            generation: 0,
            event_id: Uuid::parse_str("0f000000-0000-4000-8000-000000000001").unwrap(),
            received_at: self.clock.now() - TimeDelta::milliseconds(40),
            level: Level::Error,
            priority: Priority::High,
            environment: Some("production".to_owned()),
        }
    }

    /// Delivers signals; how many notifications are new.
    pub async fn signal(&self, signals: Vec<Signal>) -> usize {
        self.try_signal(signals).await.unwrap()
    }

    pub async fn try_signal(&self, signals: Vec<Signal>) -> Result<usize, StoreError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let wakes = Wakes { sender: Arc::clone(&self.wake), ..Wakes::default() };
        let taker = Signals::new(self.store.clone(), clock, wakes, &self.metrics);
        taker.take(&SignalBatch { v: 1, id: Uuid::nil(), signals }).await
    }

    /// Keeps an event of an issue as the recorder does, at the time that [`Self::about`] gives.
    pub async fn record(&self, issue: IssueId, event: &Event) {
        let document = Document {
            v: 1,
            grouping: 1,
            hashes: vec!["0123456789abcdef0123456789abcdef".to_owned()],
            title: "Crash".to_owned(),
            culprit: None,
            event: event.clone(),
        };
        let payload = Encoder::new().unwrap().alone(&document.to_bytes().unwrap()).unwrap();
        let received_at = self.about(issue).received_at.to_rfc3339();
        let day = "SELECT bugle_make_event_partition(90::smallint, $1::text::timestamptz::date)";
        self.sql.execute(day, &[&received_at]).await.unwrap();
        self.sql
            .execute(
                "INSERT INTO events (received_at, issue_id, project_id, level, retention, event_id, payload)
                 VALUES ($1::text::timestamptz, $2, $3, 40, 90, $4::text::uuid, $5)",
                &[&received_at, &issue.0, &self.project.0, &event.event_id.to_string(), &payload],
            )
            .await
            .unwrap();
    }

    /// Opens an issue and tells of it.
    pub async fn open(&self, title: &str) -> IssueId {
        let issue = self.issue(title).await;
        assert!(
            self.signal(vec![Signal::IssueOpened(self.about(issue))]).await > 0,
            "somebody wants to know"
        );
        issue
    }

    /// Opens many issues at once.
    pub async fn open_many(&self, count: usize) -> Vec<IssueId> {
        let mut issues = Vec::new();
        for number in 0..count {
            issues.push(self.issue(&format!("Error {number}")).await);
        }
        self.signal(issues.iter().map(|issue| Signal::IssueOpened(self.about(*issue))).collect()).await;
        issues
    }

    /// All notifications, oldest first.
    pub async fn all(&self) -> Vec<Notification> {
        let mut conn = self.store.conn().await.unwrap();
        let mut all = notifications::list(&mut conn, &bugle_store::Scope::All, Filter::default(), 10_000)
            .await
            .unwrap();
        all.reverse();
        all
    }

    /// The only notification.
    pub async fn only(&self) -> Notification {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    pub async fn states(&self) -> Vec<NotificationState> {
        self.all().await.iter().map(|one| one.state).collect()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Nothing more goes out in the next minutes. The fakes fail the test if something did.
    pub async fn stays_quiet(&self, sender: &mut Sender) {
        for _ in 0..3 {
            self.advance(60);
            sender.run_once().await.unwrap();
        }
        let open: Vec<_> = self.all().await.into_iter().filter(|one| one.finished_at.is_none()).collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}

/// The kinds of some notifications.
pub fn kinds(all: &[Notification]) -> Vec<SignalKind> {
    all.iter().map(|one| one.kind).collect()
}
