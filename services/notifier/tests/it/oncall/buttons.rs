//! Messages of a bot at Slack about an open incident have buttons, and show how it stands.

use super::scene::{Scene, Somebody, person, policy, step};
use bugle_model::{Channel, Clock, DestinationSettings, IncidentState, Priority};
use bugle_notifier::Updates;
use bugle_runtime::Secret;
use bugle_store::oncall::{self, By, NewContactMethod};
use bugle_testkit::http::{Answer, HttpFake};
use serde_json::{Value, json};
use std::sync::Arc;

struct Bot {
    scene: Scene,
    slack: HttpFake,
    updates: Updates,
}

fn bot() -> DestinationSettings {
    DestinationSettings { bot_token: Some("xoxb-1".to_owned()), ..DestinationSettings::default() }
}

/// Ann is paged by a bot at Slack.
async fn paged() -> (Bot, Somebody) {
    paged_with(|_| {}).await
}

async fn paged_with(prepare: impl FnOnce(&mut crate::world::World)) -> (Bot, Somebody) {
    let slack = HttpFake::start().await;
    slack.route(
        "POST",
        "/api/chat.",
        Answer::json(200, &json!({ "ok": true, "channel": "D1", "ts": "1.2" })),
    );
    let scene = Scene::with(|world| {
        world.config.slack_base_url = slack.url("/").parse().unwrap();
        world.config.slack_signing_secret = Some(Secret::new("secret"));
        prepare(world);
    })
    .await;
    let ann = scene.person("ann").await;
    let (name, target) = ("slack".to_owned(), "U0ANN".to_owned());
    let new = NewContactMethod {
        user: ann.id,
        name,
        channel: Channel::Slack,
        target,
        settings: bot(),
        verified: true,
    };
    let world = &scene.world;
    let mut conn = world.store.conn().await.unwrap();
    oncall::create_contact_method(&mut conn, &new, world.clock.now()).await.unwrap().unwrap();
    drop(conn);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let updates = Updates::new(world.store.clone(), clock, &world.config, world.timeouts).unwrap();
    (Bot { scene, slack, updates }, ann)
}

impl Bot {
    /// What is posted when everything that is due goes out.
    async fn posted(&mut self) -> Value {
        self.scene.escalate().await;
        self.scene.send().await;
        let request = self.slack.next().await;
        assert_eq!(request.target, "/api/chat.postMessage");
        request.json()
    }

    /// What the message is changed to.
    async fn changed(&self) -> Value {
        assert_eq!(self.updates.run_once().await.unwrap(), 1);
        let request = self.slack.next().await;
        assert_eq!(request.target, "/api/chat.update");
        assert_eq!(request.header("authorization"), Some("Bearer xoxb-1"));
        let body = request.json();
        assert_eq!((&body["channel"], &body["ts"]), (&json!("D1"), &json!("1.2")));
        body
    }

    async fn nothing_changes(&self) {
        assert_eq!(self.updates.run_once().await.unwrap(), 0);
        assert!(self.slack.take().is_empty());
    }

    async fn kept(&self) -> usize {
        self.scene.world.sql.query("SELECT FROM incident_messages", &[]).await.unwrap().len()
    }
}

/// The buttons of a message that answer: what each does, and its value.
fn buttons(message: &Value) -> Vec<(String, String)> {
    let blocks = message["blocks"].as_array().unwrap();
    let elements = blocks.iter().filter_map(|block| block["elements"].as_array()).flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    elements.filter_map(|one| Some((text(&one["action_id"])?, text(&one["value"])?))).collect()
}

