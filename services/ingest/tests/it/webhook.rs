use crate::harness::{KEY, Setup, UNKNOWN};
use bugle_model::ItemKind;
use uuid::Uuid;

const BODY: &str = "{\"message\":\"it broke\",\"exception\":\"RuntimeException\",\"severity\":\"high\"}";

#[tokio::test(flavor = "multi_thread")]
async fn every_source_and_every_form_of_the_key() {
    let door = Setup::new().start().await;
    let bearer = format!("Bearer {KEY}");
    let sentry = format!("Sentry sentry_key={KEY}");
    let query = format!("?key={KEY}");
    let sentry_query = format!("?sentry_key={KEY}");
    let forms: [(&str, Vec<(&str, &str)>); 6] = [
        ("", vec![("Authorization", &bearer)]),
        ("", vec![("X-Bugle-Key", KEY)]),
        ("", vec![("X-Api-Key", KEY)]),
        ("", vec![("X-Sentry-Auth", &sentry)]),
        (&query, vec![]),
        (&sentry_query, vec![]),
    ];
    for (path, kind) in [
        ("/api/error-logging/webhook/laravel/", ItemKind::WebhookLaravel),
        ("/api/error-logging/webhook/java/", ItemKind::WebhookJava),
        ("/api/error-logging/webhook/frontend/", ItemKind::WebhookFrontend),
        ("/api/error-logging/webhook/mobile/", ItemKind::WebhookMobile),
        ("/api/error-logging/webhook/generic", ItemKind::WebhookGeneric),
        ("/api/error-logging/errors/", ItemKind::WebhookGeneric),
    ] {
        for (query, headers) in &forms {
            let answer = door.post(&format!("{path}{query}"), headers, BODY).await;
            assert_eq!(answer.status, 202, "{path} {headers:?}: {answer:?}");
            let id: Uuid = answer.json()["id"].as_str().unwrap().parse().unwrap();
            let item = door.items().pop().unwrap();
            assert_eq!((item.kind, item.event_id, item.project.0), (kind, Some(id), 1));
            assert_eq!(item.body, BODY.as_bytes());
        }
    }
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_a_problem_that_names_the_field() {
    let door = Setup::new().start().await;
    let path = format!("/api/error-logging/webhook/generic/?key={KEY}");
    let answer = door.post(&path, &[], "[]").await;
    assert_eq!((answer.status, answer.header("content-type")), (422, Some("application/problem+json")));
    assert_eq!(answer.json()["errors"][0]["field"], "body");
    let answer = door.post(&path, &[], "{}").await;
    assert_eq!(answer.status, 422);
    assert!(answer.json()["errors"][0]["message"].is_string());
    assert_eq!(door.post("/api/error-logging/webhook/generic/", &[], BODY).await.status, 401);
    let mut setup = Setup::new();
    setup.settings.max_event = 50;
    let small = setup.start().await;
    assert_eq!(small.post(&path, &[], BODY).await.status, 413);
    assert_eq!(small.post("/api/error-logging/webhook/generic/?key=nonsense", &[], "{}").await.status, 401);
    assert_eq!(door.items().len(), 0);
    small.stop().await;
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_key() {
    let door = Setup::new().start().await;
    let answer = door.send("GET", "/api/error-logging/webhook/health/", &[], b"").await;
    assert_eq!((answer.status, answer.json()["healthy"].as_bool()), (200, Some(true)));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_checked_is_kept_with_the_item() {
    let door = Setup::new().start().await;
    let path = format!("/api/error-logging/webhook/generic/?key={UNKNOWN}");
    assert_eq!(door.post(&path, &[], BODY).await.status, 202);
    let item = door.items().pop().unwrap();
    assert_eq!((item.unverified_key.as_deref(), item.project.0), (Some(UNKNOWN), 0));
    door.stop().await;
}
