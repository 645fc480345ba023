//! The first set-up, invitations, password resets, what people change about themselves.

use crate::harness::App;
use crate::people::{Browser, PASSWORD, account, sign_in};
use bugle_api::accounts::links;
use bugle_model::InstallationRole;
use bugle_runtime::Config;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

async fn setup_token(app: &App) -> String {
    let public = "https://errors.example.com".parse().unwrap();
    let link = links::setup(&mut *app.connection().await, &public, app.now()).await.unwrap().unwrap();
    link.strip_prefix("https://errors.example.com/setup?token=").unwrap().to_owned()
}

fn owner(token: &str) -> Value {
    json!({ "token": token, "email": "Ann@Example.com", "name": "Ann", "password": PASSWORD, "team": "Shop" })
}

async fn post(app: &App, path: &str, body: &Value) -> crate::harness::Answer {
    app.send(app.client.post(app.url(path)).json(body)).await
}

/// Waits for what happens after the answer.
async fn mailed(app: &App, kind: &str) -> (String, String) {
    let sql =
        format!("SELECT recipient, link FROM account_mails WHERE kind = '{kind}' ORDER BY id DESC LIMIT 1");
    for _ in 0..500 {
        if let Some(row) = app.database.rows(&sql).await.unwrap().pop() {
            let (recipient, link) = row.split_once('|').unwrap();
            return (recipient.to_owned(), link.split_once("token=").unwrap().1.to_owned());
        }
        tokio::task::yield_now().await;
    }
    panic!("no mail");
}