fn names(message: &Value) -> Vec<String> {
    buttons(message).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_page_has_buttons_and_shows_who_did_what() {
    let (mut bot, _) = paged().await;
    bot.scene.error("ValueError: a < b", Priority::High).await;
    let page = bot.posted().await;
    let incident = bot.scene.incident().await.id;
    let value = format!("{incident}:1");
    let expected = ["acknowledge", "escalate", "resolve"].map(|name| (name.to_owned(), value.clone()));
    assert_eq!(buttons(&page), expected);
    bot.nothing_changes().await;

    // What the api does when a button is pressed.
    let mut conn = bot.scene.world.store.conn().await.unwrap();
    let (now, by) = (bot.scene.world.clock.now(), By { name: "ann <b>", channel: Some(Channel::Slack) });
    oncall::acknowledge(&mut conn, incident, by, now).await.unwrap();
    drop(conn);
    let shown = bot.changed().await;
    assert_eq!(names(&shown), ["escalate", "resolve"]);
    let text = |text: &str| json!({ "type": "mrkdwn", "text": text });
    let who = format!(
        "Acknowledged by *ann &lt;b&gt;* <!date^{}^{{date_short_pretty}} {{time}}|2026-11-20 12:00 UTC>",
        now.timestamp()
    );
    let title = "*<https://bugle.example.com/issues/1|ValueError: a &lt; b>*\nPriority high";
    assert_eq!(shown["text"], format!("SHOP-1: {who}"));
    assert_eq!(shown["blocks"][0]["text"]["text"], "SHOP-1: acknowledged");
    assert_eq!(shown["blocks"][1]["text"], text(title));
    assert_eq!(shown["blocks"][2]["elements"], json!([text(&who)]));
    bot.nothing_changes().await;
    bot.scene.quiet(60).await;

    let mut conn = bot.scene.world.store.conn().await.unwrap();
    oncall::escalate(&mut conn, incident, "boss", now).await.unwrap();
    drop(conn);
    let shown = bot.changed().await;
    assert_eq!(buttons(&shown)[0], ("acknowledge".to_owned(), format!("{incident}:2")));
    let mut conn = bot.scene.world.store.conn().await.unwrap();
    oncall::resolve(&mut conn, incident, "boss", now).await.unwrap();
    drop(conn);
    let shown = bot.changed().await;
    assert_eq!(names(&shown), Vec::<String>::new());
    assert!(shown["text"].as_str().unwrap().starts_with("SHOP-1: Resolved by *boss*"), "{shown}");
    assert_eq!(bot.kept().await, 0, "there is nothing more to show");
    assert_eq!(bot.scene.states().await, [IncidentState::Resolved]);
}

#[tokio::test]
async fn a_message_that_cannot_be_changed_now_is_changed_later_and_one_that_never_can_stays() {
    let (mut bot, ann) = paged().await;
    bot.scene.error("Bad", Priority::High).await;
    bot.posted().await;
    bot.scene.acknowledge(&ann).await;
    bot.slack.then(Answer::status(503));
    bot.changed().await;
    bot.nothing_changes().await;
    bot.scene.world.advance(5);
    bot.changed().await;
    bot.nothing_changes().await;
    bot.scene.resolve(&ann).await;
    bot.slack.then(Answer::json(200, &json!({ "ok": false, "error": "message_not_found" })));
    bot.changed().await;
    bot.nothing_changes().await;
    assert_eq!(bot.kept().await, 0);
}

#[tokio::test]
async fn a_crash_in_the_middle_is_made_good() {
    let (mut bot, ann) = paged().await;
    bot.scene.error("Bad", Priority::High).await;
    bot.posted().await;
    bot.scene.acknowledge(&ann).await;
    let world = &bot.scene.world;
    let mut conn = world.store.conn().await.unwrap();
    let now = world.clock.now();
    let lost =
        oncall::claim_stale_messages(&mut conn, now, now + chrono::TimeDelta::minutes(1), 9).await.unwrap();
    assert_eq!(lost.len(), 1);
    drop(conn);
    bot.nothing_changes().await;
    bot.scene.world.advance(60);
    bot.changed().await;
}

#[tokio::test]
async fn what_a_bot_tells_a_room_has_buttons_while_the_incident_is_open() {
    let (mut bot, ann) = paged().await;
    bot.scene.world.destination(Channel::Slack, "C0ROOM", self::bot()).await;
    bot.scene.error("Bad", Priority::High).await;
    bot.scene.escalate().await;
    bot.scene.send().await;
    let mut posted: Vec<Value> = bot.slack.take().iter().map(|request| request.json()).collect();
    posted.sort_by_key(|message| message["channel"].to_string());
    let channels: Vec<_> = posted.iter().map(|message| message["channel"].clone()).collect();
    assert_eq!(channels, ["C0ROOM", "U0ANN"]);
    for message in &posted {
        assert_eq!(names(message), ["acknowledge", "escalate", "resolve"], "{message}");
    }
    bot.scene.resolve(&ann).await;
    assert_eq!(bot.updates.run_once().await.unwrap(), 2);
    assert_eq!(bot.slack.take().len(), 2);
    assert_eq!(bot.kept().await, 0);
}

#[tokio::test]
async fn without_the_signing_secret_and_by_an_incoming_webhook_there_are_none() {
    let (mut bot, _) = paged_with(|world| world.config.slack_signing_secret = None).await;
    bot.scene.error("Bad", Priority::High).await;
    assert_eq!(names(&bot.posted().await), Vec::<String>::new());
    assert_eq!(bot.kept().await, 0);

    let mut scene =
        Scene::with(|world| world.config.slack_signing_secret = Some(Secret::new("secret"))).await;
    let ann = scene.person_with("ann", &[(Channel::Slack, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.route("POST", "/slack/ann", Answer::status(200).body("ok"));
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    assert_eq!(names(&scene.hooks.next().await.json()), Vec::<String>::new());
}
