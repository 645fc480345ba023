//! Many pages for one contact method at once are one message, and so are those of a digest.

use super::scene::{Scene, Somebody, at, person, policy, rule, step};
use super::tools::{alert, labelled};
use crate::world::World;
use bugle_model::{Alert, Channel, Clock, DigestInterval, IncidentState, NotificationState, Priority};
use bugle_notifier::policy::{ChannelLimits, channel_limits};
use bugle_store::oncall::{self, AlertSource, NewNotificationRule};
use bugle_testkit::http::Answer;

/// Ann is told by this channel of what a tool tells.
async fn scene(channel: Channel) -> (Scene, AlertSource, Somebody) {
    scene_in(Scene::new().await, channel).await
}

/// Two pages that wait are one message already.
fn two_are_one(world: &mut World) {
    world.policy.per_channel = |channel| ChannelLimits { pages_over: 1, ..channel_limits(channel) };
}

async fn scene_in(mut scene: Scene, channel: Channel) -> (Scene, AlertSource, Somebody) {
    let ann = scene.person_with("ann", &[(channel, 0)]).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 600)])).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

async fn fires(scene: &Scene, source: &AlertSource, count: usize) {
    for number in 0..count {
        scene.fires(source, &alert(&format!("disk {number}"))).await;
    }
}

/// How the pages of every incident stand, those in a message of another one last: which of them leads is not promised.
async fn pages(scene: &Scene) -> Vec<NotificationState> {
    let mut states = Vec::new();
    for incident in scene.incidents().await {
        states.extend(scene.pages(incident.id).await.into_iter().map(|page| page.state));
    }
    states.sort_by_key(|state| *state == NotificationState::Bundled);
    states
}

#[tokio::test]
async fn three_pages_at_once_are_three_sms_and_four_are_one() {
    let (mut scene, source, _) = scene(Channel::Sms).await;
    fires(&scene, &source, 3).await;
    scene.hears(&["sms ann", "sms ann", "sms ann"]).await;
    scene.outage(5);
    for number in 10..14 {
        scene.fires(&source, &alert(&format!("disk {number}"))).await;
    }
    scene.escalate().await;
    scene.send().await;
    let sent = scene.twilio.take();
    assert_eq!(sent.len(), 1);
    let text = sent[0].form()["Body"].clone();
    assert!(text.contains("4 incidents wait for an answer, first Incident"), "{text}");
    let bundled = NotificationState::Bundled;
    assert_eq!(pages(&scene).await, [[NotificationState::Sent; 4].as_slice(), &[bundled; 3]].concat());
}

#[tokio::test]
async fn after_five_sms_within_a_minute_the_rest_waits_and_goes_as_one() {
    let (mut scene, source, _) = scene(Channel::Sms).await;
    for round in 0..5 {
        scene.fires(&source, &alert(&format!("round {round}"))).await;
        scene.hears(&["sms ann"]).await;
    }
    fires(&scene, &source, 5).await;
    scene.hears(&[]).await;
    scene.after(1, &["sms ann"]).await;
    scene.quiet(3).await;
}

#[tokio::test]
async fn a_mail_lists_incidents_of_issues_and_of_alerts_with_their_links() {
    let (mut scene, source, ann) = scene(Channel::Email).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 600)])).await;
    scene.error("Bad", Priority::High).await;
    fires(&scene, &source, 10).await;
    scene.escalate().await;
    scene.send().await;
    let mails = scene.mail.take();
    assert_eq!(mails.len(), 1);
    let mail = mails[0].data.replace("=\r\n", "").replace("=\n", "");
    for text in ["Subject: 11 incidents wait for an answer", "SHOP-1 Bad", "disk 9", "Acknowledge"] {
        assert!(mail.contains(text), "{text} in {mail}");
    }
}

#[tokio::test]
async fn a_webhook_hears_of_all_of_them_at_once() {
    let (mut scene, source, _) = scene(Channel::Webhook).await;
    scene.hooks.route("POST", "/webhook/ann", Answer::status(200));
    fires(&scene, &source, 101).await;
    scene.escalate().await;
    scene.send().await;
    let sent = scene.hooks.take();
    assert_eq!(sent.len(), 1);
    let body = sent[0].json();
    assert_eq!((&body["type"], &body["data"]["total"]), (&"incidents.paged".into(), &101.into()));
    assert!(body["data"]["incidents"][0]["incident"]["title"].is_string());
}

