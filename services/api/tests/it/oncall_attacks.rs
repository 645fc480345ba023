//! On-call as somebody who means harm would use it: what another team has, people who were not asked, changes that nobody sees.

use crate::harness::{Answer, App, TOKEN};
use crate::oncall::{Crew, crew, weekly};
use crate::people::{Browser, person, team};
use bugle_model::{InstallationRole, TeamRole, UserId};
use bugle_store::oncall::{self, Decision, Pending};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A team next to the crew's, with all that a team has; eve manages it.
struct Red {
    eve_id: UserId,
    eve: Browser,
    schedule: Value,
    policy: Value,
}

async fn red(app: &App) -> Red {
    let red = team(app, "red").await;
    let (eve_id, eve) = person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    let project = app.project("till").await;
    app.database.execute(&format!("UPDATE projects SET team_id = {red} WHERE id = {project}")).await.unwrap();
    let schedule = eve.post(app, "/api/v1/schedules", &weekly(eve_id)).await.ok(201);
    let steps = json!([{ "targets": [{ "type": "person", "user": eve_id }], "delay_minutes": 5 }]);
    let body = json!({ "name": "red", "content": { "steps": steps } });
    let policy = eve.post(app, "/api/v1/escalation-policies", &body).await.ok(201);
    Red { eve_id, eve, schedule, policy }
}

