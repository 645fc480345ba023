//! Changing a destination, and switching it on again.

use crate::harness::{Answer, App, TOKEN};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::{Value, json};

/// A webhook of the project `shop` with a secret header; its path.
async fn webhook(app: &App) -> String {
    let list = "/api/v1/projects/shop/destinations";
    let body = json!({
        "channel": "webhook", "target": "https://one.example.com/hook",
        "settings": { "headers": { "X-Team": "s3cret" }, "environments": ["production"] },
    });
    let made = app.post(list, &body).await.ok(201);
    format!("{list}/{}", made["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_a_destination_can_be_changed() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    let mut expected = app.get(&path).await.ok(200);
    for (change, field, now) in [
        (json!({}), "enabled", json!(true)),
        (
            json!({ "target": " https://one.example.com/other " }),
            "target",
            json!("https://one.example.com/other"),
        ),
        (json!({ "min_priority": "critical" }), "min_priority", json!("critical")),
        (json!({ "enabled": false }), "enabled", json!(false)),
    ] {
        expected[field] = now;
        assert_eq!(app.patch(&path, &change).await.ok(200), expected, "{change}");
    }
    for (field, given, now) in [
        ("environments", json!(["staging"]), json!(["staging"])),
        ("kinds", json!(["new"]), json!(["new"])),
        ("template", json!("{{ title }}"), json!("{{ title }}")),
        (
            "headers",
            json!({ "X-Team": "[hidden]", "X-Other": "s3cret too" }),
            json!({ "X-Team": "[hidden]", "X-Other": "[hidden]" }),
        ),
    ] {
        expected["settings"][field] = now;
        assert_eq!(app.patch(&path, &json!({ "settings": { field: given } })).await.ok(200), expected);
    }
    assert_eq!(app.get(&path).await.ok(200), expected);
    app.patch(&path, &json!({ "settings": { "template": null, "kinds": [] } })).await.ok(200);
    let settings = app.get(&path).await.ok(200)["settings"].clone();
    assert_eq!((&settings["template"], &settings["kinds"]), (&Value::Null, &Value::Null));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_header_is_not_sent_to_another_server() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    let before = app.get(&path).await.ok(200);
    for change in [
        json!({ "target": "https://two.example.com/hook" }),
        json!({ "target": "https://one.example.com:8443/hook", "settings": before["settings"] }),
    ] {
        let mistakes = app.patch(&path, &change).await.mistakes();
        let told = "settings.headers: the target is on another server: give the value of `X-Team` again, or leave it out";
        assert_eq!(mistakes, [told], "{change}");
        assert_eq!(app.get(&path).await.ok(200), before);
    }
    let given = json!({ "target": "https://two.example.com/hook", "settings": { "headers": { "X-Team": "s3cret" } } });
    assert_eq!(app.patch(&path, &given).await.ok(200)["target"], "https://two.example.com/hook");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_when_they_are_given_as_they_are_shown() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    let secrets =
        "SELECT settings ->> 'secret', settings -> 'headers' ->> 'X-Team' FROM destinations WHERE id = 1";
    let before = app.database.rows(secrets).await.unwrap();
    assert!(before[0].starts_with("whsec_") && before[0].ends_with("|s3cret"), "{before:?}");
    let settings = app.get(&path).await.ok(200)["settings"].clone();
    assert_eq!(settings["secret"], "[hidden]");
    for change in [json!({ "settings": settings }), json!({ "settings": { "environments": [] } }), json!({})]
    {
        app.patch(&path, &change).await.ok(200);
        assert_eq!(app.database.rows(secrets).await.unwrap(), before, "{change}");
    }
    let another = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let changed = app.patch(&path, &json!({ "settings": { "secret": another, "headers": {} } })).await;
    assert!(!changed.text.contains(another), "{}", changed.text);
    assert_eq!(changed.ok(200)["settings"]["secret"], "[hidden]");
    assert_eq!(app.database.rows(secrets).await.unwrap(), [format!("{another}|")]);

    let slack = json!({ "channel": "slack", "target": "C0123456789", "settings": { "bot_token": "xoxb-1" } });
    let made = app.post("/api/v1/projects/shop/destinations", &slack).await.ok(201);
    let slack = format!("/api/v1/projects/shop/destinations/{}", made["id"]);
    app.patch(&slack, &json!({ "target": "C0123", "settings": { "bot_token": "[hidden]" } })).await.ok(200);
    let kept = "SELECT target, settings ->> 'bot_token' FROM destinations WHERE channel = 2";
    assert_eq!(app.database.rows(kept).await.unwrap(), ["C0123|xoxb-1"]);
    let hook = "https://hooks.slack.com/services/T0/B0/x";
    app.patch(&slack, &json!({ "target": hook, "settings": { "bot_token": null } })).await.ok(200);
    assert_eq!(app.database.rows(kept).await.unwrap(), [format!("{hook}|")]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_switched_off_is_switched_on_again() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    app.database
        .execute(
            "UPDATE destinations SET enabled = false, disabled_reason = 'answered 410', failures = 7,
                 open_until = '2027-01-15T13:00:00Z'",
        )
        .await
        .unwrap();
    let changed = app.patch(&path, &json!({ "min_priority": "high", "enabled": false })).await.ok(200);
    assert_eq!((&changed["disabled_reason"], &changed["failures"]), (&json!("answered 410"), &json!(7)));
    let on = app.patch(&path, &json!({ "enabled": true })).await.ok(200);
    assert_eq!((&on["enabled"], &on["disabled_reason"]), (&json!(true), &Value::Null));
    assert_eq!((&on["failures"], &on["open_until"]), (&json!(0), &Value::Null));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_is_in_the_audit_log_without_secrets() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    app.patch(&path, &json!({ "enabled": false, "min_priority": "high" })).await.ok(200);
    let change = json!({ "target": "https://s3cret.example.com", "settings": { "headers": { "X-Team": "s3cret 2" } } });
    app.patch(&path, &change).await.ok(200);
    let log = app.get("/api/v1/audit?action=destination.updated").await;
    assert!(!log.text.contains("s3cret"), "{}", log.text);
    let log = log.ok(200);
    let (last, first) = (&log["items"][0], &log["items"][1]);
    let before = json!({ "channel": "webhook", "min_priority": "low", "enabled": true });
    let after = json!({ "channel": "webhook", "min_priority": "high", "enabled": false });
    assert_eq!((&first["before"], &first["after"]), (&before, &after));
    assert_eq!(first["target"], json!({ "kind": "destination", "id": "1", "name": "shop" }));
    assert_eq!(last["after"]["changed"], json!(["target", "settings.headers"]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_changes_nothing() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("blog").await;
    let path = webhook(&app).await;
    let before = app.get(&path).await.ok(200);
    for (change, mistake) in [
        (json!({ "target": "ftp://x", "enabled": false }), "target: expected an http:// or https:// URL"),
        (json!({ "target": "" }), "target: is empty"),
        (json!({ "min_priority": "loud" }), "min_priority: "),
        (json!({ "channel": "email" }), "channel: unknown field"),
        (json!({ "settings": { "kind": [] } }), "settings.kind: unknown field"),
        (json!({ "settings": { "kinds": ["test"] } }), "settings.kinds: "),
        (json!({ "settings": { "secret": "short" } }), "settings.secret: expected `whsec_`"),
        (json!({ "settings": { "bot_token": "xoxb-1" } }), "settings.bot_token: only for the channel slack"),
        (json!({ "settings": { "headers": { "Host": "x" } } }), "settings.headers: `host` is set by Bugle"),
        (json!({ "settings": { "headers": { "X-New": "[hidden]" } } }), "settings.headers: `x-new`: "),
        (json!({ "settings": [[]] }), "settings: invalid type: sequence, expected an object"),
    ] {
        let mistakes = app.patch(&path, &change).await.mistakes();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(mistake), "{change}: {mistakes:?}");
    }
    assert_eq!(app.get(&path).await.ok(200), before);
    for other in ["/api/v1/projects/blog/destinations/1", "/api/v1/projects/shop/destinations/x"] {
        assert_eq!(app.get(other).await.status, 404);
        assert_eq!(app.patch(other, &json!({ "enabled": false })).await.status, 404);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_changes_nothing_and_sees_no_secret() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (_, ann) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let (_, ben) = person(&app, "ben", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    ann.post(&app, "/api/v1/projects", &json!({ "name": "shop" })).await.ok(201);
    let body = json!({ "channel": "slack", "target": "https://hooks.slack.com/services/T0/B0/s3cret" });
    let made = ann.post(&app, "/api/v1/projects/shop/destinations", &body).await.ok(201);
    let path = format!("/api/v1/projects/shop/destinations/{}", made["id"]);
    assert_eq!(ben.patch(&app, &path, &json!({ "enabled": false })).await.status, 403);
    assert_eq!(ben.get(&app, &path).await.ok(200)["target"], "https://hooks.slack.com/…");
    let seen = ann.get(&app, &path).await.ok(200);
    assert_eq!((&seen["target"], &seen["enabled"]), (&body["target"], &json!(true)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_changed_of_the_version_that_is_known() {
    let app = App::start().await;
    app.project("shop").await;
    let path = webhook(&app).await;
    let change = async |tag: &str, body: Value| -> Answer {
        let request = app.client.patch(app.url(&path)).bearer_auth(TOKEN).header("if-match", tag);
        app.send(request.json(&body)).await
    };
    let first = app.get(&path).await.header("etag").to_owned();
    // What the notifier counts is no change of somebody's.
    let counted = "UPDATE destinations SET failures = failures + 1, open_until = '2027-01-15T13:00:00Z'";
    app.database.execute(counted).await.unwrap();
    assert_eq!(app.get(&path).await.header("etag"), first);
    let changed = change(&first, json!({ "min_priority": "high" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let second = changed.header("etag").to_owned();
    assert_ne!(second, first);
    assert_eq!(change(&first, json!({ "enabled": false })).await.status, 412);
    assert_eq!(app.get(&path).await.ok(200)["enabled"], true);
    assert_eq!(change(&second, json!({ "enabled": false })).await.status, 200);
    app.stop().await;
}
