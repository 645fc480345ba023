//! Pages by SMS say how one replies, and Twilio is asked to say what becomes of them.

use super::scene::{Scene, Somebody, person, policy, step};
use bugle_model::{Channel, DeliveryStatus, IncidentState, NotificationState, Priority};
use bugle_notifier::channels::segments;
use bugle_store::notifications::{self, Delivery};
use bugle_store::oncall::{self, By};
use bugle_testkit::http::Answer;
use serde_json::json;

/// Ann is paged by SMS, and bob by mail when she does not answer.
async fn ann(scene: &mut Scene) -> Somebody {
    let ann = scene.person_with("ann", &[(Channel::Sms, 0)]).await;
    let bob = scene.person_with("bob", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30), step(&[person(&bob)], 30)])).await;
    ann
}

/// The form of the only message that goes out now.
async fn form(scene: &mut Scene) -> std::collections::BTreeMap<String, String> {
    scene.escalate().await;
    scene.send().await;
    scene.twilio.next().await.form()
}

#[tokio::test]
async fn a_page_says_how_one_replies_and_a_reply_ends_it() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.error("ValueError: bad", Priority::High).await;
    let form = form(&mut scene).await;
    let incident = scene.incident().await.id;
    let hint = format!(" Reply {incident}a to ack, {incident}r to resolve, {incident}e to escalate #");
    assert!(form["Body"].contains(&hint), "{}", form["Body"]);
    let message = scene.world.only().await.message_id.simple();
    assert_eq!(form["StatusCallback"], format!("https://bugle.example.com/api/v1/twilio/status/{message}"));
    // What the api does when the reply comes.
    let mut conn = scene.world.store.conn().await.unwrap();
    let by = By { name: "ann", channel: Some(Channel::Sms) };
    oncall::acknowledge(&mut conn, incident, by, bugle_model::Clock::now(&*scene.world.clock)).await.unwrap();
    drop(conn);
    scene.quiet(90).await;
    assert_eq!(scene.states().await, [IncidentState::Acknowledged]);
}

#[tokio::test]
async fn with_any_title_and_number_it_stays_within_two_segments() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    for (title, number, hint) in [
        ("x".repeat(256), 1, "Reply 1a to ack, 1r to resolve, 1e to escalate #"),
        ("[{€".repeat(80), 12, "Reply 12a to ack, 12r to resolve, 12e to escalate #"),
        ("ж".repeat(256), 123, "Reply 123a: ack, 123r: resolve #"),
        ("😀".repeat(250), 1_234_567, "Reply 1234567a or 1234567r #"),
    ] {
        let sequence = format!("ALTER SEQUENCE incidents_id_seq RESTART WITH {number}");
        scene.world.sql.execute(&sequence, &[]).await.unwrap();
        scene.error(&title, Priority::High).await;
        let body = form(&mut scene).await["Body"].clone();
        assert!(segments(&body).count <= 2, "{body}");
        assert!(body.contains(hint) && body.contains("https://bugle.example.com/issues/"), "{body}");
    }
}

#[tokio::test]
async fn where_replies_cannot_come_nothing_is_said_of_them() {
    let mut scene =
        Scene::with(|world| world.config.public_url = "http://127.0.0.1:8080".parse().unwrap()).await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    let form = form(&mut scene).await;
    assert!(!form["Body"].contains("Reply") && !form.contains_key("StatusCallback"), "{form:?}");
}

#[tokio::test]
async fn from_a_name_one_is_told_nothing_of_replies() {
    let mut scene = Scene::with(|world| world.config.twilio_from = Some("Bugle".to_owned())).await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    let form = form(&mut scene).await;
    assert!(!form["Body"].contains("Reply") && form.contains_key("StatusCallback"), "{form:?}");
}

#[tokio::test]
async fn a_page_whose_report_is_refused_goes_without() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.twilio.then(Answer::json(400, &json!({ "code": 21609, "message": "invalid", "status": 400 })));
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    let forms: Vec<_> = scene.twilio.take().iter().map(|request| request.form()).collect();
    let reports: Vec<_> = forms.iter().map(|form| form.contains_key("StatusCallback")).collect();
    assert_eq!(reports, [true, false]);
    assert_eq!(forms[0]["Body"], forms[1]["Body"]);
    assert_eq!(scene.world.only().await.state, NotificationState::Sent);
}

#[tokio::test]
async fn what_twilio_says_before_it_is_written_down_as_sent_is_kept() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.twilio.then(Answer::hang());
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    let mut lost = scene.world.sender();
    lost.start().await.unwrap();
    drop(scene.twilio.next().await);
    let message_id = scene.world.only().await.message_id;
    let (channel, status) = (Channel::Sms, DeliveryStatus::Undelivered);
    let delivery =
        Delivery { message_id, channel, provider_id: "SM1", status, word: "undelivered", code: Some(30003) };
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = bugle_model::Clock::now(&*scene.world.clock);
    assert!(notifications::deliver(&mut conn, &delivery, now).await.unwrap().is_some());
    assert_eq!(notifications::deliver(&mut conn, &delivery, now).await.unwrap(), None, "once");
    drop(conn);
    assert_eq!(scene.world.only().await.state, NotificationState::Sending);
    // Twilio's list says that it had arrived there.
    let code = message_id.simple().to_string();
    let found =
        json!({ "messages": [{ "sid": "SM1", "status": "sent", "body": format!("… #{}", &code[24..]) }] });
    scene.world.advance(61);
    scene.twilio.then(Answer::json(200, &found));
    scene.send().await;
    assert_eq!(scene.twilio.next().await.method, "GET");
    let one = scene.world.only().await;
    assert_eq!((one.state, one.delivery), (NotificationState::Failed, Some(status)));
    assert!(one.error.unwrap().ends_with("undelivered, code 30003"));
}
