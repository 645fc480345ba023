use crate::harness::{DISABLED, KEY, OTHER, Setup, UNKNOWN};
use base64::Engine;

const BODY: &str = "{}\n{\"type\":\"event\"}\n{}";

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_the_key() {
    let door = Setup::new().start().await;
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:")));
    let sentry = format!("Sentry sentry_key={KEY}, sentry_version=7, sentry_client=x/1");
    let lower = format!("sentry sentry_key={KEY}");
    let guard = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("staging:let-me-in"));
    let upper = format!("Sentry sentry_version=7,sentry_key={}", KEY.to_uppercase());
    let query = format!("/api/1/envelope/?sentry_version=7&sentry_key={KEY}");
    let with_dsn = format!("{{\"dsn\":\"http://{KEY}@bugle.test/1\"}}\n{{\"type\":\"event\"}}\n{{}}");
    let plain = "/api/1/envelope/";
    for (path, headers, body) in [
        (plain, vec![("X-Sentry-Auth", sentry.as_str())], BODY),
        (plain, vec![("x-sentry-auth", lower.as_str())], BODY),
        (plain, vec![("X-Sentry-Auth", upper.as_str())], BODY),
        (plain, vec![("Authorization", sentry.as_str())], BODY),
        (plain, vec![("Authorization", basic.as_str())], BODY),
        (query.as_str(), vec![], BODY),
        (query.as_str(), vec![("X-Sentry-Auth", sentry.as_str())], with_dsn.as_str()),
        (plain, vec![], with_dsn.as_str()),
        ("/tunnel", vec![], with_dsn.as_str()),
        ("/tunnel", vec![("Authorization", guard.as_str())], with_dsn.as_str()),
        (query.as_str(), vec![("Authorization", guard.as_str())], BODY),
    ] {
        let answer = door.post(path, &headers, body).await;
        assert_eq!(answer.status, 200, "{path} {headers:?}: {answer:?}");
    }
    assert_eq!(door.items().len(), 11);
    assert!(door.items().iter().all(|item| item.project.0 == 1 && item.key.unwrap().0 == 11));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_is_told_why() {
    let door = Setup::new().start().await;
    let dsn = |key: &str, project: &str| {
        format!("{{\"dsn\":\"http://{key}@bugle.test/{project}\"}}\n{{\"type\":\"event\"}}\n{{}}")
    };
    let forbidden = "event submission rejected with_reason: ProjectId";
    for (path, body, status, detail) in [
        ("/api/1/envelope/".to_owned(), BODY.to_owned(), 401, "missing authorization information"),
        ("/tunnel".to_owned(), BODY.to_owned(), 401, "missing authorization information"),
        (format!("/api/1/envelope/?sentry_key={DISABLED}"), BODY.to_owned(), 403, forbidden),
        (format!("/api/1/envelope/?sentry_key={OTHER}"), BODY.to_owned(), 403, forbidden),
        (format!("/api/99999999999/envelope/?sentry_key={KEY}"), BODY.to_owned(), 403, forbidden),
        (
            format!("/api/1/envelope/?sentry_key={KEY}&sentry_version=8"),
            BODY.to_owned(),
            400,
            "sentry_version",
        ),
        ("/api/1/envelope/?sentry_key=no-key".to_owned(), BODY.to_owned(), 400, "bad sentry_key"),
        ("/api/1/envelope/?sentry_key=abc".to_owned(), BODY.to_owned(), 403, forbidden),
        (format!("/api/1/envelope/?sentry_key={KEY}"), dsn(OTHER, "1"), 400, "mismatch"),
        (format!("/api/1/envelope/?sentry_key={KEY}"), dsn(KEY, "2"), 400, "mismatch"),
        ("/tunnel".to_owned(), dsn(KEY, "2"), 403, forbidden),
    ] {
        let answer = door.post(&path, &[], &body).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        let given = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(given.contains(detail), "{path}: {given}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let both = format!("Sentry sentry_key={OTHER}");
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    assert_eq!(door.post(&path, &[("X-Sentry-Auth", &both)], BODY).await.status, 401);
    assert_eq!(door.items().len(), 0);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_an_unknown_key_is_for_the_recorder_to_decide_up_to_a_cap() {
    let door = Setup::new().start().await;
    let path = format!("/api/7/envelope/?sentry_key={UNKNOWN}");
    assert_eq!(door.post(&path, &[], BODY).await.status, 200);
    let item = door.items().pop().unwrap();
    assert_eq!(item.unverified_key.as_deref(), Some(UNKNOWN));
    assert_eq!((item.key, item.project.0), (None, 7));
    let many = format!("{{}}\n{}", "{\"type\":\"user_report\"}\n{}\n".repeat(999));
    assert_eq!(door.post(&path, &[], &many).await.status, 200);
    let answer = door.post(&path, &[], BODY).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    // Known ones come in as before.
    assert_eq!(door.envelope(BODY).await.status, 200);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_crawlers_that_the_project_does_not_want() {
    let mut setup = Setup::new();
    setup.settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let snapshot = setup.snapshot.as_mut().unwrap();
    snapshot.projects[0].blocked_addresses = vec!["203.0.113.0/24".parse().unwrap()];
    snapshot.projects[0].filter_crawlers = true;
    let door = setup.start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    for (header, value) in [("X-Forwarded-For", "203.0.113.77"), ("User-Agent", crawler)] {
        assert_eq!(door.post(&path, &[(header, value)], BODY).await.status, 200);
    }
    assert_eq!((door.items().len(), door.outcome("filtered")), (0, 2));
    let headers = [("X-Forwarded-For", "203.0.113.77, 198.51.100.1")];
    assert_eq!(door.post(&path, &headers, BODY).await.status, 200);
    assert_eq!(door.items()[0].remote_addr.unwrap().to_string(), "198.51.100.1");
    door.stop().await;
}
