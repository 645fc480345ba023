//! Slack: incoming webhooks and the Web API.

use crate::world::World;
use bugle_model::{Channel, DestinationSettings, NotificationState};
use bugle_testkit::http::{Answer, HttpFake};
use serde_json::json;

#[tokio::test]
async fn an_incoming_webhook_gets_blocks() {
    let world = World::new().await;
    let slack = HttpFake::start().await;
    slack.then(Answer::status(200).body("ok"));
    world.destination(Channel::Slack, &slack.url("/services/T/B/x"), DestinationSettings::default()).await;
    world.open("ValueError: a < b & c > d | `e`").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let request = slack.next().await;
    assert_eq!(request.target, "/services/T/B/x");
    insta::assert_json_snapshot!("slack", request.json());
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn a_bot_token_posts_to_the_channel() {
    let mut world = World::new().await;
    // Trusted as configured, although it is private.
    world.config.allow_private_nets = Vec::new();
    let slack = HttpFake::start().await;
    world.config.slack_base_url = slack.url("/").parse().unwrap();
    slack.then(Answer::json(200, &json!({"ok": true, "channel": "C0123456789", "ts": "1503435956.000247"})));
    let settings =
        DestinationSettings { bot_token: Some("xoxb-1".to_owned()), ..DestinationSettings::default() };
    world.destination(Channel::Slack, "C0123456789", settings).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let request = slack.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/chat.postMessage"));
    assert_eq!(request.header("authorization"), Some("Bearer xoxb-1"));
    assert_eq!(request.json()["channel"], "C0123456789");
    assert_eq!(world.only().await.provider_id.as_deref(), Some("C0123456789/1503435956.000247"));
}

#[tokio::test]
async fn ok_false_is_not_success() {
    use NotificationState::{Failed, Pending};
    for (error, state, enabled) in [
        ("channel_not_found", Failed, false),
        ("invalid_blocks", Failed, true),
        ("invalid_auth", Pending, true),
        ("ratelimited", Pending, true),
        ("internal_error", Pending, true),
    ] {
        let mut world = World::new().await;
        let slack = HttpFake::start().await;
        world.config.slack_base_url = slack.url("/").parse().unwrap();
        slack.then(Answer::json(200, &json!({"ok": false, "error": error})));
        let settings =
            DestinationSettings { bot_token: Some("xoxb-1".to_owned()), ..DestinationSettings::default() };
        world.destination(Channel::Slack, "C0123456789", settings).await;
        world.open("Bad").await;
        world.sender().run_once().await.unwrap();
        assert_eq!(slack.take().len(), 1);
        let one = world.only().await;
        assert_eq!(
            (one.state, one.error.as_deref()),
            (state, Some(format!("Slack refused: {error}").as_str()))
        );
        assert_eq!(world.destination_now(one.destination).await.enabled, enabled, "{error}");
    }
}

#[tokio::test]
async fn lists_and_long_titles_stay_within_the_limits() {
    let world = World::new().await;
    let slack = HttpFake::start().await;
    world.destination(Channel::Slack, &slack.url("/services/x"), DestinationSettings::default()).await;
    world.open(&"<&>".repeat(85)).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    world.open_many(60).await;
    world.advance(2);
    sender.run_once().await.unwrap();
    for message in [slack.next().await.json(), slack.next().await.json()] {
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{}", blocks.len());
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            let limit = if block["type"] == "header" { 150 } else { 3000 };
            assert!(text.chars().count() <= limit, "{block}");
        }
        assert!(message.to_string().chars().count() < 13_200);
        assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[tokio::test]
async fn one_a_second() {
    let world = World::new().await;
    let slack = HttpFake::start().await;
    world.destination(Channel::Slack, &slack.url("/services/x"), DestinationSettings::default()).await;
    world.open_many(2).await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(slack.take().len(), 1);
    world.advance(1);
    sender.run_once().await.unwrap();
    assert_eq!(slack.take().len(), 1);
    world.stays_quiet(&mut sender).await;
}
