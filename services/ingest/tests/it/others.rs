use crate::harness::{KEY, Setup, UNKNOWN};
use bugle_model::ItemKind;

const CSP: &str =
    "{\"csp-report\":{\"document-uri\":\"https://shop.test/\",\"violated-directive\":\"img-src\"}}";

#[tokio::test(flavor = "multi_thread")]
async fn security_reports() {
    let door = Setup::new().start().await;
    let query = format!("sentry_key={KEY}&sentry_environment=prod&sentry_release=shop%401");
    for (path, content_type) in [
        ("/api/1/security/", "application/csp-report"),
        ("/api/1/csp-report/", "application/csp-report; charset=utf-8"),
        ("/api/1/security/", "application/json"),
        ("/api/1/security/", "application/expect-ct-report+json"),
    ] {
        let answer = door.post(&format!("{path}?{query}"), &[("Content-Type", content_type)], CSP).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path} {content_type}");
    }
    let list =
        "[{\"type\":\"csp-violation\",\"body\":{\"a\":1}}, {\"type\":\"csp-violation\",\"body\":{\"a\":2}}]";
    let headers = [("Content-Type", "application/reports+json")];
    assert_eq!(door.post(&format!("/api/1/security/?{query}"), &headers, list).await.status, 200);
    let items = door.items();
    assert_eq!(items.len(), 6);
    for item in &items {
        assert_eq!(
            (item.kind, item.environment.as_deref(), item.release.as_deref()),
            (ItemKind::Security, Some("prod"), Some("shop@1"))
        );
    }
    assert_eq!(items[0].content_type.as_deref(), Some("application/csp-report"));
    assert_eq!(items[5].body, b"{\"type\":\"csp-violation\",\"body\":{\"a\":2}}");
    let answer = door.post(&format!("/api/1/security/?{query}"), &[("Content-Type", "text/html")], CSP).await;
    assert_eq!(answer.status, 415);
    assert_eq!(door.post("/api/1/security/", &headers, list).await.status, 401);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_home_yet_is_accepted_and_counted() {
    let door = Setup::new().start().await;
    let auth = [("x-sentry-auth", format!("sentry sentry_key={KEY}"))];
    let auth: Vec<_> = auth.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let with = |content_type: &'static str| [auth.as_slice(), &[("content-type", content_type)]].concat();
    let mut counted = 0;
    for root in ["/api/1/integration/otlp/v1", "/api/1/otlp/v1"] {
        for signal in ["traces", "logs", "metrics"] {
            for (content_type, body) in [("application/x-protobuf", ""), ("application/json", "{}")] {
                let answer = door.post(&format!("{root}/{signal}"), &with(content_type), "whatever").await;
                assert_eq!((answer.status, answer.text().as_str()), (200, body), "{root}/{signal}");
                assert_eq!(answer.header("content-type"), Some(content_type));
                counted += 1;
            }
        }
    }
    assert_eq!(door.post("/api/1/otlp/v1/traces", &with("text/plain"), "x").await.status, 415);
    for (method, path) in [
        ("GET", format!("/api/1/cron/nightly/{KEY}/?status=ok")),
        ("GET", format!("/api/1/cron/nightly/?sentry_key={KEY}&status=ok")),
        ("POST", format!("/api/1/cron/nightly/{KEY}/")),
    ] {
        let answer = door.send(method, &path, &[], b"").await;
        assert_eq!((answer.status, answer.body.len()), (202, 0), "{method} {path}");
        counted += 1;
    }
    let answer =
        door.post(&format!("/api/1/nel/?sentry_key={KEY}"), &with("application/reports+json"), "[]").await;
    assert_eq!(answer.status, 200);
    assert_eq!(door.outcome("unsupported"), counted + 1);
    assert_eq!(door.items().len(), 0);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_are_not_served_say_so() {
    let door = Setup::new().start().await;
    let query = format!("?sentry_key={KEY}");
    let paths = [
        "/api/1/minidump/".to_owned() + &query,
        "/api/1/minidump".to_owned() + &query,
        format!("/api/1/unreal/{KEY}/"),
        "/api/1/playstation/".to_owned() + &query,
        "/api/1/upload/".to_owned() + &query,
        "/api/1/events/9ec79c33ec9942ab8353589fcb2e04dc/attachments/".to_owned() + &query,
        "/api/1/something/else/".to_owned() + &query,
    ];
    for path in &paths {
        let answer = door.post(path, &[], "dump").await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().ends_with("is not supported"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(door.outcome("unsupported"), paths.len() as u64);
    // The API's own paths are not the door's.
    assert!(door.post("/api/v1/issues/", &[], "").await.header("access-control-allow-origin").is_none());
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_origin_may_send_and_read_the_answer() {
    let door = Setup::new().start().await;
    for path in [
        "/api/1/envelope/",
        "/tunnel",
        "/api/1/store/",
        "/api/v1/logs/frontend/",
        "/api/error-logging/errors/",
    ] {
        let answer = door.send("OPTIONS", path, &[("Origin", "https://shop.test")], b"").await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("x-sentry-auth"));
        assert_eq!(answer.header("access-control-max-age"), Some("3600"));
    }
    let answer = door.envelope("{}").await;
    assert!(
        answer.header("access-control-expose-headers").unwrap().contains("x-sentry-rate-limits, retry-after")
    );
    let answer = door.send("GET", "/api/1/envelope/", &[], b"").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, Some("*")));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slashes_are_merged_without_a_redirect() {
    let door = Setup::new().start().await;
    for path in ["/api/1/envelope", "/api/1/envelope/", "//api///1/envelope//", "/api//1/envelope/"] {
        let answer = door.post(&format!("{path}?sentry_key={KEY}"), &[], "{}").await;
        assert_eq!(answer.status, 200, "{path}");
    }
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_ids_are_taken_or_made() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/envelope/?sentry_key={UNKNOWN}");
    let answer = door.post(&path, &[("X-Request-ID", "abc")], "").await;
    assert_eq!(answer.header("x-request-id"), Some("abc"));
    let long = "x".repeat(101);
    let answer = door.post(&path, &[("X-Request-ID", &long)], "").await;
    assert_ne!(answer.header("x-request-id"), Some(long.as_str()));
    assert!(answer.header("x-request-id").is_some());
    door.stop().await;
}
