//! Commits that say what they fix.

use crate::harness::{App, TOKEN};
use crate::people::{person, session, team};
use bugle_model::{InstallationRole, IssueId, TeamRole};
use serde_json::{Value, json};

const SHA: &str = "09e93c20ccfeab85176528c425bd23471fbb923b";

async fn declare(app: &App, project: &str, version: &str, commits: &[(&str, &str)]) {
    let commits: Vec<Value> =
        commits.iter().map(|(id, message)| json!({ "id": id, "message": message })).collect();
    let body = json!({ "project": project, "version": version, "commits": commits });
    app.post("/api/v1/releases", &body).await.ok(201);
}

async fn status(app: &App, issue: IssueId) -> (String, Value) {
    let found = app.get(&format!("/api/v1/issues/{issue}")).await.ok(200);
    (found["status"].as_str().unwrap().to_owned(), found["resolved_in"].clone())
}

fn open() -> (String, Value) {
    ("unresolved".to_owned(), Value::Null)
}

fn by_commit(sha: &str) -> (String, Value) {
    ("resolved".to_owned(), json!({ "commit": sha }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_resolves_what_its_commits_say_they_fix() {
    let app = App::start().await;
    let shop = app.project("shop").await;
    let mut issues = Vec::new();
    for number in 1..=6 {
        issues.push(app.issue(shop, number, "x", 1).await);
    }
    app.patch(&format!("/api/v1/issues/{}", issues[2]), &json!({ "status": "ignored" })).await.ok(200);
    app.patch(&format!("/api/v1/issues/{}", issues[3]), &json!({ "status": "resolved" })).await.ok(200);
    let waits = json!({ "status": "resolved", "resolved_in": { "commit": "abcdef0" } });
    app.patch(&format!("/api/v1/issues/{}", issues[4]), &waits).await.ok(200);
    let told = app.database.number("SELECT count(*) FROM outbox").await.unwrap();

    // A release without commits fixes nothing, nor does one that only speaks of issues.
    declare(&app, "shop", "shop@1.0.0", &[]).await;
    declare(
        &app,
        "shop",
        "shop@1.1.0",
        &[("1111111", "Look at SHOP-1"), ("2222222", "Fixes SHOP-99, TILL-1")],
    )
    .await;
    assert_eq!(status(&app, issues[0]).await, open());
    let commits = [
        (SHA, "Oil the drawer\n\nFixes shop-1, SHOP-3 and SHOP-4"),
        ("ABCDEF0123", "Closes: SHOP-1"),
        ("7", "fix SHOP-6"),
    ];
    declare(&app, "shop", "shop@1.2.0", &commits).await;
    assert_eq!(status(&app, issues[0]).await, by_commit(SHA));
    assert_eq!(status(&app, issues[1]).await, open());
    assert_eq!(status(&app, issues[2]).await, by_commit(SHA));
    // It was resolved before, in its own way.
    assert_eq!(status(&app, issues[3]).await, ("resolved".to_owned(), Value::Null));
    assert_eq!(status(&app, issues[4]).await, by_commit("abcdef0"));
    // Too short an id to look for.
    assert_eq!(status(&app, issues[5]).await, ("resolved".to_owned(), json!({ "release": "shop@1.2.0" })));

    let activity = app.get(&format!("/api/v1/issues/{}/activity", issues[0])).await.ok(200);
    let data = json!({ "from": "unresolved", "to": "resolved", "in": { "commit": SHA } });
    let entry = &activity["items"][0];
    assert_eq!((&entry["kind"], &entry["actor"], &entry["data"]), (&json!("status"), &json!("tests"), &data));
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), told + 1);
    let resolved = app.get(&format!("/api/v1/releases/{shop}:shop@1.2.0")).await.ok(200);
    assert_eq!(resolved["resolved_issues"], 4);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_told_again_does_not_resolve_what_came_back() {
    let app = App::start().await;
    let shop = app.project("shop").await;
    let (kept, gone) = (app.issue(shop, 1, "kept", 1).await, app.issue(shop, 2, "gone", 1).await);
    app.post(&format!("/api/v1/issues/{kept}/merge"), &json!({ "issues": [gone] })).await.ok(200);
    // The short id of a merged issue means what it is part of now.
    declare(&app, "shop", "shop@1.0.0", &[(SHA, "Fixes SHOP-2")]).await;
    assert_eq!(status(&app, kept).await, by_commit(SHA));
    app.patch(&format!("/api/v1/issues/{kept}"), &json!({ "status": "unresolved" })).await.ok(200);
    for version in ["shop@1.0.0", "shop@1.1.0"] {
        declare(&app, "shop", version, &[(SHA, "Fixes SHOP-2")]).await;
        assert_eq!(status(&app, kept).await, open(), "{version}");
    }
    declare(&app, "shop", "shop@1.2.0", &[("abcdef0123", "Fixes SHOP-2 for good"), (SHA, "Fixes SHOP-2")])
        .await;
    assert_eq!(status(&app, kept).await, by_commit("abcdef0123"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_touches_only_issues_of_the_releases_project() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (shop, till) = (app.project("shop").await, app.project("till").await);
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {blue} WHERE id = {shop}; UPDATE projects SET team_id = {red} WHERE id = {till}"
        ))
        .await
        .unwrap();
    let (ours, theirs) = (app.issue(shop, 1, "ours", 1).await, app.issue(till, 1, "theirs", 1).await);
    // The other team has a release of the same version.
    declare(&app, "till", "1.0.0", &[]).await;
    let member = person(&app, "bob", InstallationRole::Member, &[(blue, TeamRole::Member)]).await.0;
    let member = session(&app, member, "bob").await;
    let commits = json!([{ "id": SHA, "message": "Fixes TILL-1, SHOP-1" }]);
    let body = json!({ "project": "shop", "version": "1.0.0", "commits": commits });
    member.post(&app, "/api/v1/releases", &body).await.ok(201);
    assert_eq!((status(&app, ours).await, status(&app, theirs).await), (by_commit(SHA), open()));
    let actors = "SELECT issue_id || ' ' || actor FROM issue_activity";
    assert_eq!(app.database.rows(actors).await.unwrap(), [format!("{ours} bob")]);

    // What sentry-cli takes for one release of several projects is one of each: it fixes issues of all that are named.
    let put = app.client.put(app.url("/api/0/organizations/any/releases/1.0.0/")).bearer_auth(TOKEN);
    app.send(put.json(&json!({ "commits": commits }))).await.ok(200);
    assert_eq!(status(&app, theirs).await, by_commit(SHA));
    app.stop().await;
}
