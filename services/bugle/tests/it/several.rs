//! One process per service over RabbitMQ, behind the gateway.

use crate::harness::{Bugle, client};
use bugle_testkit::{PrivateRabbit, TestDatabase};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the live updates; the status of the answer when they are refused.
async fn open_live(base: &str, token: &str) -> Result<Socket, u16> {
    let url = format!("{}/api/v1/live", base.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let opened = tokio::time::timeout(Duration::from_secs(30), connect_async(request)).await;
    match opened.unwrap() {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn told(socket: &mut Socket) -> Value {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap();
        if let Message::Text(text) = next.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

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

    let mut live = open_live(&gateway.base, token).await.unwrap();
    assert_eq!(told(&mut live).await["type"], "hello");
    assert_eq!(open_live(&gateway.base, "wrong").await.unwrap_err(), 401);

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

    // Recorded by one process, told by another, through a third.
    let told = told(&mut live).await;
    assert_eq!(
        (&told["items"][0]["kind"], &told["items"][0]["title"]),
        (&json!("issue.opened"), &json!("hello"))
    );
    drop(live);
    assert_eq!(gateway.stop().code, 0);
    for process in running {
        let ended = process.stop();
        assert_eq!(ended.code, 0, "{}", ended.err);
    }
}
