//! Health and metrics.

use crate::harness::App;
use bugle_api::checks;
use bugle_runtime::health::{CheckResult, check};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_each_check_and_is_503_when_one_fails() {
    let app = App::start().await;
    app.health.add_overall(checks::database("database", app.store.clone()));
    app.health.add_overall(checks::broker(app.bus.clone()));
    for path in ["/health/", "/api/v1/health/", "/health"] {
        let answer = app.send(app.client.get(app.url(path))).await.ok(200);
        let expected = json!({
            "healthy": true,
            "checks": {
                "broker": { "healthy": true, "message": "the broker takes messages" },
                "database": { "healthy": true, "message": "the database answers" },
            },
        });
        assert_eq!(answer, expected);
    }
    app.health.add_overall(check("shop", || async { CheckResult::unhealthy("closed") }));
    let answer = app.send(app.client.get(app.url("/health/"))).await.ok(503);
    assert_eq!(answer["healthy"], false);
    assert_eq!(answer["checks"]["shop"], json!({ "healthy": false, "message": "closed" }));
    // The others answer other questions.
    assert_eq!(app.send(app.client.get(app.url("/health/live/"))).await.status, 200);
    assert_eq!(app.send(app.client.get(app.url("/health/ready/"))).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_can_be_asked_whether_it_is_ready() {
    let app = App::start().await;
    app.health.add_ready(check("ingest", || async { CheckResult::healthy("ok") }));
    app.health.add_ready(check("api", || async { CheckResult::unhealthy("no database") }));
    let ready = async |parameters: &str| {
        app.send(app.client.get(app.url(&format!("/health/ready/{parameters}")))).await
    };
    assert_eq!(ready("").await.status, 503);
    assert_eq!(ready("?service=ingest").await.status, 200);
    assert_eq!(ready("?service=api").await.status, 503);
    assert_eq!(ready("?service=nothing").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_prometheus_text() {
    let app = App::start().await;
    let answer = app.send(app.client.get(app.url("/metrics"))).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    app.stop().await;
}
