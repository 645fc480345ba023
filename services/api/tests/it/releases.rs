//! Releases: declared, listed, changed; what belongs to them; issues that are resolved by them.

use crate::harness::App;
use bugle_model::ProjectId;
use bugle_store::tokens::{self, NewToken};
use bugle_web::auth;
use serde_json::{Value, json};

fn versions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect()
}

async fn declare(app: &App, project: &str, version: &str) -> Value {
    app.post("/api/v1/releases", &json!({ "project": project, "version": version })).await.ok(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_declared_changed_and_removed() {
    let app = App::start().await;
    app.project("shop").await;
    let body = json!({
        "project": "shop", "version": "shop@1.4.0+7", "ref": "main", "url": "https://example.com/1.4.0",
        "released_at": "2027-01-10T10:00:00Z",
        "commits": [
            { "id": "ABCDEF0123", "repository": "acme/shop", "author_name": "Ann", "author_email": "ann@example.com",
              "message": "Fix the till", "timestamp": "2027-01-10T09:00:00+01:00" },
            { "id": "0123456789" },
        ],
    });
    let made = app.post("/api/v1/releases", &body).await.ok(201);
    insta::assert_json_snapshot!("release", made);
    let path = "/api/v1/releases/1:shop@1.4.0%2B7";
    for same in [path, "/api/v1/releases/shop:shop@1.4.0+7", "/api/v1/releases/shop%3Ashop%401.4.0%2B7"] {
        assert_eq!(app.get(same).await.ok(200), made, "{same}");
    }
    let commits = app.get(&format!("{path}/commits")).await.ok(200);
    insta::assert_json_snapshot!("release_commits", commits);

    // Once more: what is said is added, the rest stays.
    let again = json!({ "project": 1.to_string(), "version": "shop@1.4.0+7", "ref": "v1.4.0" });
    let again = app.post("/api/v1/releases", &again).await.ok(201);
    assert_eq!(
        (&again["ref"], &again["url"], &again["commit_count"]),
        (&json!("v1.4.0"), &made["url"], &json!(2))
    );

    let change = json!({ "status": "archived", "url": null });
    let changed = app.patch(path, &change).await.ok(200);
    assert_eq!((&changed["status"], &changed["url"]), (&json!("archived"), &json!(null)));
    assert!(versions(&app.get("/api/v1/releases").await.ok(200)).is_empty());
    assert_eq!(versions(&app.get("/api/v1/releases?status=all").await.ok(200)), ["shop@1.4.0+7"]);

    let put = app.client.put(app.url(&format!("{path}/commits"))).bearer_auth(crate::harness::TOKEN);
    let emptied = app.send(put.json(&json!({ "commits": [] }))).await.ok(200);
    assert_eq!((&emptied["commit_count"], &emptied["authors"]), (&json!(0), &json!([])));

    let delete = app.client.delete(app.url(path)).bearer_auth(crate::harness::TOKEN);
    assert_eq!(app.send(delete).await.status, 204);
    assert_eq!(app.get(path).await.status, 404);
    let actions = app.database.rows("SELECT action, target_name FROM audit_log ORDER BY id").await.unwrap();
    let of = |action: &str| format!("release.{action}|1:shop@1.4.0+7");
    assert_eq!(actions, ["created", "commits_set", "updated", "updated", "commits_set", "deleted"].map(of));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_may_hold_what_paths_do_not() {
    let app = App::start().await;
    app.project("shop").await;
    for (version, encoded) in [
        ("feature/pay:later", "feature%2Fpay:later"),
        ("a b%#?&", "a%20b%25%23%3F%26"),
        ("ä//ö/", "%C3%A4%2F%2F%C3%B6%2F"),
    ] {
        let made = declare(&app, "shop", version).await;
        assert_eq!(app.get(&format!("/api/v1/releases/1:{encoded}")).await.ok(200), made, "{version}");
        app.get(&format!("/api/v1/releases/1:{encoded}/commits")).await.ok(200);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_events_stays() {
    let app = App::start().await;
    app.project("shop").await;
    declare(&app, "shop", "1.0.0").await;
    app.database
        .execute("INSERT INTO release_counts SELECT id, 3, '2027-01-02Z', '2027-01-03Z' FROM releases")
        .await
        .unwrap();
    let delete = app.client.delete(app.url("/api/v1/releases/1:1.0.0")).bearer_auth(crate::harness::TOKEN);
    assert_eq!(app.send(delete).await.status, 409);
    let shown = app.get("/api/v1/releases/1:1.0.0").await.ok(200);
    assert_eq!(
        (&shown["events"], &shown["first_seen"], &shown["last_seen"]),
        (&json!(3), &json!("2027-01-02T00:00:00Z"), &json!("2027-01-03T00:00:00Z"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_sorted_and_cut() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("blog").await;
    for version in ["shop@1.10.0", "f00dfeed", "shop@1.9.0", "shop@1.10.0-rc.1", "100%", "shop@2.0.0"] {
        declare(&app, "shop", version).await;
    }
    declare(&app, "blog", "shop@1.9.5").await;
    let cases = [
        ("?project=shop&version=shop@1.*", vec!["shop@1.10.0-rc.1", "shop@1.9.0", "shop@1.10.0"]),
        ("?version=shop@1.9.5", vec!["shop@1.9.5"]),
        ("?version=1__%25", vec![]),
        ("?version=100%25", vec!["100%"]),
        (
            "?sort=version&project=shop",
            vec!["shop@2.0.0", "shop@1.10.0", "shop@1.10.0-rc.1", "shop@1.9.0", "100%", "f00dfeed"],
        ),
        (
            "?sort=version",
            vec![
                "shop@2.0.0",
                "shop@1.10.0",
                "shop@1.10.0-rc.1",
                "shop@1.9.5",
                "shop@1.9.0",
                "100%",
                "f00dfeed",
            ],
        ),
        (
            "?sort=created",
            vec![
                "shop@1.9.5",
                "shop@2.0.0",
                "100%",
                "shop@1.10.0-rc.1",
                "shop@1.9.0",
                "f00dfeed",
                "shop@1.10.0",
            ],
        ),
    ];
    for (parameters, expected) in cases {
        let page = app.get(&format!("/api/v1/releases{parameters}")).await.ok(200);
        assert_eq!(versions(&page), expected, "{parameters}");
        // The same, one by one.
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let join = if parameters.contains('?') { '&' } else { '?' };
            let page = app.get(&format!("/api/v1/releases{parameters}{join}limit=1{cursor}")).await.ok(200);
            seen.extend(versions(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{parameters}");
    }
    let wrong = app.get("/api/v1/releases?project=none&sort=size&status=new").await;
    assert_eq!(
        wrong.mistakes(),
        ["status: `new` is not open, archived or all", "sort: `size` is not created or version"]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let app = App::start().await;
    app.project("shop").await;
    let cases = [
        (json!({ "project": "shop", "version": "" }), "version: expected 1 to 200 bytes"),
        (json!({ "project": "shop", "version": "x".repeat(201) }), "version: expected 1 to 200 bytes"),
        (
            json!({ "project": "shop", "version": " 1.0" }),
            "version: has spaces at an end, or control characters",
        ),
        (json!({ "project": "shop", "version": "a\u{0}" }), "version: has a NUL character"),
        (json!({ "project": "shop", "version": ".." }), "version: is a folder, not a version"),
        (json!({ "project": "blog", "version": "1" }), "project: there is no project `blog`"),
        (
            json!({ "project": "shop", "version": "1", "url": "javascript:alert(1)" }),
            "url: does not begin with https:// or http://",
        ),
        (json!({ "project": "shop", "version": "1", "ref": "x".repeat(251) }), "ref: is over 250 characters"),
        (
            json!({ "project": "shop", "version": "1", "commits": [{ "id": "a".repeat(65) }] }),
            "commits[0].id: is over 64 characters",
        ),
        (
            json!({ "project": "shop", "version": "1", "commits": vec![json!({ "id": "a" }); 1_001] }),
            "commits: are over 1000",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(app.post("/api/v1/releases", &body).await.mistakes(), [expected], "{body:.80}");
    }
    assert_eq!(app.database.number("SELECT count(*) FROM releases").await.unwrap(), 0);
    for missing in ["1:none", "none:1", "7", "1:", "1:a%00"] {
        assert_eq!(app.get(&format!("/api/v1/releases/{missing}")).await.status, 404, "{missing}");
    }
    declare(&app, "shop", "1").await;
    let deploy = app.post("/api/v1/releases/1:1/deploys", &json!({ "environment": "x".repeat(65) })).await;
    assert_eq!(deploy.mistakes(), ["environment: expected 1 to 64 bytes"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_say_where_a_release_runs() {
    let app = App::start().await;
    app.project("shop").await;
    declare(&app, "shop", "1.0.0").await;
    let path = "/api/v1/releases/1:1.0.0";
    for (environment, at) in [
        ("staging", "2027-01-01T08:00:00Z"),
        ("production", "2027-01-01T09:00:00Z"),
        ("staging", "2027-01-01T10:00:00Z"),
    ] {
        let body = json!({ "environment": environment, "name": "ci 7", "finished_at": at });
        let made = app.post(&format!("{path}/deploys"), &body).await.ok(201);
        assert_eq!((&made["environment"], &made["finished_at"]), (&json!(environment), &json!(at)));
    }
    let listed = app.get(&format!("{path}/deploys?limit=2")).await.ok(200);
    assert_eq!(listed["items"][1]["environment"], "production");
    let rest = app.get(&format!("{path}/deploys?cursor={}", listed["next"].as_str().unwrap())).await.ok(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        app.get(path).await.ok(200)["deployed"],
        json!([
            { "environment": "staging", "at": "2027-01-01T10:00:00Z" },
            { "environment": "production", "at": "2027-01-01T09:00:00Z" },
        ])
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_are_resolved_by_a_release_and_listed_with_it() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let mut issues = Vec::new();
    for number in 1..=5 {
        issues.push(app.issue(project, number, "x", i64::from(number)).await);
    }
    declare(&app, "shop", "shop@1.0.0").await;
    app.database
        .execute(
            r#"UPDATE issues SET first_release_id = (SELECT id FROM releases) WHERE number IN (1, 2);
               INSERT INTO issue_activity (issue_id, at, kind, data)
                   SELECT id, '2027-01-01Z', 'regressed', '{"release": "shop@1.0.0"}' FROM issues
                   WHERE number IN (2, 3)"#,
        )
        .await
        .unwrap();
    let change = async |issue: usize, resolved_in: Value| {
        let body = json!({ "status": "resolved", "resolved_in": resolved_in });
        app.patch(&format!("/api/v1/issues/{}", issues[issue - 1]), &body).await
    };
    let next = change(4, json!("next")).await.ok(200);
    assert_eq!((&next["status"], &next["resolved_in"]), (&json!("resolved"), &json!("next")));
    declare(&app, "shop", "shop@1.1.0").await;
    let given = json!({ "release": "shop@1.1.0" });
    assert_eq!(change(1, given.clone()).await.ok(200)["resolved_in"], given);
    let commit = json!({ "commit": "abcdef0" });
    let waiting = change(5, json!({ "commit": "ABCDEF0" })).await.ok(200);
    assert_eq!((&waiting["status"], &waiting["resolved_in"]), (&json!("unresolved"), &commit));
    let told = "SELECT count(*) FROM outbox";
    assert_eq!(app.database.number(told).await.unwrap(), 3);
    let with_commit =
        json!({ "project": "shop", "version": "shop@1.1.1", "commits": [{ "id": "abcdef0123" }] });
    app.post("/api/v1/releases", &with_commit).await.ok(201);
    assert_eq!(app.database.number(told).await.unwrap(), 4);
    let resolved = app.get(&format!("/api/v1/issues/{}", issues[4])).await.ok(200);
    assert_eq!((&resolved["status"], &resolved["resolved_in"]), (&json!("resolved"), &commit));

    for (version, kind, numbers) in [
        ("shop@1.0.0", "new", vec![2, 1]),
        ("shop@1.0.0", "regressed", vec![3, 2]),
        ("shop@1.0.0", "resolved", vec![]),
        ("shop@1.1.0", "resolved", vec![4, 1]),
        ("shop@1.1.1", "resolved", vec![5]),
    ] {
        let path = format!("/api/v1/releases/{project}:{version}");
        let page = app.get(&format!("{path}/issues?kind={kind}")).await.ok(200);
        let found: Vec<String> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["short_id"].as_str().unwrap().to_owned())
            .collect();
        let expected: Vec<String> = numbers.iter().map(|number| format!("SHOP-{number}")).collect();
        assert_eq!(found, expected, "{version} {kind}");
        assert_eq!(
            app.get(&path).await.ok(200)[format!("{kind}_issues")],
            expected.len(),
            "{version} {kind}"
        );
    }

    let activity = app.get(&format!("/api/v1/issues/{}/activity", issues[4])).await.ok(200);
    assert_eq!(activity["items"][0]["data"], json!({ "from": "unresolved", "to": "resolved", "in": commit }));
    let reopened =
        app.patch(&format!("/api/v1/issues/{}", issues[0]), &json!({ "status": "unresolved" })).await.ok(200);
    assert_eq!(reopened["resolved_in"], json!(null));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_resolution_is_refused() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    for (body, expected) in [
        (json!({ "resolved_in": "next" }), "resolved_in: goes with `\"status\": \"resolved\"`"),
        (
            json!({ "status": "ignored", "resolved_in": "next" }),
            "resolved_in: goes with `\"status\": \"resolved\"`",
        ),
        (
            json!({ "status": "resolved", "resolved_in": { "release": "1.0" } }),
            "resolved_in.release: the project has no release `1.0`; POST /api/v1/releases makes it known",
        ),
        (
            json!({ "status": "resolved", "resolved_in": { "commit": "abcdef" } }),
            "resolved_in.commit: expected 7 to 64 hexadecimal digits",
        ),
        (
            json!({ "status": "resolved", "resolved_in": "soon" }),
            "resolved_in: unknown variant `soon`, expected one of `now`, `next`, `release`, `commit`",
        ),
    ] {
        assert_eq!(
            app.patch(&format!("/api/v1/issues/{issue}"), &body).await.mistakes(),
            [expected],
            "{body}"
        );
    }
    assert_eq!(app.get(&format!("/api/v1/issues/{issue}")).await.ok(200)["status"], "unresolved");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_have_the_releases_of_their_period() {
    let app = App::start().await;
    let project: ProjectId = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    app.database
        .execute(&format!(
            "INSERT INTO releases (id, project_id, version, created_at) VALUES
                 (1, {project}, 'old', '2026-11-01Z'), (2, {project}, 'seen', '2027-01-14T10:00Z'),
                 (3, {project}, 'declared', '2027-01-15T11:00Z');
             INSERT INTO release_counts VALUES (2, 1, '2027-01-15T10:00Z', '2027-01-15T10:00Z')"
        ))
        .await
        .unwrap();
    let stats = app.get(&format!("/api/v1/issues/{issue}/stats?period=30d")).await.ok(200);
    assert_eq!(
        stats["releases"],
        json!([
            { "version": "seen", "first_seen": "2027-01-15T10:00:00Z" },
            { "version": "declared", "first_seen": "2027-01-15T11:00:00Z" },
        ])
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_teams_releases_are_not_there() {
    let app = App::start().await;
    app.project("shop").await;
    declare(&app, "shop", "1.0.0").await;
    let team = crate::people::team(&app, "red").await;
    let scopes = [bugle_model::TokenScope::Write];
    let new = NewToken { name: "red", scopes: &scopes, team: Some(team), created_by: None, expires_at: None };
    tokens::create_scoped(&mut *app.connection().await, &new, &auth::hash("red"), app.now()).await.unwrap();
    let get = async |path: &str| app.send(app.client.get(app.url(path)).bearer_auth("red")).await;
    assert!(versions(&get("/api/v1/releases").await.ok(200)).is_empty());
    assert_eq!(get("/api/v1/releases/1:1.0.0").await.status, 404);
    assert_eq!(get("/api/0/organizations/x/releases/1.0.0/").await.status, 404);
    assert_eq!(get("/api/0/organizations/x/releases/").await.ok(200), json!([]));
    assert_eq!(get("/api/0/organizations/x/repos/").await.ok(200), json!([]));
    app.stop().await;
}
