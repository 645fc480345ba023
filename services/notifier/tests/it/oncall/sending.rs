//! Pages travel as all messages do: tried again, looked up, given up visibly.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, NotificationState, Priority};
use bugle_testkit::http::Answer;
use bugle_testkit::smtp::Step;

#[tokio::test]
async fn a_page_is_tried_again_until_it_arrives() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.then(Answer::status(500)).then(Answer::status(503));
    scene.error("Bad", Priority::High).await;
    scene.hears(&["webhook ann"]).await;
    scene.after(1, &["webhook ann"]).await;
    scene.after(1, &["webhook ann"]).await;
    scene.quiet(2).await;
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!((pages[0].state, pages[0].attempts), (NotificationState::Sent, 3));
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_switched_off_and_the_next_step_comes_all_the_same() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Sms, 0)]).await;
    let ben = scene.person_with("ben", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let refused = serde_json::json!({"code": 21211, "message": "invalid To", "status": 400});
    scene.twilio.then(Answer::json(400, &refused));
    scene.error("Bad", Priority::High).await;
    scene.hears(&["sms ann"]).await;
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!(pages[0].state, NotificationState::Failed);
    scene.after(5, &["email ben"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let methods = bugle_store::oncall::list_contact_methods(&mut conn, ann.id).await.unwrap();
    assert!(!methods[0].enabled && methods[0].disabled_reason.is_some(), "{methods:?}");
}

#[tokio::test]
async fn somebody_whose_only_number_was_switched_off_is_told_by_their_accounts_address() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Sms, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let refused = serde_json::json!({"code": 21610, "message": "unsubscribed", "status": 400});
    scene.twilio.then(Answer::json(400, &refused));
    scene.error("One", Priority::High).await;
    scene.hears(&["sms ann"]).await;
    scene.error("Two", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_sms_that_may_have_arrived_is_looked_up_before_it_is_sent_again() {
    let mut scene = Scene::with(|world| {
        world.timeouts.total = std::time::Duration::from_millis(300);
    })
    .await;
    let ann = scene.person_with("ann", &[(Channel::Sms, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.twilio.then(Answer::hang());
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    let sent = scene.twilio.next().await.form()["Body"].clone();
    let code = sent.rsplit('#').next().unwrap();
    let found =
        serde_json::json!({"messages": [{"sid": "SM9", "status": "sent", "body": format!("x #{code}")}]});
    scene.twilio.then(Answer::json(200, &found));
    scene.outage(1);
    scene.send().await;
    assert_eq!(scene.twilio.next().await.method, "GET");
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!(pages[0].state, NotificationState::Sent);
}

#[tokio::test]
async fn a_mail_server_that_is_away_costs_a_delay_and_nobody_is_paged_twice() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.mail.reply(Step::Rcpt, "450 4.2.1 busy");
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.after(1, &["account ann"]).await;
    scene.quiet(2).await;
}

#[tokio::test]
async fn a_notifier_that_is_killed_in_the_middle_of_sending_is_made_good_by_another() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.then(Answer::hang());
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    let mut lost = scene.world.sender();
    lost.start().await.unwrap();
    let first = scene.hooks.next().await;
    drop(lost);
    scene.outage(2);
    scene.send().await;
    let second = scene.hooks.next().await;
    assert_eq!(
        first.header("webhook-id"),
        second.header("webhook-id"),
        "the receiver can tell that it is the same"
    );
}

#[tokio::test]
async fn a_webhook_says_which_incident_it_is_about() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    let payload = scene.hooks.next().await.json();
    assert_eq!(payload["type"], "incident.paged");
    assert_eq!(payload["data"]["incident"]["id"], scene.incident().await.id.0);
    assert_eq!(payload["data"]["issue"]["id"], issue.0);
}

#[tokio::test]
async fn mails_and_texts_say_that_it_is_an_incident() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.error("ValueError: bad", Priority::Critical).await;
    scene.escalate().await;
    scene.send().await;
    let mail = scene.mail.next().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("[SHOP-1] ValueError: bad"));
    assert!(mail.data.contains("Incident in shop"), "{}", mail.data);
    let text = scene.twilio.next().await.form()["Body"].clone();
    assert!(text.starts_with("SHOP-1 critical: Incident: ValueError: bad (production) https://"), "{text}");
}
