//! Dead letters, through the running server.

use crate::harness::{App, LOCAL_TOKEN};
use bugle_bus::Queue;
use bugle_model::{IntakeBatch, ItemKind, ProjectId, RawItem};
use serde_json::json;
use uuid::Uuid;

fn item(body: &str) -> RawItem {
    RawItem {
        id: Uuid::from_u128(1),
        kind: ItemKind::Event,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: crate::harness::noon(),
        remote_addr: None,
        client: None,
        user_agent: None,
        request_id: None,
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: body.as_bytes().to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_listed_scrubbed_redriven_and_discarded() {
    let app = App::start().await;
    let mut consumer = app.bus.consume(Queue::Intake, 1).await.unwrap();
    let body = r#"{"message": "kept", "extra": {"password": "hunter2"}}"#;
    let batch = IntakeBatch::encode(&[item(body)]).unwrap();
    let ids = [Uuid::from_u128(7), Uuid::from_u128(8)];
    for id in ids {
        app.bus.publish(Queue::Intake, id, batch.clone().into()).await.unwrap();
        consumer.next().await.unwrap().reject("can never be recorded").await.unwrap();
    }
    let path = "/api/v1/admin/dead-letters";
    let listed = app.send(app.client.get(app.url(path)).bearer_auth(LOCAL_TOKEN)).await;
    assert!(!listed.text.contains("hunter2"), "{}", listed.text);
    let listed = listed.ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let first = &listed["items"][0];
    assert_eq!(
        (&first["reason"], &first["queue"]),
        (&json!("can never be recorded"), &json!("bugle.intake"))
    );
    assert_eq!(first["content"][0]["event"]["message"]["formatted"], "kept");

    let none = app.get(&format!("{path}?queue=bugle.notifier.signals")).await.ok(200);
    assert_eq!(none["items"], json!([]));

    let body = json!({ "queue": "bugle.intake", "ids": [ids[0]] });
    assert_eq!(app.post(&format!("{path}/redrive"), &body).await.ok(200), json!({ "redriven": 1 }));
    assert_eq!(consumer.next().await.unwrap().id(), ids[0]);
    let body = json!({ "queue": "bugle.intake", "all": true });
    assert_eq!(app.post(&format!("{path}/discard"), &body).await.ok(200), json!({ "discarded": 1 }));
    assert_eq!(app.get(path).await.ok(200)["items"], json!([]));

    let neither = app.post(&format!("{path}/discard"), &json!({ "queue": "bugle.intake" })).await.mistakes();
    assert_eq!(neither, ["ids: expected either some ids, or `all`"]);
    let unknown =
        app.post(&format!("{path}/redrive"), &json!({ "queue": "x", "all": true })).await.mistakes();
    assert!(unknown[0].starts_with("queue: "), "{unknown:?}");
    drop(consumer);
    app.stop().await;
}
