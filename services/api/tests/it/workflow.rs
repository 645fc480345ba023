//! What people do with issues: ignore, assign, comment, bookmark.

use crate::harness::{App, ids};
use crate::people::{Browser, person, team};
use bugle_model::{InstallationRole, IssueId, TeamId, TeamRole, UserId};
use bugle_runtime::Config;
use reqwest::Method;
use serde_json::{Value, json};

/// A team with a project and an issue, and two of its people.
pub struct Scene {
    pub app: App,
    pub team: TeamId,
    pub issue: IssueId,
    pub ann: (UserId, Browser),
    pub bob: (UserId, Browser),
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let app = App::start_with(config).await;
        let blue = team(&app, "blue").await;
        let ann = person(&app, "Ann", InstallationRole::Member, &[(blue, TeamRole::Member)]).await;
        let bob = person(&app, "Bob Lee", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
        let project = app.project("shop").await;
        app.database.execute(&format!("UPDATE projects SET team_id = {blue}")).await.unwrap();
        let issue = app.issue(project, 1, "PayError: no money", 5).await;
        Self { app, team: blue, issue, ann, bob }
    }

    pub fn path(&self, more: &str) -> String {
        format!("/api/v1/issues/{}{more}", self.issue)
    }

    pub async fn found(&self, browser: &Browser, query: &str) -> Vec<i64> {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        ids(&browser.get(&self.app, &format!("/api/v1/issues?query={query}")).await.ok(200))
    }

