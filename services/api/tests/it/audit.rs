//! The audit log: complete, filterable, without secrets, and only ever longer.

use crate::harness::App;
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_what_from_where_before_and_after() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (ann_id, ann) = person(&app, "ann", InstallationRole::Owner, &[(blue, TeamRole::Manager)]).await;
    let (_, ben) = person(&app, "ben", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    ann.post(&app, "/api/v1/projects", &json!({ "name": "shop", "team": blue })).await.ok(201);
    ann.patch(&app, "/api/v1/projects/shop", &json!({ "name": "store" })).await.ok(200);
    let hook = json!({ "channel": "slack", "target": "https://hooks.slack.com/services/T0/B0/secret" });
    ann.post(&app, "/api/v1/projects/store/destinations", &hook).await.ok(201);
    app.patch("/api/v1/projects/store", &json!({ "settings": { "retention": 7 } })).await.ok(200);
    ben.post(&app, "/api/v1/projects", &json!({ "name": "till" })).await.ok(201);

    let all = ann.get(&app, "/api/v1/audit").await;
    assert!(!all.text.contains("secret"), "{}", all.text);
    let all = all.ok(200);
    let actions: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["project.created", "project.updated", "destination.created", "project.updated", "project.created"]
    );
    let renamed = &all["items"][3];
    assert_eq!(renamed["actor"], json!({ "kind": "user", "id": ann_id, "name": "ann" }));
    assert_eq!(renamed["target"], json!({ "kind": "project", "id": "1", "name": "store" }));
    assert_eq!((&renamed["before"]["name"], &renamed["after"]["name"]), (&json!("shop"), &json!("store")));
    assert_eq!(renamed["address"], "127.0.0.1");
    assert_eq!(all["items"][1]["actor"]["kind"], "token");

    let count = async |query: &str| {
        ann.get(&app, &format!("/api/v1/audit?{query}")).await.ok(200)["items"].as_array().unwrap().len()
    };
    assert_eq!(count("actor=token").await, 1);
    assert_eq!(count(&format!("actor=user:{ann_id}")).await, 3);
    assert_eq!(count("actor=ben").await, 1);
    assert_eq!(count("action=project").await, 4);
    assert_eq!(count("action=project.updated&team=1").await, 2);
    assert_eq!(count("since=2099-01-01T00:00:00Z").await, 0);
    assert_eq!(count("until=2099-01-01T00:00:00Z&limit=2").await, 2);
    let first = ann.get(&app, "/api/v1/audit?limit=4").await.ok(200);
    assert_eq!(count(&format!("cursor={}", first["next"].as_str().unwrap())).await, 1);
    assert_eq!(ann.get(&app, "/api/v1/audit?actor=user:x&team=blue&since=now").await.mistakes().len(), 3);

    let of_ben = ben.get(&app, "/api/v1/audit").await.ok(200);
    assert_eq!(of_ben["items"].as_array().unwrap().len(), 1);
    assert_eq!(ben.get(&app, "/api/v1/audit?team=1").await.ok(200)["items"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_teams_read_of_a_project_that_moves() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let both = [(blue, TeamRole::Manager), (red, TeamRole::Manager)];
    let (_, ann) = person(&app, "ann", InstallationRole::Member, &both).await;
    let (_, ben) = person(&app, "ben", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let (_, cat) = person(&app, "cat", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    ann.post(&app, "/api/v1/projects", &json!({ "name": "shop", "team": blue })).await.ok(201);
    ann.patch(&app, "/api/v1/projects/shop", &json!({ "team": red })).await.ok(200);
    for manager in [&ben, &cat] {
        let log = manager.get(&app, "/api/v1/audit?action=project.updated").await.ok(200);
        let entry = &log["items"][0];
        assert_eq!((&entry["before"]["team"], &entry["after"]["team"]), (&json!(blue), &json!(red)), "{log}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_to_change_it() {
    let app = App::start().await;
    app.post("/api/v1/projects", &json!({ "name": "shop" })).await.ok(201);
    for sql in ["UPDATE audit_log SET actor_name = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        let error = app.database.execute(sql).await.unwrap_err();
        assert!(format!("{error:?}").contains("append-only"), "{sql}: {error:?}");
    }
    assert_eq!(app.database.number("SELECT count(*) FROM audit_log").await.unwrap(), 1);
    app.stop().await;
}
