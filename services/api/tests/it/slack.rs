//! Buttons at Slack, pressed by people whom Bugle knows by their contact methods. Signed as Slack signs.

use crate::harness::{Answer, App};
use crate::oncall::{Crew, crew_of};
use bugle_model::{Channel, ContactMethodId, DestinationSettings, UserId};
use bugle_runtime::{Config, Secret};
use bugle_store::oncall::{self, NewContactMethod};
use bugle_testkit::http::{Answer as Scripted, HttpFake};
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "slacks-signing-secret";
const PATH: &str = "/api/v1/slack/interactions";
const ANN: &str = "U0ANN";

struct Scene {
    crew: Crew,
    incident: i64,
    slack: HttpFake,
}

async fn scene() -> Scene {
    let slack = HttpFake::start().await;
    let config = Config {
        api_rate_limit: 0,
        public_url: "https://bugle.example.com".parse().unwrap(),
        slack_base_url: slack.url("/").parse().unwrap(),
        slack_signing_secret: Some(Secret::new(SECRET)),
        ..Config::default()
    };
    slack.route("POST", "/response/", Scripted::status(200).body("ok"));
    let crew = crew_of(App::start_with(config).await).await;
    let (_, incident) = crew.incident().await;
    method(&crew, crew.ann, ANN, true).await;
    Scene { crew, incident, slack }
}

async fn method(crew: &Crew, user: UserId, id: &str, verified: bool) -> ContactMethodId {
    let (name, target) = ("slack".to_owned(), id.to_owned());
    let settings =
        DestinationSettings { bot_token: Some("xoxb-1".to_owned()), ..DestinationSettings::default() };
    let new = NewContactMethod { user, name, channel: Channel::Slack, target, settings, verified };
    let mut connection = crew.app.connection().await;
    oncall::create_contact_method(&mut connection, &new, crew.app.now()).await.unwrap().unwrap()
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={digits}")
}

async fn send(app: &App, body: &str, at: i64, signature: &str) -> Answer {
    let request = app
        .client
        .post(app.url(PATH))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", at.to_string())
        .header("x-slack-signature", signature)
        .body(body.to_owned());
    app.send(request).await
}

