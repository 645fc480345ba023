//! From signals to rows to one message each, whatever happens in between.

use crate::world::{World, kinds};
use bugle_model::{
    Channel, DestinationSettings, IssueSignal, NotificationState, Priority, Signal, SignalKind,
};
use bugle_store::destinations::{self, NewDestination};
use bugle_testkit::http::{Answer, HttpFake};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn a_signal_that_comes_ten_times_tells_once() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let issue = world.issue("Bad").await;
    let opened = Signal::IssueOpened(world.about(issue));
    assert_eq!(world.signal(vec![opened.clone(), opened.clone()]).await, 1);
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    for _ in 0..10 {
        assert_eq!(world.signal(vec![opened.clone()]).await, 0);
        sender.run_once().await.unwrap();
    }
    assert_eq!(receiver.take().len(), 1);

    // It comes back: a new generation is told again, once.
    world.advance(60);
    let sql = "UPDATE issues SET generation = 1 WHERE id = $1";
    world.sql.execute(sql, &[&issue.0]).await.unwrap();
    let regressed = Signal::IssueRegressed(IssueSignal { generation: 1, ..world.about(issue) });
    for _ in 0..3 {
        world.signal(vec![regressed.clone(), opened.clone()]).await;
    }
    sender.run_once().await.unwrap();
    assert_eq!(receiver.next().await.json()["data"]["generation"], 1);
    assert_eq!(kinds(&world.all().await), [SignalKind::New, SignalKind::Regression]);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn a_regression_that_nobody_is_told_of_cancels_nothing() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let everything = world.webhook(&receiver.url("/everything")).await;
    let only_new = DestinationSettings { kinds: vec![SignalKind::New], ..DestinationSettings::default() };
    world.destination(Channel::Webhook, &receiver.url("/new"), only_new).await;
    let issue = world.open("Bad").await;
    let sql = "UPDATE issues SET generation = 1 WHERE id = $1";
    world.sql.execute(sql, &[&issue.0]).await.unwrap();
    let regressed = Signal::IssueRegressed(IssueSignal { generation: 1, ..world.about(issue) });
    assert_eq!(world.signal(vec![regressed]).await, 1);

    world.sender().run_once().await.unwrap();
    let mut told: Vec<_> = receiver.take().iter().map(|request| request.target.clone()).collect();
    told.sort();
    assert_eq!(told, ["/everything", "/new"]);
    let cancelled: Vec<_> =
        world.all().await.into_iter().filter(|one| one.state == NotificationState::Cancelled).collect();
    let of: Vec<_> = cancelled.iter().map(|one| (one.destination, one.kind)).collect();
    assert_eq!(of, [(everything.id, SignalKind::New)]);
}

#[tokio::test]
async fn each_threshold_is_told_once_and_only_thresholds() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let issue = world.issue("Bad").await;
    for events in [10, 10, 11, 100, 1_000, 999, 10_000, 10_000] {
        world.signal(vec![Signal::ThresholdReached { about: world.about(issue), events }]).await;
    }
    let seen = Signal::IssueSeen { issue, project: world.project, events: 10 };
    assert_eq!(world.signal(vec![seen]).await, 0);
    world.sender().run_once().await.unwrap();
    let told: BTreeSet<_> =
        receiver.take().iter().map(|r| r.json()["data"]["threshold"].as_i64().unwrap()).collect();
    assert_eq!(told, [10, 100, 1_000, 10_000].into());
    use SignalKind::{Events10, Events100, Events1000, Events10000};
    assert_eq!(kinds(&world.all().await), [Events10, Events100, Events1000, Events10000]);
}

#[tokio::test]
async fn each_step_of_an_escalation_is_told_once() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let issue = world.issue("Bad").await;
    for priority in [Priority::High, Priority::High, Priority::Critical] {
        let about = IssueSignal { priority, ..world.about(issue) };
        world.signal(vec![Signal::IssueEscalated(about)]).await;
    }
    world.sender().run_once().await.unwrap();
    let types: Vec<_> = receiver.take().iter().map(|request| request.json()["type"].clone()).collect();
    assert_eq!(types, ["issue.escalated", "issue.escalated"]);
    assert_eq!(kinds(&world.all().await), [SignalKind::EscalatedHigh, SignalKind::EscalatedCritical]);
}

