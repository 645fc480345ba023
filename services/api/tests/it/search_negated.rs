//! Searching for issues by what they are, and by what they are not.

use crate::harness::{App, ids};
use crate::people::{person, team};
use crate::search::{ask, found};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::json;

/// Each in the order in which it is here, and the other way round.
async fn finds_in_any_order(find: impl AsyncFn(&str) -> Vec<i64>, cases: Vec<(&str, Vec<i64>)>) {
    for (query, expected) in cases {
        let reversed = query.split(' ').rev().collect::<Vec<_>>().join(" ");
        for query in [query, &reversed] {
            assert_eq!(find(query).await, expected, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_turned_round_is_taken_from_what_is_asked_for() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let (open, resolved, ignored) = (
        app.issue(project, 1, "x", 1).await.0,
        app.issue(project, 2, "x", 2).await.0,
        app.issue(project, 3, "x", 3).await.0,
    );
    app.database
        .execute(
            "UPDATE issues SET level = 20 + 10 * number, priority = number;
             UPDATE issues SET status = 1, resolved_at = active_at, assigned_to = 'ann' WHERE number = 2;
             UPDATE issues SET status = 2 WHERE number = 3",
        )
        .await
        .unwrap();
    let cases = vec![
        ("!is:resolved is:ignored", vec![ignored]),
        ("!is:resolved !is:ignored", vec![open]),
        ("is:resolved is:ignored !is:ignored", vec![resolved]),
        ("is:unresolved is:resolved", vec![open, resolved]),
        ("!level:error level:error", vec![]),
        ("!level:error level:error level:fatal", vec![ignored]),
        ("!priority:low priority:low priority:medium priority:high", vec![resolved, ignored]),
        ("!priority:low is:unresolved", vec![]),
        ("is:assigned is:unassigned", vec![open, resolved, ignored]),
        ("is:assigned is:unassigned !is:assigned", vec![open, ignored]),
        ("is:resolved is:unassigned", vec![]),
    ];
    finds_in_any_order(async |query: &str| found(&app, query).await, cases).await;
    let status = [("status", "ignored"), ("query", "!is:ignored")];
    assert_eq!(ids(&ask(&app, "/api/v1/issues", &status).await.ok(200)), [] as [i64; 0]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_finds_nothing_and_removes_nothing() {
    let app = App::start().await;
    let project = app.project("shop").await;
    app.issue(project, 1, "x", 1).await;
    app.issue(project, 2, "x", 2).await;
    for contradiction in [
        "is:resolved !is:resolved",
        "!is:unresolved is:unresolved",
        "!is:resolved !is:unresolved !is:ignored",
        "level:error !level:error",
        "priority:high !priority:high",
        "is:unassigned !is:unassigned",
        "is:bookmarked !is:bookmarked",
        "assigned:none !assigned:none",
    ] {
        let query = [("query", contradiction)];
        assert_eq!(found(&app, contradiction).await, [] as [i64; 0], "{contradiction}");
        let facets = ask(&app, "/api/v1/issues/facets", &query).await.ok(200);
        assert_eq!(facets["issues"], 0, "{contradiction}");
        let export = ask(&app, "/api/v1/issues/export", &[("format", "ndjson"), query[0]]).await;
        assert_eq!((export.status, export.text.as_str()), (200, ""), "{contradiction}");
        let bulk = json!({ "query": contradiction, "project": "shop", "delete": true });
        let none = json!({ "matched": 0, "changed": 0, "more": false });
        assert_eq!(app.post("/api/v1/issues/bulk", &bulk).await.ok(200), none, "{contradiction}");
    }
    assert_eq!(app.database.number("SELECT count(*) FROM issues").await.unwrap(), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_is_not_assigned_to_anybody() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (ann, browser) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Member)]).await;
    let project = app.project("shop").await;
    let (anns, bobs, blues, nobodys) = (
        app.issue(project, 1, "x", 1).await.0,
        app.issue(project, 2, "x", 2).await.0,
        app.issue(project, 3, "x", 3).await.0,
        app.issue(project, 4, "x", 4).await.0,
    );
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {blue};
             UPDATE issues SET assigned_to = 'ann', assigned_user_id = {ann} WHERE id = {anns};
             UPDATE issues SET assigned_to = 'bob' WHERE id = {bobs};
             UPDATE issues SET assigned_to = '#blue', assigned_team_id = {blue} WHERE id = {blues}"
        ))
        .await
        .unwrap();
    let find = async |query: &str| {
        let request = app.client.get(app.url("/api/v1/issues")).query(&[("query", query)]);
        ids(&app.send(request.header("cookie", &browser.cookie)).await.ok(200))
    };
    let cases = vec![
        ("assigned:me", vec![anns]),
        ("!assigned:me", vec![bobs, blues, nobodys]),
        ("!assigned:bob", vec![anns, blues, nobodys]),
        ("!assigned:blue !assigned:me", vec![bobs, nobodys]),
        ("assigned:ann !assigned:me", vec![]),
        ("assigned:none", vec![nobodys]),
        ("assigned:none assigned:me", vec![anns, nobodys]),
        ("assigned:none assigned:me !assigned:ann", vec![nobodys]),
        ("!assigned:none", vec![anns, bobs, blues]),
        ("!assigned:none !assigned:bob", vec![anns, blues]),
        ("is:unassigned !assigned:ann", vec![nobodys]),
    ];
    finds_in_any_order(find, cases).await;
    app.stop().await;
}
