//! Exports: all of it, as lines, in pages.

use crate::events::sample;
use crate::harness::{App, TOKEN};
use crate::people::{person, team};
use bugle_model::{InstallationRole, IssueId, ProjectId, TeamRole};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first rows are there before the last ones are read: those that are removed meanwhile are missing.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_issues_are_streamed_and_never_held() {
    let app = App::start().await;
    app.project("shop").await;
    // 1.5 KB each, so that no socket has room for all.
    app.database
        .execute(
            "INSERT INTO issues (project_id, number, title, culprit, error_type, platform, level, priority, first_seen, active_at)
             SELECT 1, n, rpad('Title ' || n, 256, 'x'), repeat('c', 512), repeat('e', 256), repeat('p', 500), 40, 3,
                 '2027-01-02T00:00:00Z', '2027-01-02T00:00:00Z'::timestamptz + make_interval(secs => n)
             FROM generate_series(1, 20000) n",
        )
        .await
        .unwrap();
    let request = || app.client.get(app.url("/api/v1/issues/export?format=ndjson")).bearer_auth(TOKEN);
    let whole = request().send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "application/x-ndjson");
    assert_eq!(whole.headers()["content-disposition"], "attachment; filename=\"issues.ndjson\"");
    let numbers: BTreeSet<i64> =
        lines(&whole.text().await.unwrap()).iter().map(|issue| issue["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), 20_000);

    let mut body = request().send().await.unwrap();
    let mut text = body.chunk().await.unwrap().unwrap().to_vec();
    // The list begins with the latest: these are its last thousand.
    app.database.execute("DELETE FROM issues WHERE number <= 1000").await.unwrap();
    while let Some(chunk) = body.chunk().await.unwrap() {
        text.extend(chunk);
    }
    assert_eq!(lines(std::str::from_utf8(&text).unwrap()).len(), 19_000);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_is_what_a_search_finds_and_no_formula() {
    let app = App::start().await;
    let project = app.project("shop").await;
    app.issue(project, 1, "=HYPERLINK(\"http://evil\")", 1).await;
    app.issue(project, 2, "plain, \"quoted\"", 2).await;
    app.issue(project, 3, "other", 3).await;
    let answer = app.get("/api/v1/issues/export?format=csv&project=shop&query=!is:resolved+pay").await;
    assert_eq!(answer.status, 200);
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let titles: Vec<String> = reader.records().map(|row| row.unwrap()[3].to_owned()).collect();
    assert_eq!(titles, ["'=HYPERLINK(\"http://evil\")", "plain, \"quoted\"", "other"]);
    assert_eq!(
        app.get("/api/v1/issues/export?format=xls").await.mistakes(),
        ["format: `xls` is not ndjson or csv"]
    );
    assert!(app.get("/api/v1/issues/export?query=is:ignored").await.text.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_exported_beyond_a_page() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    for number in 0..60_u128 {
        let mut event = sample();
        event.event_id = uuid::Uuid::from_u128(number + 1);
        app.event(project, issue, &event, (number % 7) as i64).await;
    }
    let path = format!("/api/v1/issues/{issue}/events/export");
    let ndjson = lines(&app.get(&path).await.text);
    let ids: BTreeSet<&str> = ndjson.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!((ndjson.len(), ids.len()), (60, 60));
    let csv = app.get(&format!("{path}?format=csv")).await.text;
    assert_eq!(csv.lines().count(), 61);
    app.stop().await;
}

/// Two events at noon and one of each second before, of which one in five is of Chrome.
async fn events_of_two_browsers(app: &App, project: ProjectId, issue: IssueId, count: u32) {
    let mut event = sample();
    for (number, browser) in [(1, "Chrome"), (2, "Firefox")] {
        event.event_id = uuid::Uuid::from_u128(number);
        event.tags.insert("browser".to_owned(), browser.to_owned());
        app.event(project, issue, &event, 0).await;
    }
    app.database
        .execute(&format!(
            "INSERT INTO events (received_at, issue_id, project_id, level, retention, event_id, payload)
             SELECT e.received_at - n * interval '1 second', e.issue_id, e.project_id, 40, 90, gen_random_uuid(), e.payload
             FROM generate_series(1, {count}) n
             JOIN events e ON e.event_id = ('00000000-0000-0000-0000-00000000000' || CASE WHEN n % 5 = 0 THEN 1 ELSE 2 END)::uuid"
        ))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_of_events_is_what_the_list_finds() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    events_of_two_browsers(&app, project, issue, 200).await;
    let path = format!("/api/v1/issues/{issue}/events/export");
    let exported = async |query: &str| lines(&app.get(&format!("{path}?{query}")).await.text).len();
    assert_eq!(exported("query=browser:Chrome").await, 41);
    assert_eq!(exported("query=!browser:Chrome").await, 161);
    assert_eq!(exported("query=browser:Safari").await, 0);
    assert_eq!(exported("until=2027-01-15T11:58:20Z").await, 101);
    assert_eq!(exported("since=2027-01-15T11:58:20Z&until=2027-01-15T11:59:00Z").await, 41);
    assert_eq!(
        app.get(&format!("{path}?query=is:resolved&since=noon")).await.mistakes(),
        [
            "query: `is:` is about issues, not about one of their events",
            "since: `noon` is not a time such as 2026-11-28T09:00:00Z"
        ]
    );
    app.stop().await;
}

/// One search looks at a thousand: what comes after so many that do not match is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_where_a_search_has_found_nothing() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    events_of_two_browsers(&app, project, issue, 0).await;
    app.database
        .execute(
            "INSERT INTO events (received_at, issue_id, project_id, level, retention, event_id, payload)
             SELECT e.received_at - n * interval '1 second', e.issue_id, e.project_id, 40, 90, gen_random_uuid(), e.payload
             FROM generate_series(1, 2500) n JOIN events e ON e.event_id = '00000000-0000-0000-0000-000000000002';
             UPDATE events SET received_at = received_at - interval '1 hour'
             WHERE event_id = '00000000-0000-0000-0000-000000000001'",
        )
        .await
        .unwrap();
    let found = app.get(&format!("/api/v1/issues/{issue}/events/export?query=browser:Chrome")).await;
    assert_eq!(lines(&found.text)[0]["event_id"], uuid::Uuid::from_u128(1).simple().to_string());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_are_exported_in_the_order_of_the_list() {
    let app = App::start().await;
    let project = app.project("shop").await;
    for number in 1..=3 {
        app.issue(project, number, "x", i64::from(number)).await;
    }
    app.database
        .execute("UPDATE issue_counts SET events = 500 WHERE issue_id = (SELECT max(id) FROM issues)")
        .await
        .unwrap();
    let order = async |query: &str| {
        let listed = app.get(&format!("/api/v1/issues?{query}")).await.ok(200);
        let ids = |items: &[Value]| items.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        let listed = ids(listed["items"].as_array().unwrap());
        let exported = ids(&lines(&app.get(&format!("/api/v1/issues/export?{query}")).await.text));
        assert_eq!(exported, listed, "{query}");
        exported
    };
    assert_ne!(order("sort=last_seen").await, order("sort=events").await);
    assert_eq!(
        app.get("/api/v1/issues/export?sort=title").await.mistakes(),
        ["sort: `title` is not last_seen, first_seen, events, users or priority"]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_its_reader_may_see() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let project = app.project("shop").await;
    app.database.execute(&format!("UPDATE projects SET team_id = {blue}")).await.unwrap();
    let issue = app.issue(project, 1, "x", 1).await;
    app.patch(&format!("/api/v1/issues/{issue}"), &json!({ "status": "resolved" })).await.ok(200);
    let (_, ann) = person(&app, "Ann", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let (_, bob) = person(&app, "Bob", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    for path in ["/api/v1/issues/export", "/api/v1/audit/export"] {
        assert_eq!(lines(&ann.get(&app, path).await.text).len(), 1, "{path}");
        assert_eq!(bob.get(&app, path).await.text, "", "{path}");
    }
    assert_eq!(bob.get(&app, &format!("/api/v1/issues/{issue}/events/export")).await.status, 404);
    let csv = ann.get(&app, "/api/v1/audit/export?format=csv&action=issue").await.text;
    assert!(csv.contains("issue.updated") && csv.starts_with("id,at,actor_kind"), "{csv}");
    app.stop().await;
}
