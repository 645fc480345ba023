//! What holds for every request: keys, versions, limits, headers.

use crate::harness::{Answer, App, LOCAL_TOKEN, TOKEN};
use crate::people::{person, session};
use bugle_model::InstallationRole;
use bugle_runtime::Config;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn keyed(app: &App, path: &str, key: &str, body: &Value) -> Answer {
    let request = app.client.post(app.url(path)).bearer_auth(TOKEN).header("idempotency-key", key);
    app.send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_under_one_key_makes_one_thing() {
    let app = App::start().await;
    let (shop, store) = (json!({ "name": "shop" }), json!({ "name": "store" }));
    let first = keyed(&app, "/api/v1/projects", "a", &shop).await;
    assert_eq!(first.headers.get("idempotency-replayed"), None);
    let first = first.ok(201);
    let again = keyed(&app, "/api/v1/projects", "a", &shop).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(again.body, first);
    assert_eq!(app.database.number("SELECT count(*) FROM projects").await.unwrap(), 1);

    let mistakes = keyed(&app, "/api/v1/projects", "a", &store).await.mistakes();
    assert_eq!(mistakes, ["Idempotency-Key: was used for another request; take a new key"]);
    assert_eq!(keyed(&app, "/api/v1/teams", "a", &shop).await.status, 422);
    let too_long = "x".repeat(256);
    for bad in ["", "two words", &too_long] {
        assert_eq!(keyed(&app, "/api/v1/projects", bad, &store).await.status, 422, "{bad}");
    }
    // Somebody else's key is another.
    let (ann, _) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let browser = session(&app, ann, "ann").await;
    let request = app.client.post(app.url("/api/v1/projects")).header("cookie", &browser.cookie);
    let request = request.header("x-csrf-token", &browser.csrf).header("idempotency-key", "a");
    app.send(request.json(&store)).await.ok(201);

    // A day later it is forgotten.
    app.clock.advance(TimeDelta::hours(24));
    keyed(&app, "/api/v1/projects", "a", &json!({ "name": "later" })).await.ok(201);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_may_be_sent_again() {
    let app = App::start().await;
    keyed(&app, "/api/v1/projects", "a", &json!({ "name": "" })).await.ok(422);
    keyed(&app, "/api/v1/projects", "a", &json!({ "name": "shop" })).await.ok(201);
    assert_eq!(app.database.number("SELECT count(*) FROM idempotency_keys").await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_may_have_been_done_is_not_done_again() {
    let app = App::start().await;
    let body = json!({ "name": "shop" });
    keyed(&app, "/api/v1/projects", "a", &body).await.ok(201);
    app.database
        .execute("UPDATE idempotency_keys SET status = NULL, body = NULL; DELETE FROM projects")
        .await
        .unwrap();
    let under_way = keyed(&app, "/api/v1/projects", "a", &body).await;
    assert_eq!((under_way.status, under_way.header("retry-after")), (409, "1"));
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(keyed(&app, "/api/v1/projects", "a", &body).await.header("retry-after"), "1");
    app.clock.advance(TimeDelta::seconds(1));
    let unknown = keyed(&app, "/api/v1/projects", "a", &body).await;
    assert_eq!((unknown.status, unknown.headers.get("retry-after")), (409, None));
    assert!(unknown.text.contains("it is not known whether it was done"), "{}", unknown.text);
    assert_eq!(app.database.number("SELECT count(*) FROM projects").await.unwrap(), 0);
    app.clock.advance(TimeDelta::hours(23));
    keyed(&app, "/api/v1/projects", "a", &body).await.ok(201);
    app.stop().await;
}

/// A request by hand; what is left of its body never comes.
async fn by_hand(app: &App, what: &str, header: &str, body: &str, missing: usize) -> TcpStream {
    let host = app.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let length = body.len() + missing;
    let text = format!(
        "{what} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\n{header}\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn until(app: &App, sql: &str, wanted: i64) {
    let reached = async {
        while app.database.number(sql).await.unwrap() != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), reached).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_goes_on_when_the_connection_breaks() {
    let app = App::start().await;
    let locking = app.database.client().await.unwrap();
    locking.batch_execute("BEGIN; LOCK TABLE projects").await.unwrap();
    let body = json!({ "name": "shop" });
    let stream = by_hand(&app, "POST /api/v1/projects", "idempotency-key: a", &body.to_string(), 0).await;
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'projects'::regclass";
    until(&app, waits, 1).await;
    drop(stream);
    locking.batch_execute("COMMIT").await.unwrap();
    until(&app, "SELECT count(*) FROM idempotency_keys WHERE status = 201", 1).await;
    let again = keyed(&app, "/api/v1/projects", "a", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_make_one_thing() {
    let app = App::start().await;
    let body = json!({ "text": "seen" });
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let path = format!("/api/v1/issues/{issue}/comments");
    let answers = futures_util::future::join_all((0..10).map(|_| keyed(&app, &path, "a", &body))).await;
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)), "{answers:?}");
    assert_eq!(app.database.number("SELECT count(*) FROM issue_activity").await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_kept_for_a_key() {
    let app = App::start().await;
    let requests = [
        ("/api/v1/tokens", json!({ "name": "ci", "scopes": ["read"] })),
        ("/api/v1/invitations", json!({ "email": "new@example.com", "role": "admin" })),
        (
            "/api/v1/projects/shop/destinations",
            json!({ "channel": "webhook", "target": "https://example.com/hook" }),
        ),
    ];
    app.project("shop").await;
    for (path, body) in &requests {
        keyed(&app, path, path, body).await.ok(201);
        let again = keyed(&app, path, path, body).await.ok(409);
        assert!(again["detail"].as_str().unwrap().contains("this was done"), "{again}");
    }
    let kept =
        app.database.number("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL").await.unwrap();
    assert_eq!(kept, 0);
    app.stop().await;
}

pub async fn change(app: &App, method: Method, path: &str, tag: &str, body: &Value) -> Answer {
    let request = app.client.request(method, app.url(path)).bearer_auth(TOKEN).header("if-match", tag);
    app.send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_of_the_version_that_was_read() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let path = format!("/api/v1/issues/{issue}");
    let read = app.get(&path).await;
    let tag = read.header("etag").to_owned();
    // What happens by itself is no change.
    app.database.execute("UPDATE issue_counts SET events = events + 1").await.unwrap();
    assert_eq!(app.get(&path).await.header("etag"), tag);

    let (resolved, ignored) = (json!({ "status": "resolved" }), json!({ "status": "ignored" }));
    let changed = change(&app, Method::PATCH, &path, &tag, &resolved).await;
    assert_eq!(changed.status, 200);
    let next = changed.header("etag").to_owned();
    assert_ne!(next, tag);
    assert_eq!(app.get("/api/v1/issues/SHOP-1").await.header("etag"), next);

    let late = change(&app, Method::PATCH, &path, &tag, &ignored).await;
    assert_eq!((late.status, &late.body["code"]), (412, &json!("precondition_failed")));
    assert_eq!(app.get(&path).await.body["status"], "resolved");
    for known in ["*", &format!("\"x\", {next}")] {
        change(&app, Method::PATCH, &path, known, &resolved).await.ok(200);
    }
    app.patch(&path, &ignored).await.ok(200);

    let project = app.get("/api/v1/projects/shop").await.header("etag").to_owned();
    app.patch("/api/v1/projects/shop", &json!({ "name": "store" })).await.ok(200);
    change(&app, Method::DELETE, "/api/v1/projects/store", &project, &json!({})).await.ok(412);
    assert_eq!(change(&app, Method::PATCH, "/api/v1/issues/7007", &tag, &ignored).await.status, 404);
    assert_eq!(app.get("/api/v1/issues").await.headers.get("etag"), None);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_keeps_nobody_from_their_turn() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let (one, two) = (app.issue(project, 1, "Bad", 0).await, app.issue(project, 2, "Worse", 0).await);
    let slow = by_hand(&app, &format!("PATCH /api/v1/issues/{one}"), "if-match: *", "{", 1).await;
    let resolved = json!({ "status": "resolved" });
    change(&app, Method::PATCH, &format!("/api/v1/issues/{two}"), "*", &resolved).await.ok(200);
    drop(slow);

    // Whoever has theirs is not ready: the next comes back later.
    let other = app.database.client().await.unwrap();
    other.batch_execute(&format!("SELECT pg_advisory_lock({})", 0x6275_676c_6504_i64)).await.unwrap();
    let late = change(&app, Method::PATCH, &format!("/api/v1/issues/{one}"), "*", &resolved).await;
    assert_eq!((late.status, late.header("retry-after")), (503, "1"));
    other.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    change(&app, Method::PATCH, &format!("/api/v1/issues/{one}"), "*", &resolved).await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_changed() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let path = format!("/api/v1/issues/{issue}");
    let tag = app.get(&path).await.header("etag").to_owned();
    // The query is the change's alone.
    let discarding = format!("{path}?discard=true");
    change(&app, Method::DELETE, &discarding, "\"other\"", &json!({})).await.ok(412);
    app.database.execute("ALTER TABLE issue_counts RENAME TO away").await.unwrap();
    assert_eq!(change(&app, Method::DELETE, &path, "\"other\"", &json!({})).await.status, 500);
    app.database.execute("ALTER TABLE away RENAME TO issue_counts").await.unwrap();
    assert_eq!(app.database.number("SELECT count(*) FROM issues").await.unwrap(), 1);
    assert_eq!(change(&app, Method::DELETE, &discarding, &tag, &json!({})).await.status, 204);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_know_the_same_version_one_wins() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let path = format!("/api/v1/issues/{issue}");
    let tag = app.get(&path).await.header("etag").to_owned();
    let names: Vec<Value> =
        (0..8).map(|number| json!({ "assigned_to": format!("person {number}") })).collect();
    let answers = futures_util::future::join_all(
        names.iter().map(|body| change(&app, Method::PATCH, &path, &tag, body)),
    )
    .await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_much_waits() {
    let app = App::start_with(Config { api_rate_limit: 4, ..Config::default() }).await;
    for left in (0..4).rev() {
        let answer = app.get("/api/v1/issues").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"principal\";q=4;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"principal\";r={left};t=60"));
    }
    app.clock.advance(TimeDelta::seconds(20));
    let refused = app.get("/api/v1/issues").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "40"));
    assert_eq!(
        (&refused.body["code"], refused.header("ratelimit")),
        (&json!("rate_limited"), "\"principal\";r=0;t=40")
    );

    // Strangers are counted by address, however they call themselves; who is known is not kept out by them.
    let stranger =
        async |token: &str| app.send(app.client.get(app.url("/api/v1/issues")).bearer_auth(token)).await;
    assert_eq!(stranger("one").await.header("ratelimit"), "\"address\";r=1;t=40");
    assert_eq!(stranger("two").await.status, 401);
    assert_eq!(stranger("three").await.status, 429);
    assert_eq!(app.send(app.client.get(app.url("/api/v1/setup"))).await.status, 429);
    assert_eq!(stranger(LOCAL_TOKEN).await.status, 200);
    app.clock.advance(TimeDelta::seconds(40));
    assert_eq!(app.get("/api/v1/issues").await.status, 200);
    app.clock.advance(TimeDelta::seconds(20));
    assert_eq!(stranger("four").await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_much_costs_the_database_nothing() {
    let app = App::start_with(Config { api_rate_limit: 2, ..Config::default() }).await;
    for _ in 0..2 {
        assert_eq!(app.get("/api/v1/issues").await.status, 200);
    }
    // Whatever would be looked at is not there.
    app.database.execute("ALTER TABLE api_tokens RENAME TO away").await.unwrap();
    assert_eq!(app.get("/api/v1/issues").await.status, 429);
    app.database.execute("ALTER TABLE away RENAME TO api_tokens").await.unwrap();
    // What is worth nothing any more is a stranger's.
    app.clock.advance(TimeDelta::seconds(60));
    app.database.execute("DELETE FROM api_tokens").await.unwrap();
    let revoked = app.get("/api/v1/issues").await;
    assert_eq!((revoked.status, revoked.header("ratelimit-policy")), (401, "\"address\";q=1;w=60"));
    assert_eq!(app.get("/api/v1/issues").await.status, 429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_not_the_client_s_mistake() {
    let app = App::start().await;
    app.issue(app.project("shop").await, 1, "Bad", 0).await;
    // What PostgreSQL says when it gives up, without the two minutes before.
    app.database
        .execute(
            "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
             END $$;
             CREATE TRIGGER slow BEFORE INSERT ON teams FOR EACH ROW EXECUTE FUNCTION give_up()",
        )
        .await
        .unwrap();
    let slow = app.post("/api/v1/teams", &json!({ "name": "blue" })).await;
    assert_eq!((slow.status, slow.header("retry-after"), &slow.body["errors"]), (503, "1", &Value::Null));
    // A search has two seconds, and is to ask for less.
    app.database
        .execute(
            "ALTER TABLE issues RENAME TO kept;
             CREATE VIEW issues AS SELECT kept.* FROM (SELECT pg_sleep(3) OFFSET 0) s, kept",
        )
        .await
        .unwrap();
    let mistakes = app.get("/api/v1/issues").await.mistakes();
    assert_eq!(mistakes, ["query: takes longer than it may; narrow it, by a project, a tag or a time"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_itself_safe() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let anonymous = app.send(app.client.get(app.url("/api/v1/issues"))).await;
    let answers = [
        app.get("/api/v1/issues").await,
        app.get(&format!("/api/v1/issues/{issue}")).await,
        app.get("/api/v1/issues/7007").await,
        app.get("/api/v1/nothing").await,
        app.get("/api/error-logging/errors/").await,
        app.post("/api/v1/stats", &json!({})).await,
        app.post("/api/v1/projects", &json!({ "name": "" })).await,
        anonymous,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 404, 404, 200, 405, 422, 401]);
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_is_told_the_known_ones() {
    let app = App::start().await;
    for (method, path, allowed) in [
        (Method::POST, "/api/v1/stats", "GET, HEAD"),
        (Method::PUT, "/api/v1/issues/1", "GET, HEAD, PATCH, DELETE"),
        (Method::GET, "/api/v1/password-resets", "POST"),
    ] {
        let answer = app.send(app.client.request(method, app.url(path)).bearer_auth(TOKEN)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{path}");
    }
    app.stop().await;
}
