use crate::harness::{KEY, Setup};
use base64::Engine;
use bugle_model::ItemKind;
use std::io::Write;

const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

fn zlib(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrapping_of_old_clients() {
    let door = Setup::new().start().await;
    let json = format!("{{\"event_id\":\"{ID}\",\"message\":\"x\"}}");
    let base64 = base64::engine::general_purpose::STANDARD;
    let envelope = format!("{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{json}");
    let query = format!("sentry_version=7&sentry_key={KEY}");
    for path in ["/api/1/store/", "/api/store/", "/api/1/store", "//api//1///store//"] {
        for (content_type, body) in [
            ("application/json", json.clone().into_bytes()),
            ("application/octet-stream", zlib(json.as_bytes())),
            ("text/plain", base64.encode(zlib(json.as_bytes())).into_bytes()),
            ("text/plain", base64.encode(&json).into_bytes()),
            ("application/x-sentry-envelope", envelope.clone().into_bytes()),
        ] {
            let answer =
                door.post(&format!("{path}?{query}"), &[("Content-Type", content_type)], &body).await;
            assert_eq!(answer.status, 200, "{path} {content_type}: {answer:?}");
            assert_eq!(answer.json()["id"], ID);
        }
    }
    let items = door.items();
    assert_eq!(items.len(), 20);
    for item in items {
        assert_eq!((item.kind, item.project.0, item.body.as_slice()), (ItemKind::Event, 1, json.as_bytes()));
        assert_eq!(item.event_id.unwrap().simple().to_string(), ID);
    }
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_must_be_repaired_keeps_its_id() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/store/?sentry_key={KEY}");
    for json in [
        format!("{{\"extra\":{{\"ratio\":NaN}},\"event_id\":\"{ID}\"}}"),
        format!("{{\"event_id\":\"{ID}\",\"event_id\":\"{ID}\"}}"),
        format!("\u{feff}{{\"event_id\":\"{ID}\"}}"),
    ] {
        let answer = door.post(&path, &[], &json).await;
        assert_eq!((answer.status, answer.json()["id"].as_str()), (200, Some(ID)), "{json}");
    }
    assert_eq!(door.items().len(), 3);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pixel() {
    let door = Setup::new().start().await;
    let data = base64::engine::general_purpose::URL_SAFE.encode(zlib(b"{\"message\":\"from an image\"}"));
    let path = format!("/api/1/store/?sentry_version=7&sentry_key={KEY}&sentry_data={data}");
    let answer = door.send("GET", &path, &[], b"").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")));
    assert!(answer.body.starts_with(b"GIF89a"));
    assert_eq!(door.bodies(), ["{\"message\":\"from an image\"}"]);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_refused() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/store/?sentry_key={KEY}");
    let large = format!("{{\"m\":\"{}\"}}", "x".repeat(1024 * 1024));
    for (body, status) in [("", 400), ("hello", 400), (large.as_str(), 413)] {
        assert_eq!(door.post(&path, &[], body).await.status, status);
    }
    assert_eq!(door.post("/api/1/store/", &[], "{}").await.status, 401);
    assert_eq!(door.items().len(), 0);
    assert_eq!((door.outcome("invalid"), door.outcome("too_large"), door.outcome("unauthorized")), (2, 1, 1));
    door.stop().await;
}
