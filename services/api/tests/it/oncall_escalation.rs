//! Policies whose steps have conditions, turns, teams and destinations; and response times.

use crate::oncall::{Crew, crew};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_step_has_teams_and_destinations_hours_and_turns() {
    let Crew { app, team, project, ann, boss, viewer, .. } = crew().await;
    let hook = json!({ "channel": "webhook", "target": "https://example.com/hook" });
    let made = boss.post(&app, &format!("/api/v1/projects/{project}/destinations"), &hook).await.ok(201);
    let room = &made["id"];
    let steps = json!([
        { "targets": [{ "type": "team", "team": team }, { "type": "destination", "destination": room }], "delay_minutes": 5 },
        { "targets": [{ "type": "person", "user": ann }], "delay_minutes": 5, "round_robin": true,
          "hours": { "zone": "Europe/Vienna", "windows": [{ "weekdays": ["mon"], "from": "08:00", "to": "18:00" }] } },
    ]);
    let body = json!({ "name": "shop", "content": { "steps": steps } });
    let policy = boss.post(&app, "/api/v1/escalation-policies", &body).await.ok(201);
    assert_eq!(policy["content"]["steps"], steps);

    let rooms = viewer.get(&app, &format!("/api/v1/teams/{team}/destinations")).await.ok(200);
    assert_eq!(rooms["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&rooms["items"][0]["id"], &rooms["items"][0]["target"]),
        (room, &json!("https://example.com/…"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_teams_or_makes_no_sense_is_named() {
    let Crew { app, team: blue, ann, boss, .. } = crew().await;
    let red = team(&app, "red").await;
    let other = app.project("other").await;
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {red} WHERE id = {other};
             INSERT INTO destinations (id, project_id, channel, target, min_priority, created_at)
                 VALUES (77, {other}, 1, 'a@example.com', 1, '2027-01-01T00:00:00Z')"
        ))
        .await
        .unwrap();
    let post = async |content: Value| {
        let body = json!({ "name": "shop", "team": blue, "content": content });
        boss.post(&app, "/api/v1/escalation-policies", &body).await.mistakes()
    };
    let room = json!({ "type": "destination", "destination": 77 });
    let targets = json!([{ "type": "person", "user": ann }, { "type": "team", "team": red }, room]);
    assert_eq!(
        post(json!({ "steps": [{ "targets": targets, "delay_minutes": 5 }] })).await,
        [
            "content.steps[0].targets[1]: only the policy's own team",
            "content.steps[0].targets[2]: no project of the team has a destination 77",
        ]
    );
    let hours = json!({ "zone": "UTC", "windows": [] });
    let step = json!({ "targets": [room], "delay_minutes": 5, "round_robin": true, "hours": hours });
    assert_eq!(
        post(json!({ "steps": [step], "fallback": [room] })).await,
        [
            "content.steps[0].round_robin: only where a step has people, who take turns",
            "content.steps[0].hours.windows: 1 to 20 windows",
            "content.fallback[0]: people: it is there for when there is nobody",
        ]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_set_response_times_and_incidents_say_by_when() {
    let crew = crew().await;
    let Crew { app, team: blue, boss, member, viewer, .. } = &crew;
    let (own, path) = (format!("/api/v1/teams/{blue}"), format!("/api/v1/teams/{blue}/response-times"));
    let usual = json!({ "critical": 0, "high": 60, "medium": 240, "low": 1440 });
    assert_eq!(viewer.get(app, &own).await.ok(200)["response_times"], usual);
    let (_, incident) = crew.incident().await;
    let of = async |id: i64| viewer.get(app, &format!("/api/v1/incidents/{id}")).await.ok(200);
    let by: DateTime<Utc> = serde_json::from_value(of(incident).await["respond_by"].clone()).unwrap();
    let opened: DateTime<Utc> = serde_json::from_value(of(incident).await["triggered_at"].clone()).unwrap();
    assert_eq!(by - opened, TimeDelta::minutes(60));

    let new = json!({ "critical": 5, "high": null, "medium": 43_200, "low": 43_200 });
    assert_eq!(member.put(app, &path, &new).await.status, 403);
    assert_eq!(boss.put(app, &path, &new).await.ok(200), new);
    assert_eq!(viewer.get(app, &own).await.ok(200)["response_times"], new);
    let log = app.get("/api/v1/audit?action=response_times.changed").await.ok(200);
    assert_eq!((&log["items"][0]["before"], &log["items"][0]["after"]), (&usual, &new));
    let bad = json!({ "critical": -1, "high": 43_201 });
    assert_eq!(
        boss.put(app, &path, &bad).await.mistakes(),
        ["critical: 0 to 43200 minutes", "high: 0 to 43200 minutes"]
    );

    let red = team(app, "red").await;
    let (_, eve) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(eve.put(app, &path, &new).await.status, 404);
    let policy = json!({ "name": "p", "content": { "steps": [{ "targets": [{ "type": "team", "team": blue }], "delay_minutes": 5 }] } });
    let policy = boss.post(app, "/api/v1/escalation-policies", &policy).await.ok(201);
    let body = json!({ "title": "Down", "priority": "high", "policy": policy["id"] });
    let made = member.post(app, "/api/v1/incidents", &body).await.ok(201);
    assert_eq!(made["respond_by"], Value::Null, "high ones have no response time");
    crew.app.stop().await;
}
