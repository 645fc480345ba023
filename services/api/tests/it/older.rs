//! The older contract.

use crate::harness::{App, ids, noon};
use bugle_model::{Event, Exception, Frame, Stacktrace};
use serde_json::json;
use uuid::Uuid;

fn raised(number: u128, value: &str) -> Event {
    let mut event = Event::new(Uuid::from_u128(number), noon());
    event.environment = Some("production".to_owned());
    let frame = Frame {
        function: Some("pay".to_owned()),
        filename: Some("shop.py".to_owned()),
        lineno: Some(7),
        ..Frame::default()
    };
    event.exceptions = vec![Exception {
        kind: Some("PayError".to_owned()),
        value: Some(value.to_owned()),
        stacktrace: Some(Stacktrace { frames: vec![frame], ..Stacktrace::default() }),
        ..Exception::default()
    }];
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_latest_event_of_each_error() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let first = app.issue(project, 1, "PayError: no money", 1).await;
    let bare = app.issue(project, 2, "Without events", 2).await;
    app.event(project, first, &raised(1, "old"), 30).await;
    app.event(project, first, &raised(2, "new"), 1).await;
    let page = app.get("/api/error-logging/errors/?page_size=10").await.ok(200);
    insta::assert_json_snapshot!("errors", page);
    assert_eq!(ids(&page), [first.0, bare.0]);
    app.database.execute(&format!("UPDATE issues SET priority = 4 WHERE id = {first}")).await.unwrap();
    for (parameters, expected) in [
        ("?severity=critical", vec![first.0]),
        ("?service=shop&search=without", vec![bare.0]),
        ("?resolved=true", vec![]),
        ("?status=unresolved&limit=1", vec![first.0]),
    ] {
        let page = app.get(&format!("/api/error-logging/errors/{parameters}")).await.ok(200);
        assert_eq!(ids(&page), expected, "{parameters}");
    }
    assert_eq!(app.get("/api/error-logging/errors/?severity=loud").await.mistakes().len(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_found_by_number_and_by_event_once_it_is_recorded() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "PayError: no money", 1).await;
    let (old, new) = (raised(1, "old"), raised(2, "new"));
    let unrecorded = app.get(&format!("/api/error-logging/errors/{}/", old.event_id)).await;
    assert_eq!((unrecorded.status, unrecorded.header("retry-after")), (404, "1"));
    app.event(project, issue, &old, 30).await;
    app.event(project, issue, &new, 1).await;
    let by_event = app.get(&format!("/api/error-logging/errors/{}/", old.event_id.simple())).await.ok(200);
    assert_eq!((&by_event["id"], &by_event["message"]), (&json!(issue), &json!("old")));
    let by_number = app.get(&format!("/api/error-logging/errors/{issue}/")).await.ok(200);
    assert_eq!(by_number["message"], "new");
    assert_eq!(app.get("/api/error-logging/errors/4711/").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_changed_and_resolved() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let event = raised(1, "v");
    app.event(project, issue, &event, 1).await;
    let path = format!("/api/error-logging/errors/{issue}/");
    let mut sent_back = app.get(&path).await.ok(200);
    sent_back["assigned_to"] = json!("ann");
    sent_back["severity"] = json!("low");
    let changed = app.patch(&path, &sent_back).await.ok(200);
    assert_eq!((&changed["assigned_to"], &changed["severity"]), (&json!("ann"), &json!("low")));

    let resolve = format!("/api/error-logging/errors/{}/resolve/", event.event_id);
    let resolved = app.post(&resolve, &json!({})).await.ok(200);
    assert_eq!((&resolved["resolved"], &resolved["status"]), (&json!(true), &json!("resolved")));
    let reopened = app.patch(&path, &json!({ "resolved": false })).await.ok(200);
    assert_eq!(reopened["status"], "unresolved");
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn capturing_on_the_same_path_is_left_to_others() {
    let app = App::start().await;
    assert_eq!(app.post("/api/error-logging/errors/", &json!({})).await.status, 404);
    app.stop().await;
}
