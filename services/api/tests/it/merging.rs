//! Merging, parting, deleting, discarding, many at once, and secret links.

use crate::events::sample;
use crate::harness::ids;
use crate::people::{person, team};
use crate::workflow::Scene;
use bugle_model::{Event, InstallationRole, ProjectId, TeamRole};
use reqwest::Method;
use serde_json::{Value, json};

impl Scene {
    async fn project(&self) -> ProjectId {
        ProjectId(
            i32::try_from(self.app.database.number("SELECT id::bigint FROM projects").await.unwrap())
                .unwrap(),
        )
    }

    async fn another(&self, number: i32) -> i64 {
        self.app.issue(self.project().await, number, &format!("Issue {number}"), i64::from(number)).await.0
    }

    async fn hash(&self, issue: i64, digit: char) -> String {
        let hash = digit.to_string().repeat(32);
        self.app
            .database
            .execute(&format!(
                "INSERT INTO issue_hashes (project_id, hash, issue_id, algorithm, events)
                 SELECT project_id, '\\x{hash}', id, 1, 7 FROM issues WHERE id = {issue}"
            ))
            .await
            .unwrap();
        hash
    }

    async fn actions(&self) -> Vec<String> {
        let log = self.app.get("/api/v1/audit").await.ok(200);
        let items = log["items"].as_array().unwrap();
        items.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_issues_are_one_and_their_ids_lead_to_it() {
    let scene = Scene::new().await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    let (two, three) = (scene.another(2).await, scene.another(3).await);
    let mut event = sample();
    event.event_id = uuid::Uuid::from_u128(7);
    app.event(scene.project().await, bugle_model::IssueId(two), &event, 1).await;
    let (one, other) = (scene.hash(scene.issue.0, 'a').await, scene.hash(two, 'b').await);

    let merged = ann.post(app, &scene.path("/merge"), &json!({ "issues": [two, three] })).await.ok(200);
    assert_eq!((&merged["id"], &merged["count"]), (&json!(scene.issue), &json!(60)));
    assert_eq!(ids(&app.get("/api/v1/issues").await.ok(200)), [scene.issue.0]);
    for old in [two.to_string(), three.to_string(), "shop-2".to_owned()] {
        assert_eq!(
            app.get(&format!("/api/v1/issues/{old}")).await.ok(200)["id"],
            json!(scene.issue),
            "{old}"
        );
    }
    let events = app.get(&scene.path("/events")).await.ok(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    let happened = scene.activity().await;
    assert_eq!((&happened[0]["kind"], &happened[0]["actor"]), (&json!("merged"), &json!("Ann")));
    assert_eq!(
        happened[0]["data"]["issues"][0],
        json!({ "id": two, "short_id": "SHOP-2", "title": "Issue 2" })
    );

    let listed = app.get(&scene.path("/fingerprints")).await.ok(200);
    let fingerprint = |text: &str| json!({ "fingerprint": text, "algorithm": 1, "events": 7 });
    assert_eq!(listed["items"], json!([fingerprint(&one), fingerprint(&other)]));
    let unmerge = scene.path("/unmerge");
    let mistakes = [
        (json!(["zz"]), "fingerprints: expected 1 to 100 texts of 32 hex digits".to_owned()),
        (json!([]), "fingerprints: expected 1 to 100 texts of 32 hex digits".to_owned()),
        (
            json!(["c".repeat(32)]),
            format!("fingerprints: the issue does not have the fingerprint {}", "c".repeat(32)),
        ),
        (json!([one, other]), "fingerprints: the issue has to keep a fingerprint".to_owned()),
    ];
    for (given, mistake) in mistakes {
        let answer = ann.post(app, &unmerge, &json!({ "fingerprints": given })).await;
        assert_eq!(answer.mistakes(), [mistake]);
    }
    app.database.execute("UPDATE projects SET next_issue_number = 10").await.unwrap();
    let new = ann.post(app, &unmerge, &json!({ "fingerprints": [other] })).await.ok(201);
    assert_eq!((&new["count"], &new["title"]), (&json!(0), &json!("PayError: no money")));
    let path = format!("/api/v1/issues/{}/fingerprints", new["id"]);
    assert_eq!(app.get(&path).await.ok(200)["items"], json!([fingerprint(&other)]));
    assert_eq!(scene.actions().await, ["issue.unmerged", "issue.merged"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_others_of_the_same_project_and_of_one_s_own_are_merged() {
    let scene = Scene::new().await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    let red = team(app, "red").await;
    let hidden = app.project("hidden").await;
    app.database.execute(&format!("UPDATE projects SET team_id = {red} WHERE id = {hidden}")).await.unwrap();
    let hidden = app.issue(hidden, 1, "Secret", 1).await;
    let merge = scene.path("/merge");
    let answer = ann.post(app, &merge, &json!({ "issues": [hidden] })).await;
    assert_eq!(answer.mistakes(), [format!("issues: there is no issue {hidden}")]);
    let answer = app.post(&merge, &json!({ "issues": [hidden] })).await;
    assert_eq!(answer.mistakes(), [format!("issues: the issue {hidden} is of another project")]);
    for given in [json!([]), json!([scene.issue])] {
        let answer = ann.post(app, &merge, &json!({ "issues": given })).await;
        assert_eq!(answer.mistakes(), ["issues: expected 1 to 100 other issues"]);
    }
    assert_eq!(scene.bob.1.post(app, &merge, &json!({ "issues": [hidden] })).await.status, 403);
    assert!(scene.actions().await.is_empty());
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_deleted_and_discarded() {
    let scene = Scene::new().await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    app.event(scene.project().await, scene.issue, &sample(), 1).await;
    scene.hash(scene.issue.0, 'a').await;
    ann.delete(app, &scene.path("?discard=true")).await.ok(204);
    assert_eq!(app.get(&scene.path("")).await.status, 404);
    assert_eq!(app.database.number("SELECT count(*) FROM events").await.unwrap(), 0);
    let listed = scene.bob.1.get(app, "/api/v1/projects/shop/discards").await.ok(200);
    let discard = &listed["items"][0];
    assert_eq!(
        (&discard["title"], &discard["fingerprints"], &discard["created_by"]),
        (&json!("PayError: no money"), &json!(1), &json!("Ann"))
    );
    let path = format!("/api/v1/projects/shop/discards/{}", discard["id"]);
    assert_eq!(scene.bob.1.delete(app, &path).await.status, 403);
    ann.delete(app, &path).await.ok(204);
    assert_eq!(ann.delete(app, &path).await.status, 404);
    assert_eq!(app.database.number("SELECT count(*) FROM discard_hashes").await.unwrap(), 0);
    let two = scene.another(2).await;
    ann.delete(app, &format!("/api/v1/issues/{two}")).await.ok(204);
    assert_eq!(app.get("/api/v1/projects/shop/discards").await.ok(200)["items"], json!([]));
    assert_eq!(scene.actions().await, ["issue.deleted", "discard.removed", "issue.deleted"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_issues_are_changed_at_once() {
    let scene = Scene::new().await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    app.database
        .execute(
            "INSERT INTO issues (project_id, number, title, platform, level, priority, first_seen, active_at)
             SELECT 1, n, 'Many', 'python', 40, 3, '2027-01-02T00:00:00Z', '2027-01-02T00:00:00Z' FROM generate_series(2, 1101) n",
        )
        .await
        .unwrap();
    let bulk = "/api/v1/issues/bulk";
    let answer =
        ann.post(app, bulk, &json!({ "query": "many", "status": "resolved", "assigned_to": "Ann" })).await;
    assert_eq!(answer.ok(200), json!({ "matched": 1000, "changed": 1000, "more": true }));
    assert_eq!(scene.found(ann, "is:unresolved many assigned:none").await.len(), 25);
    let resolved = "SELECT count(*) FROM issues WHERE status = 1 AND assigned_user_id IS NOT NULL";
    assert_eq!(app.database.number(resolved).await.unwrap(), 1_000);
    assert_eq!(app.database.number("SELECT count(*) FROM issue_activity").await.unwrap(), 2_000);
    let log = app.get("/api/v1/audit").await.ok(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "one entry");
    assert_eq!(log["items"][0]["after"]["status"], "resolved");
    let before = log["items"][0]["before"]["issues"].as_array().unwrap();
    assert_eq!(before.len(), 100, "the first");
    assert_eq!((&before[0]["status"], &before[0]["assigned_to"]), (&json!("unresolved"), &Value::Null));
    let answer = ann
        .post(app, bulk, &json!({ "query": "many is:unresolved", "project": "shop", "priority": "high" }))
        .await;
    assert_eq!(answer.ok(200), json!({ "matched": 100, "changed": 0, "more": false }), "it was so before");
    let given = [scene.issue.0, scene.issue.0 + 1, 99_999];
    let answer = ann.post(app, bulk, &json!({ "ids": given, "merge": true })).await;
    assert_eq!(answer.ok(200), json!({ "matched": 2, "changed": 1, "more": false }));
    let answer = ann.post(app, bulk, &json!({ "query": "many is:resolved", "delete": true })).await;
    assert_eq!(answer.ok(200)["changed"], 1_000);
    let log = app.get("/api/v1/audit?action=issue.bulk_updated&limit=1").await.ok(200);
    let gone = log["items"][0]["before"]["issues"].as_array().unwrap();
    let named = |one: &Value| one["title"] == "Many" && one["id"].is_i64() && one["short_id"].is_string();
    assert!(gone.len() == 100 && gone.iter().all(named), "{}", gone[0]);
    for (body, mistake) in [
        (json!({ "status": "resolved" }), "ids: say which issues"),
        (json!({ "ids": [1] }), "status: say what is to be different, or `merge`, or `delete`"),
        (json!({ "ids": [1], "query": "", "merge": true }), "ids: goes without `query` and `project`"),
        (json!({ "ids": [1], "status": "resolved", "merge": true }), "merge: goes with no other change"),
        (json!({ "ids": [1], "priority": "low", "delete": true }), "delete: goes with no other change"),
        (json!({ "ids": [1], "merge": true, "discard": true }), "discard: goes with `delete` only"),
        (
            json!({ "query": "is:odd", "delete": true }),
            "query: `odd` is not one of unresolved, resolved, ignored",
        ),
    ] {
        assert_eq!(ann.post(app, bulk, &body).await.mistakes(), [mistake]);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_one_project_has_changed_none() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let red = team(app, "red").await;
    let till = app.project("till").await;
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {red} WHERE id = {till};
             INSERT INTO issues (project_id, number, title, platform, level, priority, first_seen, active_at)
             SELECT 1, n, 'Many', 'python', 40, 3, '2027-01-02T00:00:00Z', '2027-01-02T00:00:00Z' FROM generate_series(2, 150) n"
        ))
        .await
        .unwrap();
    app.issue(till, 1, "Many", 1).await;
    let bulk = "/api/v1/issues/bulk";
    let body = json!({ "query": "many", "assigned_to": { "user": scene.ann.0 } });
    let mistake = format!("assigned_to: nobody who sees the issue has the id {}", scene.ann.0);
    assert_eq!(app.post(bulk, &body).await.mistakes(), [mistake]);
    let changed = "SELECT count(*) FROM issues WHERE assigned_user_id IS NOT NULL";
    assert_eq!(app.database.number(changed).await.unwrap(), 0);

    // Each team's managers read of theirs.
    let body = json!({ "query": "many", "status": "resolved" });
    assert_eq!(app.post(bulk, &body).await.ok(200)["changed"], 150);
    let entries =
        "SELECT team_id, target_id, jsonb_array_length(after -> 'issues') FROM audit_log ORDER BY 1";
    let expected = [format!("{}|149|149", scene.team), format!("{red}|1|1")];
    assert_eq!(app.database.rows(entries).await.unwrap(), expected);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_one_s_own_only() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let red = team(app, "red").await;
    let (_, cy) = person(
        app,
        "Cy",
        InstallationRole::Member,
        &[(red, TeamRole::Member), (scene.team, TeamRole::Viewer)],
    )
    .await;
    for body in [
        json!({ "ids": [scene.issue], "delete": true }),
        json!({ "query": "", "delete": true }),
        json!({ "query": "", "status": "resolved" }),
    ] {
        let answer = cy.post(app, "/api/v1/issues/bulk", &body).await.ok(200);
        assert_eq!(answer["matched"], 0, "a viewer there: {body}");
    }
    assert_eq!(app.get(&scene.path("")).await.ok(200)["status"], "unresolved");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_link_shows_the_issue_and_nobody_it_happened_to() {
    let scene = Scene::new().await;
    let (app, ann) = (&scene.app, &scene.ann.1);
    let secret: Event = serde_json::from_value(json!({
        "event_id": "00000000-0000-0000-0000-000000000abc", "timestamp": "2027-01-15T12:00:00Z",
        "level": "error", "source": "sentry", "platform": "python", "server_name": "HIDDEN-1",
        "user": { "email": "HIDDEN-2" }, "tags": { "HIDDEN-3": "HIDDEN-4" }, "extra": { "HIDDEN-5": 1 },
        "request": { "url": "https://HIDDEN-6", "headers": [["HIDDEN-7", "HIDDEN-8"]] },
        "contexts": { "HIDDEN-9": {} }, "release": "HIDDEN-10", "environment": "HIDDEN-11",
        "breadcrumbs": [{ "message": "HIDDEN-12" }],
        "exceptions": [{ "type": "PayError", "value": "no money", "stacktrace": { "frames": [
            { "function": "pay", "filename": "shop.py", "lineno": 7, "vars": { "HIDDEN-13": "HIDDEN-14" },
              "abs_path": "/home/HIDDEN-15/shop.py" }] } }],
    }))
    .unwrap();
    app.event(scene.project().await, scene.issue, &secret, 1).await;
    let share = scene.path("/share");
    assert_eq!(scene.bob.1.post(app, &share, &json!({})).await.status, 403);
    let made = ann.post(app, &share, &json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let link = made.ok(201)["url"].as_str().unwrap().to_owned();
    let (_, token) = link.split_once("/share/").unwrap();
    let read = || app.send(app.client.get(app.url(&format!("/api/v1/shared/{token}"))));
    let shown = read().await;
    assert_eq!(
        (shown.header("cache-control"), shown.header("x-robots-tag")),
        ("no-store", "noindex, nofollow")
    );
    assert!(!shown.text.contains("HIDDEN"), "{}", shown.text);
    let shown = shown.ok(200);
    assert_eq!((&shown["title"], &shown["short_id"]), (&json!("PayError: no money"), &json!("SHOP-1")));
    let frame = &shown["event"]["exceptions"][0]["frames"][0];
    assert_eq!((&frame["function"], &frame["lineno"]), (&json!("pay"), &json!(7)));
    assert_eq!(shown.get("assigned_to"), None);
    assert!(
        !app.database.rows("SELECT encode(token_hash, 'hex') FROM issue_shares").await.unwrap()[0]
            .contains(token)
    );

    // A new link ends the old one, and taking it back ends both.
    ann.post(app, &share, &json!({})).await.ok(201);
    assert_eq!(read().await.status, 404);
    let link = ann.post(app, &share, &json!({})).await.ok(201)["url"].as_str().unwrap().to_owned();
    ann.delete(app, &share).await.ok(204);
    ann.send(app, Method::DELETE, &share, None).await.ok(204);
    let (_, token) = link.split_once("/share/").unwrap();
    assert_eq!(app.send(app.client.get(app.url(&format!("/api/v1/shared/{token}")))).await.status, 404);
    assert_eq!(scene.actions().await, ["issue.unshared", "issue.shared", "issue.shared", "issue.shared"]);
    scene.app.stop().await;
}
