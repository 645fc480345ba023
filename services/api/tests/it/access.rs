//! Tokens, request ids, paths.

use crate::harness::{App, LOCAL_TOKEN, TOKEN};
use bugle_store::tokens;
use bugle_testkit::TestDatabase;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn only_a_known_token_gets_in() {
    let app = App::start().await;
    let url = app.url("/api/v1/issues");
    let anonymous = app.send(app.client.get(&url)).await;
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(anonymous.header("content-type"), "application/problem+json");
    for wrong in ["", "wrong", &"x".repeat(10_000)] {
        assert_eq!(app.send(app.client.get(&url).bearer_auth(wrong)).await.status, 401, "{wrong:.20}");
    }
    assert_eq!(app.send(app.client.get(&url).basic_auth("x", Some(TOKEN))).await.status, 401);
    assert_eq!(app.send(app.client.get(&url).bearer_auth(TOKEN)).await.status, 200);
    assert_eq!(
        app.send(app.client.get(&url).header("authorization", format!("bearer {TOKEN}"))).await.status,
        200
    );
    assert_eq!(app.send(app.client.get(&url).bearer_auth(LOCAL_TOKEN)).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_expires_or_is_revoked_and_remembers_its_last_use_to_the_minute() {
    let app = App::start().await;
    let mut connection = app.connection().await;
    let hash = bugle_web::auth::hash("short");
    let ends = app.now() + TimeDelta::minutes(10);
    tokens::create(&mut connection, "short", &hash, Some(ends), app.now()).await.unwrap();
    let ask = async || app.send(app.client.get(app.url("/api/v1/issues")).bearer_auth("short")).await.status;
    let last_used = async || {
        let mut connection = app.connection().await;
        tokens::list(&mut connection, &bugle_store::Scope::All)
            .await
            .unwrap()
            .into_iter()
            .find(|one| one.name == "short")
            .unwrap()
            .last_used_at
    };
    assert_eq!(ask().await, 200);
    let first = app.now();
    assert_eq!(last_used().await, Some(first));
    app.clock.advance(TimeDelta::seconds(59));
    assert_eq!(ask().await, 200);
    assert_eq!(last_used().await, Some(first));
    app.clock.advance(TimeDelta::seconds(2));
    assert_eq!(ask().await, 200);
    assert_eq!(last_used().await, Some(app.now()));
    app.clock.advance(TimeDelta::minutes(10));
    assert_eq!(ask().await, 401);

    tokens::create(&mut connection, "long", &bugle_web::auth::hash("long"), None, app.now()).await.unwrap();
    let ask = async || app.send(app.client.get(app.url("/api/v1/issues")).bearer_auth("long")).await.status;
    assert_eq!(ask().await, 200);
    assert!(tokens::revoke(&mut connection, "long").await.unwrap());
    assert_eq!(ask().await, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_taken_or_made_and_returned() {
    let app = App::start().await;
    let url = app.url("/health/live");
    let kept = app.send(app.client.get(&url).header("x-request-id", "from-the-client")).await;
    assert_eq!(kept.header("x-request-id"), "from-the-client");
    let replaced = app.send(app.client.get(&url).header("x-request-id", "x".repeat(101))).await;
    assert_eq!(replaced.header("x-request-id").len(), 32);
    assert_eq!(app.get("/no/such/path").await.header("x-request-id").len(), 32);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slashes_do_not_matter_and_unknown_paths_and_methods_are_problems() {
    let app = App::start().await;
    for path in ["/api/v1/issues/", "/api//v1///issues", "/api/v1/issues//?limit=1"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    assert_eq!(app.get("/api/v1/nothing").await.ok(404)["code"], "not_found");
    let wrong_method = app.send(app.client.delete(app.url("/api/v1/issues")).bearer_auth(TOKEN)).await;
    assert_eq!(wrong_method.header("allow"), "GET, HEAD");
    assert_eq!(wrong_method.ok(405)["code"], "method_not_allowed");
    let shared = app.send(app.client.put(app.url("/api/error-logging/errors/")).bearer_auth(TOKEN)).await;
    assert_eq!(shared.header("allow"), "GET, HEAD, POST");
    assert_eq!(shared.status, 405);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_as_get_does_without_a_body() {
    let app = App::start().await;
    for path in ["/health", "/health/live", "/metrics", "/api/v1/issues", "/api/error-logging/errors"] {
        let head = app.send(app.client.head(app.url(path)).bearer_auth(TOKEN)).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
    }
    let missing = app.send(app.client.head(app.url("/api/v1/issues/7")).bearer_auth(TOKEN)).await;
    assert_eq!((missing.status, missing.text.as_str()), (404, ""));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgresql_cannot_take_is_the_clients_mistake() {
    let app = App::start().await;
    app.project("shop").await;
    for path in ["/api/v1/issues?project=%00", "/api/v1/issues?query=a%00", "/api/v1/outcomes?project=%00"] {
        assert_eq!(app.get(path).await.mistakes().len(), 1, "{path}");
    }
    for path in ["/api/v1/projects/%00/destinations", "/api/v1/issues/%00", "/api/v1/issues/A%00-1"] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
    let hook = json!({"channel": "webhook", "target": "https://example.com/\0"});
    let refused = app.post("/api/v1/projects/shop/destinations", &hook).await.mistakes();
    assert_eq!(refused, ["target: has a NUL character"]);
    let assigned = app.patch("/api/v1/issues/1", &json!({"assigned_to": "a\0"})).await.mistakes();
    assert_eq!(assigned, ["assigned_to: has a NUL character"]);
    // {"active_at":"-262000-01-01T00:00:00Z","id":3}
    let forged = "eyJhY3RpdmVfYXQiOiItMjYyMDAwLTAxLTAxVDAwOjAwOjAwWiIsImlkIjozfQ";
    assert_eq!(app.get(&format!("/api/v1/issues?cursor={forged}")).await.ok(422)["code"], "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_this_side_says_nothing_of_itself() {
    let app = App::start().await;
    app.database.execute("ALTER TABLE api_tokens RENAME TO gone").await.unwrap();
    let broken = app.get("/api/v1/issues").await;
    assert!(!broken.text.contains("api_tokens"), "{}", broken.text);
    assert_eq!(broken.ok(500)["code"], "internal");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_away_the_answer_is_503_and_the_local_token_still_works() {
    let app = App::start().await;
    let other = TestDatabase::empty().await.unwrap();
    other.execute(&format!("DROP DATABASE {} WITH (FORCE)", app.database.name())).await.unwrap();
    let away = app.get("/api/v1/issues").await;
    assert_eq!((away.status, away.header("retry-after")), (503, "1"));
    assert_eq!(away.ok(503)["code"], "unavailable");
    let dead_letters = app.url("/api/v1/admin/dead-letters");
    assert_eq!(app.send(app.client.get(dead_letters).bearer_auth(LOCAL_TOKEN)).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_taken_from_simple_clients_and_forms_are_refused() {
    let app = App::start().await;
    let post = async |kind: Option<&str>| {
        let request =
            app.client.post(app.url("/api/v1/projects")).bearer_auth(TOKEN).body(r#"{"name": "4"}"#);
        let request = kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        app.send(request).await.status
    };
    // 422: it was read.
    for kind in [None, Some("application/json; charset=utf-8"), Some("application/x-www-form-urlencoded")] {
        assert_eq!(post(kind).await, 422, "{kind:?}");
    }
    for kind in ["text/plain", "multipart/form-data; boundary=x"] {
        assert_eq!(post(Some(kind)).await, 415, "{kind}");
    }
    let large = app.client.post(app.url("/api/v1/projects")).bearer_auth(TOKEN).body(vec![b' '; 2_000_000]);
    assert_eq!(app.send(large).await.ok(413)["code"], "too_large");
    app.stop().await;
}
