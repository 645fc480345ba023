//! Pages by a call: what is said, what Twilio is asked, and when somebody is called again.

use super::scene::{CALLS, Scene, Somebody, at, person, policy, step};
use bugle_model::{Channel, Clock, DeliveryStatus, IncidentState, NotificationState, Priority};
use bugle_store::notifications::{self, Delivered, Delivery};
use bugle_store::oncall;
use bugle_testkit::http::Answer;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Ann is paged by a call.
async fn ann(scene: &mut Scene) -> Somebody {
    let ann = scene.person_with("ann", &[(Channel::Voice, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
    ann
}

/// The form of the only request that goes out now.
async fn form(scene: &mut Scene) -> BTreeMap<String, String> {
    scene.escalate().await;
    scene.send().await;
    let request = scene.twilio.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", CALLS));
    request.form()
}

/// What Twilio says of the page's call.
async fn told(scene: &Scene, word: &str) -> Option<Delivered> {
    let message_id = scene.world.only().await.message_id;
    let status = DeliveryStatus::of_call(word).unwrap();
    let delivery =
        Delivery { message_id, channel: Channel::Voice, provider_id: "CA1", status, word, code: None };
    let mut conn = scene.world.store.conn().await.unwrap();
    notifications::deliver(&mut conn, &delivery, scene.world.clock.now()).await.unwrap()
}

#[tokio::test]
async fn a_page_is_read_aloud_twice_and_says_which_keys_answer() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.error("ValueError: <bad> “input”", Priority::High).await;
    let form = form(&mut scene).await;
    let page = scene.world.only().await;
    let (message, provider) = (page.message_id.simple(), page.provider_id.as_deref());
    assert_eq!((page.state, provider), (NotificationState::Sent, Some("CA1")));
    let says = "<Say>This is Bugle. high priority, SHOP-1, shop, production. ValueError: bad input. \
        Press 4 to acknowledge, 6 to resolve, 8 to have the next step come at once.</Say>";
    let here = format!("https://bugle.example.com/api/v1/twilio/calls/{message}");
    let gather = format!("<Gather numDigits=\"1\" timeout=\"10\" method=\"POST\" action=\"{here}/key\">");
    let script =
        format!("<Response>{gather}{says}<Pause length=\"1\"/>{says}</Gather><Say>Goodbye.</Say></Response>");
    let expected = [
        ("From", "+15005550006"),
        ("StatusCallback", &here),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "25"),
        ("To", "+15005551000"),
        ("Twiml", &script),
    ];
    let sent: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, expected);
    scene.quiet(30).await;
}

#[tokio::test]
async fn where_twilio_cannot_call_back_no_key_is_asked_for() {
    let mut scene =
        Scene::with(|world| world.config.public_url = "http://127.0.0.1:8080".parse().unwrap()).await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    let form = form(&mut scene).await;
    assert!(!form["Twiml"].contains("Press") && !form["Twiml"].contains("Gather"), "{form:?}");
    assert!(form["Twiml"].matches("SHOP-1").count() == 2 && !form.contains_key("StatusCallback"));
}

#[tokio::test]
async fn a_code_is_read_digit_by_digit() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.unproven(&ann, Channel::Voice).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::send_code(&mut conn, id, "271828", Uuid::now_v7(), at(0)).await.unwrap().unwrap();
    scene.send().await;
    let script = scene.twilio.next().await.form()["Twiml"].clone();
    assert_eq!(script.matches("Your code is: 2, 7, 1, 8, 2, 8.").count(), 2, "{script}");
    assert!(!script.contains("Gather"), "{script}");
    oncall::verify_contact_method(&mut conn, id, "271828", at(0)).await.unwrap();
    oncall::send_test(&mut conn, id, Uuid::now_v7(), at(0)).await.unwrap().unwrap();
    scene.send().await;
    let script = scene.twilio.next().await.form()["Twiml"].clone();
    assert_eq!(script.matches("This is a test call from Bugle.").count(), 2, "{script}");
}

#[tokio::test]
async fn calls_come_from_a_number_of_their_own_and_from_no_name() {
    for (voice, expected) in [(Some("+15005550007"), Some("+15005550007")), (None, None)] {
        let mut scene = Scene::with(|world| {
            world.config.twilio_from = Some("MG0123".to_owned());
            world.config.twilio_voice_from = voice.map(str::to_owned);
        })
        .await;
        ann(&mut scene).await;
        scene.error("Bad", Priority::High).await;
        scene.escalate().await;
        scene.send().await;
        let from: Vec<_> = scene.twilio.take().iter().map(|request| request.form()["From"].clone()).collect();
        assert_eq!(from.first().map(String::as_str), expected);
        let page = scene.world.only().await;
        let state = if expected.is_some() { NotificationState::Sent } else { NotificationState::Pending };
        assert_eq!(page.state, state, "{page:?}");
    }
}

#[tokio::test]
async fn twilios_codes_decide() {
    use NotificationState::{Failed, Pending};
    for (status, code, state, enabled) in [
        (400, 21211, Failed, false),
        (400, 21215, Pending, true),
        (400, 21219, Pending, true),
        (401, 20003, Pending, true),
        (429, 20429, Pending, true),
        (400, 99999, Failed, true),
        (503, 0, Pending, true),
    ] {
        let mut scene = Scene::new().await;
        ann(&mut scene).await;
        scene.twilio.then(Answer::json(status, &json!({"code": code, "message": "no", "status": status})));
        scene.error("Bad", Priority::High).await;
        form(&mut scene).await;
        let page = scene.world.only().await;
        assert_eq!(page.state, state, "{code}: {page:?}");
        let destination = scene.world.destination_now(page.destination).await;
        assert_eq!(destination.enabled, enabled, "{code}");
    }
}

