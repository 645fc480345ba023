//! Trying again: when, how often, and when not any more.

use crate::world::World;
use bugle_model::{Clock, NotificationState, Priority, Signal};
use bugle_testkit::http::{Answer, HttpFake};
use chrono::TimeDelta;
use std::time::Duration;

/// Seconds until the next attempt.
async fn due_in(world: &World) -> f64 {
    (world.only().await.next_at.unwrap() - world.clock.now()).as_seconds_f64()
}

#[tokio::test]
async fn pauses_grow_and_the_id_stays() {
    let mut world = World::new().await;
    world.policy.breaker_failures = 100;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    let mut sender = world.sender();
    let mut ids = Vec::new();
    for pause in [1.0, 2.0, 4.0, 8.0, 16.0] {
        receiver.then(Answer::status(503));
        sender.run_once().await.unwrap();
        let request = receiver.next().await;
        let timestamp = world.clock.now().timestamp().to_string();
        assert_eq!(request.header("webhook-timestamp"), Some(timestamp.as_str()), "each attempt has its own");
        ids.push(request.header("webhook-id").unwrap().to_owned());
        let wait = due_in(&world).await;
        assert!((pause * 0.8..=pause * 1.2).contains(&wait), "{pause}: {wait}");
        sender.run_once().await.unwrap();
        assert!(receiver.take().is_empty(), "not before its time");
        world.clock.advance(TimeDelta::milliseconds((wait * 1000.0).ceil() as i64 + 1));
    }
    sender.run_once().await.unwrap();
    ids.push(receiver.next().await.header("webhook-id").unwrap().to_owned());
    let sent = world.only().await;
    assert_eq!(sent.state, NotificationState::Sent);
    assert!(ids.iter().all(|id| *id == sent.message_id.to_string()), "{ids:?}");
    let results: Vec<_> = sent.attempts.iter().map(|a| (a.number, a.result.as_str())).collect();
    assert_eq!(
        results,
        [(1, "retry"), (2, "retry"), (3, "retry"), (4, "retry"), (5, "retry"), (6, "delivered")]
    );
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn retry_after_is_honoured_for_the_whole_destination() {
    for (header, seconds) in
        [("7", 7.0), ("Fri, 20 Nov 2026 12:01:30 GMT", 90.0), ("999999", 3600.0), ("nonsense", 1.0)]
    {
        let world = World::new().await;
        let receiver = HttpFake::start().await;
        let destination = world.webhook(&receiver.url("/")).await;
        receiver.then(Answer::status(429).header("Retry-After", header));
        world.open("Bad").await;
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        assert_eq!(receiver.take().len(), 1);
        let wait = due_in(&world).await;
        assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "{header}: {wait}");
        if header != "nonsense" {
            assert!(wait >= seconds, "{header}: not earlier than asked for");
            world.open("Another").await;
            sender.run_once().await.unwrap();
            assert!(receiver.take().is_empty(), "{header}: the destination asked to be left alone");
            assert!(world.destination_now(destination.id).await.open_until.is_some());
        }
    }
}

#[tokio::test]
async fn connections_that_fail_are_tried_again() {
    let mut world = World::new().await;
    world.timeouts.total = Duration::from_millis(300);
    world.policy.breaker_failures = 100;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    let mut sender = world.sender();
    for (answer, error) in
        [(Answer::hang(), "no answer in time"), (Answer::close(), "the connection broke: ")]
    {
        receiver.then(answer);
        sender.run_once().await.unwrap();
        let one = world.only().await;
        assert!(one.error.as_deref().unwrap().starts_with(error), "{one:?}");
        assert!(one.attempts.last().unwrap().answer.as_deref().unwrap().starts_with("outcome unknown: "));
        assert_eq!(receiver.take().len(), 1);
        world.advance(10);
    }
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(world.only().await.state, NotificationState::Sent);
}

#[tokio::test]
async fn nobody_listening_is_tried_again() {
    let world = World::new().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    world.webhook(&format!("http://{closed}/")).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let one = world.only().await;
    assert_eq!(one.state, NotificationState::Pending);
    assert!(one.error.as_deref().unwrap().starts_with("cannot connect: "), "{one:?}");
    assert_eq!(one.attempts[0].answer, None, "nothing can have arrived");
}

