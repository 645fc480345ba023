//! Health and metrics.

use crate::harness::App;
use bugle_api::checks;
use bugle_runtime::Metrics;
use bugle_runtime::health::{CheckResult, check};
use bugle_store::heartbeats::{self, Heartbeat};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

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

/// A notifier has shown itself, and has gone through what is due at another time.
async fn notifier(app: &App, last_round: DateTime<Utc>) {
    let beat = Heartbeat {
        service: "notifier".to_owned(),
        instance: Uuid::nil(),
        started_at: app.now(),
        seen_at: app.now(),
        version: "1".to_owned(),
        state: json!({ "last_round": last_round }),
    };
    heartbeats::beat(&mut *app.connection().await, &beat).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_that_no_notifier_works() {
    let app = App::start().await;
    let metrics = Metrics::new();
    let on_call = checks::OnCall::new(app.store.clone(), app.clock.clone(), &metrics).check();
    assert!(on_call.run().await.healthy, "they start at the same time");
    app.clock.advance(TimeDelta::seconds(61));
    let found = on_call.run().await;
    assert_eq!(found, CheckResult::unhealthy("no notifier works: nobody is told of anything"));
    assert!(metrics.render().contains("bugle_notifiers_working 0\n"));
    app.clock.advance(TimeDelta::seconds(5));
    notifier(&app, app.now()).await;
    assert_eq!(on_call.run().await, CheckResult::healthy("nothing is overdue; a notifier works"));
    app.clock.advance(TimeDelta::seconds(5));
    notifier(&app, app.now() - TimeDelta::seconds(61)).await;
    assert!(!on_call.run().await.healthy, "it lives, and does nothing");
    app.stop().await;
}

/// Until so many wait for a lock; never more.
async fn so_many_wait(app: &App, expected: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let count = app.database.number(waiting).await.unwrap();
        assert!(count <= expected, "{count} wait");
        if count == expected {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_on_call_works_is_looked_at_once_for_all_who_ask_within_five_seconds() {
    let app = App::start().await;
    let on_call = checks::OnCall::new(app.store.clone(), app.clock.clone(), &Metrics::new()).check();
    app.clock.advance(TimeDelta::seconds(61));
    notifier(&app, app.now()).await;
    let holding = app.database.client().await.unwrap();
    holding.batch_execute("BEGIN; LOCK TABLE service_heartbeats").await.unwrap();
    let looks = async { tokio::join!(on_call.run(), on_call.run()) };
    let freed = async {
        so_many_wait(&app, 1).await;
        holding.batch_execute("COMMIT").await.unwrap();
    };
    let both = async { tokio::join!(looks, freed) };
    let ((one, other), ()) = timeout(PATIENCE, both).await.expect("both are answered by one look");
    assert!(one.healthy && one == other, "{one:?} {other:?}");
    app.database.execute("DELETE FROM service_heartbeats").await.unwrap();
    app.clock.advance(TimeDelta::milliseconds(4_999));
    assert_eq!(on_call.run().await, one);
    app.clock.advance(TimeDelta::milliseconds(1));
    assert!(!on_call.run().await.healthy);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_what_is_overdue() {
    let app = App::start().await;
    let metrics = Metrics::new();
    let on_call = checks::OnCall::new(app.store.clone(), app.clock.clone(), &metrics).check();
    let project = app.project("shop").await;
    let body = json!({ "channel": "webhook", "target": "https://example.com/hook" });
    let made = app.post(&format!("/api/v1/projects/{project}/destinations"), &body).await.ok(201);
    app.post(&format!("/api/v1/projects/{project}/destinations/{}/test", made["id"]), &json!({}))
        .await
        .ok(202);
    app.clock.advance(TimeDelta::seconds(121));
    notifier(&app, app.now()).await;
    let found = on_call.run().await;
    assert_eq!(found, CheckResult::unhealthy("overdue by more than 2 minutes: 1 message"));
    assert!(metrics.render().contains("bugle_oncall_overdue{kind=\"message\"} 1\n"));
    app.stop().await;
}
