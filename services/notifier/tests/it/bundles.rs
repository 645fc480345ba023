//! Many at once become one message with a list; what is too old becomes a digest.

use crate::world::{World, kinds};
use bugle_model::{Channel, DestinationSettings, NotificationState, SignalKind};
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
