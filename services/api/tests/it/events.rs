//! Events read back.

use crate::harness::{App, noon};
use bugle_model::{Event, Exception, LogMessage, Request, User};
use bugle_store::payload::{Document, Encoder};
use serde_json::json;
use uuid::Uuid;

/// The payload of an event that is stored alone.
pub fn encode_alone(event: &Event) -> Vec<u8> {
    let document = Document {
        v: 1,
        grouping: 1,
        hashes: vec!["0123456789abcdef0123456789abcdef".to_owned()],
        title: "PayError: no money".to_owned(),
        culprit: Some("shop.views in pay".to_owned()),
        event: event.clone(),
    };
    Encoder::new().unwrap().alone(&document.to_bytes().unwrap()).unwrap()
}

/// Some event.
pub fn sample() -> Event {
    full(1)
}

fn full(number: u128) -> Event {
    let mut event = Event::new(Uuid::from_u128(number), noon());
    event.platform = "python".to_owned();
    event.release = Some("shop@1.2.3".to_owned());
    event.environment = Some("production".to_owned());
    event.tags.insert("region".to_owned(), "eu".to_owned());
    event.user = Some(User { id: Some("7".to_owned()), ..User::default() });
    event.request = Some(Request { url: Some("https://shop.example/pay".to_owned()), ..Request::default() });
    event.exceptions = vec![Exception {
        kind: Some("PayError".to_owned()),
        value: Some("no money".to_owned()),
        ..Exception::default()
    }];
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_is_out_of_reach_at_once() {
    let app = App::start().await;
    let (shop, till) = (app.project("shop").await, app.project("till").await);
    let (kept, gone) = (app.issue(shop, 1, "kept", 1).await, app.issue(shop, 2, "gone", 1).await);
    let with_shop = app.issue(till, 1, "gone with its project", 1).await;
    for (number, (project, issue)) in [(shop, kept), (shop, gone), (till, with_shop)].into_iter().enumerate()
    {
        let number = u128::try_from(number).unwrap();
        let event = full(number);
        app.event(project, issue, &event, 1).await;
        app.attachment(project, &event, i64::try_from(number).unwrap(), "a.txt", b"abc").await;
    }
    app.database
        .execute("UPDATE events SET trace_id = '00000000-0000-0000-0000-000000000007'")
        .await
        .unwrap();
    let statuses = async |number: u128| {
        let id = Uuid::from_u128(number);
        let mut found = Vec::new();
        for path in [
            format!("/api/v1/events/{id}"),
            format!("/api/v1/events/{id}/attachments"),
            format!("/api/v1/events/{id}/feedback"),
            format!("/api/v1/attachments/{number}"),
            format!("/api/error-logging/errors/{id}"),
        ] {
            found.push(app.get(&path).await.status);
        }
        found
    };
    for number in 0..3 {
        assert_eq!(statuses(number).await, [200; 5]);
    }
    // As removing leaves them, until a moment later.
    app.database
        .execute(&format!(
            "DELETE FROM issues WHERE id = {gone};
             INSERT INTO issue_moves (from_issue, created_at) VALUES ({gone}, '2027-01-15T12:00:00Z');
             DELETE FROM projects WHERE id = {till}"
        ))
        .await
        .unwrap();
    assert_eq!(statuses(0).await, [200; 5]);
    for number in [1, 2] {
        assert_eq!(statuses(number).await, [404; 5]);
    }
    let traced = app.get("/api/v1/events?trace=00000000000000000000000000000007").await.ok(200);
    assert_eq!((traced["items"].as_array().unwrap().len(), &traced["hidden"]), (1, &json!(0)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_back_whole_by_any_of_its_paths() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "PayError: no money", 1).await;
    let event = full(0xABC);
    app.event(project, issue, &event, 1).await;
    let id = event.event_id;
    let answer = app.get(&format!("/api/v1/projects/shop/events/{}", id.simple())).await.ok(200);
    insta::assert_json_snapshot!("event", answer);
    for path in [
        format!("/api/v1/projects/{project}/events/{id}"),
        format!("/api/v1/events/{}", id.simple().to_string().to_uppercase()),
    ] {
        assert_eq!(app.get(&path).await.ok(200), answer, "{path}");
    }
    for missing in [
        format!("/api/v1/projects/none/events/{id}"),
        format!("/api/v1/projects/{project}/events/{}", Uuid::from_u128(1)),
        "/api/v1/events/not-an-id".to_owned(),
    ] {
        assert_eq!(app.get(&missing).await.status, 404, "{missing}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_event_is_asked_for_is_always_there() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let mut event = Event::new(Uuid::from_u128(5), noon());
    event.message = Some(LogMessage { template: Some("hello".to_owned()), ..LogMessage::default() });
    app.event(project, issue, &event, 1).await;
    let answer = app.get(&format!("/api/v1/events/{}", event.event_id)).await.ok(200);
    insta::assert_json_snapshot!("bare_event", answer);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_two_projects_is_a_conflict_without_the_project() {
    let app = App::start().await;
    let event = full(9);
    for name in ["shop", "blog"] {
        let project = app.project(name).await;
        let issue = app.issue(project, 1, "x", 1).await;
        app.event(project, issue, &event, 1).await;
    }
    assert_eq!(app.get(&format!("/api/v1/events/{}", event.event_id)).await.ok(409)["code"], "conflict");
    let path = format!("/api/v1/projects/blog/events/{}", event.event_id);
    assert_eq!(app.get(&path).await.ok(200)["project"], 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issues_events_come_in_pages_newest_first() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let mut expected = Vec::new();
    for number in 1..=5 {
        // Two of them at the same time.
        app.event(project, issue, &full(number), i64::try_from(number / 2).unwrap()).await;
        expected.push((number / 2, std::cmp::Reverse(number)));
    }
    expected.sort_unstable();
    let expected: Vec<_> =
        expected.iter().map(|(_, number)| json!(Uuid::from_u128(number.0).simple().to_string())).collect();
    let mut seen = Vec::new();
    let mut path = "/api/v1/issues/SHOP-1/events?limit=2".to_owned();
    loop {
        let page = app.get(&path).await.ok(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["event_id"].clone()));
        app.event(project, issue, &full(100 + seen.len() as u128), -1).await;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/issues/SHOP-1/events?limit=2&cursor={next}");
    }
    assert_eq!(seen, expected);
    app.stop().await;
}
