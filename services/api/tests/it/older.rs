//! The older contract.

use crate::harness::{App, ids, noon};
use crate::people::{person, team};
use bugle_model::{Event, Exception, Frame, InstallationRole, Stacktrace, TeamRole};
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

fn raised(number: u128, value: &str) -> Event {
    let mut event = Event::new(Uuid::from_u128(number), noon());
    event.environment = Some("production".to_owned());
    let frame = Frame {
        function: Some("pay".to_owned()),
        filename: Some("shop.py".to_owned()),
        lineno: Some(7),
        ..Frame::default()
    };
    event.exceptions = vec![Exception {
        kind: Some("PayError".to_owned()),
        value: Some(value.to_owned()),
        stacktrace: Some(Stacktrace { frames: vec![frame], ..Stacktrace::default() }),
        ..Exception::default()
    }];
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_latest_event_of_each_error() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let first = app.issue(project, 1, "PayError: no money", 1).await;
    let bare = app.issue(project, 2, "Without events", 2).await;
    app.event(project, first, &raised(1, "old"), 30).await;
    app.event(project, first, &raised(2, "new"), 1).await;
    let page = app.get("/api/error-logging/errors/?page_size=10").await.ok(200);
    insta::assert_json_snapshot!("errors", page);
    assert_eq!(ids(&page), [first.0, bare.0]);
    app.database.execute(&format!("UPDATE issues SET priority = 4 WHERE id = {first}")).await.unwrap();
    for (parameters, expected) in [
        ("?severity=critical", vec![first.0]),
        ("?service=shop&search=without", vec![bare.0]),
        ("?resolved=true", vec![]),
        ("?status=unresolved&limit=1", vec![first.0]),
    ] {
        let page = app.get(&format!("/api/error-logging/errors/{parameters}")).await.ok(200);
        assert_eq!(ids(&page), expected, "{parameters}");
    }
    assert_eq!(app.get("/api/error-logging/errors/?severity=loud").await.mistakes().len(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_found_by_number_and_by_event_once_it_is_recorded() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "PayError: no money", 1).await;
    let (old, new) = (raised(1, "old"), raised(2, "new"));
    let unrecorded = app.get(&format!("/api/error-logging/errors/{}/", old.event_id)).await;
    assert_eq!((unrecorded.status, unrecorded.header("retry-after")), (404, "1"));
    app.event(project, issue, &old, 30).await;
    app.event(project, issue, &new, 1).await;
    let by_event = app.get(&format!("/api/error-logging/errors/{}/", old.event_id.simple())).await.ok(200);
    assert_eq!((&by_event["id"], &by_event["message"]), (&json!(issue), &json!("old")));
    let by_number = app.get(&format!("/api/error-logging/errors/{issue}/")).await.ok(200);
    assert_eq!(by_number["message"], "new");
    assert_eq!(app.get("/api/error-logging/errors/4711/").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_changed_and_resolved() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let event = raised(1, "v");
    app.event(project, issue, &event, 1).await;
    let path = format!("/api/error-logging/errors/{issue}/");
    let mut sent_back = app.get(&path).await.ok(200);
    sent_back["assigned_to"] = json!("ann");
    sent_back["severity"] = json!("low");
    let changed = app.patch(&path, &sent_back).await.ok(200);
    assert_eq!((&changed["assigned_to"], &changed["severity"]), (&json!("ann"), &json!("low")));

    let resolve = format!("/api/error-logging/errors/{}/resolve/", event.event_id);
    let resolved = app.post(&resolve, &json!({})).await.ok(200);
    assert_eq!((&resolved["resolved"], &resolved["status"]), (&json!(true), &json!("resolved")));
    let reopened = app.patch(&path, &json!({ "resolved": false })).await.ok(200);
    assert_eq!(reopened["status"], "unresolved");
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_escalate_at_once_each_raises_it() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    app.database.execute("UPDATE issues SET priority = 1").await.unwrap();
    let holding = app.database.client().await.unwrap();
    holding.batch_execute("BEGIN; SELECT FROM issues FOR UPDATE").await.unwrap();
    let path = format!("/api/error-logging/errors/{issue}/escalate/");
    let escalate = async || app.post(&path, &json!({})).await.ok(200);
    let release = async {
        app.database.until_waiting(2).await.unwrap();
        holding.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(escalate(), escalate(), release);
    assert_eq!(app.get(&format!("/api/v1/issues/{issue}")).await.ok(200)["priority"], "high");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_assigned_and_escalated_up_to_critical() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let event = raised(1, "v");
    app.event(project, issue, &event, 1).await;
    let path = format!("/api/error-logging/errors/{issue}");
    let assigned =
        app.post(&format!("{path}/assign/"), &json!({ "assigned_to": "ann", "note": "" })).await.ok(200);
    assert_eq!(assigned["assigned_to"], "ann");
    let nobody = app.post(&format!("{path}/assign/"), &json!({ "assigned_to": null })).await.ok(200);
    assert_eq!(nobody["assigned_to"], json!(null));
    assert_eq!(app.post(&format!("{path}/assign/"), &json!({})).await.mistakes().len(), 1);

    app.database.execute("UPDATE issues SET priority = 2; DELETE FROM outbox").await.unwrap();
    for expected in ["high", "critical", "critical"] {
        let escalated = app.post(&format!("{path}/escalate/"), &json!({})).await.ok(200);
        assert_eq!(escalated["severity"], expected);
    }
    let told = "SELECT convert_from(body, 'UTF8')::jsonb #>> '{signals,0,priority}' FROM outbox
        WHERE routing_key = 'issue.escalated' ORDER BY id";
    assert_eq!(app.database.rows(told).await.unwrap(), ["high", "critical"]);
    let written = "SELECT data ->> 'to' FROM issue_activity WHERE kind = 'priority' ORDER BY id";
    assert_eq!(app.database.rows(written).await.unwrap(), ["high", "critical"]);
    let audited =
        "SELECT after ->> 'priority' FROM audit_log WHERE action = 'issue.updated' ORDER BY id DESC LIMIT 1";
    assert_eq!(app.database.rows(audited).await.unwrap(), ["critical"]);
    let critical = app.get("/api/error-logging/errors/critical/?page=1").await.ok(200);
    assert_eq!(ids(&critical), [issue.0]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_people_and_what_they_have_to_do() {
    let app = App::start().await;
    let shop = app.project("shop").await;
    let blue = team(&app, "blue").await;
    person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Member)]).await;
    for number in 1..=3 {
        app.issue(shop, number, "x", 1).await;
    }
    app.database
        .execute(&format!(
            "UPDATE issues SET assigned_to = 'ann' WHERE number < 3; UPDATE issues SET priority = 4 WHERE number = 1;
             UPDATE issues SET level = 50, status = 2, assigned_to = 'ann' WHERE number = 3;
             INSERT INTO project_hours (project_id, hour, level, events) VALUES ({shop}, '2027-01-15T10:00:00Z', 40, 3),
                 ({shop}, '2027-01-15T09:00:00Z', 50, 4), ({shop}, '2026-11-01T09:00:00Z', 50, 4)"
        ))
        .await
        .unwrap();
    insta::assert_json_snapshot!("stats", app.get("/api/error-logging/errors/stats/").await.ok(200));
    let workload = app.get("/api/error-logging/developers/workload/").await.ok(200);
    insta::assert_json_snapshot!("workload", workload);
    let people = app.get("/api/error-logging/developers/").await.ok(200);
    assert_eq!((&people["items"][0]["name"], &people["items"][0]["team"]), (&json!("ann"), &json!("blue")));
    assert_eq!(people["items"][0]["available"], json!(true));
    assert_eq!(ids(&app.get("/api/error-logging/notifications/").await.ok(200)), [] as [i64; 0]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_shown_with_the_teams_that_one_sees() {
    let app = App::start().await;
    let (secret, shop) = (team(&app, "a secret").await, team(&app, "shop").await);
    let both = [(secret, TeamRole::Member), (shop, TeamRole::Member)];
    let (ann, _) = person(&app, "ann", InstallationRole::Member, &both).await;
    let (_, bob) = person(&app, "bob", InstallationRole::Member, &[(shop, TeamRole::Viewer)]).await;
    let path = "/api/error-logging/developers";
    let seen = bob.get(&app, path).await.ok(200);
    let first = &seen["items"][0];
    assert_eq!(
        (&first["id"], &first["team"], &first["teams"]),
        (&json!(ann), &json!("shop"), &json!(["shop"]))
    );
    assert!(!seen.to_string().contains("secret"), "{seen}");
    let all = app.get(path).await.ok(200);
    assert_eq!(all["items"][0]["teams"], json!(["a secret", "shop"]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_away_is_not_available() {
    let app = App::start().await;
    let shop = team(&app, "shop").await;
    let (_, ann) = person(&app, "ann", InstallationRole::Member, &[(shop, TeamRole::Member)]).await;
    person(&app, "bob", InstallationRole::Member, &[(shop, TeamRole::Member)]).await;
    let available = async || {
        let people = app.get("/api/error-logging/developers").await.ok(200);
        [0_usize, 1].map(|number| people["items"][number]["available"].as_bool().unwrap())
    };
    assert_eq!(available().await, [true, true]);
    let (own, until) = ("/api/v1/account/availability", "2027-01-15T18:00:00Z");
    ann.put(&app, own, &json!({ "available": false, "away_until": until })).await.ok(200);
    assert_eq!(available().await, [false, true]);
    app.clock.advance(TimeDelta::hours(6));
    assert_eq!(available().await, [true, true], "back");
    ann.put(&app, own, &json!({ "available": false })).await.ok(200);
    assert_eq!(available().await, [false, true], "until they say otherwise");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn capturing_on_the_same_path_is_left_to_others() {
    let app = App::start().await;
    assert_eq!(app.post("/api/error-logging/errors/", &json!({})).await.status, 404);
    app.stop().await;
}
