//! Teams, people and tokens: what each sees of the others, and what they may hand out.

use crate::harness::App;
use crate::people::{Browser, person, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::{Value, json};

const MEMBER: InstallationRole = InstallationRole::Member;

async fn projects(app: &App, browser: &Browser, names: &[&str]) {
    for name in names {
        browser.post(app, "/api/v1/projects", &json!({ "name": name })).await.ok(201);
    }
}

fn names(page: &Value, field: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_team_never_sees_anything_of_another() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (_, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager)]).await;
    let (_, ben) = person(&app, "ben", MEMBER, &[(red, TeamRole::Manager)]).await;
    let (_, both) = person(&app, "both", MEMBER, &[(blue, TeamRole::Viewer), (red, TeamRole::Viewer)]).await;
    let (_, nobody) = person(&app, "nobody", MEMBER, &[]).await;
    projects(&app, &ann, &["shop"]).await;
    projects(&app, &ben, &["till"]).await;
    app.project("of before").await;
    let found = |name: &str| {
        app.database.number(format!("SELECT id::bigint FROM projects WHERE name = '{name}'").leak())
    };
    let (shop, till) = (found("shop").await.unwrap(), found("till").await.unwrap());
    for (project, title) in [(shop, "shop is broken"), (till, "till is broken")] {
        let project = bugle_model::ProjectId(i32::try_from(project).unwrap());
        app.issue(project, 1, title, 5).await;
    }
    let seen = async |browser: &Browser, path: &str, field: &str| {
        names(&browser.get(&app, path).await.ok(200), field)
    };
    assert_eq!(seen(&ann, "/api/v1/projects", "name").await, ["shop"]);
    assert_eq!(seen(&ben, "/api/v1/projects", "name").await, ["till"]);
    assert_eq!(seen(&both, "/api/v1/projects", "name").await, ["shop", "till"]);
    assert_eq!(names(&app.get("/api/v1/projects").await.ok(200), "name").len(), 3);
    assert_eq!(seen(&ann, "/api/v1/issues", "title").await, ["shop is broken"]);
    assert_eq!(seen(&ann, "/api/error-logging/errors/", "service").await, ["shop"]);
    assert_eq!(seen(&ann, "/api/v1/teams", "name").await, ["blue"]);
    assert_eq!(seen(&ann, "/api/v1/users", "name").await, ["ann", "both"]);
    assert!(seen(&nobody, "/api/v1/issues", "title").await.is_empty());
    assert!(seen(&nobody, "/api/v1/users", "name").await.is_empty());
    // Of somebody in both only what one shares.
    let users = ann.get(&app, "/api/v1/users").await.ok(200);
    assert_eq!(users["items"][1]["teams"].as_array().unwrap().len(), 1);
    for path in [
        "/api/v1/issues/TILL-1",
        "/api/v1/projects/till",
        "/api/v1/projects/2/keys",
        "/api/v1/teams/2/members",
    ] {
        assert_eq!(ann.get(&app, path).await.ok(404)["code"], "not_found", "{path}");
    }
    assert_eq!(ann.get(&app, "/api/v1/issues?project=till").await.status, 422);
    assert_eq!(ann.get(&app, "/api/v1/outcomes?project=none").await.status, 403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_run_their_team_and_viewers_look() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (_, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager)]).await;
    let (ben_id, ben) = person(&app, "ben", MEMBER, &[(blue, TeamRole::Viewer)]).await;
    let (cat_id, _) = person(&app, "cat", MEMBER, &[(red, TeamRole::Viewer)]).await;
    projects(&app, &ann, &["shop"]).await;
    assert_eq!(
        ben.patch(&app, "/api/v1/projects/shop", &json!({ "name": "x" })).await.ok(403)["code"],
        "forbidden"
    );
    let member = format!("/api/v1/teams/1/members/{ben_id}");
    ann.put(&app, &member, &json!({ "role": "member" })).await.ok(200);
    // Whoever one does not see cannot be put into one's team.
    assert_eq!(
        ann.put(&app, &format!("/api/v1/teams/1/members/{cat_id}"), &json!({ "role": "viewer" }))
            .await
            .status,
        404
    );
    let members = ann.get(&app, "/api/v1/teams/1/members").await.ok(200);
    assert_eq!(names(&members, "role"), ["manager", "member"]);
    assert_eq!(ann.delete(&app, &member).await.status, 204);
    assert_eq!(ben.get(&app, "/api/v1/projects/shop").await.status, 404);
    assert_eq!(ann.patch(&app, "/api/v1/projects/shop", &json!({ "team": 2 })).await.status, 422);
    assert_eq!(ann.patch(&app, "/api/v1/teams/1", &json!({ "name": "red" })).await.status, 409);
    assert_eq!(ann.patch(&app, "/api/v1/teams/1", &json!({ "name": "navy" })).await.ok(200)["name"], "navy");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_changed_in_parts_and_deleted_with_all_it_has() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (_, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager)]).await;
    projects(&app, &ann, &["shop", "till"]).await;
    let change = json!({ "name": "store", "settings": { "retention": 30, "scrub": { "fields": ["iban"] } } });
    let changed = ann.patch(&app, "/api/v1/projects/shop", &change).await.ok(200);
    assert_eq!((&changed["name"], &changed["team"]["name"]), (&json!("store"), &json!("blue")));
    let settings = &changed["settings"];
    assert_eq!((&settings["retention"], &settings["retention_low"]), (&json!(30), &json!(30)));
    assert_eq!(
        (&settings["scrub"]["enabled"], &settings["scrub"]["fields"]),
        (&json!(true), &json!(["iban"]))
    );
    for bad in
        [json!({ "retention": 8 }), json!({ "nothing": 1 }), json!({ "scrub": { "fields": [""] } }), json!(7)]
    {
        assert_eq!(
            ann.patch(&app, "/api/v1/projects/store", &json!({ "settings": bad })).await.status,
            422,
            "{bad}"
        );
    }
    assert_eq!(ann.patch(&app, "/api/v1/projects/store", &json!({ "name": "till" })).await.status, 409);
    app.issue(bugle_model::ProjectId(1), 1, "Bad", 5).await;
    assert_eq!(ann.delete(&app, "/api/v1/projects/store").await.status, 204);
    assert_eq!(ann.get(&app, "/api/v1/projects/store").await.status, 404);
    assert_eq!(app.database.number("SELECT count(*) FROM issues").await.unwrap(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_settings_at_once_are_all_kept() {
    let app = App::start().await;
    app.project("shop").await;
    let changes = ["fields", "keep"].map(|list| json!({ "settings": { "scrub": { list: ["iban"] } } }));
    let more = json!({ "settings": { "retention": 7 } });
    // All have read before one writes.
    let holding = app.database.client().await.unwrap();
    holding.batch_execute("BEGIN; SELECT FROM projects FOR UPDATE").await.unwrap();
    let asked = async |body: &Value| app.patch("/api/v1/projects/shop", body).await.ok(200);
    let release = async {
        app.database.until_waiting(3).await.unwrap();
        holding.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(asked(&changes[0]), asked(&changes[1]), asked(&more), release);
    let settings = app.get("/api/v1/projects/shop").await.ok(200)["settings"].clone();
    assert_eq!(
        [&settings["scrub"]["fields"], &settings["scrub"]["keep"], &settings["retention"]],
        [&json!(["iban"]), &json!(["iban"]), &json!(7)]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_read_are_replaced_as_a_whole() {
    let app = App::start().await;
    app.project("shop").await;
    let path = "/api/v1/projects/shop";
    let whole = app.get(path).await.ok(200)["settings"].clone();
    app.database.execute(r#"UPDATE projects SET settings = '{"of": "a newer version"}'"#).await.unwrap();
    let refused = app.patch(path, &json!({ "settings": { "retention": 7 } })).await.ok(409);
    assert!(refused["detail"].as_str().unwrap().contains("give all of them"), "{refused}");
    app.patch(path, &json!({ "name": "store" })).await.ok(200);
    let mut whole = json!({ "settings": whole });
    whole["settings"]["retention"] = json!(7);
    let changed = app.patch("/api/v1/projects/store", &whole).await.ok(200);
    assert_eq!((&changed["settings"]["retention"], changed.get("settings_error")), (&json!(7), None));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_limited_rotated_and_removed() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (_, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager)]).await;
    projects(&app, &ann, &["shop"]).await;
    let path = "/api/v1/projects/shop/keys";
    let made = ann.post(&app, path, &json!({ "label": "web", "per_minute": 100 })).await.ok(201);
    assert_eq!(
        (&made["per_minute"], &made["per_hour"], &made["enabled"]),
        (&json!(100), &json!(null), &json!(true))
    );
    assert!(made["dsn"].as_str().unwrap().contains(made["key"].as_str().unwrap()));
    let one = format!("{path}/{}", made["id"]);
    let changed =
        ann.patch(&app, &one, &json!({ "per_minute": null, "per_hour": 7, "enabled": false })).await.ok(200);
    assert_eq!(
        (&changed["per_minute"], &changed["per_hour"], &changed["enabled"]),
        (&json!(null), &json!(7), &json!(false))
    );
    assert_eq!(ann.patch(&app, &one, &json!({ "per_hour": 0, "label": " " })).await.mistakes().len(), 2);
    let new = ann.post(&app, &format!("{one}/rotate"), &json!({})).await.ok(201);
    assert_ne!(new["key"], made["key"]);
    assert_eq!((&new["label"], &new["per_hour"]), (&json!("web"), &json!(7)));
    assert_eq!(ann.delete(&app, &one).await.status, 204);
    assert_eq!(ann.get(&app, path).await.ok(200)["items"].as_array().unwrap().len(), 2);
    app.database
        .execute(
            "INSERT INTO project_keys (project_id, public_key, created_at)
             SELECT 1, md5(n::text), '2027-01-15T12:00:00Z' FROM generate_series(1, 97) n",
        )
        .await
        .unwrap();
    let rotate = format!("{path}/{}/rotate", new["id"]);
    let (label, nothing) = (json!({ "label": "last" }), json!({}));
    let (one, other) = tokio::join!(ann.post(&app, path, &label), ann.post(&app, &rotate, &nothing));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "a hundred and no more");
    assert_eq!(ann.post(&app, &rotate, &json!({})).await.status, 409);
    projects(&app, &ann, &["till"]).await;
    assert_eq!(ann.delete(&app, &format!("/api/v1/projects/till/keys/{}", new["id"])).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hands_out_more_than_they_have() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (_, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager), (red, TeamRole::Viewer)]).await;
    let (_, admin) = person(&app, "admin", InstallationRole::Admin, &[]).await;
    let ask = async |browser: &Browser, team: Option<i32>, scopes: &[&str]| {
        let name = uuid::Uuid::new_v4().simple().to_string();
        browser.post(&app, "/api/v1/tokens", &json!({ "name": name, "scopes": scopes, "team": team })).await
    };
    let made = ask(&ann, Some(blue.0), &["write", "read", "read"]).await.ok(201);
    assert_eq!(made["scopes"], json!(["read", "write"]));
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("bugle_"));
    assert!(!ann.get(&app, "/api/v1/tokens").await.text.contains(token));
    assert_eq!(ask(&ann, Some(blue.0), &["admin"]).await.status, 403);
    assert_eq!(ask(&ann, Some(red.0), &["read"]).await.status, 403);
    // Without a team it is for everything that she manages: here one team.
    assert_eq!(ask(&ann, None, &["read"]).await.ok(201)["team"], blue.0);
    assert_eq!(ask(&admin, Some(blue.0), &["admin"]).await.status, 403);
    ask(&admin, None, &["admin"]).await.ok(201);
    assert_eq!(ask(&admin, None, &[]).await.status, 422);
    assert_eq!(ask(&admin, None, &["all"]).await.status, 422);
    let past = json!({ "name": "past", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z" });
    assert_eq!(admin.post(&app, "/api/v1/tokens", &past).await.status, 422);
    let path = format!("/api/v1/tokens/{}", made["id"]);
    let used = async || app.send(app.client.get(app.url("/api/v1/projects")).bearer_auth(token)).await.status;
    assert_eq!(used().await, 200);
    assert_eq!(ann.delete(&app, &path).await.status, 204);
    assert_eq!(used().await, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_can_no_more_than_who_made_it() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (ann_id, ann) = person(&app, "ann", MEMBER, &[(blue, TeamRole::Manager)]).await;
    let (root_id, root) = person(&app, "root", InstallationRole::Admin, &[]).await;
    let token = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let new = |name: &str, scopes: &[&str]| json!({ "name": name, "scopes": scopes });
    let (path, set) = ("/api/v1/tokens", async |sql: String| app.database.execute(&sql).await.unwrap());
    let used = async |token: &str| {
        app.send(app.client.get(app.url("/api/v1/projects")).bearer_auth(token)).await.status
    };

    let mut tokens = Vec::new();
    for scope in ["read", "triage", "write"] {
        let made = ann.post(&app, path, &new(scope, &[scope])).await.ok(201);
        assert_eq!(made["created_by"], json!({ "id": ann_id, "name": "ann" }));
        tokens.push(token(&made));
    }
    let statuses = async |tokens: &[String]| {
        let mut found = Vec::new();
        for token in tokens {
            found.push(used(token).await);
        }
        found
    };
    assert_eq!(statuses(&tokens).await, [200, 200, 200]);
    for (role, expected) in
        [("member", [200, 200, 401]), ("viewer", [200, 401, 401]), ("manager", [200, 200, 200])]
    {
        set(format!("UPDATE memberships SET role = '{role}' WHERE user_id = {ann_id}")).await;
        assert_eq!(statuses(&tokens).await, expected, "{role}");
    }
    set(format!("DELETE FROM memberships WHERE user_id = {ann_id}")).await;
    assert_eq!(statuses(&tokens).await, [401, 401, 401]);

    // What a token makes is of whoever made the token, and ends with it.
    let first = token(&root.post(&app, path, &new("first", &["admin"])).await.ok(201));
    let by_first =
        async |body: &Value| app.send(app.client.post(app.url(path)).bearer_auth(&first).json(body)).await;
    let second = by_first(&new("second", &["read"])).await.ok(201);
    assert_eq!(second["created_by"], json!({ "id": root_id, "name": "root" }));
    let listed = root.get(&app, path).await.ok(200);
    assert_eq!(listed["items"].as_array().unwrap().last().unwrap()["created_by"]["name"], "root");
    assert_eq!(listed["items"][0]["created_by"], json!(null));
    assert_eq!(used(&token(&second)).await, 200);
    set("UPDATE api_tokens SET expires_at = '2099-01-01T00:00:00Z' WHERE name = 'first'".to_owned()).await;
    let mistakes = by_first(&new("third", &["read"])).await.mistakes();
    let expected =
        "expires_at: expected 2099-01-01T00:00:00Z at the latest, when the token that makes it ends";
    assert_eq!(mistakes, [expected]);
    set(format!("UPDATE users SET role = 'member' WHERE id = {root_id}")).await;
    assert_eq!([used(&first).await, used(&token(&second)).await], [401, 401]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_change_owners_and_one_stays() {
    let app = App::start().await;
    let (ann_id, ann) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let (ben_id, ben) = person(&app, "ben", InstallationRole::Admin, &[]).await;
    let change = async |browser: &Browser, id: bugle_model::UserId, body: Value| {
        browser.patch(&app, &format!("/api/v1/users/{id}"), &body).await.status
    };
    assert_eq!(change(&ben, ann_id, json!({ "disabled": true })).await, 403);
    assert_eq!(change(&ben, ben_id, json!({ "role": "owner" })).await, 403);
    assert_eq!(change(&ann, ann_id, json!({ "role": "admin" })).await, 409);
    assert_eq!(change(&ann, ann_id, json!({ "disabled": true })).await, 409);
    assert_eq!(change(&ann, ben_id, json!({ "role": "owner" })).await, 200);
    assert_eq!(change(&ben, ann_id, json!({ "role": "member" })).await, 200);
    assert_eq!(change(&ann, ben_id, json!({ "name": "x" })).await, 403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_with_projects_stays() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    let (_, ann) = person(&app, "ann", InstallationRole::Owner, &[(blue, TeamRole::Manager)]).await;
    ann.post(&app, "/api/v1/projects", &json!({ "name": "shop", "team": blue })).await.ok(201);
    assert_eq!(ann.delete(&app, "/api/v1/teams/1").await.status, 409);
    ann.delete(&app, "/api/v1/projects/shop").await;
    assert_eq!(ann.delete(&app, "/api/v1/teams/1").await.status, 204);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_is_not_there_is_said_so_to_those_who_see_all() {
    let app = App::start().await;
    app.project("shop").await;
    let expected = ["team: there is no team 77"];
    let project = app.post("/api/v1/projects", &json!({ "name": "new", "team": 77 })).await;
    assert_eq!(project.mistakes(), expected);
    assert_eq!(app.patch("/api/v1/projects/shop", &json!({ "team": 77 })).await.mistakes(), expected);
    let token = json!({ "name": "new", "scopes": ["read"], "team": 77 });
    assert_eq!(app.post("/api/v1/tokens", &token).await.mistakes(), expected);
    let invitation = json!({ "email": "new@example.com", "team": 77 });
    assert_eq!(app.post("/api/v1/invitations", &invitation).await.mistakes(), expected);
    app.stop().await;
}
