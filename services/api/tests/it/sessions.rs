//! Signing in and out, how long it lasts, forgeries, guessing.

use crate::harness::App;
use crate::people::{Browser, PASSWORD, account, sign_in};
use bugle_model::InstallationRole;
use bugle_runtime::Config;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

async fn ann(app: &App) -> Browser {
    account(app, "ann@example.com", InstallationRole::Owner).await;
    Browser::of(&sign_in(app, "ann@example.com", PASSWORD).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_shows_who_one_is_and_sign_out_ends_it() {
    let app = App::start().await;
    let ann = ann(&app).await;
    let me = ann.get(&app, "/api/v1/session").await;
    assert_eq!(me.header("cache-control"), "no-store");
    let me = me.ok(200);
    assert_eq!((&me["user"]["email"], &me["user"]["totp"]), (&json!("ann@example.com"), &json!(false)));
    assert_eq!(me["csrf"], ann.csrf);
    let kept = app.database.rows("SELECT encode(token_hash, 'hex') FROM sessions").await.unwrap();
    assert!(!ann.cookie.contains(&kept[0]));
    let out = ann.delete(&app, "/api/v1/session").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("bugle_session=; Path=/; Max-Age=0"));
    assert_eq!(ann.get(&app, "/api/v1/session").await.ok(401)["code"], "unauthorized");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_sign_in_takes_the_place_of_the_session_before() {
    let app = App::start().await;
    let before = ann(&app).await;
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    let request = app.client.post(app.url("/api/v1/session")).header("cookie", &before.cookie).json(&body);
    let after = Browser::of(&app.send(request).await);
    assert_ne!(before.cookie, after.cookie);
    assert_eq!(before.get(&app, "/api/v1/session").await.status, 401);
    after.get(&app, "/api/v1/session").await.ok(200);
    // A session that somebody made up is not taken over.
    let planted =
        app.client.post(app.url("/api/v1/session")).header("cookie", "bugle_session=planted").json(&body);
    assert!(!Browser::of(&app.send(planted).await).cookie.contains("planted"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_idle_and_at_its_age() {
    let app = App::start().await;
    let ann = ann(&app).await;
    for _ in 0..6 {
        app.clock.advance(TimeDelta::days(13));
        ann.get(&app, "/api/v1/session").await.ok(200);
    }
    app.clock.advance(TimeDelta::days(12));
    // 90 days.
    assert_eq!(ann.get(&app, "/api/v1/session").await.status, 401);
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    app.clock.advance(TimeDelta::days(14));
    assert_eq!(ann.get(&app, "/api/v1/session").await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_needs_the_csrf_token_and_no_other_site() {
    let app = App::start().await;
    let ann = ann(&app).await;
    let url = app.url("/api/v1/teams");
    let body = json!({ "name": "Shop" });
    let request = || app.client.post(&url).header("cookie", &ann.cookie).json(&body);
    assert_eq!(app.send(request()).await.ok(403)["code"], "csrf");
    for wrong in ["", "wrong", &ann.csrf.to_uppercase().replace('A', "B")] {
        let answer = app.send(request().header("x-csrf-token", wrong)).await;
        assert_eq!(answer.ok(403)["code"], "csrf", "{wrong}");
    }
    let elsewhere = request().header("x-csrf-token", &ann.csrf).header("sec-fetch-site", "cross-site");
    assert_eq!(app.send(elsewhere).await.ok(403)["code"], "csrf");
    app.send(request().header("x-csrf-token", &ann.csrf).header("sec-fetch-site", "same-origin"))
        .await
        .ok(201);
    // Nor can another site sign somebody in.
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    let elsewhere =
        app.client.post(app.url("/api/v1/session")).header("sec-fetch-site", "cross-site").json(&body);
    assert_eq!(app.send(elsewhere).await.ok(403)["code"], "csrf");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let app = App::start().await;
    let one = ann(&app).await;
    let two = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let three = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let list = one.get(&app, "/api/v1/sessions").await.ok(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!((items.len(), items.iter().filter(|item| item["current"] == true).count()), (3, 1));
    assert_eq!(items[0]["address"], "127.0.0.1");
    let current = two.get(&app, "/api/v1/sessions").await.ok(200);
    let current = current["items"].as_array().unwrap().iter().find(|item| item["current"] == true).unwrap();
    let path = format!("/api/v1/sessions/{}", current["id"]);
    account(&app, "ben@example.com", InstallationRole::Owner).await;
    let ben = Browser::of(&sign_in(&app, "ben@example.com", PASSWORD).await);
    assert_eq!(ben.delete(&app, &path).await.status, 404);
    assert_eq!(one.delete(&app, &path).await.status, 204);
    assert_eq!(two.get(&app, "/api/v1/session").await.status, 401);
    assert_eq!(one.delete(&app, "/api/v1/sessions").await.status, 204);
    assert_eq!(three.get(&app, "/api/v1/session").await.status, 401);
    one.get(&app, "/api/v1/session").await.ok(200);
    ben.get(&app, "/api/v1/session").await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_stopped_with_growing_waits_for_accounts_that_are_there_and_not() {
    // Each guess from another address: only the account is counted.
    let config = Config { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..Config::default() };
    let app = App::start_with(config).await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let guess = async |email: &str, from: String, password: &str| {
        let body = json!({ "email": email, "password": password });
        app.send(app.client.post(app.url("/api/v1/session")).header("x-forwarded-for", from).json(&body))
            .await
    };
    for email in ["ann@example.com", "nobody@example.com"] {
        for number in 0..10 {
            let answer = guess(email, format!("192.0.2.{number}"), "wrong horse").await;
            assert_eq!(answer.ok(401)["code"], "invalid_credentials", "{number}");
        }
        let locked = guess(email, "198.51.100.1".to_owned(), PASSWORD).await;
        assert_eq!((locked.status, locked.header("retry-after")), (429, "31"), "{email}");
    }
    app.clock.advance(TimeDelta::seconds(31));
    assert_eq!(guess("ann@example.com", "198.51.100.2".to_owned(), "wrong horse").await.status, 401);
    let again = guess("ann@example.com", "198.51.100.3".to_owned(), PASSWORD).await;
    assert_eq!((again.status, again.header("retry-after")), (429, "61"));
    app.clock.advance(TimeDelta::seconds(61));
    assert_eq!(guess("ann@example.com", "198.51.100.4".to_owned(), PASSWORD).await.status, 200);
    assert_eq!(guess("ann@example.com", "198.51.100.5".to_owned(), "wrong horse").await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_stopped_whatever_accounts_it_tries_and_many_at_once_are_no_more() {
    let app = App::start().await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let bodies: Vec<_> =
        (0..20).map(|n| json!({ "email": format!("{n}@example.com"), "password": "wrong horse" })).collect();
    let requests = bodies.iter().map(|body| app.send(app.client.post(app.url("/api/v1/session")).json(body)));
    let answers = futures_util::future::join_all(requests).await;
    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!((tried, answers.iter().filter(|answer| answer.status == 429).count()), (10, 10));
    assert_eq!(sign_in(&app, "ann@example.com", PASSWORD).await.status, 429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_is_out_at_once() {
    let app = App::start().await;
    let ann = ann(&app).await;
    let ben = account(&app, "ben@example.com", InstallationRole::Admin).await;
    let browser = Browser::of(&sign_in(&app, "ben@example.com", PASSWORD).await);
    let body = json!({ "name": "ben's", "scopes": ["read"] });
    let token =
        browser.post(&app, "/api/v1/tokens", &body).await.ok(201)["token"].as_str().unwrap().to_owned();
    let with_token =
        async || app.send(app.client.get(app.url("/api/v1/issues")).bearer_auth(&token)).await.status;
    assert_eq!(with_token().await, 200);
    ann.patch(&app, &format!("/api/v1/users/{ben}"), &json!({ "disabled": true })).await.ok(200);
    assert_eq!(browser.get(&app, "/api/v1/session").await.status, 401);
    assert_eq!(sign_in(&app, "ben@example.com", PASSWORD).await.ok(401)["code"], "invalid_credentials");
    assert_eq!(with_token().await, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_no_session() {
    let app = App::start().await;
    for (method, path) in [(Method::GET, "/api/v1/session"), (Method::GET, "/api/v1/sessions")] {
        let answer =
            app.send(app.client.request(method, app.url(path)).bearer_auth(crate::harness::TOKEN)).await;
        assert_eq!(answer.ok(403)["code"], "forbidden");
    }
    app.stop().await;
}