impl Scene {
    /// What Slack posts when somebody presses a button; `unique` is what no other press has.
    fn body(&self, user: &str, action: &str, generation: i32, unique: &str) -> String {
        let payload = json!({
            "type": "block_actions", "user": { "id": user, "username": "x" }, "team": { "id": "T1" },
            "container": { "type": "message" }, "response_url": self.slack.url(&format!("/response/{unique}")),
            "actions": [{
                "type": "button", "action_id": action, "block_id": "b", "action_ts": unique,
                "value": format!("{}:{generation}", self.incident),
            }],
        });
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string()).finish()
    }

    async fn post(&self, body: &str) -> u16 {
        let at = self.crew.app.now().timestamp();
        let answer = send(&self.crew.app, body, at, &signature(SECRET, at, body)).await;
        assert_eq!(answer.text, "", "Slack would show it");
        answer.status
    }

    async fn press(&self, user: &str, action: &str, generation: i32, unique: &str) {
        assert_eq!(self.post(&self.body(user, action, generation, unique)).await, 200);
    }

    /// What is said to whoever pressed, and to nobody else.
    async fn said(&self, unique: &str) -> String {
        let request = self.slack.next().await;
        assert_eq!(request.target, format!("/response/{unique}"));
        let body = request.json();
        assert_eq!((&body["response_type"], &body["replace_original"]), (&json!("ephemeral"), &json!(false)));
        body["text"].as_str().unwrap().to_owned()
    }

    async fn state(&self) -> Value {
        let path = format!("/api/v1/incidents/{}", self.incident);
        self.crew.viewer.get(&self.crew.app, &path).await.ok(200)["state"].clone()
    }

    async fn stop(self) {
        self.crew.app.stop().await;
        // What was said and not looked for fails the test.
        drop(self.slack);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_acknowledges_in_the_name_of_whose_contact_method_it_is() {
    let scene = scene().await;
    scene.press(ANN, "acknowledge", 1, "1.1").await;
    assert_eq!(scene.state().await, "acknowledged");
    let path = format!("/api/v1/incidents/{}/timeline", scene.incident);
    let timeline = scene.crew.viewer.get(&scene.crew.app, &path).await.ok(200);
    let last = timeline["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["event"], &last["actor"], &last["data"]),
        (&json!("acknowledged"), &json!("ann"), &json!({ "channel": "slack" }))
    );
    scene.press(ANN, "resolve", 1, "1.2").await;
    assert_eq!(scene.state().await, "resolved");
    scene.press(ANN, "acknowledge", 1, "1.3").await;
    assert_eq!(scene.said("1.3").await, "SHOP-1 was resolved already by ann.");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_comes_again_and_a_second_one_change_nothing() {
    let scene = scene().await;
    let body = scene.body(ANN, "escalate", 1, "1.1");
    let (one, two) = tokio::join!(scene.post(&body), scene.post(&body));
    assert_eq!((one, two), (200, 200));
    scene.press(ANN, "escalate", 1, "1.2").await;
    assert_eq!(scene.said("1.2").await, "SHOP-1 has moved on since. SHOP-1 is triggered.");
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered", "escalated"]);
    scene.press(ANN, "escalate", 2, "1.3").await;
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered", "escalated", "escalated"]);
    scene.press(ANN, "acknowledge", 1, "1.4").await;
    assert_eq!(scene.state().await, "acknowledged", "on whichever message of it one says so");
    scene.press(ANN, "acknowledge", 1, "1.5").await;
    assert_eq!(scene.said("1.5").await, "SHOP-1 was acknowledged already by ann.");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_presses_at_once_escalate_once() {
    let scene = scene().await;
    let bodies = ["1.1", "1.2"].map(|unique| scene.body(ANN, "escalate", 1, unique));
    tokio::join!(scene.post(&bodies[0]), scene.post(&bodies[1]));
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered", "escalated"]);
    let said = scene.slack.next().await.json()["text"].clone();
    assert_eq!(said, "SHOP-1 has moved on since. SHOP-1 is triggered.");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_told_how_to_become_so() {
    let scene = scene().await;
    method(&scene.crew, scene.crew.ann, "U0OTHER", false).await;
    for (user, unique) in [("U0NOBODY", "1.1"), ("U0OTHER", "1.2"), ("", "1.3")] {
        scene.press(user, "acknowledge", 1, unique).await;
        let said = scene.said(unique).await;
        assert!(
            said.starts_with("Bugle does not know who you are. Add a contact method at https://bugle"),
            "{said}"
        );
        assert!(said.contains(&format!("your member id {user} ")), "{said}");
    }
    assert_eq!(scene.state().await, "triggered");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_answer_any_more_cannot_by_a_button() {
    let scene = scene().await;
    let (ann, team) = (scene.crew.ann, scene.crew.team);
    for (change, unique) in [
        (format!("UPDATE memberships SET role = 'viewer' WHERE user_id = {ann} AND team_id = {team}"), "1.1"),
        (format!("DELETE FROM memberships WHERE user_id = {ann}"), "1.2"),
        (format!("UPDATE users SET disabled = true WHERE id = {ann}"), "1.3"),
    ] {
        scene.crew.app.database.execute(&change).await.unwrap();
        scene.press(ANN, "resolve", 1, unique).await;
        assert_eq!(scene.said(unique).await, "You may not answer incidents (any more).");
    }
    assert_eq!(scene.state().await, "triggered");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_let_be() {
    let scene = scene().await;
    for action in ["open", "unacknowledge", ""] {
        scene.press(ANN, action, 1, "1.1").await;
    }
    for payload in [
        "{}",
        r#"{"type": "view_submission", "user": {"id": "U0ANN"}}"#,
        r#"{"actions": [{"action_id": "resolve"}]}"#,
    ] {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        assert_eq!(scene.post(&form.append_pair("payload", payload).finish()).await, 200, "{payload}");
    }
    let at = scene.crew.app.now().timestamp();
    let bad = send(&scene.crew.app, "payload=x", at, &signature(SECRET, at, "payload=x")).await;
    assert_eq!(bad.mistakes(), ["payload: expected Slack's JSON"]);
    assert_eq!(scene.state().await, "triggered");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_other_places_than_slack() {
    let scene = scene().await;
    let elsewhere = HttpFake::start().await;
    let body = scene.body("U0NOBODY", "acknowledge", 1, "1.1");
    let slack = url::form_urlencoded::byte_serialize(scene.slack.url("").as_bytes()).collect::<String>();
    let other = url::form_urlencoded::byte_serialize(elsewhere.url("").as_bytes()).collect::<String>();
    let body = body.replace(&slack, &other);
    assert!(body.contains(&other));
    assert_eq!(scene.post(&body).await, 200);
    // The next one is the first that is said anything.
    scene.press("U0NOBODY", "acknowledge", 1, "1.2").await;
    scene.said("1.2").await;
    assert_eq!(elsewhere.connections(), 0);
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_has_not_signed_lately_is_refused_and_told_nothing() {
    let scene = scene().await;
    let app = &scene.crew.app;
    let (now, body) = (app.now().timestamp(), scene.body(ANN, "resolve", 1, "1.1"));
    let right = signature(SECRET, now, &body);
    let altered = body.replace(ANN, "U0BOSS");
    let mut said = Vec::new();
    for (name, body, at, given) in [
        ("no signature", &body, now, String::new()),
        ("another secret", &body, now, signature("another", now, &body)),
        ("altered", &altered, now, right.clone()),
        ("another time", &body, now + 1, right.clone()),
        ("six minutes ago", &body, now - 360, signature(SECRET, now - 360, &body)),
        ("in six minutes", &body, now + 360, signature(SECRET, now + 360, &body)),
    ] {
        let answer = send(app, body, at, &given).await;
        assert_eq!(answer.status, 403, "{name}");
        said.push(answer.text);
    }
    app.clock.advance(TimeDelta::minutes(6));
    said.push(send(app, &body, now, &right).await.text);
    let plain = App::start().await;
    said.push(send(&plain, &body, now, &right).await.text);
    plain.stop().await;
    said.dedup();
    assert_eq!(said.len(), 1, "also not whether Slack is set up: {said:?}");
    assert_eq!(send(app, &"x".repeat((1 << 20) + 1), now, &right).await.status, 413);
    assert_eq!(scene.state().await, "triggered");
    scene.stop().await;
}
