//! `bugle gateway`.

use crate::harness::{Bugle, client};
use bugle_testkit::HttpFake;
use bugle_testkit::http::Answer;
use serde_json::json;

#[tokio::test]
async fn requests_go_to_their_process_and_answers_come_back_as_they_are() {
    let (ingest, api) = (HttpFake::start().await, HttpFake::start().await);
    let (ingest_url, api_url) = (ingest.url("/"), api.url("/"));
    let running = Bugle::new(&[]).start(&["gateway", "--ingest", &ingest_url, "--api", &api_url]);
    let client = client();

    let answer = Answer::json(429, &json!({}))
        .header("Retry-After", "7")
        .header("X-Sentry-Rate-Limits", "7:error:key");
    ingest.then(answer);
    let body = vec![b'x'; 300_000];
    let url = format!("{}/api//2/envelope/?sentry_key=k", running.base);
    let request =
        client.post(url).header("Content-Encoding", "gzip").header("X-Request-ID", "kept").body(body.clone());
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["x-sentry-rate-limits"], "7:error:key");
    assert_eq!(response.headers()["x-request-id"], "kept");
    let got = ingest.next().await;
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/api//2/envelope/?sentry_key=k"));
    assert_eq!(got.header("content-encoding"), Some("gzip"));
    assert_eq!(got.header("x-request-id"), Some("kept"));
    assert_eq!(got.header("x-forwarded-for"), Some("127.0.0.1"));
    assert!(got.body == body, "{} bytes", got.body.len());

    api.then(Answer::json(200, &json!({ "items": [] })));
    let url = format!("{}/api/v1/issues?limit=1", running.base);
    let response =
        client.get(url).bearer_auth("t").header("X-Forwarded-For", "192.0.2.1").send().await.unwrap();
    assert_eq!(response.json::<serde_json::Value>().await.unwrap(), json!({ "items": [] }));
    let got = api.next().await;
    assert_eq!(
        (got.target.as_str(), got.header("authorization")),
        ("/api/v1/issues?limit=1", Some("Bearer t"))
    );
    assert_eq!(got.header("x-forwarded-for"), Some("192.0.2.1, 127.0.0.1"));

    api.then(Answer::close());
    let away = client.get(format!("{}/api/v1/issues", running.base)).send().await.unwrap();
    assert_eq!(away.status().as_u16(), 503);
    assert_eq!(away.headers()["retry-after"], "1");
    api.next().await;
    assert_eq!(running.stop().code, 0);
}
