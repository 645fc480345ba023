//! Pages by web push: what a push service gets, what the browser reads, and what the service's answers mean.

use super::scene::{Scene, Somebody, at, person, policy, step};
use bugle_model::{Channel, Clock, ContactMethodId, DestinationSettings, NotificationState, Priority};
use bugle_store::oncall::{self, NewContactMethod};
use bugle_store::web_push::{PushKeys, keep_push_keys};
use bugle_testkit::http::Answer;
use bugle_testkit::push::Browser;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use uuid::Uuid;

/// The installation has keys.
async fn keys(scene: &Scene) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key_pair = made.as_ref().to_vec();
    let public_key = EcdsaKeyPair::from_pkcs8(algorithm, &key_pair, &random).unwrap();
    let public_key = public_key.public_key().as_ref().to_vec();
    let mut conn = scene.world.store.conn().await.unwrap();
    keep_push_keys(&mut conn, PushKeys { key_pair, public_key }, at(0)).await.unwrap();
}

/// A browser of somebody's that has subscribed at this endpoint.
async fn subscribed(scene: &Scene, who: &Somebody, target: String) -> (ContactMethodId, Browser) {
    let browser = Browser::new();
    let settings = DestinationSettings {
        p256dh: Some(browser.p256dh()),
        auth: Some(browser.auth()),
        ..DestinationSettings::default()
    };
    let (name, channel) = ("my laptop".to_owned(), Channel::WebPush);
    let new = NewContactMethod { user: who.id, name, channel, target, settings, verified: true };
    let mut conn = scene.world.store.conn().await.unwrap();
    let made = oncall::create_contact_method(&mut conn, &new, scene.world.clock.now()).await;
    (made.unwrap().unwrap(), browser)
}

/// Ann is paged in her browser.
async fn ann(scene: &mut Scene) -> (ContactMethodId, Browser) {
    keys(scene).await;
    let ann = scene.person("ann").await;
    let endpoint = scene.hooks.url("/push/ann");
    let (method, browser) = subscribed(scene, &ann, endpoint).await;
    scene.rule(&ann, method, Priority::Low, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
    (method, browser)
}

fn read(browser: Browser, message: &[u8]) -> Value {
    serde_json::from_slice(&browser.open(message).unwrap()).unwrap()
}

#[tokio::test]
async fn a_page_arrives_in_the_browser_and_leads_to_its_incident() {
    let mut scene = Scene::new().await;
    let (_, browser) = ann(&mut scene).await;
    scene.hooks.then(Answer::status(201));
    scene.error("ValueError: „bad“", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    let incident = scene.incident().await.id;
    let request = scene.hooks.next().await;
    let topic = format!("incident-{incident}");
    for (name, expected) in
        [("content-encoding", "aes128gcm"), ("ttl", "14400"), ("urgency", "high"), ("topic", topic.as_str())]
    {
        assert_eq!(request.header(name), Some(expected), "{name}");
    }
    let signed = request.header("authorization").unwrap();
    assert!(signed.starts_with("vapid t=ey") && signed.contains(", k=B"), "{signed}");
    assert!(!request.text().contains("ValueError"));
    let expected = json!({
        "title": "[SHOP-1] ValueError: „bad“", "body": "Incident, high priority, shop, production",
        "url": format!("https://bugle.example.com/incidents/{incident}"), "tag": topic, "priority": "high",
    });
    assert_eq!(read(browser, &request.body), expected);
    assert_eq!(scene.world.only().await.state, NotificationState::Sent);
    scene.quiet(30).await;
}

#[tokio::test]
async fn a_test_arrives_for_a_moment_and_the_longest_title_does() {
    let mut scene = Scene::new().await;
    let (method, browser) = ann(&mut scene).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::send_test(&mut conn, method, Uuid::now_v7(), at(0)).await.unwrap().unwrap();
    scene.send().await;
    let request = scene.hooks.next().await;
    assert_eq!((request.header("ttl"), request.header("topic")), (Some("900"), None));
    let read = read(browser, &request.body);
    assert_eq!(
        (&read["title"], &read["url"]),
        (&json!("Test message"), &json!("https://bugle.example.com/"))
    );

    scene.error(&"😀".repeat(250), Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    assert!(scene.hooks.next().await.body.len() <= 4096);
}

#[tokio::test]
async fn what_a_push_service_answers_decides() {
    use NotificationState::{Failed, Pending, Sent};
    for (status, state, enabled) in [
        (201, Sent, true),
        (200, Sent, true),
        (202, Sent, true),
        (404, Failed, false),
        (410, Failed, false),
        (400, Failed, true),
        (403, Failed, true),
        (413, Failed, true),
        (429, Pending, true),
        (500, Pending, true),
        (503, Pending, true),
        (301, Failed, true),
    ] {
        let mut scene = Scene::new().await;
        ann(&mut scene).await;
        scene.hooks.then(Answer::status(status).header("retry-after", "90"));
        scene.error("Bad", Priority::High).await;
        scene.escalate().await;
        scene.send().await;
        assert_eq!(scene.hooks.take().len(), 1, "{status}");
        let page = scene.world.only().await;
        assert_eq!(page.state, state, "{status}: {page:?}");
        let destination = scene.world.destination_now(page.destination).await;
        assert_eq!(destination.enabled, enabled, "{status}");
    }
}

#[tokio::test]
async fn a_page_without_an_answer_is_sent_again_in_the_place_of_the_first() {
    let mut scene = Scene::with(|world| world.timeouts.total = std::time::Duration::from_millis(300)).await;
    ann(&mut scene).await;
    scene.hooks.then(Answer::hang());
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    scene.world.advance(60);
    scene.send().await;
    let topics: Vec<_> =
        scene.hooks.take().iter().map(|one| one.header("topic").map(str::to_owned)).collect();
    assert_eq!(topics.len(), 2);
    assert_eq!(topics[0], topics[1]);
}

#[tokio::test]
async fn an_endpoint_in_a_private_network_is_not_called() {
    let mut scene = Scene::with(|world| world.config.allow_private_nets = Vec::new()).await;
    ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    assert!(scene.hooks.take().is_empty());
    let page = scene.world.only().await;
    assert_eq!(page.state, NotificationState::Failed);
    assert!(page.error.unwrap().contains("127.0.0.1"));
}
