//! Exports: all of it, as lines, in pages.

use crate::events::sample;
use crate::harness::{App, TOKEN};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
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