/// A scene in which a sender has called, and was lost before it heard the answer; a minute later.
async fn lost() -> (Scene, DateTime<Utc>) {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.twilio.then(Answer::hang());
    let mut lost = scene.world.sender();
    lost.start().await.unwrap();
    assert_eq!(scene.twilio.next().await.method, "POST");
    let called = scene.world.clock.now();
    scene.world.advance(61);
    (scene, called)
}

fn calls(listed: &[(&str, &str, DateTime<Utc>)]) -> Answer {
    let call = |(sid, status, made): &(&str, &str, DateTime<Utc>)| -> Value {
        json!({"sid": sid, "status": status, "date_created": made.to_rfc2822(), "start_time": null})
    };
    Answer::json(200, &json!({ "calls": listed.iter().map(call).collect::<Vec<_>>() }))
}

fn methods(scene: &Scene) -> Vec<String> {
    scene.twilio.take().into_iter().map(|request| request.method).collect()
}

#[tokio::test]
async fn a_call_that_was_made_is_found_and_not_made_again() {
    for word in ["queued", "ringing", "in-progress", "completed"] {
        let (mut scene, called) = lost().await;
        scene.twilio.then(calls(&[("CA7", word, called), ("CA6", "completed", at(-1))]));
        scene.send().await;
        let lookup = scene.twilio.next().await;
        assert_eq!(lookup.target, format!("{CALLS}?To=%2B15005551000&From=%2B15005550006&PageSize=50"));
        let page = scene.world.only().await;
        assert_eq!((page.state, page.provider_id.as_deref()), (NotificationState::Sent, Some("CA7")));
        scene.quiet(30).await;
    }
}

#[tokio::test]
async fn a_call_that_was_not_made_is_made_once_more() {
    let (mut scene, _) = lost().await;
    // The one to the same number before is another's.
    scene.twilio.then(calls(&[("CA6", "completed", at(-1))]));
    scene.send().await;
    assert_eq!(methods(&scene), ["GET", "POST"]);
    assert_eq!(scene.world.only().await.state, NotificationState::Sent);
    scene.quiet(30).await;
}

#[tokio::test]
async fn while_twilio_cannot_be_asked_nobody_is_called() {
    let (mut scene, called) = lost().await;
    scene.twilio.then(Answer::status(503)).then(calls(&[("CA7", "completed", called)]));
    scene.send().await;
    assert_eq!(methods(&scene), ["GET"]);
    scene.world.advance(60);
    scene.send().await;
    assert_eq!(methods(&scene), ["GET"]);
    assert_eq!(scene.world.only().await.state, NotificationState::Sent);
}

#[tokio::test]
async fn a_call_that_was_made_and_not_taken_is_made_again_after_a_minute() {
    let (mut scene, called) = lost().await;
    scene.twilio.then(calls(&[("CA7", "busy", called)]));
    scene.send().await;
    assert_eq!(methods(&scene), ["GET"]);
    scene.world.advance(59);
    scene.send().await;
    assert_eq!(methods(&scene), [""; 0]);
    scene.world.advance(10);
    scene.send().await;
    assert_eq!(methods(&scene), ["POST"]);
}

#[tokio::test]
async fn who_does_not_take_a_call_is_called_three_times() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    for (word, again) in [("busy", true), ("no-answer", true), ("failed", false)] {
        scene.hears(&["voice ann"]).await;
        assert!(!told(&scene, "ringing").await.unwrap().again);
        assert_eq!(told(&scene, word).await.unwrap().again, again, "{word}");
        assert_eq!(told(&scene, word).await, None, "{word}: once");
        if again {
            scene.hears(&[]).await;
            scene.world.advance(60);
        }
    }
    let page = scene.world.only().await;
    assert_eq!((page.state, page.delivery), (NotificationState::Failed, Some(DeliveryStatus::Failed)));
    assert_eq!(page.error.as_deref(), Some("the provider says that it was not delivered: failed"));
    scene.quiet(30).await;
}

#[tokio::test]
async fn who_has_answered_meanwhile_is_not_called_again() {
    let mut scene = Scene::new().await;
    let ann = ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["voice ann"]).await;
    assert!(told(&scene, "no-answer").await.unwrap().again);
    scene.acknowledge(&ann).await;
    scene.quiet(30).await;
    assert_eq!(scene.states().await, [IncidentState::Acknowledged]);
    assert_eq!(scene.world.only().await.state, NotificationState::Cancelled);
}

#[tokio::test]
async fn two_pages_to_one_phone_are_half_a_minute_apart() {
    let mut scene = Scene::with(|world| {
        world.policy.per_channel = bugle_notifier::policy::channel_limits;
    })
    .await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.error("Worse", Priority::High).await;
    scene.hears(&["voice ann"]).await;
    scene.world.advance(29);
    scene.hears(&[]).await;
    scene.world.advance(1);
    scene.hears(&["voice ann"]).await;
}
