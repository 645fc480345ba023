//! `bugle run`.

use crate::harness::{Bugle, client, get};
use bugle_testkit::TestDatabase;
use serde_json::json;

#[tokio::test]
async fn one_process_brings_its_schema_serves_and_stops_cleanly() {
    let database = TestDatabase::empty().await.unwrap();
    let bugle = Bugle::new(&[("BUGLE_DATABASE_URL", database.url())]);
    let running = bugle.start(&["run"]);
    let (status, ready) = get(&format!("{}/health/ready/", running.base)).await;
    assert_eq!(status, 200, "{ready}");
    let (status, health) = get(&format!("{}/health/", running.base)).await;
    assert_eq!(status, 200, "{health}");
    for check in ["database", "broker", "spool", "disk", "memory"] {
        assert_eq!(health["checks"][check]["healthy"], true, "{check}: {health}");
    }
    let token = bugle.run(&["token", "create", "ci", "--json"]).json();
    let issues =
        client().get(format!("{}/api/v1/issues", running.base)).bearer_auth(token["token"].as_str().unwrap());
    assert_eq!(issues.send().await.unwrap().json::<serde_json::Value>().await.unwrap()["items"], json!([]));
    let dead = bugle.run(&["bus", "dead", "list", "--json", "--server", &running.base]).json();
    assert_eq!(dead["items"], json!([]));
    let ended = running.stop();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!ended.err.contains("ERROR"), "{}", ended.err);
}

#[tokio::test]
async fn with_the_database_away_the_door_is_open() {
    let running = Bugle::new(&[("BUGLE_DATABASE_URL", "postgres://u@127.0.0.1:1/d")]);
    let running = running.start(&["run"]);
    assert_eq!(get(&format!("{}/health/ready/?service=ingest", running.base)).await.0, 200);
    let (status, health) = get(&format!("{}/health/", running.base)).await;
    assert_eq!((status, &health["checks"]["database"]["healthy"]), (503, &json!(false)));
    assert_eq!(running.stop().code, 0);
}

#[tokio::test]
async fn what_cannot_work_is_refused() {
    let some =
        Bugle::new(&[("BUGLE_DATABASE_URL", "postgres://u@127.0.0.1:1/d")]).run(&["run", "--service", "api"]);
    assert_eq!(some.code, 1);
    assert!(some.err.contains("set BUGLE_AMQP_URL"), "{}", some.err);
    let nothing = Bugle::new(&[]).run(&["run"]);
    assert_eq!(nothing.code, 1);
    assert!(nothing.err.contains("BUGLE_DATABASE_URL is not set"), "{}", nothing.err);
    let unknown = Bugle::new(&[]).run(&["run", "--service", "ingset"]);
    assert_eq!(unknown.code, 2);
}

#[tokio::test]
async fn one_of_several_processes_refuses_an_old_schema() {
    let database = TestDatabase::empty().await.unwrap();
    let settings =
        [("BUGLE_DATABASE_URL", database.url()), ("BUGLE_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/%2f")];
    let ended = Bugle::new(&settings).run(&["run", "--service", "api"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("run `bugle migrate` first"), "{}", ended.err);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let settings =
        [("BUGLE_DATABASE_URL", "postgres://u@127.0.0.1:1/d"), ("BUGLE_HTTP_ADDR", address.as_str())];
    let ended = Bugle::new(&settings).run(&["run"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains(&address), "{}", ended.err);
}
