//! Contact methods that reach people only: web push, and calls.

use crate::harness::App;
use crate::oncall::{Crew, crew_of};
use bugle_testkit::push::Browser;
use serde_json::{Value, json};

const METHODS: &str = "/api/v1/account/contact-methods";
const KEY: &str = "/api/v1/account/web-push-key";

async fn crew() -> Crew {
    crew_of(App::start().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_made_once_and_the_same_for_everybody() {
    let Crew { app, member: ann, boss, .. } = crew().await;
    let (one, two) = tokio::join!(ann.get(&app, KEY), boss.get(&app, KEY));
    let (one, two) = (one.ok(200), two.ok(200));
    assert_eq!(one, two);
    assert_eq!(ann.get(&app, KEY).await.ok(200), one);
    let key = one["key"].as_str().unwrap();
    // 65 bytes, of which the first says that a point follows uncompressed.
    assert!(key.len() == 87 && key.starts_with('B'), "{key}");
    let kept = "SELECT count(*) FROM web_push_keys";
    assert_eq!(app.database.number(kept).await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_subscribes_needs_no_code_and_keeps_its_secret() {
    let Crew { app, member: ann, .. } = crew().await;
    let browser = Browser::new();
    let endpoint = "https://push.example.com/send/1";
    let body = json!({
        "name": "my laptop", "channel": "web_push", "target": endpoint, "p256dh": browser.p256dh(), "auth": browser.auth(),
    });
    let made = ann.post(&app, METHODS, &body).await.ok(201);
    assert!(made["verified_at"].is_string(), "{made}");
    assert_eq!((&made["channel"], &made["target"]), (&json!("web_push"), &json!(endpoint)));
    let log = app.get("/api/v1/audit?action=contact_method.created").await.ok(200);
    let shown = format!("{made}{}{log}", ann.get(&app, METHODS).await.ok(200));
    assert!(!shown.contains(&browser.auth()) && !shown.contains(&browser.p256dh()), "{shown}");
    assert!(!log.to_string().contains(endpoint));
    ann.post(&app, &format!("{METHODS}/{}/test", made["id"]), &json!({})).await.ok(202);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_subscription_names_the_field() {
    let Crew { app, member: ann, .. } = crew().await;
    let body = json!({ "name": "laptop", "channel": "web_push", "target": "http://push.example.com/1", "p256dh": "BA" });
    assert_eq!(
        ann.post(&app, METHODS, &body).await.mistakes(),
        [
            "target: expected the https:// URL of a push service",
            "p256dh: expected 65 bytes in base64url, of the browser's subscription",
            "auth: expected 16 bytes in base64url, of the browser's subscription",
        ]
    );
    let body =
        json!({ "name": "hook", "channel": "webhook", "target": "https://example.com/", "auth": "AA" });
    assert_eq!(ann.post(&app, METHODS, &body).await.mistakes(), ["auth: only for the channel web_push"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_made_to_a_number_that_was_proven() {
    let Crew { app, member: ann, .. } = crew().await;
    let body = json!({ "name": "phone", "channel": "voice", "target": "5005550001" });
    let mistakes = ann.post(&app, METHODS, &body).await.mistakes();
    assert_eq!(mistakes, ["target: expected a number in E.164 such as +15005550006"]);
    let body = json!({ "name": "phone", "channel": "voice", "target": "+15005550001" });
    let made = ann.post(&app, METHODS, &body).await.ok(201);
    assert_eq!((&made["channel"], &made["verified_at"]), (&json!("voice"), &Value::Null));
    ann.post(&app, &format!("{METHODS}/{}/code", made["id"]), &json!({})).await.ok(202);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_calls_nobody_and_has_no_browser() {
    let Crew { app, boss, project, .. } = crew().await;
    let path = format!("/api/v1/projects/{project}/destinations");
    let body = json!({ "channel": "voice", "target": "+15005550001" });
    let mistakes = boss.post(&app, &path, &body).await.mistakes();
    assert_eq!(mistakes, ["channel: voice reaches people: as a contact method of theirs"]);
    let body = json!({ "channel": "web_push", "target": "https://push.example.com/1" });
    let mistakes = boss.post(&app, &path, &body).await.mistakes();
    assert!(
        mistakes.contains(&"channel: web_push reaches people: as a contact method of theirs".to_owned()),
        "{mistakes:?}"
    );
    app.stop().await;
}
