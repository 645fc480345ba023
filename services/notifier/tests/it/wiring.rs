//! The whole service over a real bus, with the real clock.

use crate::world::World;
use bugle_bus::{Bus, BusConfig, Queue};
use bugle_model::{Clock, NotificationState, Signal, SignalBatch};
use bugle_notifier::Deps;
use bugle_runtime::{Shutdown, SystemClock, health};
use bugle_testkit::http::HttpFake;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

struct Running {
    bus: Arc<dyn Bus>,
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<Result<(), bugle_notifier::ServiceError>>,
    _folder: tempfile::TempDir,
}

async fn start(world: &World) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let bus = bugle_bus::connect(BusConfig::new(folder.path().to_owned(), clock.clone())).await.unwrap();
    let shutdown = Shutdown::new();
    let deps = Deps {
        bus: Arc::clone(&bus),
        store: world.store.clone(),
        clock,
        metrics: world.metrics.clone(),
        health: health::Registry::new(),
    };
    let service = bugle_notifier::run(Arc::new(world.config.clone()), deps, shutdown.clone());
    Running { bus, shutdown, task: tokio::spawn(service), _folder: folder }
}

impl Running {
    async fn publish(&self, mut signals: Vec<Signal>) {
        for signal in &mut signals {
            if let Signal::IssueOpened(about) = signal {
                about.received_at = SystemClock.now();
            }
        }
        let batch = SignalBatch { v: 1, id: Uuid::now_v7(), signals };
        let body = serde_json::to_vec(&batch).unwrap().into();
        self.bus.publish_signal("issue.opened", batch.id, body).await.unwrap();
    }

    async fn stop(self) {
        self.shutdown.stop();
        self.task.await.unwrap().unwrap();
        let depth = self.bus.depth(Queue::NotifierSignals).await.unwrap();
        assert_eq!(depth.messages, 0, "everything was acknowledged");
        self.bus.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_on_the_bus_becomes_a_message_at_once() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let running = start(&world).await;
    let mut fastest = Duration::MAX;
    for number in 0..5 {
        let issue = world.issue(&format!("Error {number}")).await;
        let begun = std::time::Instant::now();
        running.publish(vec![Signal::IssueOpened(world.about(issue))]).await;
        let request = receiver.next().await;
        fastest = fastest.min(begun.elapsed());
        assert_eq!(request.json()["data"]["issue"]["id"], issue.0);
    }
    running.stop().await;
    assert!(fastest < Duration::from_millis(500), "woken, not polled: {fastest:?}");
    assert!(world.states().await.iter().all(|state| *state == NotificationState::Sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_set_aside_and_holds_up_nothing() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let running = start(&world).await;
    for body in ["{", r#"{"v":9,"id":"00000000-0000-0000-0000-000000000000","signals":[]}"#] {
        running
            .bus
            .publish_signal("issue.opened", Uuid::now_v7(), body.as_bytes().to_vec().into())
            .await
            .unwrap();
    }
    let issue = world.issue("Bad").await;
    running.publish(vec![Signal::IssueOpened(world.about(issue))]).await;
    receiver.next().await;
    let dead = running.bus.dead_letters(Queue::NotifierSignals, 10).await.unwrap();
    let reasons: Vec<_> = dead.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, ["not a signal batch", "unknown version"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notifier_that_works_shows_itself_here_and_outside() {
    let mut world = World::new().await;
    let receiver = HttpFake::start().await;
    world.config.watch.heartbeat_url = Some(receiver.url("/ping").parse::<url::Url>().unwrap().into());
    world.config.watch.heartbeat_interval = Duration::from_millis(100);
    let running = start(&world).await;
    receiver.next().await;
    let since = SystemClock.now() - chrono::TimeDelta::minutes(1);
    let working = async || {
        let mut conn = world.store.conn().await.unwrap();
        bugle_store::oncall::working_notifiers(&mut conn, since).await.unwrap()
    };
    while working().await == 0 {
        receiver.next().await;
    }
    running.stop().await;
    drop(receiver.take());
    assert_eq!(working().await, 0, "it has taken its leave");
}
