//! SMS: Twilio's answers, and what happens when there is none.

use crate::world::World;
use bugle_model::{Channel, DestinationSettings, NotificationState};
use bugle_notifier::Sender;
use bugle_notifier::channels::segments;
use bugle_store::notifications::Notification;
use bugle_testkit::http::{Answer, HttpFake};
use serde_json::json;
use std::time::Duration;

const MESSAGES: &str = "/2010-04-01/Accounts/AC1/Messages.json";

fn queued() -> Answer {
    Answer::json(201, &json!({"sid": "SM1", "status": "queued", "num_segments": "1", "error_code": null}))
}

async fn world_with(twilio: &HttpFake) -> World {
    let mut world = World::new().await;
    // Trusted as configured, although it is private.
    world.config.allow_private_nets = Vec::new();
    world.config.twilio_base_url = twilio.url("").parse().unwrap();
    world.destination(Channel::Sms, "+15005550001", DestinationSettings::default()).await;
    world
}

fn code_of(one: &Notification) -> String {
    let hex = one.message_id.simple().to_string();
    format!("#{}", &hex[24..])
}

#[tokio::test]
async fn a_new_issue_arrives_as_text() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    twilio.then(queued());
    world.open("ValueError: “bad” input – see `x`").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let request = twilio.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", MESSAGES));
    // "AC1:token"
    assert_eq!(request.header("authorization"), Some("Basic QUMxOnRva2Vu"));
    let sent = world.only().await;
    let form = request.form();
    assert_eq!((form["To"].as_str(), form["From"].as_str()), ("+15005550001", "+15005550006"));
    assert!(segments(&form["Body"]).is_gsm);
    insta::assert_snapshot!("sms", form["Body"].replace(&code_of(&sent), "#[code]"));
    assert_eq!((sent.state, sent.provider_id.as_deref()), (NotificationState::Sent, Some("SM1")));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn any_title_fits_into_two_segments_with_link_and_code() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    twilio.route("POST", MESSAGES, queued());
    let titles = ["x".repeat(256), "ж".repeat(256), "😀".repeat(250), "[{€".repeat(80), "".to_owned() + " "];
    let mut sender = world.sender();
    for title in titles {
        world.open(&title).await;
        sender.run_once().await.unwrap();
        world.advance(2);
        let body = twilio.next().await.form()["Body"].clone();
        assert!(segments(&body).count <= 2 && body.chars().count() <= 320, "{body}");
        let newest = world.all().await.pop().unwrap();
        assert!(body.ends_with(&code_of(&newest)), "{body}");
        assert!(body.contains("https://bugle.example.com/issues/"), "{body}");
    }
}

#[tokio::test]
async fn twilios_codes_decide() {
    use NotificationState::{Failed, Pending};
    for (status, code, state, enabled) in [
        (400, 21211, Failed, false),
        (400, 21610, Failed, false),
        (400, 21614, Failed, false),
        (400, 21617, Failed, true),
        (400, 21606, Pending, true),
        (401, 20003, Pending, true),
        (403, 21408, Pending, true),
        (429, 20429, Pending, true),
        (400, 99999, Failed, true),
        (503, 0, Pending, true),
        (500, 20500, Pending, true),
    ] {
        let twilio = HttpFake::start().await;
        let world = world_with(&twilio).await;
        twilio.then(Answer::json(status, &json!({"code": code, "message": "no", "status": status})));
        world.open("Bad").await;
        world.sender().run_once().await.unwrap();
        assert_eq!(twilio.take().len(), 1, "{code}");
        let one = world.only().await;
        assert_eq!(one.state, state, "{code}: {one:?}");
        assert_eq!(world.destination_now(one.destination).await.enabled, enabled, "{code}");
    }
}

#[tokio::test]
async fn accepted_and_failed_in_one_answer_is_a_failure() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    twilio.then(Answer::json(201, &json!({"sid": "SM1", "status": "failed", "error_code": 30006})));
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(twilio.take().len(), 1);
    assert_eq!(world.only().await.state, NotificationState::Failed);
}

/// A sender posts, and is lost before it hears the answer.
async fn lose_a_sender(world: &World, twilio: &HttpFake) {
    twilio.then(Answer::hang());
    let mut lost = world.sender();
    lost.start().await.unwrap();
    assert_eq!(twilio.next().await.method, "POST");
}

async fn after_the_lease(world: &World) -> Sender {
    world.advance(61);
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    sender
}

