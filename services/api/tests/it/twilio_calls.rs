//! Calls: keys that are pressed, and what Twilio says of how they go.

use crate::harness::{Answer, App};
use crate::twilio::{PUBLIC, Scene, TOKEN, page, reached_by, scene, send, signature, signed};
use bugle_model::{Channel, ContactMethodId};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "+15005550009";

/// A scene in which ann was called, too.
struct Called {
    scene: Scene,
    message: Uuid,
}

async fn called() -> Called {
    let scene = scene().await;
    let crew = &scene.crew;
    crew.app.database.execute("DELETE FROM notifications").await.unwrap();
    let phone = reached_by(crew, crew.ann, Channel::Voice, NUMBER, true).await;
    let message = page(crew, scene.incident, phone, crew.ann, 2).await;
    let called = Called { scene, message };
    called.was_called(1).await;
    called
}

impl Called {
    fn app(&self) -> &App {
        &self.scene.crew.app
    }

    fn path(&self) -> String {
        format!("/api/v1/twilio/calls/{}", self.message.simple())
    }

    /// The sender writes down that Twilio has taken this call.
    async fn was_called(&self, number: i32) {
        let now = self.app().now().to_rfc3339();
        for sql in [
            format!(
                "INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result)
                 SELECT id, {number}, '{now}', 1, 'delivered' FROM notifications"
            ),
            format!(
                "UPDATE notifications SET state = 2, finished_at = '{now}', next_at = NULL, provider_id = 'CA{number}',
                    attempts = {number}"
            ),
        ] {
            self.app().database.execute(&sql).await.unwrap();
        }
    }

    async fn press(&self, key: &str) -> String {
        self.press_during("CA1", key, NUMBER, &self.path()).await
    }

    /// What is said when a key is pressed.
    async fn press_during(&self, sid: &str, key: &str, to: &str, path: &str) -> String {
        let fields = [("CallSid", sid), ("To", to), ("From", "+15005550006"), ("Digits", key)];
        said(&signed(self.app(), &format!("{path}/key"), &fields).await)
    }

    /// Twilio says how a call goes.
    async fn told(&self, sid: &str, word: &str) {
        let fields = [("CallSid", sid), ("CallStatus", word), ("To", NUMBER), ("SequenceNumber", "0")];
        assert_eq!(signed(self.app(), &self.path(), &fields).await.status, 204, "{word}");
    }

    /// The page as colleagues see it: state, what the provider says, error.
    async fn page(&self) -> [Value; 3] {
        let path = format!("/api/v1/incidents/{}/pages", self.scene.incident);
        let pages = self.scene.crew.viewer.get(self.app(), &path).await.ok(200);
        assert_eq!(pages["items"][0]["channel"], "voice");
        ["state", "delivery", "error"].map(|key| pages["items"][0][key].clone())
    }
}

/// Ann's phone, for SMS.
async fn phone(scene: &Scene) -> ContactMethodId {
    let sql = "SELECT id::bigint FROM destinations WHERE channel = 3";
    ContactMethodId(scene.crew.app.database.number(sql).await.unwrap().try_into().unwrap())
}

