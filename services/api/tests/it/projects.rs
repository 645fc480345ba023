//! Projects and outcomes.

use crate::harness::App;
use bugle_model::{Outcome, OutcomeCount};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_comes_with_a_key_and_a_dsn() {
    let app = App::start().await;
    let made = app.post("/api/v1/projects", &json!({ "name": "My shop" })).await.ok(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert_eq!(made["prefix"], "MY-SHOP");
    assert_eq!(made["dsn"], format!("http://{key}@127.0.0.1:8080/{}", made["id"]));
    assert_eq!(app.post("/api/v1/projects", &json!({ "name": "My shop" })).await.ok(409)["code"], "conflict");
    for bad in ["", "42", "a/b"] {
        assert_eq!(app.post("/api/v1/projects", &json!({ "name": bad })).await.mistakes().len(), 1, "{bad}");
    }
    // Another name with the same letters gets another prefix.
    let second = app.post("/api/v1/projects", &json!({ "name": "my-shop" })).await.ok(201);
    assert_eq!(second["prefix"], "MY-SHOP2");
    let page = app.get("/api/v1/projects?limit=1").await.ok(200);
    assert_eq!(page["items"][0]["name"], "My shop");
    let next = app.get(&format!("/api/v1/projects?cursor={}", page["next"].as_str().unwrap())).await.ok(200);
    assert_eq!((&next["items"][0]["name"], &next["next"]), (&json!("my-shop"), &json!(null)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_counted_per_hour() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let count = |outcome, reason: &str, quantity, project| OutcomeCount {
        project,
        key: None,
        outcome,
        reason: reason.to_owned(),
        category: "error".to_owned(),
        quantity,
    };
    let counts = [
        count(Outcome::Recorded, "", 7, Some(project)),
        count(Outcome::Invalid, "bad_json", 2, Some(project)),
        count(Outcome::Unauthorized, "unknown_key", 1, None),
    ];
    bugle_store::outcomes::add(&mut *app.connection().await, app.now(), &counts).await.unwrap();
    insta::assert_json_snapshot!("outcomes", app.get("/api/v1/outcomes?project=shop").await.ok(200));
    let nobody = app.get("/api/v1/outcomes?project=none").await.ok(200);
    assert_eq!(nobody["items"][0]["reason"], "unknown_key");
    assert_eq!(
        app.get("/api/v1/outcomes?project=shop&until=2027-01-01T00:00:00Z").await.ok(200)["items"],
        json!([])
    );
    assert_eq!(app.get("/api/v1/outcomes?from=now").await.mistakes().len(), 2);

    // More than a page: where it goes on is said.
    let many: Vec<_> =
        (0..10_001).map(|n| count(Outcome::Filtered, &format!("{n:05}"), n + 1, Some(project))).collect();
    bugle_store::outcomes::add(&mut *app.connection().await, app.now(), &many).await.unwrap();
    let first = app.get("/api/v1/outcomes?project=shop").await.ok(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 10_000);
    let next = format!("/api/v1/outcomes?project=shop&cursor={}", first["next"].as_str().unwrap());
    let second = app.get(&next).await.ok(200);
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (3, &json!(null)));
    let last = first["items"].as_array().unwrap().last().unwrap();
    assert_ne!(last, &second["items"][0]);
    app.stop().await;
}