#[tokio::test]
async fn destinations_hear_what_they_asked_for() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let mut conn = world.store.conn().await.unwrap();
    let settings = DestinationSettings::default;
    for (path, min_priority, settings) in [
        ("/low", Priority::Low, settings()),
        ("/critical", Priority::Critical, settings()),
        (
            "/staging",
            Priority::Low,
            DestinationSettings { environments: vec!["staging".to_owned()], ..settings() },
        ),
        (
            "/regressions",
            Priority::Low,
            DestinationSettings { kinds: vec![SignalKind::Regression], ..settings() },
        ),
    ] {
        let new = NewDestination {
            project: world.project,
            channel: Channel::Webhook,
            target: receiver.url(path),
            min_priority: Some(min_priority),
            settings,
        };
        destinations::create(&mut conn, &new, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", crate::world::noon())
            .await
            .unwrap();
    }
    let off = world.webhook(&receiver.url("/off")).await;
    assert!(destinations::set_enabled(&mut conn, off.id, false).await.unwrap());
    let base = world.about(world.issue("Bad").await);
    let variants = [
        (base.clone(), vec!["/low"]),
        (IssueSignal { priority: Priority::Critical, ..base.clone() }, vec!["/critical", "/low"]),
        (IssueSignal { environment: Some("staging".to_owned()), ..base.clone() }, vec!["/low", "/staging"]),
        (IssueSignal { environment: None, ..base }, vec!["/low"]),
    ];
    for (about, expected) in variants {
        let issue = world.issue("Another").await;
        world.signal(vec![Signal::IssueOpened(IssueSignal { issue, ..about })]).await;
        world.sender().run_once().await.unwrap();
        let mut heard: Vec<_> = receiver.take().into_iter().map(|request| request.target).collect();
        heard.sort();
        assert_eq!(heard, expected);
    }
    let issue = world.issue("Back").await;
    world.signal(vec![Signal::IssueRegressed(world.about(issue))]).await;
    world.sender().run_once().await.unwrap();
    let heard: BTreeSet<_> = receiver.take().into_iter().map(|request| request.target).collect();
    assert_eq!(heard, ["/low".to_owned(), "/regressions".to_owned()].into());
}

#[tokio::test]
async fn the_defaults_follow_the_priority() {
    let world = World::new().await;
    let mut conn = world.store.conn().await.unwrap();
    for (channel, target, expected) in [
        (Channel::Webhook, "https://example.com/", Priority::Low),
        (Channel::Email, "dev@example.com", Priority::Medium),
        (Channel::Slack, "https://hooks.slack.com/services/x", Priority::High),
        (Channel::Sms, "+15005550001", Priority::Critical),
    ] {
        let new = NewDestination {
            project: world.project,
            channel,
            target: target.to_owned(),
            min_priority: None,
            settings: DestinationSettings::default(),
        };
        let made = destinations::create(&mut conn, &new, "whsec_x", crate::world::noon()).await.unwrap();
        assert_eq!(made.min_priority, expected, "{channel}");
        assert_eq!(made.settings.secret.is_some(), channel == Channel::Webhook);
        assert!(made.redacted().secret.is_none_or(|secret| secret == "[hidden]"));
    }
    assert_eq!(destinations::list(&mut conn, world.project).await.unwrap().len(), 4);
}

#[tokio::test]
async fn an_issue_that_is_dealt_with_is_not_told() {
    for (status, reason) in [(1, "the issue was resolved"), (2, "the issue is ignored")] {
        let world = World::new().await;
        let receiver = HttpFake::start().await;
        world.webhook(&receiver.url("/")).await;
        let issue = world.open("Bad").await;
        world.set_status(issue, status).await;
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        let one = world.only().await;
        assert_eq!((one.state, one.error.as_deref()), (NotificationState::Cancelled, Some(reason)));
        world.stays_quiet(&mut sender).await;
    }
}

