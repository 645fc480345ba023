//! Destinations and notifications.

use crate::harness::{App, TOKEN};
use crate::people::{person, team};
use bugle_model::{Channel, InstallationRole, TeamRole, TokenScope};
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
    assert_eq!(notifications["items"][0]["issue_short_id"], Value::Null);
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

/// A notification about an issue to each kind of destination that there is: of a project, and of a person.
async fn told_everywhere(app: &App) {
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "Bad", 1).await;
    let (ann, _) = person(app, "ann", InstallationRole::Member, &[]).await;
    let (email, slack, sms, webhook) =
        (Channel::Email.code(), Channel::Slack.code(), Channel::Sms.code(), Channel::Webhook.code());
    let at = "'2027-01-01T00:00:00Z'";
    app.database
        .execute(&format!(
            "INSERT INTO destinations (id, project_id, user_id, channel, target, min_priority, created_at) VALUES
                 (11, {project}, NULL, {email}, 'ops@example.com', 1, {at}),
                 (12, {project}, NULL, {sms}, '+15005550001', 1, {at}),
                 (13, {project}, NULL, {slack}, 'https://hooks.slack.com/services/T0/B0/secret', 1, {at}),
                 (14, {project}, NULL, {slack}, 'C0123456', 1, {at}),
                 (15, {project}, NULL, {webhook}, 'https://ann:secret@example.com:8443/hook?token=secret', 1, {at}),
                 (16, NULL, {ann}, {sms}, '+15005550002', 1, {at}),
                 (17, NULL, {ann}, {sms}, '+15005550003', 1, {at});
             INSERT INTO contact_methods (destination_id, name) VALUES (16, 'My phone');
             INSERT INTO notifications (id, message_id, project_id, issue_id, destination_id, kind, priority, received_at,
                     created_at, next_at)
                 SELECT id, gen_random_uuid(), {project}, {issue}, id, 1, 3, {at}, {at}, {at} FROM destinations"
        ))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_says_where_it_goes_and_tells_no_secret() {
    let app = App::start().await;
    told_everywhere(&app).await;
    let all = app.get("/api/v1/notifications").await;
    assert!(!all.text.contains("secret") && !all.text.contains("+1500555"), "{}", all.text);
    let all = all.ok(200);
    let items = all["items"].as_array().unwrap();
    let names: Vec<&str> = items.iter().map(|one| one["destination_name"].as_str().unwrap()).collect();
    let expected = [
        "sms",
        "My phone",
        "https://example.com:8443/…",
        "C0123456",
        "https://hooks.slack.com/…",
        "+•••••••0001",
        "ops@example.com",
    ];
    assert_eq!(names, expected);
    assert!(items.iter().all(|one| one["issue_short_id"] == "SHOP-1"), "{all}");

    let of_one = app.get("/api/v1/notifications?destination=14").await.ok(200);
    assert_eq!((&of_one["items"][0]["destination"], &of_one["items"][1]), (&json!(14), &Value::Null));
    let mistakes = app.get("/api/v1/notifications?destination=x").await.mistakes();
    assert_eq!(mistakes, ["destination: `x` is not a destination's id"]);
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
