//! Many at once become one message with a list; what is too old becomes a digest.

use crate::world::{World, kinds};
use bugle_model::{Channel, Clock, DestinationSettings, IssueId, NotificationState, Signal, SignalKind};
use bugle_store::issues::merge;
use bugle_store::{Scope, Transactions};
use bugle_testkit::http::{Answer, HttpFake};
use bugle_testkit::smtp::SmtpFake;

fn count(states: &[NotificationState], wanted: NotificationState) -> usize {
    states.iter().filter(|state| **state == wanted).count()
}

#[tokio::test]
async fn fifty_issues_at_once_are_one_mail() {
    let mut world = World::new().await;
    let mail = SmtpFake::start().await;
    world.config.smtp_url = Some(mail.url("").parse::<url::Url>().unwrap().into());
    world.destination(Channel::Email, "dev@example.com", DestinationSettings::default()).await;
    world.open_many(50).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let mail = mail.next().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("[shop] 50 new issues"));
    for short_id in ["SHOP-1 ", "SHOP-50 "] {
        assert!(mail.data.contains(short_id), "{short_id}");
    }
    let all = world.all().await;
    let states: Vec<_> = all.iter().map(|one| one.state).collect();
    assert_eq!(
        (count(&states, NotificationState::Sent), count(&states, NotificationState::Bundled)),
        (1, 49)
    );
    let lead = all.iter().find(|one| one.state == NotificationState::Sent).unwrap();
    assert!(all.iter().all(|one| one.id == lead.id || one.bundled_into == Some(lead.id)));
    let metrics = world.metrics.render();
    assert!(
        metrics.contains(r#"bugle_notification_latency_seconds_count{channel="email"} 50"#),
        "each is measured"
    );
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn a_bundle_leaves_out_what_was_dealt_with() {
    let mut world = World::new().await;
    world.policy.per_channel = |channel| bugle_notifier::policy::ChannelLimits {
        bundle_over: 2,
        ..bugle_notifier::policy::channel_limits(channel)
    };
    let receiver = HttpFake::start().await;
    receiver.then(Answer::status(503));
    world.webhook(&receiver.url("/")).await;
    let issues = world.open_many(4).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let first = receiver.next().await.json();
    assert_eq!((&first["type"], &first["data"]["total"]), (&"issues.opened".into(), &4.into()));
    insta::assert_json_snapshot!("bundle_entry", first["data"]["issues"][0]);
    // The one that carries the bundle is resolved, and another.
    world.set_status(issues[0], 1).await;
    world.set_status(issues[2], 2).await;
    world.advance(5);
    sender.run_once().await.unwrap();
    let second = receiver.next().await.json();
    let told: Vec<_> = second["data"]["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["issue"]["short_id"].clone())
        .collect();
    assert_eq!(told, ["SHOP-2", "SHOP-4"]);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn payloads_of_lists_stay_small() {
    let mut world = World::new().await;
    world.policy.per_channel = |channel| bugle_notifier::policy::ChannelLimits {
        bundle_over: 2,
        ..bugle_notifier::policy::channel_limits(channel)
    };
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    world.open_many(150).await;
    world.sender().run_once().await.unwrap();
    let request = receiver.next().await;
    assert!(request.body.len() < 20_000, "{}", request.body.len());
    assert_eq!(request.json()["data"]["total"], 150);
}

#[tokio::test]
async fn a_few_go_one_by_one_in_their_rhythm() {
    let mut world = World::new().await;
    let mail = SmtpFake::start().await;
    world.config.smtp_url = Some(mail.url("").parse::<url::Url>().unwrap().into());
    world.destination(Channel::Email, "dev@example.com", DestinationSettings::default()).await;
    world.open_many(3).await;
    let mut sender = world.sender();
    for _ in 0..3 {
        sender.run_once().await.unwrap();
        assert_eq!(mail.take().len(), 1, "one a second");
        world.advance(1);
    }
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn what_went_stale_becomes_one_digest() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let issues = world.open_many(5).await;
    world.advance(2 * 3600 + 1);
    world.open("Fresh").await;
    world.set_status(issues[0], 1).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let mut payloads: Vec<_> = receiver.take().iter().map(|request| request.json()).collect();
    payloads.sort_by_key(|payload| payload["type"].to_string());
    assert_eq!(payloads.len(), 2);
    assert_eq!((&payloads[0]["type"], &payloads[0]["data"]["total"]), (&"digest".into(), &4.into()));
    assert_eq!(payloads[1]["data"]["issue"]["title"], "Fresh");
    let all = world.all().await;
    let digest = all.iter().find(|one| one.kind == SignalKind::Digest).unwrap();
    assert_eq!((digest.state, digest.issue), (NotificationState::Sent, None));
    let expired: Vec<_> = all.iter().filter(|one| one.state == NotificationState::Expired).collect();
    assert_eq!(expired.len(), 4);
    assert!(expired.iter().all(|one| one.bundled_into == Some(digest.id)));
    assert_eq!(kinds(&all).iter().filter(|kind| **kind == SignalKind::Digest).count(), 1);
    world.stays_quiet(&mut sender).await;
}

impl World {
    async fn merge(&self, into: IssueId, others: &[IssueId]) {
        let mut connection = self.store.conn().await.unwrap();
        let now = self.clock.now();
        let merging = connection.transaction(async |connection| {
            merge::merge(connection, &Scope::All, into, others, "ann", now).await
        });
        merging.await.unwrap();
    }

    async fn delete(&self, issue: IssueId) {
        let mut connection = self.store.conn().await.unwrap();
        let now = self.clock.now();
        let deleting = connection
            .transaction(async |connection| merge::delete(connection, &Scope::All, issue, None, now).await);
        deleting.await.unwrap().unwrap();
    }
}

/// Short ids of the issues that a message lists.
fn listed(message: &serde_json::Value) -> Vec<&str> {
    let issues = message["data"]["issues"].as_array().unwrap();
    issues.iter().map(|one| one["issue"]["short_id"].as_str().unwrap()).collect()
}

/// A bundle that has failed once and is to be sent again: it tells of four issues, and is the first one's.
async fn waiting_bundle(world: &mut World, receiver: &HttpFake) -> Vec<IssueId> {
    world.policy.per_channel = |channel| bugle_notifier::policy::ChannelLimits {
        bundle_over: 2,
        ..bugle_notifier::policy::channel_limits(channel)
    };
    receiver.then(Answer::status(503));
    world.webhook(&receiver.url("/")).await;
    let issues = world.open_many(4).await;
    world.sender().run_once().await.unwrap();
    assert_eq!(listed(&receiver.next().await.json()), ["SHOP-1", "SHOP-2", "SHOP-3", "SHOP-4"]);
    world.advance(5);
    issues
}

#[tokio::test]
async fn a_bundle_outlives_the_issue_that_it_was_made_for() {
    for deleted in [true, false] {
        let mut world = World::new().await;
        let receiver = HttpFake::start().await;
        let issues = waiting_bundle(&mut world, &receiver).await;
        if deleted {
            world.delete(issues[0]).await;
        } else {
            world.merge(issues[1], &issues[..1]).await;
        }
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        assert_eq!(listed(&receiver.next().await.json()), ["SHOP-2", "SHOP-3", "SHOP-4"], "{deleted}");
        assert_eq!(count(&world.states().await, NotificationState::Sent), 1);
        assert_eq!(count(&world.states().await, NotificationState::Bundled), 3);
        world.stays_quiet(&mut sender).await;
    }
}

#[tokio::test]
async fn a_bundle_of_nothing_but_a_deleted_issue_is_not_sent() {
    let mut world = World::new().await;
    let receiver = HttpFake::start().await;
    let issues = waiting_bundle(&mut world, &receiver).await;
    world.delete(issues[0]).await;
    for issue in &issues[1..] {
        world.set_status(*issue, 1).await;
    }
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(count(&world.states().await, NotificationState::Cancelled), 1);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn what_was_told_of_a_merged_issue_stays_and_nothing_is_told_twice() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let (a, b, c) = (world.open("A").await, world.open("B").await, world.issue("C").await);
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let regressed = bugle_model::IssueSignal { generation: 3, ..world.about(b) };
    world.signal(vec![Signal::IssueRegressed(regressed)]).await;
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 3);
    // Not sent yet: it becomes part of an issue that is known there.
    let new = world.signal(vec![Signal::IssueOpened(world.about(c))]).await;
    assert_eq!(new, 1);
    world.merge(a, &[b, c]).await;
    sender.run_once().await.unwrap();
    let all = world.all().await;
    let told: Vec<_> = all.iter().map(|one| (one.kind, one.issue, one.state)).collect();
    let (sent, cancelled) = (NotificationState::Sent, NotificationState::Cancelled);
    assert_eq!(
        told,
        [
            (SignalKind::New, Some(a), sent),
            (SignalKind::New, None, sent),
            (SignalKind::Regression, Some(a), sent),
            (SignalKind::New, None, cancelled),
        ]
    );
    assert!(all[3].error.as_deref().unwrap().starts_with("the issue was merged"));
    // Its own regressions to come are told, whatever the other one's number was.
    let regressed = bugle_model::IssueSignal { generation: 3, ..world.about(a) };
    assert_eq!(world.signal(vec![Signal::IssueRegressed(regressed)]).await, 1);
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn what_waits_for_a_merged_issue_is_told_of_the_other_one_unless_it_knows() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let (silent, other) = (world.issue("Silent").await, world.open("Other").await);
    world.merge(silent, &[other]).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(receiver.next().await.json()["data"]["issue"]["title"], "Silent");
    assert_eq!(world.only().await.issue, Some(silent));
    world.stays_quiet(&mut sender).await;
}