fn nobody(field: &str, user: UserId) -> String {
    format!("{field}: there is nobody with the id {user} in the team")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_of_the_team_are_put_into_its_schedules() {
    let Crew { app, boss, member, ann, .. } = crew().await;
    let stranger = red(&app).await.eve_id;
    let mut body = weekly(ann);
    body["layers"][0]["participants"] = json!([ann, null, stranger, 4711]);
    let expected =
        [nobody("layers[0].participants[2]", stranger), nobody("layers[0].participants[3]", UserId(4711))];
    assert_eq!(boss.post(&app, "/api/v1/schedules", &body).await.mistakes(), expected);
    let made = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}", made["id"]);
    assert_eq!(boss.put(&app, &path, &body).await.mistakes(), expected);

    let overrides = format!("{path}/overrides");
    let (from, to) = (app.now() + TimeDelta::hours(1), app.now() + TimeDelta::hours(2));
    for kind in ["add", "cover", "replace"] {
        let mut body = json!({ "from": from, "to": to, "kind": kind, "who": stranger });
        if kind == "replace" {
            body["replaced"] = json!(ann);
        }
        assert_eq!(
            member.post(&app, &overrides, &body).await.mistakes(),
            [nobody("who", stranger)],
            "{kind}"
        );
    }
    // Whoever has left the team can still be taken out.
    let body = json!({ "from": from, "to": to, "kind": "remove", "who": stranger });
    member.post(&app, &overrides, &body).await.ok(201);

    // Who is shut out is nobody's colleague any more.
    app.database.execute(&format!("UPDATE users SET disabled = true WHERE id = {ann}")).await.unwrap();
    let expected = [nobody("layers[0].participants[0]", ann)];
    assert_eq!(boss.put(&app, &path, &weekly(ann)).await.mistakes(), expected);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_team_has_is_nothing_in_a_body() {
    let crew = crew().await;
    let Crew { app, boss, team, .. } = &crew;
    let Red { eve_id, eve, schedule, policy, .. } = red(app).await;
    let own = crew.policy().await;

    let targets =
        json!([{ "type": "schedule", "schedule": schedule["id"] }, { "type": "person", "user": eve_id }]);
    let body = json!({ "name": "mixed", "content": { "steps": [{ "targets": targets, "delay_minutes": 5 }],
        "fallback": [{ "type": "schedule", "schedule": schedule["id"] }] } });
    let missing = format!("the team has no schedule {}", schedule["id"]);
    let expected = [
        format!("content.steps[0].targets[0]: {missing}"),
        nobody("content.steps[0].targets[1]", eve_id),
        format!("content.fallback[0]: {missing}"),
    ];
    assert_eq!(boss.post(app, "/api/v1/escalation-policies", &body).await.mistakes(), expected);
    let path = format!("/api/v1/escalation-policies/{}", own["id"]);
    assert_eq!(boss.put(app, &path, &body).await.mistakes(), expected);

    // A rule: the same answer for what others have and for what is not there.
    let till = eve.get(app, "/api/v1/projects/till").await.ok(200)["id"].clone();
    let rules = "/api/v1/routing-rules";
    let wrong = ["policy: the team has no such policy, or `project` is none of its projects"];
    for body in [
        json!({ "policy": policy["id"] }),
        json!({ "policy": own["id"], "project": till }),
        json!({ "policy": own["id"], "project": 4711 }),
    ] {
        assert_eq!(boss.post(app, rules, &body).await.mistakes(), wrong, "{body}");
    }

    // A team of others is none, and nothing changes its team.
    let there = json!({ "team": 4711, "name": "x", "zone": "UTC", "layers": [] });
    assert_eq!(eve.post(app, "/api/v1/schedules", &there).await.mistakes(), ["team: there is no team 4711"]);
    let theirs = json!({ "team": team, "name": "x", "zone": "UTC", "layers": [] });
    let expected = [format!("team: there is no team {team}")];
    assert_eq!(eve.post(app, "/api/v1/schedules", &theirs).await.mistakes(), expected);
    let path = format!("/api/v1/schedules/{}", schedule["id"]);
    assert_eq!(eve.put(app, &path, &theirs).await.mistakes(), ["team: cannot be changed"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_for_members_and_of_its_own_schedule() {
    let Crew { app, boss, member, viewer, ann, .. } = crew().await;
    let red = red(&app).await;
    let made = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}/overrides", made["id"]);
    let (from, to) = (app.now() + TimeDelta::hours(1), app.now() + TimeDelta::hours(2));
    let body = json!({ "from": from, "to": to, "kind": "cover", "who": ann });
    assert_eq!(viewer.post(&app, &path, &body).await.status, 403, "who only looks puts nobody on call");
    assert_eq!(red.eve.post(&app, &path, &body).await.status, 404);
    let made = member.post(&app, &path, &body).await.ok(201);

    assert_eq!(viewer.delete(&app, &format!("{path}/{}", made["id"])).await.status, 403);
    let elsewhere = format!("/api/v1/schedules/{}/overrides/{}", red.schedule["id"], made["id"]);
    assert_eq!(red.eve.delete(&app, &elsewhere).await.status, 404, "not by one's own schedule either");
    assert_eq!(viewer.get(&app, &path).await.ok(200)["items"], json!([made]));

    let mut typo = body.clone();
    typo["form"] = json!(from);
    assert_eq!(member.post(&app, &path, &typo).await.status, 422, "unknown fields");
    let mut replaced = body;
    replaced["replaced"] = json!(ann);
    let expected = ["replaced: with the kind `replace`, and only there"];
    assert_eq!(member.post(&app, &path, &replaced).await.mistakes(), expected);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_given_to_nobody_outside_of_its_team() {
    let crew = crew().await;
    let Crew { app, ann, viewer, .. } = &crew;
    let Red { eve_id, eve, .. } = red(app).await;
    let (_, incident) = crew.incident().await;
    let (owner, _) = person(app, "root", InstallationRole::Owner, &[]).await;
    for stranger in [eve_id, owner, UserId(4711)] {
        let answer = crew.act(incident, "reassign", &json!({ "user": stranger })).await.mistakes();
        let expected = format!("user: there is nobody with the id {stranger} in the project's team");
        assert_eq!(answer, [expected], "no difference between those of others and nobody");
    }
    let path = format!("/api/v1/incidents/{incident}");
    for (action, body) in [
        ("reassign", json!({ "user": ann })),
        ("snooze", json!({ "minutes": 5 })),
        ("escalate", json!({})),
        ("resolve", json!({})),
        ("notes", json!({ "text": "mine" })),
    ] {
        let path = format!("{path}/{action}");
        assert_eq!(viewer.post(app, &path, &body).await.status, 403, "{action}");
        assert_eq!(eve.post(app, &path, &body).await.status, 404, "{action}");
    }
    let disabled = "UPDATE users SET disabled = true WHERE name = 'boss' RETURNING id::bigint";
    let boss = app.database.number(disabled).await.unwrap();
    let answer = crew.act(incident, "reassign", &json!({ "user": boss })).await.mistakes();
    assert_eq!(answer, [format!("user: there is nobody with the id {boss} in the project's team")]);
    let untouched = crew.member.get(app, &path).await.ok(200);
    assert_eq!((&untouched["state"], &untouched["generation"]), (&json!("triggered"), &json!(1)));
    crew.app.stop().await;
}

/// Whom a policy of steps for the schedule and for ann would page now, step by step, and in the fallback.
async fn paged(app: &App) -> Vec<Vec<UserId>> {
    let seen: Arc<Mutex<Vec<Vec<UserId>>>> = Arc::default();
    let into = Arc::clone(&seen);
    oncall::work(&mut *app.connection().await, app.now(), 10, move |due, directory| {
        let lists = due.policy.steps.iter().map(|step| &step.targets).chain([&due.policy.fallback]);
        *into.lock().unwrap() = lists.map(|targets| directory.resolve(targets)).collect();
        Decision {
            state: due.state,
            generation: due.generation,
            restarts: false,
            pass: due.pass,
            step: due.step,
            pass_paged: due.pass_paged,
            next_at: due.next_at,
            silenced_by: None,
            pending: Pending::Keep,
            steps: Vec::new(),
            pages: Vec::new(),
            log: Vec::new(),
        }
    })
    .await
    .unwrap();
    seen.lock().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_the_team_is_told_nothing_more() {
    let crew = crew().await;
    let Crew { app, boss, ann, team, .. } = &crew;
    let schedule = boss.post(app, "/api/v1/schedules", &weekly(*ann)).await.ok(201);
    let policy = crew.policy().await;
    let person = json!({ "type": "person", "user": ann });
    let steps = json!([{ "targets": [{ "type": "schedule", "schedule": schedule["id"] }], "delay_minutes": 5 },
        { "targets": [person], "delay_minutes": 5 }]);
    let body = json!({ "name": "shop", "content": { "steps": steps, "fallback": [person] } });
    boss.put(app, &format!("/api/v1/escalation-policies/{}", policy["id"]), &body).await.ok(200);
    let (issue, _) = crew.incident_by(&policy).await;
    assert_eq!(paged(app).await, [[*ann], [*ann], [*ann]]);

    app.database
        .execute(&format!(
            "INSERT INTO destinations (id, user_id, channel, target, min_priority, created_at)
                 VALUES (77, {ann}, 1, 'ann@example.com', 1, '2027-01-01T00:00:00Z');
             INSERT INTO notifications (message_id, project_id, issue_id, destination_id, kind, priority, received_at, created_at, next_at)
                 SELECT gen_random_uuid(), project_id, id, 77, 13, 3, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z',
                     '2099-01-01T00:00:00Z' FROM issues WHERE id = {issue}"
        ))
        .await
        .unwrap();
    boss.delete(app, &format!("/api/v1/teams/{team}/members/{ann}")).await.ok(204);
    assert_eq!(
        paged(app).await,
        vec![Vec::<UserId>::new(); 3],
        "neither on call, nor by name, nor at the end"
    );
    let waiting = app.get(&format!("/api/v1/notifications?issue={issue}")).await.ok(200);
    let page = &waiting["items"][0];
    assert_eq!((&page["state"], &page["error"]), (&json!("cancelled"), &json!("they have left the team")));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_has_no_more_than_a_hundred_of_each() {
    let crew = crew().await;
    let Crew { app, boss, team, ann, .. } = &crew;
    let policy = crew.policy().await;
    app.database
        .execute(&format!(
            "INSERT INTO schedules (team_id, name, zone, created_at, updated_at)
                 SELECT {team}, 'no ' || n, 'UTC', '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z' FROM generate_series(1, 100) n;
             INSERT INTO escalation_policies (team_id, name, created_at)
                 SELECT {team}, 'no ' || n, '2027-01-01T00:00:00Z' FROM generate_series(1, 99) n;
             INSERT INTO routing_rules (team_id, place, min_priority, policy_id, created_at)
                 SELECT {team}, n, 1, {}, '2027-01-01T00:00:00Z' FROM generate_series(1, 100) n",
            policy["id"]
        ))
        .await
        .unwrap();
    let full = |name: &str| json!(format!("the team has 100 {name} already, which is the limit"));
    let refused = boss.post(app, "/api/v1/schedules", &weekly(*ann)).await.ok(409);
    assert_eq!(refused["detail"], full("schedules"));
    let another = json!({ "name": "another", "content": policy["content"] });
    let refused = boss.post(app, "/api/v1/escalation-policies", &another).await.ok(409);
    assert_eq!(refused["detail"], full("escalation policies"));
    let rule = json!({ "policy": policy["id"] });
    let refused = boss.post(app, "/api/v1/routing-rules", &rule).await.ok(409);
    assert_eq!(refused["detail"], full("routing rules"));
    let many = json!({ "policy": policy["id"], "kinds": vec!["new"; 21] });
    assert_eq!(boss.post(app, "/api/v1/routing-rules", &many).await.mistakes(), ["kinds: at most 20"]);
    crew.app.stop().await;
}

async fn put(app: &App, path: &str, tag: &str, body: &Value) -> Answer {
    let request = app.client.request(Method::PUT, app.url(path)).bearer_auth(TOKEN);
    app.send(request.header("if-match", tag).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_a_schedule_or_policy_the_second_learns_of_the_first() {
    let crew = crew().await;
    let Crew { app, boss, ann, .. } = &crew;
    let policy = crew.policy().await;
    let schedule = boss.post(app, "/api/v1/schedules", &weekly(*ann)).await.ok(201);
    let renamed = json!({ "name": "renamed", "content": policy["content"] });
    let mut tokyo = weekly(*ann);
    tokyo["zone"] = json!("Asia/Tokyo");
    for (path, body) in [
        (format!("/api/v1/escalation-policies/{}", policy["id"]), renamed),
        (format!("/api/v1/schedules/{}", schedule["id"]), tokyo),
    ] {
        let read = app.get(&path).await;
        let tag = read.header("etag").to_owned();
        let changed = put(app, &path, &tag, &body).await;
        assert_ne!(changed.header("etag"), tag, "{path}");
        changed.ok(200);
        put(app, &path, &tag, &body).await.ok(412);
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_changes_on_call_is_in_the_audit_log() {
    let crew = crew().await;
    let Crew { app, boss, member, ann, team, .. } = &crew;
    let (_, incident) = crew.incident().await;
    let schedule = boss.post(app, "/api/v1/schedules", &weekly(*ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}", schedule["id"]);
    let (from, to) = (app.now() + TimeDelta::hours(1), app.now() + TimeDelta::hours(2));
    let body = json!({ "from": from, "to": to, "kind": "cover", "who": ann });
    let made = member.post(app, &format!("{path}/overrides"), &body).await.ok(201);
    member.delete(app, &format!("{path}/overrides/{}", made["id"])).await.ok(204);
    boss.put(app, &path, &weekly(*ann)).await.ok(200);
    boss.delete(app, &path).await.ok(204);
    for (action, body) in [
        ("acknowledge", json!({})),
        ("unacknowledge", json!({})),
        ("escalate", json!({})),
        ("snooze", json!({ "minutes": 5 })),
        ("reassign", json!({ "user": ann })),
        ("resolve", json!({})),
    ] {
        crew.act(incident, action, &body).await.ok(200);
    }
    crew.act(incident, "notes", &json!({ "text": "it was the cache" })).await.ok(201);

    let log = boss.get(app, &format!("/api/v1/audit?team={team}&limit=100")).await.ok(200);
    let mut items = log["items"].as_array().unwrap().clone();
    items.reverse();
    let actions: Vec<_> = items.iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "escalation_policy.created",
            "routing_rule.created",
            "schedule.created",
            "override.created",
            "override.deleted",
            "schedule.updated",
            "schedule.deleted",
            "incident.acknowledged",
            "incident.unacknowledged",
            "incident.escalated",
            "incident.snoozed",
            "incident.reassigned",
            "incident.resolved",
            "issue.updated",
            "incident.noted",
        ]
    );
    assert_eq!(items[4]["before"], items[3]["after"], "what was taken out is what was put in");
    assert_eq!(items[11]["after"], json!({ "user": ann }));
    crew.app.stop().await;
}
