//! What sentry-cli calls, as it was recorded from it. The tests across services run the program itself.

use crate::harness::{Answer, App, TOKEN};
use reqwest::Method;
use serde_json::{Value, json};

async fn call(app: &App, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = app.client.request(method, app.url(&format!("/api/0/{path}"))).bearer_auth(TOKEN);
    app.send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_two_projects_is_one_of_each() {
    let app = App::start().await;
    for name in ["shop", "my blog", "other"] {
        app.project(name).await;
    }
    let new = json!({
        "version": "web@10.2.0", "projects": ["shop", 2], "dateStarted": "2027-01-15T10:00:00.071716329Z",
    });
    let made = call(&app, Method::POST, "organizations/any/releases/", Some(new)).await.ok(201);
    insta::assert_json_snapshot!("sentry_release", made);
    call(
        &app,
        Method::POST,
        "organizations/any/releases/",
        Some(json!({ "version": "web@10.2.0", "projects": ["other"] })),
    )
    .await
    .ok(201);

    // Names of projects bound what is done.
    let path = "organizations/any/releases/web@10.2.0/";
    let finalize = json!({ "projects": ["shop", "my blog"], "dateReleased": "2027-01-15T11:00:00Z" });
    call(&app, Method::PUT, path, Some(finalize)).await.ok(200);
    let released = "SELECT p.name, r.released_at IS NOT NULL FROM releases r JOIN projects p ON p.id = r.project_id ORDER BY 1";
    assert_eq!(app.database.rows(released).await.unwrap(), ["my blog|t", "other|f", "shop|t"]);

    let commits = json!({ "commits": [
        { "patch_set": [{ "path": "a", "type": "M" }], "repository": "origin", "author_name": "Ann",
          "author_email": "ann@example.com", "timestamp": "2027-01-15T09:00:00+02:00", "message": "x".repeat(5_000),
          "id": "09e93c20ccfeab85176528c425bd23471fbb923b" },
    ]});
    let changed = call(&app, Method::PUT, path, Some(commits)).await.ok(200);
    assert_eq!(changed["lastCommit"]["id"], "09e93c20ccfeab85176528c425bd23471fbb923b");
    let kept = "SELECT count(*), min(length(message)) FROM release_commits";
    assert_eq!(app.database.rows(kept).await.unwrap(), ["3|4096"]);
    let repos = call(&app, Method::GET, "organizations/any/repos/?cursor=", None).await.ok(200);
    assert_eq!((repos.as_array().unwrap().len(), &repos[0]["name"]), (1, &json!("origin")));

    let refs =
        json!({ "refs": [{ "repository": "origin", "commit": "def456", "previousCommit": "abc123" }] });
    assert_eq!(call(&app, Method::PUT, path, Some(refs)).await.ok(200)["lastCommit"]["id"], "def456");

    let deploy = json!({
        "environment": "production", "name": "foo", "url": "http://u", "dateStarted": "2027-01-15T10:00:00Z",
        "dateFinished": "2027-01-15T11:00:00Z",
    });
    call(&app, Method::POST, &format!("{path}deploys/"), Some(deploy)).await.ok(201);
    let deploys = call(&app, Method::GET, &format!("{path}deploys/"), None).await.ok(200);
    assert_eq!(deploys.as_array().unwrap().len(), 1, "one of each project, and one to sentry-cli");
    assert_eq!(app.database.number("SELECT count(*) FROM deploys").await.unwrap(), 3);

    let listed = call(&app, Method::GET, "organizations/any/releases/", None).await.ok(200);
    assert_eq!((listed.as_array().unwrap().len(), listed[0]["projects"].as_array().unwrap().len()), (1, 3));
    call(
        &app,
        Method::POST,
        "organizations/any/releases/",
        Some(json!({ "version": "web@10.2.0", "projects": [], "status": "archived" })),
    )
    .await
    .ok(201);
    assert_eq!(call(&app, Method::GET, "projects/any/shop/releases/", None).await.ok(200), json!([]));

    let of_one = call(&app, Method::DELETE, "projects/any/other/releases/web@10.2.0/", None).await;
    assert_eq!(of_one.status, 204);
    assert_eq!(call(&app, Method::DELETE, path, None).await.status, 204);
    assert_eq!(call(&app, Method::GET, path, None).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_before_is_where_commits_go_on_from() {
    let app = App::start().await;
    app.project("shop").await;
    for (version, commit) in [("1.0.0", Some("aaaaaaa")), ("1.1.0", None), ("1.2.0", None)] {
        let commits = commit.map(|id| json!([{ "id": id }]));
        let body = json!({ "version": version, "projects": ["shop"], "commits": commits });
        call(&app, Method::POST, "organizations/any/releases/", Some(body)).await.ok(201);
    }
    let previous = async |version: &str| {
        let path = format!("organizations/any/releases/{version}/previous-with-commits/");
        call(&app, Method::GET, &path, None).await.ok(200)
    };
    assert_eq!(previous("1.0.0").await, json!({}));
    let found = previous("1.2.0").await;
    assert_eq!((&found["version"], &found["lastCommit"]["id"]), (&json!("1.0.0"), &json!("aaaaaaa")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_details() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("blog").await;
    let known = json!({ "version": "2", "projects": ["shop"] });
    call(&app, Method::POST, "organizations/any/releases/", Some(known)).await.ok(201);
    let cases = [
        (Method::GET, "organizations/any/releases/none/", None, 404, "there is no release `none`"),
        (
            Method::POST,
            "organizations/any/releases/",
            Some(json!({ "version": "1", "projects": ["none"] })),
            422,
            "project: there is no project `none`",
        ),
        (
            Method::POST,
            "organizations/any/releases/",
            Some(json!({ "version": "", "projects": ["shop"] })),
            422,
            "version: expected 1 to 200 bytes",
        ),
        (
            Method::POST,
            "organizations/any/releases/",
            Some(json!({ "version": "1", "projects": [] })),
            422,
            "projects: expected 1 to 50 projects",
        ),
        (
            Method::PUT,
            "organizations/any/releases/2/",
            Some(json!({ "projects": ["shop", "none"], "ref": "v2" })),
            422,
            "project: there is no project `none`",
        ),
        (
            Method::PUT,
            "organizations/any/releases/2/",
            Some(json!({ "projects": ["shop", "blog"], "ref": "v2" })),
            422,
            "projects: `blog` has no release `2`",
        ),
        (
            Method::POST,
            "organizations/any/releases/2/deploys/",
            Some(json!({ "environment": "production", "projects": ["none"] })),
            422,
            "project: there is no project `none`",
        ),
        (Method::GET, "projects/any/none/releases/2/", None, 404, "there is no project `none`"),
        (
            Method::POST,
            "organizations/any/releases/",
            Some(json!({ "version": 1 })),
            422,
            "version: invalid type: integer `1`, expected a string",
        ),
        (
            Method::GET,
            "organizations/any/chunk-upload/",
            None,
            405,
            "Bugle does not take source maps, debug files and other artefacts yet",
        ),
    ];
    for (method, path, body, status, detail) in cases {
        let answer = call(&app, method, path, body).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!((answer.status, &answer.body), (status, &json!({ "detail": detail })), "{path}");
    }
    let changed = "SELECT count(*) FROM releases WHERE ref IS NOT NULL";
    assert_eq!(app.database.number(changed).await.unwrap(), 0);
    let nobody = app.send(app.client.get(app.url("/api/0/"))).await;
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    let detail = json!({ "detail": "sign in, or send `Authorization: Bearer <token>`" });
    assert_eq!((nobody.status, nobody.body), (401, detail));
    app.stop().await;
}
