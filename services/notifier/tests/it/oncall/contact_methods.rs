//! A contact method is proven by a code that is sent there.

use super::scene::{Scene, at};
use bugle_model::{Channel, ContactMethodId};
use bugle_store::oncall::{self, MAX_CODE_TRIES, Verified};
use uuid::Uuid;

async fn send_code(scene: &Scene, id: ContactMethodId, code: &str, minutes: i64) -> bool {
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::send_code(&mut conn, id, code, Uuid::now_v7(), at(minutes)).await.unwrap().is_some()
}

async fn verify(scene: &Scene, id: ContactMethodId, code: &str, minutes: i64) -> Verified {
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::verify_contact_method(&mut conn, id, code, at(minutes)).await.unwrap()
}

#[tokio::test]
async fn the_code_comes_by_the_channel_that_it_proves() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    for channel in [Channel::Email, Channel::Sms, Channel::Slack, Channel::Webhook] {
        let id = scene.unproven(&ann, channel).await;
        assert!(send_code(&scene, id, "271828", 0).await);
    }
    scene.send().await;
    let mail = scene.mail.next().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("[Bugle] 271828 is your code"));
    assert!(mail.data.contains("271828 is your code in Bugle"), "{}", mail.data);
    let text = scene.twilio.next().await.form()["Body"].clone();
    assert!(text.starts_with("Bugle: 271828 is your code"), "{text}");
    for _ in 0..2 {
        let request = scene.hooks.next().await;
        if request.target.starts_with("/slack") {
            assert!(request.text().contains("271828 is your code"), "{}", request.text());
        } else {
            assert_eq!(request.json()["type"], "contact_method.verification");
            assert_eq!(request.json()["data"]["code"], "271828");
        }
    }
}

#[tokio::test]
async fn the_right_code_proves_it_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.unproven(&ann, Channel::Sms).await;
    assert_eq!(verify(&scene, id, "271828", 0).await, Verified::NoCode);
    assert!(send_code(&scene, id, "271828", 0).await);
    scene.hears(&["sms ann"]).await;
    assert_eq!(verify(&scene, id, "314159", 1).await, Verified::Wrong);
    assert_eq!(verify(&scene, id, "271828", 1).await, Verified::Yes);
    assert_eq!(verify(&scene, id, "271828", 1).await, Verified::NoCode);
}

#[tokio::test]
async fn a_code_ends_after_a_while_and_after_a_few_tries() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.unproven(&ann, Channel::Sms).await;
    assert!(send_code(&scene, id, "271828", 0).await);
    scene.hears(&["sms ann"]).await;
    assert_eq!(verify(&scene, id, "271828", 15).await, Verified::NoCode);
    assert!(send_code(&scene, id, "271828", 20).await);
    scene.outage(20);
    scene.hears(&["sms ann"]).await;
    for _ in 0..MAX_CODE_TRIES {
        assert_eq!(verify(&scene, id, "000000", 21).await, Verified::Wrong);
    }
    assert_eq!(verify(&scene, id, "271828", 21).await, Verified::NoCode);
}

#[tokio::test]
async fn codes_are_sent_once_a_minute_at_most_and_only_the_last_one_goes() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.unproven(&ann, Channel::Sms).await;
    assert!(send_code(&scene, id, "111111", 0).await);
    assert!(!send_code(&scene, id, "222222", 0).await);
    scene.outage(1);
    assert!(send_code(&scene, id, "333333", 1).await);
    scene.send().await;
    let text = scene.twilio.next().await.form()["Body"].clone();
    assert!(text.contains("333333"), "{text}");
    scene.quiet(1).await;
}

#[tokio::test]
async fn what_is_sent_about_a_contact_method_is_in_no_list_of_the_project() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.unproven(&ann, Channel::Sms).await;
    assert!(send_code(&scene, id, "271828", 0).await);
    scene.hears(&["sms ann"]).await;
    assert!(scene.world.all().await.is_empty());
}

#[tokio::test]
async fn a_test_page_arrives() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let id = scene.reach(&ann, Channel::Sms).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::send_test(&mut conn, id, Uuid::now_v7(), at(0)).await.unwrap().unwrap();
    scene.send().await;
    let text = scene.twilio.next().await.form()["Body"].clone();
    assert!(text.starts_with("Bugle: Test message"), "{text}");
}
