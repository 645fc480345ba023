use crate::harness::{KEY, Setup};
use crate::http::request;
use bugle_model::{ItemKind, ProjectId};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

fn event(text: &str) -> String {
    format!("{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"{text}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_accepted_with_all_that_surrounds_it() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}&sentry_client=sentry.test%2F1.0");
    let headers = [("User-Agent", "app/1"), ("X-Request-ID", "req-1")];
    let body = format!(
        "{{\"event_id\":\"{ID}\",\"sent_at\":\"2026-11-20T11:59:58Z\"}}\n{{\"type\":\"event\",\"content_type\":\"application/json\"}}\n{{\"a\":1}}\n"
    );
    let answer = door.post(&path, &headers, body).await;
    assert_eq!((answer.status, answer.text()), (200, format!("{{\"id\":\"{ID}\"}}")));
    assert_eq!(answer.header("x-request-id"), Some("req-1"));
    let items = door.items();
    assert_eq!(items.len(), 1);
    let item = &items[0];
    assert_eq!(item.kind, ItemKind::Event);
    assert_eq!((item.project, item.key.unwrap().0), (ProjectId(1), 11));
    assert_eq!(item.event_id.unwrap().simple().to_string(), ID);
    assert_eq!(item.body, b"{\"a\":1}");
    assert_eq!(item.client.as_deref(), Some("sentry.test/1.0"));
    assert_eq!(item.user_agent.as_deref(), Some("app/1"));
    assert_eq!(item.request_id.as_deref(), Some("req-1"));
    assert_eq!(item.content_type.as_deref(), Some("application/json"));
    assert_eq!(item.remote_addr.unwrap().to_string(), "127.0.0.1");
    assert_eq!(item.sent_at.unwrap().to_rfc3339(), "2026-11-20T11:59:58+00:00");
    assert_eq!(item.received_at.to_rfc3339(), "2026-11-20T12:00:00+00:00");
    assert_eq!(item.id.get_version_num(), 7);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_that_real_sdks_send() {
    let door = Setup::new().start().await;
    for (body, expected) in [
        // No length, no newline at the end; a length; newlines at the end; items after each other.
        ("{}\n{\"type\":\"event\"}\n{\"m\":1}".to_owned(), vec!["{\"m\":1}"]),
        ("{}\n{\"type\":\"event\",\"length\":7}\n{\"m\":2}".to_owned(), vec!["{\"m\":2}"]),
        ("{}\n{\"type\":\"event\"}\n{\"m\":3}\n\n".to_owned(), vec!["{\"m\":3}"]),
        ("{}\n{\"type\":\"session\"}\n{}\n{\"type\":\"event\"}\n{\"m\":4}".to_owned(), vec!["{\"m\":4}"]),
        ("{}\n{\"type\":\"session\"}\n{}\n".to_owned(), vec![]),
        ("{}".to_owned(), vec![]),
        ("{}\n{\"type\":\"something new\"}\n\u{1f}\n".to_owned(), vec![]),
        (
            "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[]}".to_owned(),
            vec!["{\"discarded_events\":[]}"],
        ),
        ("{}\n{\"type\":\"event\"}\n{\"m\":\"\\ud83d\"}".to_owned(), vec!["{\"m\":\"\\ud83d\"}"]),
    ] {
        let before = door.bodies().len();
        let answer = door.envelope(&body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(door.bodies()[before..], expected, "{body}");
    }
    assert_eq!(door.outcome("unsupported"), 3);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_names_the_event_where_there_is_one() {
    let door = Setup::new().start().await;
    let inner = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";
    for (body, expected) in [
        (event("x"), format!("{{\"id\":\"{ID}\"}}")),
        (
            format!("{{}}\n{{\"type\":\"event\"}}\n{{\"event_id\":\"{inner}\"}}"),
            format!("{{\"id\":\"{inner}\"}}"),
        ),
        ("{}\n{\"type\":\"session\"}\n{}".to_owned(), "{}".to_owned()),
    ] {
        assert_eq!(door.envelope(&body).await.text(), expected, "{body}");
    }
    let answer = door.envelope("{}\n{\"type\":\"event\"}\n{}").await;
    let made = door.items().last().unwrap().event_id.unwrap();
    assert_eq!(answer.json()["id"], made.simple().to_string());
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_envelope_is_named_and_costs_nobody_else() {
    let door = Setup::new().start().await;
    for (body, cause) in [
        ("", "envelope header: missing"),
        ("{}\n{\"type\":\"event\",\"length\":99}\n{}", "item 0: unexpected end of file"),
        ("{}\n{\"type\":\"event\",\"length\":1}\n{}", "item 0: expected a newline after 1 bytes of payload"),
    ] {
        let answer = door.envelope(body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["detail"], "invalid envelope");
        assert_eq!(answer.json()["causes"][0], cause);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let deep = format!("{{}}\n{{\"type\":\"event\"}}\n{}", "[".repeat(100_000));
    assert_eq!(door.envelope(deep).await.status, 200);
    assert_eq!(door.envelope(event("neighbour")).await.status, 200);
    assert_eq!(door.items().len(), 2);
    assert_eq!(door.outcome("invalid"), 3);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_durable_before_their_item_and_kept_by_hash() {
    let door = Setup::new().start().await;
    let bytes = b"\x00line\nother\xff".repeat(1000);
    let mut body = format!(
        "{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{{}}\n{{\"type\":\"attachment\",\"length\":{},\"filename\":\"a.log\",\"content_type\":\"text/plain\",\"attachment_type\":\"event.attachment\"}}\n",
        bytes.len()
    )
    .into_bytes();
    body.extend_from_slice(&bytes);
    assert_eq!(door.envelope(&body).await.status, 200);
    let items = door.items();
    assert_eq!(items.len(), 2);
    let attachment = items[1].attachment.as_ref().unwrap();
    assert_eq!(items[1].event_id, items[0].event_id);
    assert!(items[1].body.is_empty());
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((attachment.sha256.as_str(), attachment.size), (sha256.as_str(), bytes.len() as u64));
    assert_eq!(attachment.filename, "a.log");
    let file =
        door.dir.path().join("attachments").join(sha256.chars().take(2).collect::<String>()).join(&sha256);
    assert_eq!(std::fs::read(file).unwrap(), bytes);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_does_not_cost_the_rest() {
    let door = Setup::new().start().await;
    let large = "x".repeat(1024 * 1024);
    let body = format!(
        "{{}}\n{{\"type\":\"user_report\"}}\n{{\"r\":1}}\n{{\"type\":\"event\"}}\n{{\"m\":\"{large}\"}}"
    );
    let answer = door.envelope(body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["detail"], "event: more than 1048576 bytes");
    assert_eq!(door.bodies(), ["{\"r\":1}"]);
    let answer = door.envelope(vec![b'x'; 23 * 1024 * 1024]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(door.outcome("too_large"), 2);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunked_bodies_and_connections_that_are_kept() {
    let door = Setup::new().start().await;
    let body = event("chunked");
    let (first, second) = body.split_at(20);
    let chunked = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let answer = door.post(&path, &[("Transfer-Encoding", "chunked")], chunked).await;
    assert_eq!(answer.status, 200);
    // Two on one connection, the first refused.
    let mut stream = TcpStream::connect(door.addr).await.unwrap();
    let refused = request("POST", "/api/1/envelope/", &[], body.as_bytes());
    let refused = String::from_utf8(refused).unwrap().replace("Connection: close\r\n", "");
    stream.write_all(refused.as_bytes()).await.unwrap();
    stream.write_all(&request("POST", &path, &[], body.as_bytes())).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 200 "), "{answers}");
    assert_eq!(door.items().len(), 2);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_share_batches_and_each_is_answered() {
    let door = std::sync::Arc::new(Setup::new().start().await);
    let sending: Vec<_> = (0..200)
        .map(|n| {
            let door = std::sync::Arc::clone(&door);
            tokio::spawn(async move { door.envelope(event(&n.to_string())).await.status })
        })
        .collect();
    for sent in sending {
        assert_eq!(sent.await.unwrap(), 200);
    }
    let mut ids: Vec<_> = door.items().into_iter().map(|item| item.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 200);
}
