//! On-call by the API: from a contact method to an incident that somebody has answered.

use crate::harness::{Answer, App};
use crate::people::{Browser, person, team};
use bugle_model::{InstallationRole, IssueId, Priority, ProjectId, SignalKind, TeamId, TeamRole, UserId};
use bugle_store::oncall::{self, Trigger};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

pub struct Crew {
    pub app: App,
    pub team: TeamId,
    pub project: ProjectId,
    pub ann: UserId,
    pub boss: Browser,
    pub member: Browser,
    pub viewer: Browser,
}

/// A team with a project: boss manages, ann is a member, vic only looks.
pub async fn crew() -> Crew {
    crew_of(App::start().await).await
}

pub async fn crew_of(app: App) -> Crew {
    let team = team(&app, "shop").await;
    let project = app.project("shop").await;
    app.database
        .execute(&format!("UPDATE projects SET team_id = {team} WHERE id = {project}"))
        .await
        .unwrap();
    let role = InstallationRole::Member;
    let (_, boss) = person(&app, "boss", role, &[(team, TeamRole::Manager)]).await;
    let (ann, member) = person(&app, "ann", role, &[(team, TeamRole::Member)]).await;
    let (_, viewer) = person(&app, "vic", role, &[(team, TeamRole::Viewer)]).await;
    Crew { app, team, project, ann, boss, member, viewer }
}

impl Crew {
    pub async fn policy(&self) -> Value {
        let steps = json!([{ "targets": [{ "type": "person", "user": self.ann }], "delay_minutes": 5 }]);
        let body = json!({ "name": "shop", "content": { "steps": steps, "repeat": 1 } });
        self.boss.post(&self.app, "/api/v1/escalation-policies", &body).await.ok(201)
    }

    /// An issue with an incident.
    pub async fn incident(&self) -> (IssueId, i64) {
        let policy = self.policy().await;
        self.incident_by(&policy).await
    }

    /// The same, by a policy that is there.
    pub async fn incident_by(&self, policy: &Value) -> (IssueId, i64) {
        let rule = json!({ "policy": policy["id"], "min_priority": "low" });
        let rule = self.boss.post(&self.app, "/api/v1/routing-rules", &rule).await.ok(201);
        let issue = self.app.issue(self.project, 1, "Bad", 1).await;
        let trigger = Trigger {
            issue,
            kind: SignalKind::New,
            generation: 0,
            priority: Priority::High,
            event_id: uuid::Uuid::nil(),
            environment: None,
            received_at: self.app.now(),
            rule: Some(serde_json::from_value(rule["id"].clone()).unwrap()),
        };
        oncall::open(&mut *self.app.connection().await, &trigger, self.app.now()).await.unwrap();
        let all = self.member.get(&self.app, "/api/v1/incidents?state=triggered").await.ok(200);
        (issue, all["items"][0]["id"].as_i64().unwrap())
    }

    pub async fn act(&self, incident: i64, action: &str, body: &Value) -> Answer {
        self.member.post(&self.app, &format!("/api/v1/incidents/{incident}/{action}"), body).await
    }