#[tokio::test]
async fn what_was_answered_before_it_left_again_is_left_out_and_the_rest_is_told() {
    let (mut scene, source, ann) = scene_in(Scene::with(two_are_one).await, Channel::Webhook).await;
    scene.hooks.route("POST", "/webhook/ann", Answer::status(503));
    for key in ["a", "b", "c"] {
        scene.fires(&source, &labelled(key, &[])).await;
    }
    scene.escalate().await;
    scene.send().await;
    assert_eq!(scene.hooks.take()[0].json()["data"]["total"], 3);
    // The one that carries the message, and another.
    let ids: Vec<_> = scene.incidents().await.iter().map(|one| one.id).collect();
    let mut conn = scene.world.store.conn().await.unwrap();
    for id in &ids[..2] {
        oncall::acknowledge(&mut conn, *id, ann.name, scene.world.clock.now()).await.unwrap();
    }
    scene.hooks.route("POST", "/webhook/ann", Answer::status(200));
    scene.outage(1);
    scene.send().await;
    let body = scene.hooks.take()[0].json();
    assert_eq!(body["data"]["incident"]["title"], "c");
    assert_eq!(scene.states().await[2], IncidentState::Triggered);
}

#[tokio::test]
async fn a_message_whose_incidents_were_all_answered_does_not_leave_again() {
    let (mut scene, source, ann) = scene_in(Scene::with(two_are_one).await, Channel::Webhook).await;
    scene.hooks.route("POST", "/webhook/ann", Answer::status(503));
    fires(&scene, &source, 2).await;
    scene.escalate().await;
    scene.send().await;
    assert_eq!(scene.hooks.take().len(), 1);
    let ids: Vec<_> = scene.incidents().await.iter().map(|one| one.id).collect();
    let mut conn = scene.world.store.conn().await.unwrap();
    for id in ids {
        oncall::acknowledge(&mut conn, id, ann.name, scene.world.clock.now()).await.unwrap();
    }
    scene.quiet(5).await;
    assert_eq!(pages(&scene).await, [NotificationState::Cancelled, NotificationState::Bundled]);
}

/// Ann hears of what is low by mail in digests, and of what is more at once by SMS.
async fn with_digest(digest: DigestInterval) -> (Scene, AlertSource, Somebody) {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let mail = scene.reach(&ann, Channel::Email).await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    let low = NewNotificationRule {
        max_priority: Some(Priority::Low),
        digest: Some(digest),
        ..rule(mail, Priority::Low, 0)
    };
    scene.make_rule(&ann, &low).await;
    scene.rule(&ann, sms, Priority::Medium, 0).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 9_000)])).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

fn low(key: &str) -> Alert {
    Alert { priority: Some(Priority::Low), ..alert(key) }
}

#[tokio::test]
async fn what_is_low_is_told_at_the_next_full_hour_in_one_message() {
    let (mut scene, source, ann) = with_digest(DigestInterval::Hourly).await;
    scene.fires(&source, &low("a")).await;
    scene.quiet(20).await;
    scene.fires(&source, &low("b")).await;
    scene.fires(&source, &low("answered")).await;
    scene.fires(&source, &alert("urgent")).await;
    scene.hears(&["sms ann"]).await;
    let answered = scene.incidents().await[2].id;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::acknowledge(&mut conn, answered, ann.name, scene.world.clock.now()).await.unwrap();
    scene.quiet(39).await;
    scene.world.advance(60);
    scene.escalate().await;
    scene.send().await;
    let mails = scene.mail.take();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].data.contains("Subject: 2 incidents wait for an answer"), "{}", mails[0].data);
    scene.quiet(60).await;
}

#[tokio::test]
async fn a_daily_digest_comes_at_nine_by_the_persons_clock_and_one_incident_is_told_as_ever() {
    let (mut scene, source, ann) = with_digest(DigestInterval::Daily).await;
    let sql = "UPDATE users SET time_zone = 'Europe/Vienna' WHERE id = $1";
    scene.world.sql.execute(sql, &[&ann.id.0]).await.unwrap();
    scene.fires(&source, &low("a")).await;
    scene.escalate().await;
    let id = scene.incident().await.id;
    // Noon UTC is one o'clock there.
    assert_eq!(scene.pages(id).await[0].due_at, at(20 * 60));
    scene.outage(20 * 60);
    scene.hears(&["email ann"]).await;
}

#[tokio::test]
async fn what_becomes_more_urgent_is_told_at_once() {
    let (mut scene, source, _) = with_digest(DigestInterval::Daily).await;
    scene.fires(&source, &low("a")).await;
    scene.hears(&[]).await;
    scene.fires(&source, &alert("a")).await;
    scene.hears(&["sms ann"]).await;
}

#[tokio::test]
async fn four_calls_at_once_are_one_that_no_key_answers() {
    let (mut scene, source, _) = scene(Channel::Voice).await;
    fires(&scene, &source, 4).await;
    scene.escalate().await;
    scene.send().await;
    let calls = scene.twilio.take();
    assert_eq!(calls.len(), 1);
    let script = calls[0].form()["Twiml"].clone();
    assert!(script.contains("4 incidents wait for an answer"), "{script}");
    assert!(!script.contains("Gather"), "{script}");
}
