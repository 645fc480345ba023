//! Alerts of other tools: from a source and its key to an incident.

use crate::answers::{link, open};
use crate::harness::{Answer, App};
use crate::oncall::{Crew, crew};
use bugle_model::IncidentAnswer;
use serde_json::{Value, json};

/// A source of this kind, whose alerts are about the project, and its key.
pub async fn source(crew: &Crew, kind: &str) -> (Value, String) {
    let policy = match crew.boss.get(&crew.app, "/api/v1/escalation-policies").await.ok(200)["items"].get(0) {
        Some(policy) => policy.clone(),
        None => crew.policy().await,
    };
    let body = json!({ "name": kind, "kind": kind, "policy": policy["id"], "project": crew.project });
    let made = crew.boss.post(&crew.app, "/api/v1/alert-sources", &body).await.ok(201);
    let key = made["key"].as_str().unwrap().to_owned();
    (made, key)
}

pub async fn tell(app: &App, path: &str, body: &Value) -> Answer {
    app.send(app.client.post(app.url(path)).json(body)).await
}

pub async fn incidents(crew: &Crew) -> Vec<Value> {
    let all = crew.viewer.get(&crew.app, "/api/v1/incidents").await.ok(200);
    all["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_tells_its_key_once_gets_another_and_is_removed() {
    let crew = crew().await;
    let Crew { app, boss, viewer, .. } = &crew;
    let (made, key) = source(&crew, "generic").await;
    assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    let url = made["url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/api/v1/alerts/{key}")), "{url}");
    let listed = viewer.get(app, "/api/v1/alert-sources").await;
    assert!(!listed.text.contains(&key), "{}", listed.text);
    assert_eq!(
        app.database.number("SELECT count(*) FROM alert_sources WHERE key_hash IS NOT NULL").await.unwrap(),
        1
    );

    let path = format!("/api/v1/alert-sources/{}", made["id"]);
    let rotated = boss.post(app, &format!("{path}/rotate"), &json!({})).await;
    assert_eq!(rotated.header("cache-control"), "no-store");
    let new = rotated.ok(201)["key"].as_str().unwrap().to_owned();
    let alert = json!({ "title": "Disk full" });
    let refused = tell(app, &format!("/api/v1/alerts/{key}"), &alert).await;
    assert!(!refused.text.contains(&key), "a secret is not repeated: {}", refused.text);
    refused.ok(404);
    tell(app, &format!("/api/v1/alerts/{new}"), &alert).await.ok(200);
    boss.delete(app, &path).await.ok(204);
    tell(app, &format!("/api/v1/alerts/{new}"), &alert).await.ok(404);
    assert_eq!(incidents(&crew).await.len(), 1, "what it opened stays");
    for action in ["created", "rotated", "deleted"] {
        let log = app.get(&format!("/api/v1/audit?action=alert_source.{action}")).await.ok(200);
        assert_eq!(log["items"][0]["actor"]["name"], "boss", "{action}");
        assert!(!log.to_string().contains(&key) && !log.to_string().contains(&new), "{action}");
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_source_names_the_field() {
    let crew = crew().await;
    let Crew { app, boss, member, .. } = &crew;
    let (made, _) = source(&crew, "generic").await;
    let path = "/api/v1/alert-sources";
    let again = json!({ "name": "generic", "kind": "generic", "policy": made["policy"] });
    let refused = boss.post(app, path, &again).await.ok(409);
    assert_eq!(refused["detail"], "the team has an alert source of this name");
    let bad = json!({ "name": "other", "kind": "generic", "policy": 4711 });
    assert!(
        boss.post(app, path, &bad).await.mistakes()[0].starts_with("policy: the team has no such policy")
    );
    let bad = json!({ "name": "", "kind": "generic", "policy": made["policy"] });
    assert!(boss.post(app, path, &bad).await.mistakes()[0].starts_with("name: expected 1 to 64 characters"));
    assert_eq!(member.post(app, path, &again).await.status, 403, "managers only");
    let policy = format!("/api/v1/escalation-policies/{}", made["policy"]);
    let refused = boss.delete(app, &policy).await.ok(409);
    assert!(refused["detail"].as_str().unwrap().contains("alert source"), "{refused}");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_changed_and_its_key_stays() {
    let crew = crew().await;
    let Crew { app, boss, member, .. } = &crew;
    let (made, key) = source(&crew, "generic").await;
    let path = format!("/api/v1/alert-sources/{}", made["id"]);
    let change = async |body: Value| boss.patch(app, &path, &body).await;
    let changed = change(json!({ "name": " backups ", "default_priority": "low" })).await.ok(200);
    assert_eq!((&changed["name"], &changed["default_priority"]), (&json!("backups"), &json!("low")));
    assert_eq!(
        (&changed["project"], &changed["policy"]),
        (&made["project"], &made["policy"]),
        "as they were"
    );
    assert_eq!(change(json!({ "project": null })).await.ok(200)["project"], Value::Null);
    tell(app, &format!("/api/v1/alerts/{key}"), &json!({ "title": "Disk full" })).await.ok(200);
    let found = incidents(&crew).await.remove(0);
    let expected = (&json!("low"), &json!(crew.team), &json!("backups"));
    assert_eq!((&found["priority"], &found["team"], &found["opened_by"]), expected);

    let log = app.get("/api/v1/audit?action=alert_source.updated").await.ok(200);
    assert_eq!(log["items"][1]["before"]["name"], "generic");
    assert_eq!(log["items"][1]["after"]["name"], "backups");
    for (bad, field) in [
        (json!({ "name": "" }), "name: expected 1 to 64 characters"),
        (json!({ "policy": 4711 }), "policy: the team has no such policy"),
        (json!({ "project": 4711 }), "policy: the team has no such policy, or `project`"),
        (json!({ "kind": "pagerduty" }), "kind: unknown field"),
    ] {
        let mistakes = change(bad).await.mistakes();
        assert!(mistakes[0].starts_with(field), "{mistakes:?}");
    }
    source(&crew, "alertmanager").await;
    assert_eq!(change(json!({ "name": "alertmanager" })).await.status, 409, "the name is taken");
    assert_eq!(member.patch(app, &path, &json!({})).await.status, 403, "managers only");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_opens_an_incident_that_says_what_it_says_and_its_end_ends_it() {
    let crew = crew().await;
    let (made, key) = source(&crew, "generic").await;
    let path = format!("/api/v1/alerts/{key}");
    let links = json!([{ "url": "https://wiki.example.com/disk", "text": "Runbook" }]);
    let alert = json!({
        "title": "Disk full", "key": "disk db1", "priority": "critical", "message": "98 %", "links": links,
        "labels": { "instance": "db1", "environment": "production" },
    });
    let opened = tell(&crew.app, &path, &alert).await.ok(200);
    let again = tell(&crew.app, &path, &alert).await.ok(200);
    assert_eq!((&opened["result"], &again["result"]), (&json!("opened"), &json!("noted")));
    assert_eq!((&again["incident"], &again["key"]), (&opened["incident"], &json!("disk db1")));
    let found = incidents(&crew).await.remove(0);
    let expected = json!({
        "id": opened["incident"], "origin": "alert", "source": made["id"], "opened_by": "generic", "key": "disk db1",
        "project": crew.project, "team": crew.team, "issue": null, "short_id": null, "title": "Disk full", "message": "98 %",
        "priority": "critical", "labels": alert["labels"], "links": links, "alerts": 2, "state": "triggered", "silence": null,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name}");
    }
    let over = json!({ "key": "disk db1", "status": "resolved" });
    assert_eq!(tell(&crew.app, &path, &over).await.ok(200)["result"], "resolved");
    assert_eq!(tell(&crew.app, &path, &over).await.ok(200)["result"], "nothing");
    let id = opened["incident"].as_i64().unwrap();
    assert_eq!(crew.events(id).await, ["triggered", "signal", "resolved"]);
    let sources = crew.viewer.get(&crew.app, "/api/v1/alert-sources").await.ok(200);
    assert_eq!(sources["items"][0]["last_alert_at"], json!(crew.app.now()));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_breaks_a_limit_is_refused_by_the_field_and_its_source_shows_it() {
    let crew = crew().await;
    let (_, key) = source(&crew, "generic").await;
    let path = format!("/api/v1/alerts/{key}");
    let bad = json!({
        "title": "", "key": "x".repeat(256), "labels": { "a": "x".repeat(1025) }, "links": [{ "url": "javascript:alert(1)" }],
    });
    let mistakes = tell(&crew.app, &path, &bad).await.mistakes();
    let expected = [
        "key: 1 to 255 characters",
        "title: 1 to 256 characters",
        "labels.a: at most 1024 characters",
        "links[0].url: http:// or https://, at most 2048 bytes",
    ];
    assert_eq!(mistakes, expected);
    let unknown = json!({ "title": "a", "severity": "high" });
    assert!(tell(&crew.app, &path, &unknown).await.mistakes()[0].starts_with("severity: unknown field"));
    let large = json!({ "title": "a", "message": "x".repeat(1_100_000) });
    assert_eq!(tell(&crew.app, &path, &large).await.ok(413)["detail"], "the body is over 1048576 bytes");
    let sources = crew.viewer.get(&crew.app, "/api/v1/alert-sources").await.ok(200);
    assert_eq!(sources["items"][0]["last_error"], "key: 1 to 255 characters");
    assert!(incidents(&crew).await.is_empty());
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_kind_is_told_where_it_belongs() {
    let crew = crew().await;
    let (_, generic) = source(&crew, "generic").await;
    let (_, pagerduty) = source(&crew, "pagerduty").await;
    let told =
        tell(&crew.app, &format!("/api/v1/alerts/{generic}/alertmanager"), &json!({ "alerts": [] })).await;
    assert_eq!(
        told.mistakes(),
        ["key: is of an alert source of the kind generic, and this is for alertmanager"]
    );
    let event = json!({ "routing_key": generic, "event_action": "resolve", "dedup_key": "a" });
    let told = tell(&crew.app, "/v2/enqueue", &event).await.ok(400);
    let expected = "routing_key: is of an alert source of the kind generic, and this is for pagerduty";
    assert_eq!(told["errors"], json!([expected]));
    let told = tell(&crew.app, &format!("/api/v1/alerts/{pagerduty}"), &json!({ "title": "a" })).await;
    assert_eq!(told.status, 422);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_in_alerts_do_not_reach_the_database() {
    let crew = crew().await;
    let (_, key) = source(&crew, "generic").await;
    let alert = json!({
        "title": "login with password=hunter22 failed", "message": "token: Bearer abcdefghijklmnopqrstuvwxyz0123456789",
        "labels": { "api_key": "hunter22" },
    });
    tell(&crew.app, &format!("/api/v1/alerts/{key}"), &alert).await.ok(200);
    let found = incidents(&crew).await.remove(0);
    assert!(
        !found["title"].to_string().contains("hunter22") && !found["labels"].to_string().contains("hunter22")
    );
    assert!(!found["message"].to_string().contains("abcdefghij"), "{found}");
    crew.app.stop().await;
}

fn alertmanager(alerts: &Value) -> Value {
    json!({ "version": "4", "status": "firing", "receiver": "bugle", "externalURL": "http://am:9093", "alerts": alerts })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_alertmanager_opens_and_ends_an_incident_for_each_fingerprint() {
    let crew = crew().await;
    let (_, key) = source(&crew, "alertmanager").await;
    let path = format!("/api/v1/alerts/{key}/alertmanager");
    let alert = |fingerprint: &str, status: &str, severity: &str| {
        json!({
            "status": status, "fingerprint": fingerprint, "startsAt": "2027-01-15T11:59:00Z", "endsAt": "0001-01-01T00:00:00Z",
            "labels": { "alertname": "DiskFull", "instance": fingerprint, "severity": severity },
            "annotations": { "description": "98 %" }, "generatorURL": "http://prometheus:9090/graph",
        })
    };
    let both = alertmanager(&json!([alert("a1", "firing", "warning"), alert("b2", "firing", "odd")]));
    let told = tell(&crew.app, &path, &both).await.ok(200);
    assert_eq!(told, json!({ "accepted": 2, "refused": 0 }));
    tell(&crew.app, &path, &both).await.ok(200);
    let found = incidents(&crew).await;
    let seen: Vec<_> =
        found.iter().map(|one| (one["title"].as_str().unwrap(), one["priority"].as_str().unwrap())).collect();
    assert_eq!(seen, [("DiskFull on b2", "high"), ("DiskFull on a1", "medium")]);
    let one = alertmanager(&json!([alert("a1", "resolved", "warning"), alert("b2", "firing", "odd")]));
    tell(&crew.app, &path, &one).await.ok(200);
    let states: Vec<_> = incidents(&crew).await.iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["triggered", "resolved"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_alert_in_a_batch_loses_nothing_of_its_neighbours() {
    let crew = crew().await;
    let (_, key) = source(&crew, "alertmanager").await;
    let path = format!("/api/v1/alerts/{key}/alertmanager");
    let good = |fingerprint: &str| json!({ "status": "firing", "fingerprint": fingerprint, "labels": { "nul": "a\u{0}b" } });
    let bad = json!({ "status": "pending", "fingerprint": "c" });
    let told = tell(&crew.app, &path, &alertmanager(&json!([good("a"), bad, 7, good("b")]))).await.ok(200);
    assert_eq!((&told["accepted"], &told["refused"]), (&json!(2), &json!(2)));
    let expected = json!({ "field": "alerts[1].status", "message": "expected firing or resolved" });
    assert_eq!(told["errors"][0], expected);
    assert_eq!(incidents(&crew).await.len(), 2);
    let mistakes = tell(&crew.app, &path, &alertmanager(&json!([bad]))).await.mistakes();
    assert_eq!(mistakes, ["alerts[0].status: expected firing or resolved"], "nothing of it is taken");
    let none = crew.app.client.post(crew.app.url(&path)).body("{");
    assert!(crew.app.send(none).await.mistakes()[0].starts_with("body: is not JSON"));
    let sources = crew.viewer.get(&crew.app, "/api/v1/alert-sources").await.ok(200);
    assert!(sources["items"][0]["last_error"].as_str().unwrap().starts_with("body: is not JSON"));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_pagerduty_are_answered_as_pagerduty_does() {
    let crew = crew().await;
    let (_, key) = source(&crew, "pagerduty").await;
    let trigger = |severity: &str| {
        let payload = json!({ "summary": "HTTP fails", "source": "srv01", "severity": severity });
        json!({ "routing_key": key, "event_action": "trigger", "dedup_key": "srv01", "payload": payload })
    };
    let told = tell(&crew.app, "/v2/enqueue", &trigger("error")).await.ok(202);
    assert_eq!(told, json!({ "status": "success", "message": "Event processed", "dedup_key": "srv01" }));
    let act = |action: &str| json!({ "routing_key": key, "event_action": action, "dedup_key": "srv01" });
    tell(&crew.app, "/v2/enqueue", &act("acknowledge")).await.ok(202);
    tell(&crew.app, "/v2/enqueue", &trigger("error")).await.ok(202);
    let found = incidents(&crew).await.remove(0);
    assert_eq!((&found["state"], &found["acknowledged_by"]), (&json!("acknowledged"), &json!("pagerduty")));
    tell(&crew.app, "/v2/enqueue", &act("resolve")).await.ok(202);
    tell(&crew.app, "/v2/enqueue", &act("resolve")).await.ok(202);
    tell(&crew.app, "/v2/enqueue", &trigger("critical")).await.ok(202);
    let states: Vec<_> =
        incidents(&crew).await.iter().map(|one| (one["state"].clone(), one["priority"].clone())).collect();
    assert_eq!(states, [(json!("triggered"), json!("critical")), (json!("resolved"), json!("high"))]);
    assert_eq!(
        crew.events(found["id"].as_i64().unwrap()).await,
        ["triggered", "acknowledged", "signal", "resolved"]
    );
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_pagerduty_that_is_wrong_is_answered_with_every_field() {
    let crew = crew().await;
    let (_, key) = source(&crew, "pagerduty").await;
    let payload = json!({ "summary": "a", "severity": "bad" });
    let bad = json!({ "routing_key": key, "event_action": "trigger", "payload": payload });
    let told = tell(&crew.app, "/v2/enqueue", &bad).await.ok(400);
    let errors = json!([
        "payload.source: is missing or empty",
        "payload.severity: expected critical, error, warning or info"
    ]);
    assert_eq!(
        told,
        json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors })
    );
    let stranger = json!({ "routing_key": "0".repeat(32), "event_action": "resolve", "dedup_key": "a" });
    let told = tell(&crew.app, "/v2/enqueue", &stranger).await.ok(400);
    assert_eq!(told["errors"], json!(["routing_key: is of no alert source"]));
    let by_path = format!("/api/v1/alerts/{key}/v2/enqueue");
    let payload = json!({ "summary": "a", "source": "b", "severity": "info" });
    let event = json!({ "routing_key": "any", "event_action": "trigger", "payload": payload });
    let told = tell(&crew.app, &by_path, &event).await.ok(202);
    assert_eq!(told["dedup_key"].as_str().unwrap().len(), 32, "a key of its own");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_a_mail_about_an_alert_leads_to_its_incident() {
    let crew = crew().await;
    let (_, key) = source(&crew, "generic").await;
    let told =
        tell(&crew.app, &format!("/api/v1/alerts/{key}"), &json!({ "title": "Disk full" })).await.ok(200);
    let incident = told["incident"].as_i64().unwrap();
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Resolve).await;
    let page = open(&crew.app, &path).await;
    assert!(page.text.contains(&format!("Resolve Incident {incident}?")), "{}", page.text);
    assert!(page.text.contains(&format!("/incidents/{incident}\">Open the incident</a>")), "{}", page.text);
    crew.act(incident, "resolve", &json!({})).await.ok(200);
    crew.app.stop().await;
}
