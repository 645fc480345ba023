//! Webhooks: what is sent, and what the answers mean.

use crate::world::{World, noon};
use bugle_model::{Channel, DestinationSettings, NotificationState, Signal};
use bugle_notifier::sign;
use bugle_store::destinations;
use bugle_store::notifications::insert_test;
use bugle_testkit::http::{Answer, HttpFake, Recorded};
use uuid::Uuid;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn assert_signed(request: &Recorded, secret: &str) {
    let header = |name| request.header(name).unwrap_or_default();
    let now = header("webhook-timestamp").parse().unwrap();
    let (id, signature) = (header("webhook-id"), header("webhook-signature"));
    assert!(
        sign::verify(secret, id, header("webhook-timestamp"), signature, &request.body, now),
        "{request:?}"
    );
}

#[tokio::test]
async fn a_new_issue_arrives_signed() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let headers = [("Authorization".to_owned(), "Bearer x".to_owned())].into();
    let settings = DestinationSettings { headers, ..DestinationSettings::default() };
    world.destination(Channel::Webhook, &receiver.url("/hook?a=b"), settings).await;
    receiver.then(Answer::status(202).body("thanks"));
    let issue = world.open("ValueError: bad <input> & \"more\"").await;

    let mut sender = world.sender();
    sender.run_once().await.unwrap();

    let request = receiver.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/hook?a=b"));
    assert_eq!(request.header("authorization"), Some("Bearer x"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("webhook-timestamp"), Some(noon().timestamp().to_string().as_str()));
    assert_signed(&request, SECRET);
    let sent = world.only().await;
    assert_eq!(request.header("webhook-id"), Some(sent.message_id.to_string().as_str()));
    insta::assert_json_snapshot!("webhook_payload", request.json());

    assert_eq!((sent.issue, sent.state), (Some(issue), NotificationState::Sent));
    assert_eq!(sent.latency_ms, Some(40));
    let attempt = &sent.attempts[0];
    assert_eq!((attempt.number, attempt.result.as_str(), attempt.status), (1, "delivered", Some(202)));
    assert_eq!(attempt.answer.as_deref(), Some("thanks"));
    let metrics = world.metrics.render();
    assert!(
        metrics.contains(r#"bugle_notification_latency_seconds_bucket{channel="webhook",le="0.05"} 1"#),
        "{metrics}"
    );
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn thresholds_and_regressions_name_themselves() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    let issue = world.issue("Slow").await;
    let about = world.about(issue);
    world.signal(vec![Signal::ThresholdReached { about: about.clone(), events: 100 }]).await;
    world.signal(vec![Signal::IssueRegressed(about)]).await;
    world.sender().run_once().await.unwrap();
    let mut payloads = [receiver.next().await.json(), receiver.next().await.json()];
    payloads.sort_by_key(|payload| payload["type"].to_string());
    assert_eq!(payloads[0]["type"], "issue.regressed");
    assert_eq!(
        (&payloads[1]["type"], &payloads[1]["data"]["threshold"]),
        (&"threshold.reached".into(), &100.into())
    );
}

#[tokio::test]
async fn a_test_message_goes_out() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let destination = world.webhook(&receiver.url("/")).await;
    let mut conn = world.store.conn().await.unwrap();
    let id = insert_test(&mut conn, destination.id, Uuid::from_u128(1), noon()).await.unwrap();
    assert!(id.is_some());
    world.sender().run_once().await.unwrap();
    insta::assert_json_snapshot!("webhook_test", receiver.next().await.json());
}

#[tokio::test]
async fn a_template_gives_the_body() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let template = r#"{"text": {{ data.issue.short_id | tojson }}, "id": {{ data.issue.id }}}"#;
    let settings =
        DestinationSettings { template: Some(template.to_owned()), ..DestinationSettings::default() };
    world.destination(Channel::Webhook, &receiver.url("/"), settings).await;
    let issue = world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let request = receiver.next().await;
    assert_eq!(request.text(), format!(r#"{{"text": "SHOP-1", "id": {issue}}}"#));
    assert_signed(&request, SECRET);
}

#[tokio::test]
async fn a_template_that_takes_too_much_fails_visibly() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let nested = "{% for a in [1,2,3,4,5,6,7,8,9,0] %}".repeat(6) + &"{% endfor %}".repeat(6);
    let settings = DestinationSettings { template: Some(nested), ..DestinationSettings::default() };
    world.destination(Channel::Webhook, &receiver.url("/"), settings).await;
    world.open("Bad").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let failed = world.only().await;
    assert_eq!(failed.state, NotificationState::Failed);
    assert_eq!(failed.error.as_deref(), Some("template: needs more than 20000 steps"));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn statuses_decide() {
    use NotificationState::{Failed, Pending, Sent};
    let world = World::new().await;
    let mut sender = world.sender();
    for (status, state) in [
        (200, Sent),
        (204, Sent),
        (299, Sent),
        (301, Failed),
        (302, Failed),
        (307, Failed),
        (400, Failed),
        (401, Failed),
        (404, Failed),
        (408, Pending),
        (413, Failed),
        (422, Failed),
        (425, Pending),
        (429, Pending),
        (500, Pending),
        (502, Pending),
        (503, Pending),
        (504, Pending),
        (599, Pending),
    ] {
        let receiver = HttpFake::start().await;
        let destination = world.webhook(&receiver.url("/")).await;
        let location = receiver.url("/elsewhere");
        receiver.then(Answer::status(status).header("location", &location).body("because"));
        world.open("Bad").await;
        sender.run_once().await.unwrap();
        let one = world.all().await.pop().unwrap();
        assert_eq!(one.state, state, "{status}: {one:?}");
        assert_eq!(one.attempts[0].status, Some(status.into()));
        // 204 has no body by definition.
        let answer = (status != 204).then_some("because");
        assert_eq!(one.attempts[0].answer.as_deref(), answer, "{status}");
        assert_eq!(receiver.take().len(), 1, "{status}: one request, and no redirect is followed");
        let mut conn = world.store.conn().await.unwrap();
        destinations::set_enabled(&mut conn, destination.id, false).await.unwrap();
    }
}

#[tokio::test]
async fn gone_switches_the_destination_off() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    let destination = world.webhook(&receiver.url("/")).await;
    receiver.then(Answer::status(410));
    world.open("First").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    let destination = world.destination_now(destination.id).await;
    assert!(!destination.enabled);
    assert_eq!(destination.disabled_reason.as_deref(), Some("answered 410: the receiver is gone"));
    let second = world.issue("Second").await;
    assert_eq!(
        world.signal(vec![Signal::IssueOpened(world.about(second))]).await,
        0,
        "nobody is told any more"
    );
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn long_answers_are_cut() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    receiver.then(Answer::status(200).body("é\0".repeat(50_000)));
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let answer = world.only().await.attempts[0].answer.clone().unwrap();
    assert_eq!(answer.chars().count(), 2000);
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn an_accepted_status_counts_even_if_the_body_breaks_off() {
    let world = World::new().await;
    let receiver = HttpFake::start().await;
    world.webhook(&receiver.url("/")).await;
    receiver.then(Answer::status(200).body("par").cut());
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(world.only().await.state, NotificationState::Sent);
    assert_eq!(receiver.take().len(), 1);
}