fn with_mail() -> Config {
    Config { smtp_url: Some("smtp://127.0.0.1:1".parse::<url::Url>().unwrap().into()), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_makes_the_owner_once_and_their_team_gets_what_is_there() {
    let app = App::start().await;
    let project = app.project("shop").await;
    assert_eq!(app.send(app.client.get(app.url("/api/v1/setup"))).await.ok(200), json!({ "needed": true }));
    let token = setup_token(&app).await;
    assert_eq!(post(&app, "/api/v1/setup", &owner("wrong")).await.ok(401)["code"], "invalid_credentials");
    let mut weak = owner(&token);
    weak["password"] = json!("password123");
    weak["email"] = json!("nowhere");
    assert_eq!(post(&app, "/api/v1/setup", &weak).await.mistakes().len(), 2);

    let answer = post(&app, "/api/v1/setup", &owner(&token)).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;"), "{cookie}");
    let ann = Browser::of(&answer);
    let body = answer.ok(201);
    assert_eq!((&body["user"]["role"], &body["user"]["teams"][0]["name"]), (&json!("owner"), &json!("Shop")));
    assert!(body.to_string().find("password").is_none(), "{body}");
    let projects = ann.get(&app, "/api/v1/projects").await.ok(200);
    assert_eq!(projects["items"][0]["id"], json!(project));
    assert_eq!(projects["items"][0]["team"], json!({ "id": 1, "name": "Shop" }));

    assert_eq!(post(&app, "/api/v1/setup", &owner(&token)).await.status, 409);
    assert_eq!(app.send(app.client.get(app.url("/api/v1/setup"))).await.ok(200), json!({ "needed": false }));
    let public = "https://errors.example.com".parse().unwrap();
    assert_eq!(links::setup(&mut *app.connection().await, &public, app.now()).await.unwrap(), None);
    // The token of before still does everything.
    app.get("/api/v1/users").await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_set_ups_at_once_make_one_owner() {
    let app = App::start().await;
    let (one, two) = (setup_token(&app).await, setup_token(&app).await);
    let (one, two) = (owner(&one), owner(&two));
    let (one, two) = tokio::join!(post(&app, "/api/v1/setup", &one), post(&app, "/api/v1/setup", &two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(app.database.number("SELECT count(*) FROM users").await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_link_ends() {
    let app = App::start().await;
    let token = setup_token(&app).await;
    app.clock.advance(TimeDelta::days(7));
    assert_eq!(post(&app, "/api/v1/setup", &owner(&token)).await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_secure_where_the_installation_is() {
    let config = Config { public_url: "https://errors.example.com".parse().unwrap(), ..Config::default() };
    let app = App::start_with(config).await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let answer = sign_in(&app, "ann@example.com", PASSWORD).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"), "{}", answer.header("set-cookie"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_without_a_mail_server_is_a_link_that_works_once() {
    let app = App::start().await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    ann.post(&app, "/api/v1/teams", &json!({ "name": "Shop" })).await.ok(201);
    let body = json!({ "email": "ben@example.com", "role": "member", "team": 1, "team_role": "manager" });
    let made = ann.post(&app, "/api/v1/invitations", &body).await.ok(201);
    let (_, token) = made["link"].as_str().unwrap().split_once("/invite?token=").unwrap();
    let listed = ann.get(&app, "/api/v1/invitations").await;
    assert!(!listed.text.contains(token));
    assert_eq!(listed.ok(200)["items"][0]["email"], "ben@example.com");

    let path = format!("/api/v1/invitations/{token}");
    let preview = app.send(app.client.get(app.url(&format!("{path}/preview")))).await.ok(200);
    let expected = json!({ "email": "ben@example.com", "team": "Shop", "inviter": "ann@example.com" });
    assert_eq!(preview, expected);
    let accept = format!("{path}/accept");
    let weak = json!({ "name": "Ben", "password": "ben@example.com" });
    assert_eq!(post(&app, &accept, &weak).await.mistakes().len(), 1);
    let answer = post(&app, &accept, &json!({ "name": "Ben", "password": PASSWORD })).await;
    let ben = Browser::of(&answer);
    assert_eq!(answer.ok(201)["user"]["teams"], json!([{ "id": 1, "name": "Shop", "role": "manager" }]));
    ben.post(&app, "/api/v1/projects", &json!({ "name": "ben's" })).await.ok(201);
    assert_eq!(post(&app, &accept, &json!({ "name": "Ben", "password": PASSWORD })).await.status, 404);
    assert_eq!(ann.post(&app, "/api/v1/invitations", &body).await.status, 409);

    let body = json!({ "email": "cat@example.com", "team": 1, "role": "admin" });
    assert_eq!(ben.post(&app, "/api/v1/invitations", &body).await.ok(403)["code"], "forbidden");
    let body = json!({ "email": "cat@example.com" });
    let made = ben.post(&app, "/api/v1/invitations", &body).await.ok(201);
    assert_eq!((&made["team"], &made["team_role"]), (&json!(1), &json!("member")));
    app.clock.advance(TimeDelta::days(7));
    let (_, token) = made["link"].as_str().unwrap().split_once("token=").unwrap();
    let ended = app.send(app.client.get(app.url(&format!("/api/v1/invitations/{token}/preview")))).await;
    assert_eq!(ended.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_mail_server_a_link_goes_to_the_invited_only() {
    let app = App::start_with(with_mail()).await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let body = json!({ "email": "ben@example.com", "role": "admin" });
    let made = ann.post(&app, "/api/v1/invitations", &body).await.ok(201);
    assert_eq!(made["link"], json!(null));
    let (recipient, token) = mailed(&app, "invitation").await;
    assert_eq!(recipient, "ben@example.com");
    let accept = format!("/api/v1/invitations/{token}/accept");
    let answer = post(&app, &accept, &json!({ "name": "Ben", "password": PASSWORD })).await;
    assert_eq!(answer.ok(201)["user"]["role"], "admin");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_by_a_link_once_and_all_sessions_end() {
    let app = App::start_with(with_mail()).await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    // The same answer for nobody.
    let nobody = post(&app, "/api/v1/password-resets", &json!({ "email": "x@example.com" })).await;
    let somebody = post(&app, "/api/v1/password-resets", &json!({ "email": "ANN@example.com" })).await;
    assert_eq!((nobody.status, &nobody.text), (202, &somebody.text));
    assert_eq!(somebody.status, 202);
    let (recipient, token) = mailed(&app, "password_reset").await;
    assert_eq!(recipient, "ann@example.com");
    let kept = app.database.rows("SELECT encode(token_hash, 'hex') FROM password_resets").await.unwrap();
    assert!(kept.len() == 1 && kept[0] != token);

    let path = format!("/api/v1/password-resets/{token}");
    assert_eq!(post(&app, &path, &json!({ "password": "short" })).await.mistakes().len(), 1);
    let new = json!({ "password": "battery staple" });
    assert_eq!(post(&app, &path, &new).await.status, 204);
    assert_eq!(post(&app, &path, &new).await.status, 404);
    assert_eq!(ann.get(&app, "/api/v1/session").await.status, 401);
    assert_eq!(sign_in(&app, "ann@example.com", PASSWORD).await.status, 401);
    assert_eq!(sign_in(&app, "ann@example.com", "battery staple").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_new_password_ends_after_an_hour() {
    let app = App::start().await;
    let ann = account(&app, "ann@example.com", InstallationRole::Owner).await;
    let public = "https://errors.example.com".parse().unwrap();
    let link = links::reset(&mut *app.connection().await, &public, ann, app.now()).await.unwrap();
    let (_, token) = link.split_once("/reset?token=").unwrap();
    app.clock.advance(TimeDelta::hours(1));
    let path = format!("/api/v1/password-resets/{token}");
    assert_eq!(post(&app, &path, &json!({ "password": "battery staple" })).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_themselves_and_a_new_password_needs_the_old_one() {
    let app = App::start().await;
    account(&app, "ann@example.com", InstallationRole::Member).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let other = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let change = json!({ "name": "Ann", "time_zone": "Europe/Vienna" });
    let changed = ann.patch(&app, "/api/v1/account", &change).await.ok(200);
    assert_eq!((&changed["name"], &changed["time_zone"]), (&json!("Ann"), &json!("Europe/Vienna")));
    let bad =
        json!({ "name": "", "time_zone": "../etc", "password": { "current": PASSWORD, "new": "short" } });
    assert_eq!(ann.patch(&app, "/api/v1/account", &bad).await.mistakes().len(), 3);
    let wrong = json!({ "password": { "current": "wrong horse", "new": "battery staple" } });
    let mistakes = ann.patch(&app, "/api/v1/account", &wrong).await.mistakes();
    assert_eq!(mistakes, ["password.current: is not your password"]);
    let right = json!({ "password": { "current": PASSWORD, "new": "battery staple" } });
    ann.patch(&app, "/api/v1/account", &right).await.ok(200);
    ann.get(&app, "/api/v1/session").await.ok(200);
    assert_eq!(other.get(&app, "/api/v1/session").await.status, 401);
    // Nothing else of an account is one's own to change.
    for field in ["role", "email", "disabled"] {
        let sent = ann.send(&app, Method::PATCH, "/api/v1/account", Some(&json!({ field: "owner" }))).await;
        assert_eq!(sent.status, 422, "{field}");
    }
    app.stop().await;
}