#[tokio::test]
async fn after_the_last_attempt_it_is_failed_and_visible() {
    let mut world = World::new().await;
    world.policy.max_attempts = 3;
    let receiver = HttpFake::start().await;
    receiver.route("POST", "/", Answer::status(500).body("boom"));
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    let mut sender = world.sender();
    for _ in 0..3 {
        sender.run_once().await.unwrap();
        world.advance(10);
    }
    let failed = world.only().await;
    assert_eq!(failed.state, NotificationState::Failed);
    assert_eq!(failed.error.as_deref(), Some("given up after 3 attempts: answered 500"));
    assert_eq!(failed.attempts.len(), 3);
    assert_eq!(receiver.take().len(), 3);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn too_old_is_failed_too() {
    let mut world = World::new().await;
    world.policy.max_age = TimeDelta::seconds(30);
    let receiver = HttpFake::start().await;
    receiver.then(Answer::status(429).header("retry-after", "60"));
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(world.only().await.state, NotificationState::Failed);
}

#[tokio::test]
async fn one_whose_senders_are_lost_is_given_up_too() {
    for (max_attempts, max_age, error) in [
        (
            3,
            TimeDelta::hours(24),
            "given up after 3 attempts: the sender was lost before it could record the answer",
        ),
        (
            20,
            TimeDelta::seconds(150),
            "given up after 0 hours: the sender was lost before it could record the answer",
        ),
    ] {
        let mut world = World::new().await;
        (world.policy.max_attempts, world.policy.max_age) = (max_attempts, max_age);
        let receiver = HttpFake::start().await;
        receiver.route("POST", "/", Answer::hang());
        world.webhook(&receiver.url("/")).await;
        world.open("Bad").await;
        for _ in 0..3 {
            let mut lost = world.sender();
            lost.start().await.unwrap();
            receiver.next().await;
            drop(lost);
            world.advance(61);
        }
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        let failed = world.only().await;
        assert_eq!((failed.state, failed.error.as_deref()), (NotificationState::Failed, Some(error)));
        assert_eq!(failed.attempts.len(), 3);
        assert!(receiver.take().is_empty());
        world.stays_quiet(&mut sender).await;
    }
}

#[tokio::test]
async fn the_breaker_opens_probes_and_closes() {
    let mut world = World::new().await;
    world.policy.breaker_failures = 3;
    let receiver = HttpFake::start().await;
    receiver.route("POST", "/", Answer::status(503));
    let destination = world.webhook(&receiver.url("/")).await;
    world.open_many(5).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let first = receiver.take().len();
    assert_eq!(first, 5, "all were on their way before the breaker knew");
    let failing = world.destination_now(destination.id).await;
    assert_eq!(failing.failures, 5);
    assert!(failing.open_until.is_some());

    world.advance(20);
    sender.run_once().await.unwrap();
    assert!(receiver.take().is_empty(), "open: nothing is sent");
    world.advance(120);
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1, "one probe");
    assert_eq!(world.destination_now(destination.id).await.failures, 6);

    receiver.route("POST", "/", Answer::status(200));
    world.advance(900);
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 5, "the probe works, and the rest follows");
    let works = world.destination_now(destination.id).await;
    assert_eq!((works.failures, works.open_until), (0, None));
    assert!(world.states().await.iter().all(|state| *state == NotificationState::Sent));
}

#[tokio::test]
async fn one_broken_destination_holds_up_no_other_and_critical_goes_first() {
    let mut world = World::new().await;
    world.timeouts.total = Duration::from_secs(2);
    (world.policy.concurrency, world.policy.reserved) = (10, 4);
    let broken = HttpFake::start().await;
    broken.route("POST", "/", Answer::hang());
    let works = HttpFake::start().await;
    world.webhook(&broken.url("/")).await;
    world.open_many(30).await;
    let mut sender = world.sender();
    sender.start().await.unwrap();
    for _ in 0..6 {
        broken.next().await;
    }
    world.webhook(&works.url("/")).await;
    let issue = world.issue_of("Down", Priority::Critical).await;
    let about = bugle_model::IssueSignal { priority: Priority::Critical, ..world.about(issue) };
    world.signal(vec![Signal::IssueOpened(about)]).await;
    sender.start().await.unwrap();
    assert_eq!(works.next().await.json()["data"]["issue"]["title"], "Down");
    assert_eq!(broken.next().await.json()["data"]["issue"]["title"], "Down", "reserved for critical ones");
    assert!(broken.take().is_empty(), "the rest waits for its place");
}