    pub async fn activity(&self) -> Vec<Value> {
        let page = self.app.get(&self.path("/activity")).await.ok(200);
        page["items"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_ignored_until_something() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let body = json!({ "status": "ignored", "ignore_until": { "events": 10 } });
    let changed = app.patch(&scene.path(""), &body).await.ok(200);
    assert_eq!((&changed["status"], &changed["ignore_until"]), (&json!("ignored"), &json!({ "events": 10 })));
    assert_eq!(
        scene.activity().await[0]["data"],
        json!({ "from": "unresolved", "to": "ignored", "until": { "events": 10 } })
    );
    let body = json!({ "status": "ignored", "ignore_until": { "time": "2027-01-16T00:00:00Z" } });
    let changed = app.patch(&scene.path(""), &body).await.ok(200);
    assert_eq!(changed["ignore_until"], json!({ "time": "2027-01-16T00:00:00Z" }));
    let changed = app.patch(&scene.path(""), &json!({ "status": "ignored" })).await.ok(200);
    assert_eq!(changed["ignore_until"], Value::Null, "for ever");
    let log = app.get("/api/v1/audit?action=issue.updated").await.ok(200);
    assert_eq!(log["items"][0]["before"]["ignore_until"], json!({ "time": "2027-01-16T00:00:00Z" }));
    for (body, mistake) in [
        (json!({ "ignore_until": { "events": 1 } }), "ignore_until: goes with the status `ignored` only"),
        (
            json!({ "status": "ignored", "ignore_until": { "events": 0 } }),
            "ignore_until: expected a number from 1 to 1000000000",
        ),
        (
            json!({ "status": "ignored", "ignore_until": { "users": -1 } }),
            "ignore_until: expected a number from 1 to 1000000000",
        ),
        (
            json!({ "status": "ignored", "ignore_until": { "time": "2027-01-15T12:00:00Z" } }),
            "ignore_until: is not in the future",
        ),
        (
            json!({ "status": "ignored", "ignore_until": { "time": "9999-01-15T12:00:00Z" } }),
            "ignore_until: is over ten years away",
        ),
        (
            json!({ "status": "ignored", "ignore_until": { "escalates": false } }),
            "ignore_until: `escalates` is true or not there",
        ),
    ] {
        assert_eq!(app.patch(&scene.path(""), &body).await.mistakes(), [mistake]);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_assigned_to_a_person_or_a_team() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let ann = &scene.ann.1;
    let red = team(app, "red").await;
    let (stranger, _) = person(app, "Cy", InstallationRole::Member, &[(red, TeamRole::Member)]).await;

    let changed =
        ann.patch(app, &scene.path(""), &json!({ "assigned_to": { "user": scene.bob.0 } })).await.ok(200);
    assert_eq!(
        (&changed["assigned_to"], &changed["assigned_user"]),
        (&json!("Bob Lee"), &json!(scene.bob.0))
    );
    assert_eq!(scene.activity().await[0]["data"], json!({ "from": null, "to": "Bob Lee" }));
    assert_eq!(scene.found(&scene.bob.1, "assigned:me").await, [scene.issue.0]);
    assert_eq!(scene.found(ann, "assigned:me").await, [0; 0]);
    assert_eq!(scene.found(ann, "assigned:\"Bob Lee\"").await, [scene.issue.0]);

    // A new name is shown at once.
    scene.bob.1.patch(app, "/api/v1/account", &json!({ "name": "Rob" })).await.ok(200);
    assert_eq!(app.get(&scene.path("")).await.ok(200)["assigned_to"], "Rob");
    assert_eq!(scene.found(&scene.bob.1, "assigned:me").await, [scene.issue.0]);

    // A name that is one account's is this account; another is just a name.
    let changed = ann.patch(app, &scene.path(""), &json!({ "assigned_to": "Ann" })).await.ok(200);
    assert_eq!(changed["assigned_user"], json!(scene.ann.0));
    let changed = ann.patch(app, &scene.path(""), &json!({ "assigned_to": "Cy" })).await.ok(200);
    assert_eq!(
        (&changed["assigned_to"], &changed["assigned_user"]),
        (&json!("Cy"), &Value::Null),
        "sees it not"
    );

    let changed =
        ann.patch(app, &scene.path(""), &json!({ "assigned_to": { "team": scene.team } })).await.ok(200);
    assert_eq!((&changed["assigned_to"], &changed["assigned_team"]), (&json!("#blue"), &json!(scene.team)));
    assert_eq!(scene.found(ann, "assigned:#blue").await, [scene.issue.0]);
    assert_eq!(scene.found(ann, "assigned:blue").await, [scene.issue.0]);
    app.patch(&format!("/api/v1/teams/{}", scene.team), &json!({ "name": "navy" })).await.ok(200);
    assert_eq!(scene.found(ann, "assigned:#navy").await, [scene.issue.0]);

    for (given, mistake) in [
        (
            json!({ "user": stranger }),
            format!("assigned_to: nobody who sees the issue has the id {stranger}"),
        ),
        (json!({ "team": red }), format!("assigned_to: there is no team {red}")),
    ] {
        let answer = ann.patch(app, &scene.path(""), &json!({ "assigned_to": given })).await;
        assert_eq!(answer.mistakes(), [mistake]);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_mentions_those_who_see_the_issue() {
    let config = Config {
        smtp_url: Some("smtp://127.0.0.1:1".parse::<url::Url>().unwrap().into()),
        ..Config::default()
    };
    let scene = Scene::with(config).await;
    let app = &scene.app;
    let ann = &scene.ann.1;
    let red = team(app, "red").await;
    person(app, "Cy", InstallationRole::Member, &[(red, TeamRole::Member)]).await;

    let text = "@bob lee and @Cy, and @Ann: see <script>";
    let comment = ann.post(app, &scene.path("/comments"), &json!({ "text": text })).await.ok(201);
    let mentions = json!([{ "id": scene.bob.0, "name": "Bob Lee" }, { "id": scene.ann.0, "name": "Ann" }]);
    assert_eq!(comment["data"], json!({ "text": text, "mentions": mentions }));
    let mails = "SELECT kind, recipient, about, link FROM account_mails ORDER BY id";
    let expected = format!(
        "mention|Bob Lee@example.com|Ann mentioned you in SHOP-1: PayError: no money|http://127.0.0.1:8080/issues/{}",
        scene.issue
    );
    assert_eq!(
        app.database.rows(mails).await.unwrap(),
        [expected],
        "not the author, and not who sees it not"
    );

    let path = scene.path(&format!("/comments/{}", comment["id"]));
    let changed = ann.patch(app, &path, &json!({ "text": "@Bob Lee: done" })).await.ok(200);
    assert_eq!(changed["data"]["text"], "@Bob Lee: done");
    assert_eq!(changed["data"]["edited_at"], "2027-01-15T12:00:00Z");
    ann.patch(app, &path, &json!({ "text": "never mind" })).await.ok(200);
    ann.patch(app, &path, &json!({ "text": "@Bob Lee: done after all" })).await.ok(200);
    assert_eq!(app.database.rows(mails).await.unwrap().len(), 1, "nobody is told twice");
    assert_eq!(app.patch(&path, &json!({ "text": "mine now" })).await.status, 403);
    assert_eq!(scene.bob.1.delete(app, &path).await.status, 403);
    let client = app.client.delete(app.url(&path)).bearer_auth(crate::harness::TOKEN);
    assert_eq!(app.send(client).await.status, 403);
    assert_eq!(ann.patch(app, &path, &json!({ "text": " " })).await.mistakes(), ["text: is empty"]);
    ann.delete(app, &path).await.ok(204);
    assert_eq!(ann.delete(app, &path).await.status, 404);
    assert!(scene.activity().await.is_empty());
    let log = app.get("/api/v1/audit?action=comment").await.ok(200);
    let actions: Vec<_> = log["items"].as_array().unwrap().iter().map(|one| one["action"].clone()).collect();
    let [removed, updated, created] = ["comment.removed", "comment.updated", "comment.created"];
    assert_eq!(actions, [removed, updated, updated, updated, created]);
    let made = &log["items"][4];
    assert_eq!((&made["before"], &made["after"]["text"]), (&Value::Null, &json!(text)));
    assert_eq!(
        made["target"],
        json!({ "kind": "comment", "id": comment["id"].to_string(), "name": "SHOP-1" })
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_send_only_so_many_mails() {
    let config = Config {
        smtp_url: Some("smtp://127.0.0.1:1".parse::<url::Url>().unwrap().into()),
        api_rate_limit: 0,
        ..Config::default()
    };
    let scene = Scene::with(config).await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    let sent = async || app.database.number("SELECT count(*) FROM account_mails").await.unwrap();
    for _ in 0..62 {
        let comment = ann.post(app, &scene.path("/comments"), &json!({ "text": "@Bob Lee" })).await.ok(201);
        assert_eq!(comment["data"]["mentions"][0]["name"], "Bob Lee");
        // Nor does it help to take them back.
        ann.delete(app, &scene.path(&format!("/comments/{}", comment["id"]))).await.ok(204);
    }
    assert_eq!(sent().await, 60);
    app.post(&scene.path("/comments"), &json!({ "text": "@Bob Lee" })).await.ok(201);
    assert_eq!(sent().await, 61, "somebody else's");
    app.clock.advance(chrono::TimeDelta::hours(1));
    ann.post(app, &scene.path("/comments"), &json!({ "text": "@Bob Lee" })).await.ok(201);
    assert_eq!(sent().await, 62);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookmarks_are_everybody_s_own() {
    let scene = Scene::new().await;
    let (app, path) = (&scene.app, scene.path("/bookmark"));
    let (ann, bob) = (&scene.ann.1, &scene.bob.1);
    for _ in 0..2 {
        bob.send(app, Method::PUT, &path, None).await.ok(204);
    }
    assert_eq!(scene.found(bob, "is:bookmarked").await, [scene.issue.0]);
    assert_eq!(scene.found(ann, "is:bookmarked").await, [0; 0]);
    assert_eq!(scene.found(ann, "!is:bookmarked").await, [scene.issue.0]);
    assert_eq!(bob.get(app, &scene.path("")).await.ok(200)["bookmarked"], true);
    assert_eq!(ann.get(app, &scene.path("")).await.ok(200)["bookmarked"], false);
    assert_eq!(app.get(&scene.path("")).await.ok(200)["bookmarked"], Value::Null, "a token has none");
    assert_eq!(ids(&app.get("/api/v1/issues?query=is:bookmarked").await.ok(200)), [0; 0]);
    bob.delete(app, &path).await.ok(204);
    assert_eq!(scene.found(bob, "is:bookmarked").await, [0; 0]);
    let (_, stranger) = person(app, "Cy", InstallationRole::Member, &[]).await;
    assert_eq!(stranger.send(app, Method::PUT, &path, None).await.status, 404);
    scene.app.stop().await;
}