    pub async fn events(&self, incident: i64) -> Vec<String> {
        let path = format!("/api/v1/incidents/{incident}/timeline");
        let timeline = self.viewer.get(&self.app, &path).await.ok(200);
        let entries = timeline["items"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_method_is_made_proven_and_removed() {
    let Crew { app, member: ann, boss, .. } = crew().await;
    let path = "/api/v1/account/contact-methods";
    let body = json!({ "name": " my phone ", "channel": "sms", "target": "+15005550001" });
    let made = ann.post(&app, path, &body).await.ok(201);
    assert_eq!((&made["name"], &made["verified_at"]), (&json!("my phone"), &Value::Null));
    let own = format!("{path}/{}", made["id"]);
    assert_eq!(ann.post(&app, &format!("{own}/test"), &json!({})).await.status, 409, "not proven yet");

    ann.post(&app, &format!("{own}/code"), &json!({})).await.ok(202);
    let again = ann.post(&app, &format!("{own}/code"), &json!({})).await;
    assert_eq!((again.status, again.header("retry-after")), (429, "60"));
    let code = app.database.rows("SELECT code FROM contact_methods WHERE code IS NOT NULL").await.unwrap();
    let wrong = if code[0] == "000000" { "000001" } else { "000000" };
    let verify = format!("{own}/verify");
    let mistakes = ann.post(&app, &verify, &json!({ "code": wrong })).await.mistakes();
    assert_eq!(mistakes, ["code: is not the code that was sent"]);
    let proven = ann.post(&app, &verify, &json!({ "code": code[0] })).await.ok(200);
    assert!(proven["verified_at"].is_string(), "{proven}");
    assert_eq!(ann.post(&app, &verify, &json!({ "code": code[0] })).await.status, 409, "once");
    ann.post(&app, &format!("{own}/test"), &json!({})).await.ok(202);
    assert_eq!(ann.post(&app, &format!("{own}/test"), &json!({})).await.status, 409, "one at a time");

    assert_eq!(boss.delete(&app, &own).await.status, 404, "it is ann's");
    ann.delete(&app, &own).await.ok(204);
    assert_eq!(ann.get(&app, path).await.ok(200)["items"], json!([]));
    let log = app.get("/api/v1/audit?action=contact_method.deleted").await.ok(200);
    assert_eq!(log["items"][0]["before"], json!({ "channel": "sms" }), "and not the number");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_account_needs_no_code() {
    let Crew { app, member: ann, .. } = crew().await;
    let path = "/api/v1/account/contact-methods";
    for (target, proven) in [("Ann@example.com", true), ("ann@elsewhere.example.com", false)] {
        let body = json!({ "name": "mail", "channel": "email", "target": target });
        let made = ann.post(&app, path, &body).await.ok(201);
        assert_eq!(made["verified_at"].is_string(), proven, "{target}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_contact_method_names_the_field() {
    let Crew { app, member: ann, .. } = crew().await;
    let path = "/api/v1/account/contact-methods";
    let body = json!({ "name": "", "channel": "sms", "target": "12", "bot_token": "xoxb-1" });
    let mut mistakes = ann.post(&app, path, &body).await.mistakes();
    mistakes.sort();
    assert_eq!(
        mistakes,
        [
            "bot_token: only for the channel slack",
            "name: expected 1 to 64 characters, without line breaks",
            "target: expected a number in E.164 such as +15005550006",
        ]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_for_ones_own_contact_methods() {
    let Crew { app, member: ann, boss, .. } = crew().await;
    let body = json!({ "name": "phone", "channel": "sms", "target": "+15005550001" });
    let id = ann.post(&app, "/api/v1/account/contact-methods", &body).await.ok(201)["id"].clone();
    let path = "/api/v1/account/notification-rules";
    let rule = json!({ "contact_method": id, "min_priority": "high", "delay_minutes": 5 });
    let made = ann.post(&app, path, &rule).await.ok(201);
    assert_eq!(ann.post(&app, path, &rule).await.status, 409, "there is one like it");
    let mistakes = boss.post(&app, path, &rule).await.mistakes();
    assert!(mistakes[0].starts_with("contact_method: is none of yours"), "{mistakes:?}");
    let long = json!({ "contact_method": id, "delay_minutes": 9001 });
    assert_eq!(ann.post(&app, path, &long).await.mistakes(), ["delay_minutes: 0 to 9000 minutes"]);
    assert_eq!(ann.get(&app, path).await.ok(200)["items"], json!([made]));
    let own = format!("{path}/{}", made["id"]);
    assert_eq!(boss.delete(&app, &own).await.status, 404);
    ann.delete(&app, &own).await.ok(204);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_are_ones_own_and_leave_some_of_the_week() {
    let Crew { app, member: ann, boss, .. } = crew().await;
    let path = "/api/v1/account/quiet-hours";
    let none = json!({ "hours": [], "breaks_through": "critical", "zone": "UTC", "quiet_until": null });
    assert_eq!(ann.get(&app, path).await.ok(200), none);
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let (from, to) = (app.now() - TimeDelta::hours(1), app.now() + TimeDelta::hours(1));
    let hours = json!([{ "weekdays": days, "from": from.format("%H:%M").to_string(), "to": to.format("%H:%M").to_string() }]);
    let put = ann.put(&app, path, &json!({ "hours": hours, "breaks_through": null })).await.ok(200);
    assert_eq!((&put["hours"], &put["breaks_through"]), (&hours, &Value::Null));
    let until: chrono::DateTime<chrono::Utc> = serde_json::from_value(put["quiet_until"].clone()).unwrap();
    assert!(app.now() < until && until <= to, "{until}");
    assert_eq!(ann.get(&app, path).await.ok(200), put);
    assert_eq!(boss.get(&app, path).await.ok(200), none, "everybody has their own");
    let always = json!({ "hours": [{ "weekdays": days, "from": "00:00", "to": "00:00" }] });
    let mistakes = ann.put(&app, path, &always).await.mistakes();
    assert_eq!(mistakes, ["hours: leave some of the week: a page that always waits never comes"]);
    let nothing = json!({ "hours": [{ "weekdays": [], "from": "22:00", "to": "07:00" }] });
    assert_eq!(
        ann.put(&app, path, &nothing).await.mistakes(),
        ["hours[0].weekdays: 1 to 7 weekdays, each once"]
    );
    let entries = app.get("/api/v1/audit?action=quiet_hours.changed").await.ok(200);
    assert_eq!(entries["items"][0]["after"]["hours"], hours);
    app.stop().await;
}

pub fn weekly(who: UserId) -> Value {
    json!({
        "name": "shop", "zone": "Europe/Vienna",
        "layers": [{
            "rotation": { "unit": "weekly", "every": 1, "start": "2027-01-04T09:00" }, "participants": [who],
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_says_who_is_on_call() {
    let Crew { app, boss, member, viewer, ann, .. } = crew().await;
    let made = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}", made["id"]);
    let now = viewer.get(&app, &format!("{path}/on-call")).await.ok(200);
    assert_eq!(now["on_call"], json!([{ "who": ann, "source": { "layer": 0 } }]));
    assert_eq!(boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.status, 409, "the name is taken");

    let (from, to) = (app.now() + TimeDelta::hours(1), app.now() + TimeDelta::hours(3));
    let remove = json!({ "from": from, "to": to, "kind": "remove", "who": ann });
    let made = member.post(&app, &format!("{path}/overrides"), &remove).await.ok(201);
    let again = member.post(&app, &format!("{path}/overrides"), &remove).await.mistakes();
    assert!(again[0].starts_with("from: overlaps overrides[0]"), "{again:?}");
    let calendar = viewer.get(&app, &format!("{path}/calendar")).await.ok(200);
    assert_eq!(calendar["gaps"], json!([{ "start": from, "end": to }]));
    let then = format!("{path}/on-call?at={}", (from).format("%Y-%m-%dT%H:%M:%SZ"));
    assert_eq!(viewer.get(&app, &then).await.ok(200)["on_call"], json!([]));
    member.delete(&app, &format!("{path}/overrides/{}", made["id"])).await.ok(204);
    assert_eq!(viewer.get(&app, &format!("{path}/calendar")).await.ok(200)["gaps"], json!([]));

    let mut changed = weekly(ann);
    changed["zone"] = json!("Asia/Tokyo");
    let put = boss.put(&app, &path, &changed).await.ok(200);
    assert_eq!(put["zone"], "Asia/Tokyo");
    boss.delete(&app, &path).await.ok(204);
    assert_eq!(viewer.get(&app, &path).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_schedule_names_the_field_and_the_limit() {
    let Crew { app, boss, ann, .. } = crew().await;
    let mut body = weekly(ann);
    body["zone"] = json!("Vienna");
    body["layers"][0]["participants"] = json!([]);
    body["layers"][0]["rotation"]["every"] = json!(367);
    let mistakes = boss.post(&app, "/api/v1/schedules", &body).await.mistakes();
    assert_eq!(
        mistakes,
        [
            "zone: is no time zone; expected a name such as Europe/Vienna",
            "layers[0].rotation.every: 1 to 366",
            "layers[0].participants: 1 to 100 participants",
        ]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_has_versions_and_targets_of_its_team() {
    let crew = crew().await;
    let Crew { app, boss, ann, .. } = &crew;
    let policy = crew.policy().await;
    assert_eq!((&policy["version"], &policy["updated_by"]), (&json!(1), &json!("boss")));
    let path = format!("/api/v1/escalation-policies/{}", policy["id"]);
    let same = json!({ "name": "renamed", "content": policy["content"] });
    let renamed = boss.put(app, &path, &same).await.ok(200);
    assert_eq!(
        (&renamed["name"], &renamed["version"]),
        (&json!("renamed"), &json!(1)),
        "a name is no version"
    );
    let mut content = policy["content"].clone();
    content["steps"][0]["delay_minutes"] = json!(10);
    let changed = boss.put(app, &path, &json!({ "name": "renamed", "content": content })).await.ok(200);
    assert_eq!(changed["version"], 2);

    let (stranger, _) = person(app, "stranger", InstallationRole::Member, &[]).await;
    let targets = json!([{ "type": "person", "user": ann }, { "type": "person", "user": stranger },
        { "type": "schedule", "schedule": 4711 }]);
    let steps = json!([{ "targets": targets, "delay_minutes": 5 }]);
    let body = json!({ "name": "bad", "content": { "steps": steps } });
    let mistakes = boss.post(app, "/api/v1/escalation-policies", &body).await.mistakes();
    let nobody = format!("content.steps[0].targets[1]: there is nobody with the id {stranger} in the team");
    assert_eq!(mistakes, [nobody, "content.steps[0].targets[2]: the team has no schedule 4711".to_owned()]);
    let body = json!({ "name": "bad", "content": { "steps": [], "repeat": 10 } });
    let mistakes = boss.post(app, "/api/v1/escalation-policies", &body).await.mistakes();
    assert_eq!(mistakes, ["content.steps: 1 to 20 steps", "content.repeat: 0 to 9"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_a_rule_leads_to_stays() {
    let crew = crew().await;
    let Crew { app, boss, team, .. } = &crew;
    let policy = crew.policy().await;
    let rule = json!({ "policy": policy["id"], "team": team });
    let rule = boss.post(app, "/api/v1/routing-rules", &rule).await.ok(201);
    assert_eq!(rule["min_priority"], "high", "unless it says otherwise");
    let path = format!("/api/v1/escalation-policies/{}", policy["id"]);
    let refused = boss.delete(app, &path).await.ok(409);
    assert!(
        refused["detail"].as_str().unwrap().starts_with("a routing rule leads to the policy"),
        "{refused}"
    );
    let own = format!("/api/v1/routing-rules/{}", rule["id"]);
    let changed = json!({ "policy": policy["id"], "enabled": false, "kinds": ["new"] });
    assert_eq!(boss.put(app, &own, &changed).await.ok(200)["enabled"], false);
    let bad = json!({ "policy": 4711 });
    assert!(boss.put(app, &own, &bad).await.mistakes()[0].starts_with("policy: the team has no such policy"));
    boss.delete(app, &own).await.ok(204);
    boss.delete(app, &path).await.ok(204);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_acknowledged_once_and_taken_back() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let acknowledged = crew.act(incident, "acknowledge", &json!({})).await.ok(200);
    assert_eq!(
        (&acknowledged["state"], &acknowledged["acknowledged_by"]),
        (&json!("acknowledged"), &json!("ann"))
    );
    let again = crew.act(incident, "acknowledge", &json!({})).await.ok(200);
    assert_eq!(again, acknowledged, "doing it again is no mistake");
    let back = crew.act(incident, "unacknowledge", &json!({})).await.ok(200);
    assert_eq!(
        (&back["state"], &back["generation"], &back["next_step"]),
        (&json!("triggered"), &json!(2), &json!(1))
    );
    assert_eq!(crew.events(incident).await, ["triggered", "acknowledged", "unacknowledged"]);
    let log = crew.app.get("/api/v1/audit?action=incident.acknowledged").await.ok(200);
    assert_eq!(log["items"][0]["actor"]["name"], "ann");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resolving_an_incident_resolves_its_issue_and_a_late_answer_is_refused() {
    let crew = crew().await;
    let (issue, incident) = crew.incident().await;
    let resolved = crew.act(incident, "resolve", &json!({})).await.ok(200);
    assert_eq!((&resolved["state"], &resolved["resolved_by"]), (&json!("resolved"), &json!("ann")));
    let issue = crew.member.get(&crew.app, &format!("/api/v1/issues/{issue}")).await.ok(200);
    assert_eq!(issue["status"], "resolved");
    crew.act(incident, "resolve", &json!({})).await.ok(200);
    for (action, body) in
        [("acknowledge", json!({})), ("escalate", json!({})), ("snooze", json!({ "minutes": 5 }))]
    {
        let refused = crew.act(incident, action, &body).await.ok(409);
        assert_eq!(refused["detail"], "the incident is resolved", "{action}");
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_put_off_handed_over_and_written_about() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let snoozed = crew.act(incident, "snooze", &json!({ "minutes": 30 })).await.ok(200);
    assert_eq!(snoozed["snoozed_until"], json!(crew.app.now() + TimeDelta::minutes(30)));
    assert_eq!(
        crew.act(incident, "snooze", &json!({ "minutes": 0 })).await.mistakes(),
        ["minutes: 1 to 10080"]
    );
    let given = crew.act(incident, "reassign", &json!({ "user": crew.ann })).await.ok(200);
    assert_eq!((&given["state"], &given["assigned_user"]), (&json!("triggered"), &json!(crew.ann)));
    let nobody = crew.act(incident, "reassign", &json!({ "user": 4711 })).await.mistakes();
    assert_eq!(nobody, ["user: there is nobody with the id 4711 in the project's team"]);
    let note = crew.act(incident, "notes", &json!({ "text": " it is the cache " })).await.ok(201);
    assert_eq!((&note["event"], &note["data"]["text"]), (&json!("note"), &json!("it is the cache")));
    crew.act(incident, "escalate", &json!({})).await.ok(200);
    let expected = ["triggered", "snoozed", "reassigned", "note", "escalated"];
    assert_eq!(crew.events(incident).await, expected);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_listed_for_their_team_only_and_a_page_at_a_time() {
    let crew = crew().await;
    let (issue, incident) = crew.incident().await;
    let found =
        crew.viewer.get(&crew.app, &format!("/api/v1/incidents?issue={issue}&project=shop")).await.ok(200);
    assert_eq!(found["items"][0]["short_id"], "SHOP-1");
    let none = crew.viewer.get(&crew.app, "/api/v1/incidents?state=resolved").await.ok(200);
    assert_eq!(none["items"], json!([]));
    let path = format!("/api/v1/incidents/{incident}");
    assert_eq!(crew.viewer.get(&crew.app, &format!("{path}/pages")).await.ok(200)["items"], json!([]));
    let first = crew.viewer.get(&crew.app, &format!("{path}/timeline?limit=1")).await.ok(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 1);

    let red = team(&crew.app, "red").await;
    let (_, outsider) = person(&crew.app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    assert_eq!(outsider.get(&crew.app, "/api/v1/incidents").await.ok(200)["items"], json!([]));
    assert_eq!(outsider.get(&crew.app, &path).await.status, 404);
    let refused =
        crew.viewer.send(&crew.app, Method::POST, &format!("{path}/acknowledge"), Some(&json!({}))).await;
    assert_eq!(refused.status, 403, "whoever only looks does not answer");
    crew.app.stop().await;
}
