//! Who is asked to help with an incident, and incidents that become part of another one.

use crate::alerts::{incidents, source, tell};
use crate::oncall::{Crew, crew};
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_the_team_is_asked_to_help_and_helps_by_acknowledging() {
    let crew = crew().await;
    let Crew { app, boss, member, viewer, .. } = &crew;
    let (_, incident) = crew.incident().await;
    let path = format!("/api/v1/incidents/{incident}/responders");
    let ann = json!({ "user": crew.ann });
    assert_eq!(viewer.post(app, &path, &ann).await.status, 403);
    boss.post(app, &format!("/api/v1/incidents/{incident}/acknowledge"), &json!({})).await.ok(200);
    let asked = boss.post(app, &path, &ann).await.ok(200);
    assert_eq!((&asked["state"], &asked["acknowledged_by"]), (&json!("acknowledged"), &json!("boss")));
    let expected =
        json!([{ "user": crew.ann, "requested_by": "boss", "requested_at": app.now(), "joined_at": null }]);
    assert_eq!(asked["responders"], expected);

    let acknowledged = crew.act(incident, "acknowledge", &json!({})).await.ok(200);
    assert_eq!(acknowledged["acknowledged_by"], "boss", "who has it has it still");
    assert_eq!(acknowledged["responders"][0]["joined_at"], json!(app.now()));
    let told = ["triggered", "acknowledged", "responder_added", "responder_joined"];
    assert_eq!(crew.events(incident).await, told);
    let log = app.get("/api/v1/audit?action=incident.responder_added").await.ok(200);
    assert_eq!(log["items"][0]["after"], ann);

    let red = team(app, "red").await;
    let (eve, _) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    let mistakes = boss.post(app, &path, &json!({ "user": eve })).await.mistakes();
    assert!(mistakes[0].starts_with("user: there is nobody with the id"), "{mistakes:?}");
    member.post(app, &format!("/api/v1/incidents/{incident}/resolve"), &json!({})).await.ok(200);
    assert_eq!(boss.post(app, &path, &ann).await.ok(409)["detail"], "the incident is resolved");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_has_twenty_responders_at_most() {
    let crew = crew().await;
    let Crew { app, boss, .. } = &crew;
    let (_, incident) = crew.incident().await;
    app.database
        .execute(&format!(
            "INSERT INTO users (id, email, name, role, created_at)
                SELECT n, n || '@example.com', 'u' || n, 'member', '2027-01-01T00:00:00Z' FROM generate_series(5001, 5020) n;
             INSERT INTO incident_responders (incident_id, user_id, requested_by, requested_at)
                SELECT {incident}, n, 'boss', '2027-01-01T00:00:00Z' FROM generate_series(5001, 5020) n"
        ))
        .await
        .unwrap();
    let path = format!("/api/v1/incidents/{incident}/responders");
    let mistakes = boss.post(app, &path, &json!({ "user": crew.ann })).await.mistakes();
    assert_eq!(mistakes, ["user: the incident has 20 responders already, which is the limit"]);

    // With room for one more, of several who are asked at once one is.
    app.database.execute("DELETE FROM incident_responders WHERE user_id = 5001").await.unwrap();
    let mut asked = Vec::new();
    for name in ["eve", "fay", "gus", "hal"] {
        let role = InstallationRole::Member;
        asked.push(person(app, name, role, &[(crew.team, TeamRole::Member)]).await.0);
    }
    let bodies: Vec<Value> = asked.into_iter().map(|user| json!({ "user": user })).collect();
    let requests = bodies.iter().map(|body| boss.post(app, &path, body));
    let answers = futures_util::future::join_all(requests).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422, 422, 422]);
    let there = "SELECT count(*) FROM incident_responders";
    assert_eq!(app.database.number(there).await.unwrap(), 20);

    // That it is over matters more.
    boss.post(app, &format!("/api/v1/incidents/{incident}/resolve"), &json!({})).await.ok(200);
    let ann = json!({ "user": crew.ann });
    assert_eq!(boss.post(app, &path, &ann).await.ok(409)["detail"], "the incident is resolved");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_becomes_part_of_another_one_of_its_team() {
    let crew = crew().await;
    let Crew { app, boss, member, viewer, .. } = &crew;
    let (issue, incident) = crew.incident().await;
    let (_, key) = source(&crew, "generic").await;
    let alerts = format!("/api/v1/alerts/{key}");
    let other = tell(app, &alerts, &json!({ "title": "Database down" })).await.ok(200)["incident"].clone();
    let path = format!("/api/v1/incidents/{incident}/merge");
    let into = json!({ "into": other });
    assert_eq!(viewer.post(app, &path, &into).await.status, 403);
    for (bad, expected) in [
        (json!({ "into": incident }), "into: is the incident itself"),
        (json!({ "into": 4711 }), "into: there is no incident 4711"),
    ] {
        assert_eq!(member.post(app, &path, &bad).await.mistakes(), [expected]);
    }
    let staying = member.post(app, &path, &into).await.ok(200);
    assert_eq!((&staying["id"], &staying["state"]), (&other, &json!("triggered")));
    let gone = viewer.get(app, &format!("/api/v1/incidents/{incident}")).await.ok(200);
    let expected = (&json!("resolved"), &other, &json!("ann"));
    assert_eq!((&gone["state"], &gone["merged_into"], &gone["resolved_by"]), expected);
    assert_eq!(crew.events(incident).await, ["triggered", "merged"]);
    assert_eq!(crew.events(other.as_i64().unwrap()).await, ["triggered", "absorbed"]);
    assert_eq!(
        member.post(app, &path, &into).await.ok(409)["detail"],
        format!("incident {incident} is resolved")
    );
    let log = app.get("/api/v1/audit?action=incident.merged").await.ok(200);
    assert_eq!(log["items"][0]["after"], into);

    // Its issue is dealt with when the other one is.
    let status = async || viewer.get(app, &format!("/api/v1/issues/{issue}")).await.ok(200)["status"].clone();
    assert_eq!(status().await, "unresolved");
    boss.post(app, &format!("/api/v1/incidents/{other}/resolve"), &json!({})).await.ok(200);
    assert_eq!(status().await, "resolved");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_another_team_is_nothing_to_merge_into() {
    let crew = crew().await;
    let Crew { app, .. } = &crew;
    let (_, key) = source(&crew, "generic").await;
    tell(app, &format!("/api/v1/alerts/{key}"), &json!({ "title": "Disk full" })).await.ok(200);
    let ours = incidents(&crew).await.remove(0)["id"].clone();
    let red = team(app, "red").await;
    let shop = crew.team;
    let (_, both) =
        person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Member), (shop, TeamRole::Member)])
            .await;
    app.database
        .execute(&format!(
            "INSERT INTO incidents (id, team_id, origin, title, policy_version_id, priority, received_at, triggered_at)
             SELECT 9001, {red}, 3, 'Red', policy_version_id, 2, received_at, triggered_at FROM incidents"
        ))
        .await
        .unwrap();
    let path = format!("/api/v1/incidents/{ours}/merge");
    let mistakes = both.post(app, &path, &json!({ "into": 9001 })).await.mistakes();
    assert_eq!(mistakes, ["into: incident 9001 is another team's"]);
    let hidden: Value = crew.member.post(app, &path, &json!({ "into": 9001 })).await.ok(422);
    assert_eq!(hidden["errors"][0]["message"], "there is no incident 9001");
    crew.app.stop().await;
}
