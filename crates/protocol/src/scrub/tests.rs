use super::*;
use crate::normalise;
use bugle_model::ItemKind;
use serde_json::{Value, json};

fn text(input: &str) -> String {
    let mut text = input.to_owned();
    Scrubber::new(&ScrubSettings::default()).scrub_text(&mut text);
    text
}

fn scrubbed_with(settings: &ScrubSettings, payload: &Value) -> Event {
    let item = normalise::tests::item(ItemKind::Event, payload.to_string().as_bytes());
    let mut event = normalise(&item).unwrap();
    Scrubber::new(settings).scrub(&mut event);
    event
}

fn scrubbed(payload: &Value) -> Event {
    scrubbed_with(&ScrubSettings::default(), payload)
}

#[test]
fn secrets_in_text() {
    for (input, expected) in [
        ("login failed: password=hunter2", "login failed: password=[Filtered]"),
        ("a=1&password=hunter2&b=2", "a=1&password=[Filtered]&b=2"),
        ("user[password]=x&user%5Bpassword%5D=y", "user[password]=[Filtered]&user%5Bpassword%5D=[Filtered]"),
        ("https://x.example/p?access_token=abc#frag", "https://x.example/p?access_token=[Filtered]#frag"),
        (r#"{"password": "hun\"ter2", "a": 1}"#, r#"{"password": "[Filtered]", "a": 1}"#),
        (r#"{"api_key":12345,"a":1}"#, r#"{"api_key":[Filtered],"a":1}"#),
        (r#"{\"password\":\"hunter2\",\"a\":1}"#, r#"{\"password\":\"[Filtered]\",\"a\":1}"#),
        ("{'secret': b'x y', 'a': 1}", "{'secret': b'[Filtered]', 'a': 1}"),
        (r#"["password" => "x", 'a' => 1]"#, r#"["password" => "[Filtered]", 'a' => 1]"#),
        (r#"{"credentials": {"a": ["b"]}, "c": 1}"#, r#"{"credentials": [Filtered], "c": 1}"#),
        ("password: hunter2 and more", "password: [Filtered] and more"),
        ("Authorization: Bearer abc\nHost: x", "Authorization: [Filtered]\nHost: x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [Filtered]\nHost: x"),
        ("sent Bearer abcdef1234567 to x", "sent Bearer [Filtered] to x"),
        ("Basic dXNlcjpwYXNz0=", "Basic [Filtered]"),
        ("token: 9f8e7d6c5b4a3f2e", "token: [Filtered]"),
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_-DEF y", "x [Filtered] y"),
        ("postgres://bugle:hunter2@db:5432/x", "postgres://[Filtered]@db:5432/x"),
        ("card 4111 1111 1111 1111 declined", "card [Filtered] declined"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n[Filtered]\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[Filtered]"),
        ("Invalid password 'hunter2' for ada", "Invalid password '[Filtered]' for ada"),
        ("Authentication failed: PASSWORD \"hunter 2\"", "Authentication failed: PASSWORD \"[Filtered]\""),
        ("sid=abc; theme=dark", "sid=[Filtered]; theme=dark"),
        ("é password=é€x ü", "é password=[Filtered] ü"),
        ("password=\"unclosed", "password=\"[Filtered]"),
    ] {
        assert_eq!(text(input), expected, "{input}");
        assert_eq!(text(expected), expected, "twice: {input}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for input in [
        "Unexpected token } in JSON at position 12",
        "Unexpected token: punc (})",
        "SyntaxError: Unexpected token = in JSON",
        "Session: expired",
        "password == None",
        "invalid password",
        "secret \"db\" not found",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "password=",
        "basic authentication failed",
        "Bearer authentication required",
        "https://example.com/@user?a=b",
        "https://example.com/a/b?page=2",
        "author=ada side=left",
        "order 4111111111111112 at 2026-11-20 18:02:44.285",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
        "eyJ is how it begins",
        "Token::new(x)",
    ] {
        assert_eq!(text(input), input);
    }
}

#[test]
fn source_lines_lose_literals_only() {
    let scrubber = TextScrubber::new(&ScrubSettings::default());
    for (line, expected) in [
        ("password = os.environ['X']", "password = os.environ['X']"),
        ("login(password=password)", "login(password=password)"),
        ("PASSWORD = \"hunter2\"", "PASSWORD = \"[Filtered]\""),
        ("{'password': request.POST['x']}", "{'password': request.POST['x']}"),
        ("url = 'postgres://u:p@db/x'", "url = 'postgres://[Filtered]@db/x'"),
    ] {
        let mut text = line.to_owned();
        scrubber.code(&mut text);
        assert_eq!(text, expected);
    }
}

#[test]
fn every_part_of_an_event_is_scrubbed() {
    const SECRET: &str = "hunter2hunter2";
    let bag = json!({"password": SECRET, "deep": [{"token": [SECRET]}, ["secret", SECRET]], "n": {"name": "api_key", "value": SECRET}});
    let frame = json!({"function": "f", "vars": bag, "context_line": format!("password = '{SECRET}'"),
        "abs_path": format!("https://x/y.js?token={SECRET}"), "data": bag});
    let event = scrubbed(&json!({
        "logentry": {"message": "login %s", "params": [format!("password={SECRET}")], "formatted": format!("login password={SECRET}")},
        "exception": [{"type": "E", "value": format!("bad token={SECRET}"), "stacktrace": {"frames": [frame]},
            "mechanism": {"type": "x", "data": bag}}],
        "threads": [{"id": 1, "stacktrace": {"frames": [frame]}, "held": bag}],
        "breadcrumbs": [{"message": format!("GET /?api_key={SECRET}"), "data": bag}],
        "user": {"id": "7", "data": bag, "session": SECRET},
        "request": {"url": format!("https://u:{SECRET}@x/y?token={SECRET}"), "query_string": format!("token={SECRET}&a=1"),
            "headers": [["Authorization", SECRET], ["X-Api-Key", SECRET], ["Cookie", format!("anything={SECRET}")]],
            "data": format!("user=ada&password={SECRET}"), "env": {"DB": SECRET, "SERVER_NAME": "web"}},
        "contexts": {"app": bag, "session": {"id": "s-81f2", "token": SECRET}, "http_session": {"id": SECRET}},
        "extra": {"bag": bag, "environ": {"DATABASE": SECRET, "LANG": "C"}, "env": [format!("X={SECRET}")],
            "json": format!("{{\"password\": \"{SECRET}\"}}")},
        "tags": {"token": SECRET, "url": format!("http://u:{SECRET}@h/")},
        "transaction": format!("/reset?token={SECRET}"),
        "fingerprint": [format!("password={SECRET}")],
        "csp": {"document-uri": format!("https://x/?token={SECRET}")},
        "sdk": {"name": "x"},
    }));
    let stored = serde_json::to_string(&event).unwrap();
    assert!(!stored.contains(SECRET), "{stored}");
    assert_eq!(event.request.as_ref().unwrap().cookies, [("anything".to_owned(), FILTERED.to_owned())]);
    assert_eq!(event.request.as_ref().unwrap().env["SERVER_NAME"], "web");
    assert_eq!(event.contexts["session"], json!({"id": "s-81f2"}));
    assert_eq!(event.extra["environ"]["LANG"], "C");
    assert_eq!(event.extra["env"], json!(["X=[Filtered]"]));
}

#[test]
fn values_that_cannot_be_secret_stay() {
    let extra = json!({"has_password": true, "token": null, "max_tokens": 512, "secret": "", "id": 4_111_111_111_111_112_u64});
    assert_eq!(Value::Object(scrubbed(&json!({"extra": extra})).extra), extra);
    let card = scrubbed(&json!({"extra": {"n": 4_111_111_111_111_111_u64}}));
    assert_eq!(card.extra["n"], FILTERED);
}

#[test]
fn settings_of_a_project() {
    let payload = json!({
        "user": {"id": "7", "ip_address": "198.51.100.7"},
        "request": {"headers": {"X-Forwarded-For": "198.51.100.7"}, "env": {"REMOTE_ADDR": "198.51.100.7"}},
        "extra": {"session_type": "web", "iban": "DE00", "note": "iban=DE00 session_type=web"},
    });
    let off = scrubbed_with(
        &ScrubSettings { enabled: false, ..ScrubSettings::default() },
        &json!({"extra": {"password": "x"}}),
    );
    assert_eq!(off.extra["password"], "x");
    let settings = ScrubSettings {
        enabled: true,
        fields: vec!["IBAN".into()],
        keep: vec!["session_type".into()],
        addresses: true,
    };
    let event = scrubbed_with(&settings, &payload);
    assert_eq!(event.extra["session_type"], "web");
    assert_eq!(event.extra["iban"], FILTERED);
    assert_eq!(event.extra["note"], "iban=[Filtered] session_type=web");
    assert_eq!(event.user.unwrap().ip_address, None);
    let request = event.request.unwrap();
    assert_eq!(request.headers[0].1, FILTERED);
    assert_eq!(request.env["REMOTE_ADDR"], FILTERED);
}
