//! What Twilio says became of messages, and what only claims to be Twilio's.

use crate::harness::App;
use crate::twilio::{MESSAGES, PHONE, PUBLIC, Scene, TOKEN, scene, send, signature, signed};
use serde_json::{Value, json};
use uuid::Uuid;

impl Scene {
    async fn told(&self, status: &str, code: Option<&str>) {
        self.told_of("SM1", status, code).await;
    }

    /// Twilio says what became of a message of the page.
    async fn told_of(&self, sid: &str, status: &str, code: Option<&str>) {
        let mut fields =
            vec![("MessageSid", sid), ("MessageStatus", status), ("To", PHONE), ("From", "+15005550006")];
        fields.extend(code.map(|code| ("ErrorCode", code)));
        let path = format!("/api/v1/twilio/status/{}", self.message.simple());
        assert_eq!(signed(&self.crew.app, &path, &fields).await.status, 204, "{status}");
    }

    /// The page as colleagues see it: state, what the provider says, error.
    async fn page(&self) -> [Value; 3] {
        let path = format!("/api/v1/incidents/{}/pages", self.incident);
        let pages = self.crew.viewer.get(&self.crew.app, &path).await.ok(200);
        let one = &pages["items"][0];
        let listed = self.crew.viewer.get(&self.crew.app, "/api/v1/notifications").await.ok(200);
        let same = &listed["items"][0];
        assert_eq!((&one["state"], &one["delivery"]), (&same["state"], &same["delivery"]));
        ["state", "delivery", "error"].map(|key| one[key].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_page_only_goes_forward() {
    let scene = scene().await;
    assert_eq!(scene.page().await, [json!("sent"), Value::Null, Value::Null]);
    for (told, expected) in [
        ("sent", "sent"),
        ("queued", "sent"),
        ("sending", "sent"),
        ("read", "sent"),
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("undelivered", "delivered"),
        ("failed", "delivered"),
        ("delivered", "delivered"),
    ] {
        scene.told(told, None).await;
        assert_eq!(scene.page().await, [json!("sent"), json!(expected), Value::Null], "{told}");
    }
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered"]);
    assert_eq!(scene.method().await, (true, Value::Null));
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_not_arrived_is_on_the_timeline_once() {
    let scene = scene().await;
    for status in ["sent", "undelivered", "undelivered", "sent", "failed", "delivered"] {
        scene.told(status, (status != "sent").then_some("30003")).await;
    }
    let error = json!("the provider says that it was not delivered: undelivered, code 30003");
    assert_eq!(scene.page().await, [json!("failed"), json!("undelivered"), error]);
    let timeline = scene.timeline().await;
    let events: Vec<_> = timeline.iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, ["triggered", "page_failed"]);
    let people = json!([{ "user": scene.crew.ann, "name": "ann" }]);
    let expected = json!({ "people": people, "channel": "sms", "delivery": "undelivered", "code": 30003 });
    assert_eq!((&timeline[1]["data"], &timeline[1]["actor"]), (&expected, &Value::Null));
    assert_eq!(scene.method().await, (true, Value::Null), "a phone that is off now may be on later");
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_takes_no_sms_is_switched_off() {
    let scene = scene().await;
    scene.told("undelivered", Some("30006")).await;
    assert_eq!(scene.method().await, (false, json!("Twilio's code 30006: the number takes no SMS")));
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_another_message_or_of_nothing_changes_nothing() {
    let scene = scene().await;
    let app = &scene.crew.app;
    scene.told("sent", None).await;
    scene.told_of("SM2", "failed", Some("30006")).await;
    let fields = [("MessageSid", "SM1"), ("MessageStatus", "failed")];
    for id in [Uuid::now_v7().simple().to_string(), "nothing".to_owned(), "1001".to_owned()] {
        let path = format!("/api/v1/twilio/status/{id}");
        assert_eq!(signed(app, &path, &fields).await.status, 204, "{id}");
    }
    assert_eq!(scene.page().await, [json!("sent"), json!("sent"), Value::Null]);
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered"]);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_twilio_has_not_signed_is_refused_and_told_nothing() {
    let scene = scene().await;
    let app = &scene.crew.app;
    let (body, url) = (scene.coded("a"), format!("{PUBLIC}{MESSAGES}"));
    let fields = [("MessageSid", "SM1"), ("From", PHONE), ("Body", body.as_str())];
    let right = signature(TOKEN, &url, &fields);
    let altered = [("MessageSid", "SM1"), ("From", "+15005550002"), ("Body", body.as_str())];
    let wrong_token = signature("another", &url, &fields);
    let private = signature(TOKEN, &app.url(MESSAGES), &fields);
    let elsewhere = signature(TOKEN, &format!("{PUBLIC}/api/v1/twilio/status/1"), &fields);
    let mut said = Vec::new();
    for (name, fields, given) in [
        ("no signature", &fields, None),
        ("an empty one", &fields, Some("")),
        ("another token", &fields, Some(wrong_token.as_str())),
        ("altered", &altered, Some(&right)),
        ("the address behind the proxy", &fields, Some(&private)),
        ("another path", &fields, Some(&elsewhere)),
    ] {
        let answer = send(app, MESSAGES, fields, given).await;
        assert_eq!(answer.status, 403, "{name}");
        said.push(answer.text);
    }
    let status = format!("/api/v1/twilio/status/{}", scene.message.simple());
    for path in [status.as_str(), "/api/v1/twilio/status/nothing"] {
        said.push(send(app, path, &fields, Some(&right)).await.text);
    }
    let plain = App::start().await;
    said.push(send(&plain, MESSAGES, &fields, Some(&right)).await.text);
    plain.stop().await;
    said.dedup();
    assert_eq!(said.len(), 1, "also not whether Twilio is set up: {said:?}");
    assert_eq!(scene.state().await, "triggered");
    assert_eq!(scene.page().await[1], Value::Null);

    let large = [("MessageSid", "SM1"), ("Body", &*"x".repeat(1 << 20))];
    assert_eq!(send(app, MESSAGES, &large, Some(&right)).await.status, 413);
    let signed_slash = signature(TOKEN, &format!("{url}/"), &fields);
    let answer = send(app, &format!("{MESSAGES}/"), &fields, Some(&signed_slash)).await;
    assert_eq!(answer.status, 200, "a slash at the end is signed and means nothing");
    scene.crew.app.stop().await;
}
