//! What the console shows: numbers over time, activity, tags, grouping, search, and the dashboard's own files.

use crate::harness::{App, ids, noon};
use bugle_model::{Event, IssueId, ProjectId};
use serde_json::{Value, json};
use uuid::Uuid;

async fn hours(app: &App, project: ProjectId, issue: IssueId) {
    app.database
        .execute(&format!(
            "INSERT INTO issue_hours (issue_id, hour, events)
             VALUES ({issue}, '2027-01-15T12:00:00Z', 3), ({issue}, '2027-01-15T10:00:00Z', 4),
                    ({issue}, '2027-01-10T10:00:00Z', 50);
             INSERT INTO project_hours (project_id, hour, level, events)
             VALUES ({project}, '2027-01-15T12:00:00Z', 40, 3), ({project}, '2027-01-15T10:00:00Z', 50, 4),
                    ({project}, '2027-01-10T10:00:00Z', 40, 50);"
        ))
        .await
        .unwrap();
}

fn sum(list: &Value) -> i64 {
    list.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_over_time_by_project_and_level() {
    let app = App::start().await;
    assert_eq!(noon().to_rfc3339(), "2027-01-15T12:00:00+00:00");
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    let issue = app.issue(shop, 1, "x", 0).await;
    hours(&app, shop, issue).await;
    app.database.execute("UPDATE issues SET first_seen = '2027-01-15T09:00:00Z'").await.unwrap();

    let day = app.get("/api/v1/stats").await.ok(200);
    assert_eq!(day["buckets"].as_array().unwrap().len(), 24);
    assert_eq!(day["buckets"][23], "2027-01-15T12:00:00Z");
    assert_eq!((&day["total"][23], &day["total"][21], sum(&day["total"])), (&json!(3), &json!(4), 7));
    assert_eq!(day["by_project"][0]["name"], "shop");
    assert_eq!(day["by_level"][0]["level"], "fatal");
    assert_eq!(
        (&day["unresolved"], &day["new_issues"], &day["regressed_issues"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let month = app.get("/api/v1/stats?period=30d&project=shop").await.ok(200);
    assert_eq!((month["total"].as_array().unwrap().len(), sum(&month["total"])), (30, 57));
    let other = app.get(&format!("/api/v1/stats?project={blog}&period=14d")).await.ok(200);
    assert_eq!((sum(&other["total"]), &other["unresolved"]), (0, &json!(0)));
    assert_eq!(app.get("/api/v1/stats?period=1y").await.mistakes(), ["period: `1y` is not 24h, 14d or 30d"]);

    let of_issue = app.get(&format!("/api/v1/issues/{issue}/stats?period=24h")).await.ok(200);
    assert_eq!((&of_issue["counts"][23], sum(&of_issue["counts"])), (&json!(3), 7));
    let list = app.get("/api/v1/issues?sparkline=true").await.ok(200);
    assert_eq!(list["items"][0]["sparkline"], of_issue["counts"]);
    assert_eq!(app.get("/api/v1/issues").await.ok(200)["items"][0].get("sparkline"), None);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_is_in_the_activity() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let path = format!("/api/v1/issues/{issue}");
    app.patch(&path, &json!({ "status": "resolved", "assigned_to": "ann" })).await.ok(200);
    let comment =
        app.post(&format!("{path}/comments"), &json!({ "text": " it was the cache " })).await.ok(201);
    assert_eq!(comment["data"], json!({ "text": "it was the cache" }));
    for (text, message) in [(json!("  "), "text: is empty"), (json!("a\0b"), "text: has a NUL character")] {
        assert_eq!(
            app.post(&format!("{path}/comments"), &json!({ "text": text })).await.mistakes(),
            [message]
        );
    }
    let page = app.get(&format!("{path}/activity?limit=2")).await.ok(200);
    let kinds = |page: &Value| -> Vec<(String, Value)> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| (item["kind"].as_str().unwrap().to_owned(), item["data"].clone())).collect()
    };
    assert_eq!(
        kinds(&page),
        [
            ("comment".to_owned(), json!({ "text": "it was the cache" })),
            ("assigned".to_owned(), json!({ "from": null, "to": "ann" })),
        ]
    );
    assert_eq!(page["items"][0]["actor"], "tests");
    let next = app.get(&format!("{path}/activity?cursor={}", page["next"].as_str().unwrap())).await.ok(200);
    assert_eq!(kinds(&next), [("status".to_owned(), json!({ "from": "unresolved", "to": "resolved" }))]);
    assert_eq!(app.get("/api/v1/issues/4711/activity").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_counted_and_grouping_is_explained() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    for (minutes, browser) in [(1, "Chrome"), (2, "Chrome"), (3, "Firefox")] {
        let mut event = Event::new(Uuid::new_v4(), noon());
        event.release = Some("shop@1.0".to_owned());
        event.tags.insert("browser".to_owned(), browser.to_owned());
        app.event(project, issue, &event, minutes).await;
    }
    let tags = app.get(&format!("/api/v1/issues/{issue}/tags")).await.ok(200);
    assert_eq!(
        tags,
        json!({ "events": 3, "items": [
            { "key": "browser", "total": 3, "values": [{ "value": "Chrome", "count": 2 }, { "value": "Firefox", "count": 1 }] },
            { "key": "release", "total": 3, "values": [{ "value": "shop@1.0", "count": 3 }] },
        ] })
    );
    let why = app.get(&format!("/api/v1/issues/{issue}/grouping")).await.ok(200);
    assert_eq!(why["version"], 1);
    assert!(!why["hashes"].as_array().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_are_found_by_tags_counts_ages_and_people() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let (one, two) =
        (app.issue(project, 1, "first", 1).await.0, app.issue(project, 20, "second", 120).await.0);
    app.database
        .execute(&format!(
            "INSERT INTO issue_tags (issue_id, key, value)
             VALUES ({one}, 'release', 'shop@1.4.2'), ({two}, 'release', 'shop@2.0'), ({two}, 'browser', 'Chrome 1_0');
             UPDATE issues SET assigned_to = 'ann' WHERE id = {two}"
        ))
        .await
        .unwrap();
    let cases = [
        ("release:shop@1.4.*", vec![one]),
        ("release:shop@1.4.2 release:shop@2.0", vec![one, two]),
        ("!release:shop@2.0", vec![one]),
        ("browser:\"Chrome 1_0\"", vec![two]),
        ("has:browser", vec![two]),
        ("!has:browser", vec![one]),
        ("times_seen:>100", vec![two]),
        ("times_seen:<=10", vec![one]),
        ("users:20", vec![two]),
        ("assigned:ann", vec![two]),
        ("assigned:me", vec![]),
        ("is:unassigned", vec![one]),
        ("assigned:none", vec![one]),
        ("last_seen:-1h", vec![one]),
        ("last_seen:+1h", vec![two]),
        ("age:-1h", vec![]),
        ("priority:high release:shop@2.0 second", vec![two]),
        ("!is:unresolved", vec![]),
    ];
    for (query, expected) in cases {
        let answer = app
            .send(
                app.client
                    .get(app.url("/api/v1/issues"))
                    .query(&[("query", query)])
                    .bearer_auth(crate::harness::TOKEN),
            )
            .await;
        assert_eq!(ids(&answer.ok(200)), expected, "{query}");
    }
    app.database.execute(&format!("UPDATE issues SET assigned_to = 'tests' WHERE id = {one}")).await.unwrap();
    assert_eq!(ids(&app.get("/api/v1/issues?query=assigned:me").await.ok(200)), [one]);
    let unknown = app.get("/api/v1/issues?query=first+relaese:1.0").await.ok(422);
    assert_eq!(unknown["errors"][0]["position"], 6);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_are_pages_and_those_of_apis_are_not() {
    let app = App::start().await;
    for path in ["/", "/issues/7", "/projects"] {
        let answer = app.send(app.client.get(app.url(path))).await;
        let policy = answer.header("content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for path in ["/api/v1/isues", "/api/nothing", "/health/nothing", "/assets/gone-1234.js"] {
        let answer = app.send(app.client.get(app.url(path))).await;
        assert_eq!(answer.ok(404)["code"], "not_found", "{path}");
    }
    assert_eq!(app.send(app.client.post(app.url("/issues/7"))).await.status, 404);
    app.stop().await;
}
