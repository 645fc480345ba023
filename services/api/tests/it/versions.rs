//! Versions of things that move by themselves: only what people change is part of them.

use crate::harness::App;
use crate::requests::change;
use reqwest::Method;
use serde_json::json;

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
