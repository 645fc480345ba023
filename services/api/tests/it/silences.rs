//! Incidents by hand, and silences.

use crate::alerts::{incidents, source, tell};
use crate::oncall::{Crew, crew};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_by_hand_is_for_members_of_the_team_whose_policy_it_is() {
    let crew = crew().await;
    let Crew { app, member, viewer, .. } = &crew;
    let policy = crew.policy().await;
    let path = "/api/v1/incidents";
    let body = json!({ "title": " Checkout is down ", "priority": "critical", "policy": policy["id"], "message": "since noon" });
    assert_eq!(viewer.post(app, path, &body).await.status, 403);
    let made = member.post(app, path, &body).await.ok(201);
    assert_eq!(
        (&made["origin"], &made["opened_by"], &made["title"]),
        (&json!("person"), &json!("ann"), &json!("Checkout is down"))
    );
    assert_eq!(
        (&made["project"], &made["team"], &made["next_at"]),
        (&Value::Null, &json!(crew.team), &json!(app.now()))
    );
    let of_project =
        json!({ "title": "a", "priority": "low", "policy": policy["id"], "project": crew.project });
    assert_eq!(member.post(app, path, &of_project).await.ok(201)["project"], json!(crew.project));
    let log = app.get("/api/v1/audit?action=incident.opened").await.ok(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 2);

    let bad = json!({ "title": "", "priority": "low", "policy": policy["id"], "links": [{ "url": "x" }] });
    let mistakes = member.post(app, path, &bad).await.mistakes();
    assert_eq!(
        mistakes,
        ["title: 1 to 256 characters", "links[0].url: http:// or https://, at most 2048 bytes"]
    );
    let bad = json!({ "title": "a", "priority": "low", "policy": 4711 });
    assert_eq!(member.post(app, path, &bad).await.mistakes(), ["policy: the team has no such policy"]);
    let red = team(app, "red").await;
    let (_, eve) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(eve.post(app, path, &body).await.mistakes(), ["policy: the team has no such policy"]);
    let of_others =
        json!({ "title": "a", "priority": "low", "policy": policy["id"], "project": crew.project });
    assert!(eve.post(app, path, &of_others).await.mistakes()[0].starts_with("project: there is no project"));
    assert_eq!(eve.get(app, path).await.ok(200)["items"], json!([]), "nor does another team see them");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_keeps_an_alert_silent_and_is_removed() {
    let crew = crew().await;
    let Crew { app, member, viewer, .. } = &crew;
    let (_, key) = source(&crew, "generic").await;
    let path = "/api/v1/silences";
    let ends_at = app.now() + TimeDelta::hours(2);
    let labels = json!([{ "name": "instance", "op": "=~", "value": "db[0-9]+" }]);
    let body =
        json!({ "matchers": { "labels": labels }, "ends_at": ends_at, "comment": " disks are changed " });
    assert_eq!(viewer.post(app, path, &body).await.status, 403);
    let made = member.post(app, path, &body).await.ok(201);
    assert_eq!((&made["comment"], &made["created_by"]), (&json!("disks are changed"), &json!("ann")));
    assert_eq!(viewer.get(app, path).await.ok(200)["items"], json!([made]));

    let alert = json!({ "title": "Disk full", "labels": { "instance": "db7" } });
    let told = tell(app, &format!("/api/v1/alerts/{key}"), &alert).await.ok(200);
    let found = incidents(&crew).await.remove(0);
    assert_eq!((&found["silence"], &found["silenced_until"]), (&made["id"], &json!(ends_at)));
    assert_eq!(crew.events(told["incident"].as_i64().unwrap()).await, ["triggered", "silenced"]);

    let own = format!("{path}/{}", made["id"]);
    let red = team(app, "red").await;
    let (_, eve) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(eve.delete(app, &own).await.status, 404);
    assert_eq!(viewer.send(app, Method::DELETE, &own, None).await.status, 403);
    member.delete(app, &own).await.ok(204);
    assert_eq!(viewer.get(app, path).await.ok(200)["items"], json!([]));
    for action in ["created", "deleted"] {
        let log = app.get(&format!("/api/v1/audit?action=silence.{action}")).await.ok(200);
        assert_eq!(log["items"][0]["actor"]["name"], "ann", "{action}");
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_silence_names_the_field_and_the_limit() {
    let crew = crew().await;
    let Crew { app, member, .. } = &crew;
    let path = "/api/v1/silences";
    let body = json!({
        "matchers": { "labels": [{ "name": "a", "op": "=~", "value": "(" }] }, "ends_at": app.now() + TimeDelta::days(367),
        "comment": "", "recurrence": { "zone": "Europe/Vienna", "windows": [{ "weekdays": [], "from": "02:00", "to": "04:00" }] },
    });
    let expected = [
        "matchers.labels[0].value: is no regular expression that is small enough, as RE2 has them",
        "ends_at: expected a time after `starts_at` and now, within 366 days",
        "recurrence.windows[0].weekdays: 1 to 7 days",
        "comment: 1 to 1000 characters",
    ];
    assert_eq!(member.post(app, path, &body).await.mistakes(), expected);
    let all = json!({ "matchers": {}, "ends_at": app.now() + TimeDelta::hours(1), "comment": "all" });
    let mistakes = member.post(app, path, &all).await.mistakes();
    assert!(mistakes[0].starts_with("matchers: expected at least one of"), "{mistakes:?}");
    let of_others = json!({ "matchers": { "project": 4711 }, "ends_at": app.now() + TimeDelta::hours(1), "comment": "x" });
    let mistakes = member.post(app, path, &of_others).await.mistakes();
    assert_eq!(mistakes, ["matchers.project: is none of the team's projects"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inhibition_rule_keeps_an_alert_silent_while_another_one_is_open_and_is_removed() {
    let crew = crew().await;
    let Crew { app, boss, member, viewer, .. } = &crew;
    let (_, key) = source(&crew, "generic").await;
    let path = "/api/v1/inhibition-rules";
    let body = json!({
        "name": " databases ", "source": { "title": "Database*" }, "target": { "max_priority": "high" },
        "equal": ["zone"],
    });
    assert_eq!(member.post(app, path, &body).await.status, 403, "managers only");
    let made = boss.post(app, path, &body).await.ok(201);
    assert_eq!((&made["name"], &made["created_by"]), (&json!("databases"), &json!("boss")));
    assert_eq!(viewer.get(app, path).await.ok(200)["items"], json!([made]));
    assert_eq!(boss.post(app, path, &body).await.status, 409, "the name is taken");

    let alerts = format!("/api/v1/alerts/{key}");
    let alert = |title: &str, priority: &str| json!({ "title": title, "priority": priority, "labels": { "zone": "a" } });
    let database = tell(app, &alerts, &alert("Database down", "critical")).await.ok(200)["incident"].clone();
    let told = tell(app, &alerts, &alert("Checkout slow", "high")).await.ok(200);
    assert_eq!(crew.events(told["incident"].as_i64().unwrap()).await, ["triggered", "inhibited"]);
    assert_eq!(incidents(&crew).await[0]["inhibited_by"], database);

    let own = format!("{path}/{}", made["id"]);
    assert_eq!(member.delete(app, &own).await.status, 403);
    let red = team(app, "red").await;
    let (_, eve) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(eve.delete(app, &own).await.status, 404);
    boss.delete(app, &own).await.ok(204);
    assert_eq!(incidents(&crew).await[0]["next_at"], json!(app.now()), "it is looked at again at once");
    for action in ["created", "deleted"] {
        let log = app.get(&format!("/api/v1/audit?action=inhibition_rule.{action}")).await.ok(200);
        assert_eq!(log["items"][0]["actor"]["name"], "boss", "{action}");
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_inhibition_rule_names_the_field_and_the_limit() {
    let crew = crew().await;
    let Crew { app, boss, .. } = &crew;
    let path = "/api/v1/inhibition-rules";
    let bad = json!({
        "name": "", "source": {}, "target": { "labels": [{ "name": "a", "op": "=~", "value": "(" }] }, "equal": [""],
    });
    let mistakes = boss.post(app, path, &bad).await.mistakes();
    let expected = [
        "name: expected 1 to 64 characters",
        "source: expected at least one of",
        "target.labels[0].value: is no regular expression",
        "equal: at most 20 names of 1 to 128 characters",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}");
    }
    let of_others = json!({ "name": "a", "source": { "project": 4711 }, "target": { "title": "*" } });
    let mistakes = boss.post(app, path, &of_others).await.mistakes();
    assert!(mistakes[0].ends_with("is none of the team's projects"), "{mistakes:?}");
    crew.app.stop().await;
}
