use super::*;
use crate::normalise::tests::item;
use bugle_model::{ItemKind, Level};

fn report(content_type: &str, body: &str) -> Event {
    let mut item = item(ItemKind::Security, body.as_bytes());
    item.content_type = Some(content_type.to_owned());
    item.user_agent = Some("Mozilla/5.0".to_owned());
    item.environment = Some("production".to_owned());
    normalise(&item).unwrap()
}

#[test]
fn a_csp_report_of_each_api() {
    let old = r#"{"csp-report":{"document-uri":"https://shop.example.com/a?x=1","referrer":"https://r.example.com/",
        "violated-directive":"script-src 'self'","effective-directive":"script-src-elem","disposition":"enforce",
        "blocked-uri":"https://evil.example.net/x.js","line-number":3,"status-code":200}}"#;
    let new = r#"[{"type":"csp-violation","age":1,"url":"https://shop.example.com/a?x=1","user_agent":"UA",
        "body":{"documentURL":"https://shop.example.com/a?x=1","effectiveDirective":"script-src-elem",
        "disposition":"enforce","blockedURL":"https://evil.example.net/x.js"}}]"#;
    for (content_type, body) in [("application/csp-report", old), ("application/reports+json", new)] {
        let event = report(content_type, body);
        assert_eq!(event.message.unwrap().text(), "Blocked 'script-src-elem' from 'evil.example.net'");
        assert_eq!(event.source, EventSource::Security);
        assert_eq!(event.level, Level::Error);
        assert_eq!(event.logger.as_deref(), Some("csp"));
        assert_eq!(event.tags["blocked-uri"], "https://evil.example.net/x.js");
        assert_eq!(event.environment.as_deref(), Some("production"));
        let request = event.request.unwrap();
        assert_eq!(request.url.as_deref(), Some("https://shop.example.com/a"));
        assert_eq!(request.query, [("x".to_owned(), "1".to_owned())]);
        assert_eq!(request.headers[0], ("User-Agent".to_owned(), "Mozilla/5.0".to_owned()));
        let sent = event.security.unwrap();
        assert!(sent.get("csp-report").or(sent.get("body")).unwrap().is_object());
        assert_eq!(event.user.unwrap().ip_address.as_deref(), Some("203.0.113.9"));
    }
}

#[test]
fn messages_by_kind() {
    for (body, message) in [
        (
            r#"{"csp-report":{"effective-directive":"style-src","blocked-uri":"inline"}}"#,
            "Blocked inline 'style-src'",
        ),
        (
            r#"{"csp-report":{"violated-directive":"img-src x","blocked-uri":"data"}}"#,
            "Blocked 'img-src' from 'data'",
        ),
        (
            r#"{"csp-report":{"violated-directive":"img-src","document-uri":"https://a.example/","blocked-uri":"https://a.example/i"}}"#,
            "Blocked 'img-src' from ''self''",
        ),
        (r#"{"csp-report":{}}"#, "Content Security Policy violated by ''self''"),
        (r#"{"expect-ct-report":{"hostname":"a.example"}}"#, "Expect-CT failed for 'a.example'"),
        (r#"{"expect-staple-report":{"hostname":"a.example"}}"#, "Expect-Staple failed for 'a.example'"),
        (
            r#"{"hostname":"a.example","known-pins":[]}"#,
            "Public key pinning validation failed for 'a.example'",
        ),
        (r#"{"type":"deprecation","url":"https://a.example/","body":{"message":"old"}}"#, "deprecation: old"),
        (r#"{"type":"crash","url":"https://a.example/","body":{}}"#, "crash on 'a.example'"),
    ] {
        assert_eq!(report("application/json", body).message.unwrap().text(), message, "{body}");
    }
}

#[test]
fn a_list_is_split_into_items() {
    let body = br#"[{"type":"crash","body":{}},{"type":"deprecation","body":{"id":"x"}}]"#;
    let reports = split(body).unwrap();
    assert_eq!(reports.len(), 2);
    let second = report("application/reports+json", std::str::from_utf8(&reports[1]).unwrap());
    assert_eq!(second.logger.as_deref(), Some("deprecation"));
    assert_eq!(split(br#"{"csp-report":{}}"#).unwrap().len(), 1);
    for body in ["[]", "1", "[1]", "nonsense"] {
        assert!(split(body.as_bytes()).is_err(), "{body}");
    }
    assert!(split(format!("[{}{{}}]", "{},".repeat(MAX_REPORTS)).as_bytes()).is_err());
}

#[test]
fn what_is_no_report_is_invalid() {
    for body in ["{}", r#"{"csp-report":[]}"#, "[]", "3", r#"{"type":"x"}"#] {
        assert!(normalise(&item(ItemKind::Security, body.as_bytes())).is_err(), "{body}");
    }
}

#[test]
fn media_types() {
    assert!(is_supported("application/csp-report"));
    assert!(is_supported("Application/Reports+JSON; charset=utf-8"));
    assert!(!is_supported("text/plain"));
}
