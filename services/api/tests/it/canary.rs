//! The canary: an error through the door, a message back, and what is told outside of it.

use crate::harness::App;
use bugle_api::canary::{Canary, Flight};
use bugle_runtime::{Config, Metrics};
use bugle_testkit::http::{Answer, HttpFake};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;

struct Cage {
    app: App,
    project: bugle_model::ProjectId,
    door: HttpFake,
    outside: HttpFake,
    metrics: Metrics,
    canary: Canary,
}

async fn cage(deadline: Duration) -> Cage {
    let (app, door, outside) = (App::start().await, HttpFake::start().await, HttpFake::start().await);
    let project = app.project("canary").await;
    let environment = [
        ("BUGLE_CANARY_DSN", format!("http://abc@{}/{project}", door.address())),
        ("BUGLE_CANARY_URL", outside.url("/ping/a-secret")),
    ];
    let environment: Vec<(String, String)> =
        environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut config = Config::read(None, &environment).unwrap();
    config.watch.canary_deadline = deadline;
    let metrics = Metrics::new();
    let canary = Canary::new(&config, app.store.clone(), app.clock.clone(), &metrics).unwrap().unwrap();
    Cage { app, project, door, outside, metrics, canary }
}

async fn tell(app: &App, body: &Value) {
    app.send(app.client.post(app.url("/api/v1/canary")).json(body)).await.ok(204);
}

fn message(event: &Value) -> Value {
    json!({ "type": "issue.opened", "data": { "issue": { "id": 1 }, "event": { "event_id": event, "url": "…" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_is_told_when_the_message_has_come() {
    let cage = cage(Duration::from_secs(20)).await;
    let answering = async {
        let sent = cage.door.next().await;
        assert_eq!(sent.target, format!("/api/{}/store/", cage.project));
        assert_eq!(sent.header("x-sentry-auth"), Some("Sentry sentry_version=7, sentry_key=abc"));
        let event = sent.json();
        assert_eq!(event["message"], "Bugle canary");
        // Tests, and what others send to the project, are no answer.
        tell(&cage.app, &json!({ "type": "test" })).await;
        tell(&cage.app, &message(&json!("0f0000000000400080000000000000ff"))).await;
        assert!(cage.outside.take().is_empty());
        cage.app.clock.advance(TimeDelta::seconds(2));
        tell(&cage.app, &message(&event["event_id"])).await;
    };
    let (flight, ()) = tokio::join!(cage.canary.run_once(), answering);
    assert_eq!(flight, Flight::Arrived(TimeDelta::seconds(2)));
    let told = cage.outside.next().await;
    assert_eq!((told.method.as_str(), told.target.as_str()), ("GET", "/ping/a-secret"));
    assert!(cage.metrics.render().contains("bugle_canary_seconds_sum 2\n"));
    assert_eq!(cage.canary.run_once().await, Flight::Elsewhere, "one round is enough for a while");
    cage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_is_told_when_no_message_has_come() {
    let cage = cage(Duration::from_millis(50)).await;
    let Flight::Failed(reason) = cage.canary.run_once().await else { panic!("nobody has answered") };
    assert_eq!(reason, "no message about its error within 0 s");
    cage.door.next().await;
    assert_eq!(cage.outside.next().await.target, "/ping/a-secret/fail");
    assert!(cage.metrics.render().contains("bugle_canary_failed_total 1\n"));
    cage.app.clock.advance(TimeDelta::minutes(5));
    cage.door.then(Answer::status(503));
    assert_eq!(cage.canary.run_once().await, Flight::Failed("the door answered 503".to_owned()));
    cage.door.next().await;
    assert_eq!(cage.outside.next().await.target, "/ping/a-secret/fail");
    cage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rounds_leave_behind_is_removed() {
    let cage = cage(Duration::from_millis(50)).await;
    cage.app.issue(cage.project, 1, "Bugle canary", 1).await;
    let theirs = cage.app.issue(cage.project, 2, "Another error", 1).await;
    let shop = cage.app.project("shop").await;
    let elsewhere = cage.app.issue(shop, 1, "Bugle canary", 1).await;
    cage.canary.run_once().await;
    let left = cage.app.database.number("SELECT count(*) FROM issues").await.unwrap();
    let kept = format!("SELECT count(*) FROM issues WHERE id IN ({theirs}, {elsewhere})");
    assert_eq!((left, cage.app.database.number(&kept).await.unwrap()), (2, 2));
    cage.door.next().await;
    cage.outside.next().await;
    cage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_dsn_there_is_no_canary() {
    let app = App::start().await;
    let made = Canary::new(&Config::default(), app.store.clone(), app.clock.clone(), &Metrics::new());
    assert!(made.unwrap().is_none());
    let url = ("BUGLE_CANARY_URL".to_owned(), "https://example.com/ping".to_owned());
    let refused = Config::read(None, &[url]).unwrap_err();
    assert!(refused.to_string().contains("without the DSN nothing is sent"), "{refused}");
    app.stop().await;
}