fn said(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"), "{}", answer.text);
    answer.text.split_once("<Response>").unwrap().1.split_once("</Response>").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_answers_and_the_timeline_says_that_it_was_by_voice() {
    let called = called().await;
    assert_eq!(called.press("4").await, "<Say>SHOP-1 is acknowledged. Goodbye.</Say>");
    let last = called.scene.timeline().await.pop().unwrap();
    assert_eq!(
        (&last["event"], &last["actor"], &last["data"]),
        (&json!("acknowledged"), &json!("ann"), &json!({ "channel": "voice" }))
    );
    assert_eq!(called.press("8").await, "<Say>SHOP-1 is escalated. Goodbye.</Say>");
    assert_eq!(called.scene.state().await, "triggered");
    assert_eq!(called.press("6").await, "<Say>SHOP-1 is resolved. Goodbye.</Say>");
    assert_eq!(called.scene.state().await, "resolved");
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_asked_for_again_and_changes_nothing() {
    let called = called().await;
    for key in ["5", "", "44", "*", "#", "４"] {
        let said = called.press(key).await;
        assert!(said.starts_with("<Gather numDigits=\"1\" timeout=\"10\"><Say>Press 4 to"), "{key}: {said}");
    }
    assert_eq!(called.scene.state().await, "triggered");
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_again_counts_once() {
    let called = called().await;
    let (one, two) = tokio::join!(called.press("8"), called.press("8"));
    assert_eq!(one, "<Say>SHOP-1 is escalated. Goodbye.</Say>");
    assert_eq!(one, two);
    assert_eq!(called.scene.crew.events(called.scene.incident).await, ["triggered", "escalated"]);
    // The call was about what is past: another one escalates nothing.
    let late = called.press_during("CA2", "8", NUMBER, &called.path()).await;
    assert_eq!(late, "<Say>SHOP-1 has moved on since. SHOP-1 is triggered. Goodbye.</Say>");
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_slower_and_who_may_not_any_more_are_told_so() {
    let called = called().await;
    let crew = &called.scene.crew;
    let path = format!("/api/v1/incidents/{}/acknowledge", called.scene.incident);
    crew.boss.post(&crew.app, &path, &json!({})).await.ok(200);
    assert_eq!(called.press("4").await, "<Say>SHOP-1 was acknowledged already by boss. Goodbye.</Say>");
    crew.app
        .database
        .execute(&format!("DELETE FROM memberships WHERE user_id = {}", crew.ann))
        .await
        .unwrap();
    assert_eq!(called.press("6").await, "<Say>You may not answer incidents (any more). Goodbye.</Say>");
    assert_eq!(called.scene.state().await, "acknowledged");
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_no_call_of_ours_and_one_that_twilio_has_not_signed_do_nothing() {
    let called = called().await;
    let (app, path) = (called.app(), called.path());
    let over = "<Say>This is over. Goodbye.</Say>";
    assert_eq!(called.press_during("CA1", "4", "+15005550001", &path).await, over, "another number");
    // The last one is of an SMS.
    let sms =
        page(&called.scene.crew, called.scene.incident, phone(&called.scene).await, called.scene.crew.ann, 2)
            .await;
    for id in [Uuid::now_v7().simple().to_string(), "nothing".to_owned(), sms.simple().to_string()] {
        let path = format!("/api/v1/twilio/calls/{id}");
        assert_eq!(called.press_during("CA1", "4", NUMBER, &path).await, over, "{id}");
    }
    let fields = [("CallSid", "CA1"), ("To", NUMBER), ("Digits", "4"), ("CallStatus", "busy")];
    let elsewhere = signature(TOKEN, &format!("{PUBLIC}{path}"), &fields);
    let wrong = signature("another", &format!("{PUBLIC}{path}/key"), &fields);
    for given in [None, Some(wrong.as_str()), Some(&elsewhere)] {
        assert_eq!(send(app, &format!("{path}/key"), &fields, given).await.status, 403);
    }
    for given in [None, Some(wrong.as_str())] {
        assert_eq!(send(app, &path, &fields, given).await.status, 403);
    }
    app.database.execute("UPDATE contact_methods SET verified_at = NULL").await.unwrap();
    assert_eq!(called.press("4").await, over, "a number that is not proven");
    assert_eq!(called.scene.state().await, "triggered");
    let told = "SELECT count(*) FROM notifications WHERE delivery IS NOT NULL";
    assert_eq!(app.database.number(told).await.unwrap(), 0);
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_call_goes_only_goes_forward() {
    let called = called().await;
    for (word, expected) in [
        ("initiated", "sending"),
        ("ringing", "sent"),
        ("initiated", "sent"),
        ("in-progress", "sent"),
        ("something", "sent"),
        ("completed", "delivered"),
        ("busy", "delivered"),
        ("ringing", "delivered"),
    ] {
        called.told("CA1", word).await;
        assert_eq!(called.page().await, [json!("sent"), json!(expected), Value::Null], "{word}");
    }
    called.told("CA2", "failed").await;
    assert_eq!(called.page().await[0], "sent", "of another call");
    assert_eq!(called.scene.crew.events(called.scene.incident).await, ["triggered"]);
    called.scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_taken_is_repeated_twice_and_stands_on_the_timeline() {
    let called = called().await;
    for (number, word, again) in [(1, "busy", true), (2, "no-answer", true), (3, "no-answer", false)] {
        let sid = format!("CA{number}");
        if number > 1 {
            called.was_called(number).await;
        }
        called.told(&sid, "ringing").await;
        called.told(&sid, word).await;
        called.told(&sid, word).await;
        let error = json!(format!("the provider says that it was not delivered: {word}"));
        let (state, delivery) =
            if again { (json!("pending"), Value::Null) } else { (json!("failed"), json!("undelivered")) };
        assert_eq!(called.page().await, [state, delivery, error], "{number}");
        let last = called.scene.timeline().await.pop().unwrap();
        let people = json!([{ "user": called.scene.crew.ann, "name": "ann" }]);
        let mut expected =
            json!({ "people": people, "channel": "voice", "delivery": "undelivered", "code": null });
        if again {
            expected["again"] = json!(true);
        }
        assert_eq!((&last["event"], &last["data"]), (&json!("page_failed"), &expected));
    }
    let events = called.scene.crew.events(called.scene.incident).await;
    assert_eq!(events, ["triggered", "page_failed", "page_failed", "page_failed"]);
    called.scene.crew.app.stop().await;
}