#[tokio::test]
async fn resolving_stops_the_retries_and_so_does_switching_off() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    receiver.route("POST", "/", Answer::status(503));
    let destination = world.webhook(&receiver.url("/")).await;
    let issue = world.open("First").await;
    world.open("Second").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 2);
    world.set_status(issue, 1).await;
    let mut conn = world.store.conn().await.unwrap();
    world.advance(10);
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1, "only the second is tried again");
    destinations::set_enabled(&mut conn, destination.id, false).await.unwrap();
    world.advance(10);
    sender.run_once().await.unwrap();
    let reasons: Vec<_> = world.all().await.into_iter().map(|one| one.error.unwrap()).collect();
    assert_eq!(reasons, ["the issue was resolved", "the destination is switched off"]);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_notifiers_compete_and_each_message_goes_once() {
    let mut world = World::new().await;
    world.policy.per_channel = |channel| bugle_notifier::policy::ChannelLimits {
        bundle_over: 1000,
        ..bugle_notifier::policy::channel_limits(channel)
    };
    let receiver = HttpFake::start().await;
    for path in ["/a", "/b"] {
        world.webhook(&receiver.url(path)).await;
    }
    world.open_many(100).await;
    let (mut one, mut other) = (world.sender(), world.sender());
    let (a, b) = tokio::join!(
        tokio::spawn(async move { one.run_once().await }),
        tokio::spawn(async move { other.run_once().await })
    );
    a.unwrap().unwrap();
    b.unwrap().unwrap();
    world.sender().run_once().await.unwrap();
    let requests = receiver.take();
    let ids: BTreeSet<_> = requests.iter().map(|r| r.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((requests.len(), ids.len()), (200, 200));
    let all = world.all().await;
    assert!(all.iter().all(|one| one.state == NotificationState::Sent && one.attempts.len() == 1));
    world.stays_quiet(&mut world.sender()).await;
}

#[tokio::test]
async fn a_sender_that_is_lost_is_replaced_under_the_same_id() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    receiver.then(Answer::hang());
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    let mut lost = world.sender();
    lost.start().await.unwrap();
    let first = receiver.next().await;
    drop(lost);

    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert!(receiver.take().is_empty(), "the lease still holds");
    assert_eq!(world.only().await.state, NotificationState::Sending);
    world.advance(61);
    sender.run_once().await.unwrap();
    let second = receiver.next().await;
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    let sent = world.only().await;
    assert_eq!(sent.state, NotificationState::Sent);
    let answers: Vec<_> = sent.attempts.iter().map(|a| (a.number, a.result.as_str())).collect();
    assert_eq!(answers, [(1, "retry"), (2, "delivered")]);
    assert!(sent.attempts[0].answer.as_deref().unwrap().starts_with("outcome unknown: the sender was lost"));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn who_comes_back_after_the_lease_changes_nothing() {
    let mut world = World::new().await;
    world.timeouts.total = Duration::from_secs(1);
    let receiver = HttpFake::start().await;
    receiver.then(Answer::hang());
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    let mut slow = world.sender();
    slow.start().await.unwrap();
    receiver.next().await;
    world.advance(61);
    world.sender().run_once().await.unwrap();
    receiver.next().await;
    assert_eq!(world.only().await.state, NotificationState::Sent);
    slow.run_once().await.unwrap();
    let sent = world.only().await;
    assert_eq!((sent.state, sent.attempts.len()), (NotificationState::Sent, 2));
}

#[tokio::test]
async fn a_destination_that_cannot_be_read_does_not_keep_the_others_from_hearing() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let damaged = world.webhook("http://127.0.0.1:9/damaged").await;
    world.webhook(&receiver.url("/")).await;
    let break_it = "UPDATE destinations SET settings = '{\"from\": \"a newer version\"}' WHERE id = $1";
    let waiting = world.open("Before").await;
    world.sql.execute(break_it, &[&damaged.id.0]).await.unwrap();
    assert_eq!(world.signal(vec![Signal::IssueOpened(world.about(waiting))]).await, 0);
    world.open("After").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 2);
}
