use crate::harness::{KEY, Setup};
use bugle_model::ItemKind;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn one_error_and_many_each_with_its_answer() {
    let door = Setup::new().start().await;
    let path = format!("/api/v1/logs/frontend/?key={KEY}");
    let one = json!({"severity": "high", "message": "x is undefined", "url": "https://shop.test/"});
    let answer = door.post(&path, &[], one.to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["id"].as_str().unwrap(), door.items()[0].event_id.unwrap().to_string());
    let many = json!({"errors": [one, {"severity": "high"}, "text", {"message": "second"}]});
    let answer = door.post(&path, &[], many.to_string()).await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    let states: Vec<_> =
        body["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(states, ["accepted", "invalid", "invalid", "accepted"]);
    assert_eq!((body["accepted"].as_u64(), body["rejected"].as_u64()), (Some(2), Some(2)));
    assert_eq!(body["items"][1]["index"], 1);
    assert!(body["items"][1]["errors"][0]["field"].is_string());
    assert_eq!(door.items().len(), 3);
    assert!(door.items().iter().all(|item| item.kind == ItemKind::Frontend));
    assert_eq!(door.post(&path, &[], "{\"errors\":[1]}").await.status, 422);
    assert_eq!(door.post(&path, &[], "{\"errors\":[]}").await.status, 422);
    assert_eq!(door.post(&path, &[], "nonsense").await.status, 422);
    assert_eq!(door.post("/api/v1/logs/frontend/", &[], "{}").await.status, 401);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_address_has_a_limit_of_its_own() {
    let mut setup = Setup::new();
    setup.settings.frontend_per_minute = 3;
    setup.settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let door = setup.start().await;
    let path = format!("/api/v1/logs/frontend/?key={KEY}");
    let many = json!({"errors": [{"message": "a"}, {"message": "b"}, {"message": "c"}, {"message": "d"}]})
        .to_string();
    let from = |address: &'static str| [("X-Forwarded-For", address)];
    let answer = door.post(&path, &from("192.0.2.1"), &many).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["items"][3]["status"], "rate_limited");
    let answer = door.post(&path, &from("192.0.2.1"), &many).await;
    assert_eq!((answer.status, answer.body.len(), answer.header("retry-after")), (429, 0, Some("20")));
    assert_eq!(door.post(&path, &from("192.0.2.2"), &many).await.status, 202);
    door.clock.advance(TimeDelta::seconds(20));
    assert_eq!(door.post(&path, &from("192.0.2.1"), &many).await.json()["accepted"], 1);
    assert_eq!(door.items().len(), 7);
    door.stop().await;
}