#[tokio::test]
async fn what_had_arrived_is_found_and_not_sent_again() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    world.open("Bad").await;
    lose_a_sender(&world, &twilio).await;
    let code = code_of(&world.only().await);
    let messages = json!({"messages": [
        {"sid": "SM0", "status": "sent", "body": "another #00000000"},
        {"sid": "SM7", "status": "delivered", "body": format!("SHOP-1 high: … {code}")},
    ]});
    twilio.then(Answer::json(200, &messages));
    let mut sender = after_the_lease(&world).await;
    let lookup = twilio.next().await;
    assert_eq!(lookup.method, "GET");
    assert_eq!(lookup.target, format!("{MESSAGES}?To=%2B15005550001&DateSent=2026-11-20&PageSize=100"));
    assert_eq!(lookup.header("authorization"), Some("Basic QUMxOnRva2Vu"));
    let sent = world.only().await;
    assert_eq!((sent.state, sent.provider_id.as_deref()), (NotificationState::Sent, Some("SM7")));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn what_had_not_arrived_is_sent_once_more() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    world.open("Bad").await;
    lose_a_sender(&world, &twilio).await;
    twilio.then(Answer::json(200, &json!({"messages": []}))).then(queued());
    let mut sender = after_the_lease(&world).await;
    let methods: Vec<_> = twilio.take().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "POST"]);
    assert_eq!(world.only().await.state, NotificationState::Sent);
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn it_is_never_sent_a_third_time() {
    let twilio = HttpFake::start().await;
    let world = world_with(&twilio).await;
    world.open("Bad").await;
    lose_a_sender(&world, &twilio).await;
    world.advance(61);
    twilio.then(Answer::json(200, &json!({"messages": []}))).then(Answer::hang());
    let mut lost = world.sender();
    lost.start().await.unwrap();
    assert_eq!((twilio.next().await.method.as_str(), twilio.next().await.method.as_str()), ("GET", "POST"));
    drop(lost);
    twilio.then(Answer::json(200, &json!({"messages": []})));
    let mut sender = after_the_lease(&world).await;
    assert_eq!(twilio.next().await.method, "GET");
    let failed = world.only().await;
    assert_eq!(failed.state, NotificationState::Failed);
    assert!(failed.error.as_deref().unwrap().starts_with("sent twice without an answer"));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn an_answer_that_is_late_is_looked_up_after_a_pause_over_midnight() {
    let twilio = HttpFake::start().await;
    let mut world = world_with(&twilio).await;
    world.timeouts.total = Duration::from_millis(300);
    world.advance(12 * 3600 - 3);
    world.open("Bad").await;
    twilio.then(Answer::hang());
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(twilio.next().await.method, "POST");
    assert_eq!(world.only().await.state, NotificationState::Pending);
    world.advance(4);
    sender.run_once().await.unwrap();
    assert!(twilio.take().is_empty(), "Twilio's list lags behind");
    twilio
        .then(Answer::status(503))
        .then(Answer::json(200, &json!({"messages": []})))
        .then(Answer::json(200, &json!({"messages": []})))
        .then(queued());
    world.advance(2);
    sender.run_once().await.unwrap();
    assert_eq!(twilio.take().len(), 1, "Twilio cannot be asked: nothing is sent");
    assert_eq!(world.only().await.state, NotificationState::Pending);
    world.advance(10);
    sender.run_once().await.unwrap();
    let targets: Vec<_> = twilio
        .take()
        .into_iter()
        .map(|request| (request.method.clone(), request.form().get("DateSent").cloned()))
        .collect();
    let day = |text: &str| ("GET".to_owned(), Some(text.to_owned()));
    assert_eq!(targets, [day("2026-11-20"), day("2026-11-21"), ("POST".to_owned(), None)]);
    assert_eq!(world.only().await.state, NotificationState::Sent);
}

#[tokio::test]
async fn a_connection_that_never_stood_is_not_ambiguous() {
    let mut world = World::new().await;
    world.config.twilio_base_url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    world.destination(Channel::Sms, "+15005550001", DestinationSettings::default()).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let twilio = HttpFake::start().await;
    world.config.twilio_base_url = twilio.url("").parse().unwrap();
    twilio.then(queued());
    world.advance(5);
    world.sender().run_once().await.unwrap();
    assert_eq!(twilio.next().await.method, "POST", "sent again without asking");
    assert_eq!(world.only().await.state, NotificationState::Sent);
}
