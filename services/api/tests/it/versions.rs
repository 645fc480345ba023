//! Versions of things that move by themselves, of which only what people change is part, and of parts of other things.

use crate::harness::{Answer, App};
use crate::people::{Browser, person, team};
use crate::requests::change;
use crate::workflow::Scene;
use bugle_model::{InstallationRole, TeamRole};
use reqwest::Method;
use serde_json::{Value, json};

/// Changes a thing of the version that is read, which can then be changed of the next version only. That version.
async fn changed_once(app: &App, method: Method, path: &str, bodies: [&Value; 2]) -> String {
    let first = app.get(path).await.header("etag").to_owned();
    let changed = change(app, method.clone(), path, &first, bodies[0]).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let next = changed.header("etag").to_owned();
    assert_ne!(next, first);
    let read = app.get(path).await;
    assert_eq!(read.header("etag"), next);
    assert_eq!(read.ok(200), changed.body);
    for method in [method, Method::DELETE] {
        let late = change(app, method, path, &first, bodies[1]).await.ok(412);
        assert_eq!(late["code"], "precondition_failed");
    }
    assert_eq!(app.get(path).await.header("etag"), next);
    next
}

/// What somebody of another team is answered who reads and changes it.
async fn of_others(app: &App, other: &Browser, method: Method, path: &str, body: &Value) -> [u16; 3] {
    let changed = other.send(app, method, path, Some(body)).await.status;
    [other.get(app, path).await.status, changed, other.delete(app, path).await.status]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_changed_of_the_version_that_is_known() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let red = team(app, "red").await;
    let (_, cy) = person(app, "Cy", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    let list = "/api/v1/projects/shop/keys";
    let made = app.post(list, &json!({ "label": "web", "per_minute": 100 })).await.ok(201);
    let path = format!("{list}/{}", made["id"]);
    assert_eq!(app.get(&path).await.ok(200), made);
    assert!(app.get(list).await.ok(200)["items"].as_array().unwrap().contains(&made));
    // Whoever sees the list sees the key.
    scene.bob.1.get(app, &path).await.ok(200);
    let (off, other) = (json!({ "enabled": false }), json!({ "label": "other" }));
    let next = changed_once(app, Method::PATCH, &path, [&off, &other]).await;

    assert_eq!(of_others(app, &cy, Method::PATCH, &path, &off).await, [404; 3]);
    cy.post(app, "/api/v1/projects", &json!({ "name": "till" })).await.ok(201);
    let theirs = format!("/api/v1/projects/till/keys/{}", made["id"]);
    assert_eq!(of_others(app, &cy, Method::PATCH, &theirs, &off).await, [404; 3]);
    assert_eq!(app.get(&format!("{list}/x")).await.status, 404);
    change(app, Method::DELETE, &path, &next, &json!({})).await.ok(204);
    assert_eq!(app.get(&path).await.status, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_changed_of_the_version_that_is_known() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let made = app.post(&scene.path("/comments"), &json!({ "text": "one" })).await.ok(201);
    let path = scene.path(&format!("/comments/{}", made["id"]));
    assert_eq!(app.get(&path).await.ok(200), made);
    assert_eq!(scene.activity().await, std::slice::from_ref(&made));
    // It is read by whoever sees the issue, and changed by whoever wrote it.
    assert_eq!(scene.bob.1.get(app, &path).await.ok(200), made);
    let (two, three) = (json!({ "text": "two" }), json!({ "text": "three" }));
    assert_eq!(scene.ann.1.patch(app, &path, &two).await.status, 403);
    let next = changed_once(app, Method::PATCH, &path, [&two, &three]).await;

    let red = team(app, "red").await;
    let (_, cy) = person(app, "Cy", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(of_others(app, &cy, Method::PATCH, &path, &three).await, [404; 3]);
    let other = app.issue(app.project("till").await, 1, "Other", 5).await;
    let there = format!("/api/v1/issues/{other}/comments/{}", made["id"]);
    assert_eq!(app.get(&there).await.status, 404);
    assert_eq!(app.get(&scene.path("/comments/x")).await.status, 404);
    // What else happened to it is no comment.
    app.patch(&scene.path(""), &json!({ "priority": "low" })).await.ok(200);
    let entry = scene.activity().await[0]["id"].clone();
    assert_eq!(app.get(&scene.path(&format!("/comments/{entry}"))).await.status, 404);
    change(app, Method::DELETE, &path, &next, &json!({})).await.ok(204);
    assert_eq!(app.get(&path).await.status, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_changed_of_the_version_that_is_known() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let path = format!("/api/v1/teams/{}/members/{}", scene.team, scene.bob.0);
    let member = json!({
        "id": scene.bob.0, "name": "Bob Lee", "email": "Bob Lee@example.com", "role": "viewer", "disabled": false,
    });
    assert_eq!(scene.ann.1.get(app, &path).await.ok(200), member);
    let (manager, viewer) = (json!({ "role": "manager" }), json!({ "role": "viewer" }));
    let next = changed_once(app, Method::PUT, &path, [&manager, &viewer]).await;

    let red = team(app, "red").await;
    let (cy_id, cy) = person(app, "Cy", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(of_others(app, &cy, Method::PUT, &path, &viewer).await, [404; 3]);
    for nobody in [cy_id.to_string(), "x".to_owned()] {
        let path = format!("/api/v1/teams/{}/members/{nobody}", scene.team);
        assert_eq!(app.get(&path).await.status, 404, "{nobody}");
    }
    change(app, Method::DELETE, &path, &next, &json!({})).await.ok(204);
    assert_eq!(app.get(&path).await.status, 404);
    // Whoever read it before does not put them in again.
    for known in [next.as_str(), "*"] {
        change(app, Method::PUT, &path, known, &viewer).await.ok(412);
    }
    assert_eq!(app.get(&path).await.status, 404);
    let put = app.client.put(app.url(&path)).bearer_auth(crate::harness::TOKEN);
    app.send(put.json(&viewer)).await.ok(200);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_of_the_version_that_is_known() {
    let scene = Scene::new().await;
    let (app, path) = (&scene.app, "/api/v1/account");
    let (id, ann) = (scene.ann.0, &scene.ann.1);
    let change = async |tag: &str, body: Value| -> Answer {
        let request = app.client.patch(app.url(path)).header("cookie", &ann.cookie);
        app.send(request.header("x-csrf-token", &ann.csrf).header("if-match", tag).json(&body)).await
    };
    let read = ann.get(app, path).await;
    let first = read.header("etag").to_owned();
    let account = read.ok(200);
    assert_eq!((&account["id"], &account["name"]), (&json!(id), &json!("Ann")));
    assert_eq!(ann.get(app, "/api/v1/session").await.ok(200)["user"], account);

    let changed = change(&first, json!({ "time_zone": "Europe/Berlin" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let next = changed.header("etag").to_owned();
    assert_ne!(next, first);
    let read = ann.get(app, path).await;
    assert_eq!(read.header("etag"), next);
    assert_eq!(read.ok(200), changed.body);
    assert_eq!(change(&first, json!({ "name": "Anne" })).await.status, 412);
    assert_eq!(ann.get(app, path).await.ok(200)["name"], "Ann");
    change(&next, json!({ "name": "Anne" })).await.ok(200);
    // Each reads their own, and a token has none.
    assert_eq!(scene.bob.1.get(app, path).await.ok(200)["name"], "Bob Lee");
    assert_eq!(app.get(path).await.status, 403);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_changed_while_its_events_come_in() {
    let app = App::start().await;
    let shop = app.project("shop").await;
    app.post("/api/v1/releases", &json!({ "project": "shop", "version": "1.0.0" })).await.ok(201);
    let path = format!("/api/v1/releases/{shop}:1.0.0");
    let tag = app.get(&path).await.header("etag").to_owned();

    // What the recorder does with an event, and the workflow with an issue.
    app.issue(shop, 1, "Bad", 0).await;
    app.database
        .execute(
            "INSERT INTO release_counts SELECT id, 3, '2027-01-02Z', '2027-01-03Z' FROM releases;
             UPDATE issues SET first_release_id = r.id, resolved_release_id = r.id, resolution = 2 FROM releases r;
             INSERT INTO issue_activity (issue_id, at, kind, data)
                 SELECT id, active_at, 'regressed', '{\"release\": \"1.0.0\"}' FROM issues",
        )
        .await
        .unwrap();
    let moved = app.get(&path).await;
    assert_eq!(moved.header("etag"), tag);
    let moved = moved.ok(200);
    let counts = ["events", "new_issues", "regressed_issues", "resolved_issues"];
    assert_eq!(counts.map(|count| moved[count].as_i64().unwrap()), [3, 1, 1, 1]);
    let times = ["first_seen", "last_seen"].map(|time| moved[time].as_str().unwrap());
    assert_eq!(times, ["2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"]);

    let archived = json!({ "status": "archived" });
    let changed = change(&app, Method::PATCH, &path, &tag, &archived).await;
    let next = changed.header("etag").to_owned();
    assert_eq!(changed.ok(200)["status"], "archived");
    assert_ne!(next, tag);
    for method in [Method::PATCH, Method::DELETE] {
        change(&app, method, &path, &tag, &archived).await.ok(412);
    }
    app.database.execute("UPDATE release_counts SET events = 4, last_event = '2027-01-04Z'").await.unwrap();
    // It is of the version that was read, and stays for its events.
    change(&app, Method::DELETE, &path, &next, &json!({})).await.ok(409);
    app.stop().await;
}
