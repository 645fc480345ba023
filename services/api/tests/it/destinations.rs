//! Destinations and notifications.

use crate::harness::{App, TOKEN};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole, TokenScope};
use bugle_store::tokens::{self, NewToken};
use bugle_web::auth;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_made_shown_tested_and_removed() {
    let app = App::start().await;
    app.project("shop").await;
    let path = "/api/v1/projects/shop/destinations";
    let body =
        json!({ "channel": "webhook", "target": "https://hooks.example.com/bugle", "min_priority": "low" });
    let mut made = app.post(path, &body).await.ok(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    made["secret"] = Value::Null;
    insta::assert_json_snapshot!("destination", made);

    let listed = app.get(path).await;
    assert!(!listed.text.contains(&secret));
    assert_eq!(listed.ok(200)["items"][0]["target"], "https://hooks.example.com/bugle");

    let test = app.post(&format!("{path}/{}/test", made["id"]), &json!({})).await.ok(202);
    let again = app.post(&format!("{path}/{}/test", made["id"]), &json!({})).await.ok(409);
    assert!(again["detail"].as_str().unwrap().starts_with("a test is on its way"), "{again}");
    let log = app.get("/api/v1/audit?action=destination.tested").await.ok(200);
    assert_eq!(
        (&log["items"][0]["target"]["id"], &log["items"][1]),
        (&json!(made["id"].to_string()), &Value::Null)
    );
    let notifications = app.get("/api/v1/notifications?project=shop").await.ok(200);
    assert_eq!(notifications["items"][0]["id"], test["notification"]);
    assert_eq!(notifications["items"][0]["kind"], "test");
    assert_eq!(app.get("/api/v1/notifications?issue=4711").await.ok(200)["items"], json!([]));

    app.project("blog").await;
    let remove = async |project: &str| {
        let url = app.url(&format!("/api/v1/projects/{project}/destinations/{}", made["id"]));
        app.send(app.client.delete(url).bearer_auth(TOKEN)).await.status
    };
    assert_eq!(remove("blog").await, 404);
    assert_eq!(remove("shop").await, 204);
    assert_eq!(remove("shop").await, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_url_is_for_managers() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (_, ann) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let (_, ben) = person(&app, "ben", InstallationRole::Member, &[(blue, TeamRole::Member)]).await;
    let new = NewToken {
        name: "reader",
        scopes: &[TokenScope::Read],
        team: Some(blue),
        created_by: None,
        expires_at: None,
    };
    let hash = auth::hash("reader");
    tokens::create_scoped(&mut *app.connection().await, &new, &hash, app.now()).await.unwrap();
    ann.post(&app, "/api/v1/projects", &json!({ "name": "shop" })).await.ok(201);
    let path = "/api/v1/projects/shop/destinations";
    let secret = "https://hooks.slack.com/services/T0/B0/secret";
    ann.post(&app, path, &json!({ "channel": "slack", "target": secret })).await.ok(201);
    ann.post(&app, path, &json!({ "channel": "email", "target": "ops@example.com" })).await.ok(201);

    let of_token = app.send(app.client.get(app.url(path)).bearer_auth("reader")).await;
    for seen in [ben.get(&app, path).await, of_token] {
        assert!(!seen.text.contains("secret"), "{}", seen.text);
        let seen = seen.ok(200);
        let targets = [&seen["items"][0]["target"], &seen["items"][1]["target"]];
        assert_eq!(targets, ["https://hooks.slack.com/…", "ops@example.com"]);
    }
    for seen in [ann.get(&app, path).await, app.get(path).await] {
        assert_eq!(seen.ok(200)["items"][0]["target"], secret);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let app = App::start().await;
    app.project("shop").await;
    let path = "/api/v1/projects/shop/destinations";
    let mistakes = app.post(path, &json!({ "channel": "webhook", "target": "ftp://x" })).await.mistakes();
    assert!(mistakes[0].starts_with("target: "), "{mistakes:?}");
    let mistakes = app.post(path, &json!({ "channel": "pigeon", "target": "x" })).await.mistakes();
    assert!(mistakes[0].starts_with("channel: unknown variant `pigeon`"), "{mistakes:?}");
    let mistakes = app.post(path, &json!({ "channel": "sms" })).await.mistakes();
    assert_eq!(mistakes, ["target: missing field `target`"]);
    let body = json!({ "channel": "webhook", "target": "https://x.example.com", "settings": { "kind": [] } });
    let mistakes = app.post(path, &body).await.mistakes();
    assert!(mistakes[0].starts_with("settings.kind: unknown field"), "{mistakes:?}");
    assert_eq!(app.post("/api/v1/projects/none/destinations", &body).await.status, 422);
    let body = json!({ "channel": "webhook", "target": "https://x.example.com" });
    assert_eq!(app.post("/api/v1/projects/none/destinations", &body).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_not_taken_for_the_fields_of_an_object() {
    let app = App::start().await;
    app.project("shop").await;
    let settings = json!({ "settings": { "quota": [null, null] } });
    let changed = app.patch("/api/v1/projects/shop", &settings).await;
    assert_eq!(changed.mistakes(), ["settings.quota: expected an object"]);
    let body = json!({ "channel": "webhook", "target": "https://x.example.com", "settings": [[], []] });
    let made = app.post("/api/v1/projects/shop/destinations", &body).await;
    assert_eq!(made.mistakes(), ["settings: invalid type: sequence, expected an object"]);
    let team = app.post("/api/v1/teams", &json!(["blue"])).await;
    assert_eq!(team.mistakes(), ["body: is a list; expected an object"]);
    app.stop().await;
}
