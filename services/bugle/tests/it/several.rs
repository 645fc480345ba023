//! One process per service over RabbitMQ, behind the gateway.

use crate::harness::{Bugle, client};
use bugle_testkit::{PrivateRabbit, TestDatabase};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_error_travels_through_five_processes() {
    let database = TestDatabase::new().await.unwrap();
    let rabbit = PrivateRabbit::start().await.unwrap();
    let amqp = rabbit.url();
    let settings = [("BUGLE_DATABASE_URL", database.url()), ("BUGLE_AMQP_URL", amqp.as_str())];
    // A data folder each, as on machines of their own.
    let homes: Vec<_> =
        ["ingest", "recorder", "notifier", "api"].map(|name| (name, Bugle::new(&settings))).into();
    let project = homes[0].1.run(&["project", "create", "shop", "--json"]).json();
    let token = homes[0].1.run(&["token", "create", "ci", "--json"]).json();
    let token = token["token"].as_str().unwrap();
    let running: Vec<_> = homes.iter().map(|(name, home)| home.start(&["run", "--service", name])).collect();
    let gateway =
        Bugle::new(&[]).start(&["gateway", "--ingest", &running[0].base, "--api", &running[3].base]);
    let client = client();

    let body = json!({ "message": "hello", "severity": "high" });
    let url = format!("{}/api/error-logging/errors/", gateway.base);
    let accepted =
        client.post(url).bearer_auth(project["key"].as_str().unwrap()).json(&body).send().await.unwrap();
    assert_eq!(accepted.status().as_u16(), 202);
    let accepted: Value = accepted.json().await.unwrap();

    let url = format!("{}/api/error-logging/errors/{}/", gateway.base, accepted["id"].as_str().unwrap());
    let recorded = async {
        loop {
            let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
            match answer.status().as_u16() {
                200 => return answer.json::<Value>().await.unwrap(),
                // As the answer asks for.
                404 => tokio::time::sleep(Duration::from_millis(50)).await,
                other => panic!("{other}"),
            }
        }
    };
    let recorded = tokio::time::timeout(Duration::from_secs(30), recorded).await.unwrap();
    assert_eq!((&recorded["message"], &recorded["severity"]), (&json!("hello"), &json!("high")));

    assert_eq!(gateway.stop().code, 0);
    for process in running {
        let ended = process.stop();
        assert_eq!(ended.code, 0, "{}", ended.err);
    }
}
