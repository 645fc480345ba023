//! Replies by SMS. Signed as Twilio signs, over the public address.

use crate::harness::{Answer, App};
use crate::oncall::{Crew, crew_of};
use crate::people::{person, team};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bugle_model::{Channel, ContactMethodId, DestinationSettings, InstallationRole, TeamRole, UserId};
use bugle_runtime::{Config, Secret};
use bugle_store::oncall::{self, NewContactMethod};
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use uuid::Uuid;

pub const TOKEN: &str = "twilios-token";
pub const PUBLIC: &str = "https://bugle.example.com/sub";
pub const MESSAGES: &str = "/api/v1/twilio/messages";
pub const PHONE: &str = "+15005550001";

pub type Fields<'a> = &'a [(&'a str, &'a str)];

fn config() -> Config {
    Config {
        api_rate_limit: 0,
        public_url: PUBLIC.parse().unwrap(),
        twilio_account_sid: Some("AC1".to_owned()),
        twilio_auth_token: Some(Secret::new(TOKEN)),
        twilio_from: Some("+15005550006".to_owned()),
        ..Config::default()
    }
}

/// The crew with an open incident, of which ann was paged by SMS.
pub struct Scene {
    pub crew: Crew,
    pub incident: i64,
    phone: ContactMethodId,
    pub message: Uuid,
}

pub async fn scene() -> Scene {
    let crew = crew_of(App::start_with(config()).await).await;
    let (_, incident) = crew.incident().await;
    let phone = phone(&crew, crew.ann, PHONE, true).await;
    let message = page(&crew, incident, phone, crew.ann, 2).await;
    Scene { crew, incident, phone, message }
}

async fn phone(crew: &Crew, user: UserId, number: &str, verified: bool) -> ContactMethodId {
    reached_by(crew, user, Channel::Sms, number, verified).await
}

pub async fn reached_by(
    crew: &Crew,
    user: UserId,
    channel: Channel,
    number: &str,
    verified: bool,
) -> ContactMethodId {
    let (name, target) = ("phone".to_owned(), number.to_owned());
    let settings = DestinationSettings::default();
    let new = NewContactMethod { user, name, channel, target, settings, verified };
    let mut connection = crew.app.connection().await;
    oncall::create_contact_method(&mut connection, &new, crew.app.now()).await.unwrap().unwrap()
}

/// A page of an incident: 0 waits, 1 is on its way, 2 was sent.
pub async fn page(crew: &Crew, incident: i64, phone: ContactMethodId, user: UserId, state: i16) -> Uuid {
    let message = Uuid::now_v7();
    let (project, now) = (crew.project, crew.app.now().to_rfc3339());
    let times = match state {
        0 => format!("'{now}', NULL, NULL, NULL"),
        1 => format!("NULL, '{now}', '{}', NULL", Uuid::nil()),
        _ => format!("NULL, NULL, NULL, '{now}'"),
    };
    crew.app
        .database
        .execute(&format!(
            "WITH made AS (
                INSERT INTO notifications (message_id, project_id, destination_id, kind, priority, received_at, created_at,
                    state, attempts, next_at, lease_until, leased_by, finished_at)
                VALUES ('{message}', {project}, {phone}, 13, 3, '{now}', '{now}', {state}, 1, {times}) RETURNING id)
             INSERT INTO incident_pages (notification_id, incident_id, generation, pass, step, user_id)
             SELECT id, {incident}, 1, 0, 0, {user} FROM made"
        ))
        .await
        .unwrap();
    message
}

pub fn signature(token: &str, url: &str, fields: Fields<'_>) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(format!("{name}{value}").as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

pub async fn send(app: &App, path: &str, fields: Fields<'_>, signature: Option<&str>) -> Answer {
    let request = app.client.post(app.url(path)).form(fields);
    app.send(signature.into_iter().fold(request, |request, one| request.header("x-twilio-signature", one)))
        .await
}

pub async fn signed(app: &App, path: &str, fields: Fields<'_>) -> Answer {
    send(app, path, fields, Some(&signature(TOKEN, &format!("{PUBLIC}{path}"), fields))).await
}

/// What is said to a message; nothing when nothing is sent back.
async fn sms(app: &App, sid: &str, from: &str, body: &str) -> String {
    let fields =
        [("AccountSid", "AC1"), ("MessageSid", sid), ("From", from), ("To", "+15005550006"), ("Body", body)];
    let answer = signed(app, MESSAGES, &fields).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"), "{}", answer.text);
    let inside = answer.text.split_once("<Response>").unwrap().1.split_once("</Response>").unwrap().0;
    inside.replace("<Message>", "").replace("</Message>", "")
}

impl Scene {
    async fn reply(&self, body: &str) -> String {
        sms(&self.crew.app, &format!("SM{}", Uuid::new_v4().simple()), PHONE, body).await
    }

    pub async fn state(&self) -> Value {
        let path = format!("/api/v1/incidents/{}", self.incident);
        self.crew.viewer.get(&self.crew.app, &path).await.ok(200)["state"].clone()
    }

    pub async fn timeline(&self) -> Vec<Value> {
        let path = format!("/api/v1/incidents/{}/timeline", self.incident);
        self.crew.viewer.get(&self.crew.app, &path).await.ok(200)["items"].as_array().unwrap().clone()
    }

    /// The number of the incident and a word.
    pub fn coded(&self, word: &str) -> String {
        format!("{}{word}", self.incident)
    }

    /// The contact method: whether it is on, and why not.
    pub async fn method(&self) -> (bool, Value) {
        let all = self.crew.member.get(&self.crew.app, "/api/v1/account/contact-methods").await.ok(200);
        let own = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == json!(self.phone))
            .unwrap()
            .clone();
        (own["enabled"] == true, own["disabled_reason"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_acknowledges_and_nothing_more_leaves() {
    let scene = scene().await;
    let crew = &scene.crew;
    page(crew, scene.incident, scene.phone, crew.ann, 0).await;
    assert_eq!(scene.reply(&scene.coded("a")).await, "SHOP-1 is acknowledged.");
    let last = scene.timeline().await.pop().unwrap();
    assert_eq!(
        (&last["event"], &last["actor"], &last["data"]),
        (&json!("acknowledged"), &json!("ann"), &json!({ "channel": "sms" }))
    );
    let waiting = "SELECT count(*) FROM notifications WHERE state IN (0, 1)";
    assert_eq!(crew.app.database.number(waiting).await.unwrap(), 0, "what waited is cancelled");
    let log = crew.app.get("/api/v1/audit?action=incident.acknowledged").await.ok(200);
    assert_eq!(
        (&log["items"][0]["actor"]["name"], &log["items"][0]["after"]),
        (&json!("ann"), &json!({ "channel": "sms" }))
    );
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_and_spaces_do_not_matter_and_with_one_page_no_number_is_needed() {
    let scene = scene().await;
    assert_eq!(scene.reply("  ACK ").await, "SHOP-1 is acknowledged.");
    assert_eq!(scene.reply(&format!("Escalate  #{}", scene.incident)).await, "SHOP-1 is escalated.");
    assert_eq!(scene.state().await, "triggered");
    assert_eq!(scene.reply("r").await, "SHOP-1 is resolved.");
    assert_eq!(scene.state().await, "resolved");
    let issue = scene.crew.member.get(&scene.crew.app, "/api/v1/issues/SHOP-1").await.ok(200);
    assert_eq!(issue["status"], "resolved", "with its issue");
    assert_eq!(scene.reply("ack").await, "No open incident has paged you.");
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_nobodys_or_not_proven_changes_nothing_and_is_told_nothing() {
    let scene = scene().await;
    phone(&scene.crew, scene.crew.ann, "+15005550002", false).await;
    for number in ["+15005550002", "+15005550003", "", "whatsapp:+15005550001", "+1500555000"] {
        let sid = format!("SM{}", Uuid::new_v4().simple());
        assert_eq!(sms(&scene.crew.app, &sid, number, &scene.coded("a")).await, "", "{number}");
    }
    assert_eq!(scene.state().await, "triggered");
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_others_is_answered_alike() {
    let scene = scene().await;
    let crew = &scene.crew;
    assert_eq!(scene.reply("4711a").await, "There is no incident 4711 that you may answer.");
    let red = team(&crew.app, "red").await;
    crew.app.database.execute(&format!("UPDATE projects SET team_id = {red}")).await.unwrap();
    let expected = format!("There is no incident {} that you may answer.", scene.incident);
    assert_eq!(scene.reply(&scene.coded("a")).await, expected);
    assert_eq!(scene.reply("ack").await, "No open incident has paged you.");
    let state = "SELECT count(*) FROM incidents WHERE state = 1";
    assert_eq!(crew.app.database.number(state).await.unwrap(), 1);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_slower_is_told_who_was_faster() {
    let scene = scene().await;
    let path = |action: &str| format!("/api/v1/incidents/{}/{action}", scene.incident);
    let (app, boss) = (&scene.crew.app, &scene.crew.boss);
    boss.post(app, &path("acknowledge"), &json!({})).await.ok(200);
    assert_eq!(scene.reply(&scene.coded("a")).await, "SHOP-1 was acknowledged already by boss.");
    assert_eq!(scene.reply("ack").await, "SHOP-1 was acknowledged already by boss.");
    boss.post(app, &path("resolve"), &json!({})).await.ok(200);
    for word in ["a", "e", "r"] {
        assert_eq!(scene.reply(&scene.coded(word)).await, "SHOP-1 was resolved already by boss.");
    }
    let events: Vec<_> = scene.timeline().await.into_iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, ["triggered", "acknowledged", "resolved"]);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_is_answered_alike_and_does_nothing() {
    let scene = scene().await;
    let (app, body) = (&scene.crew.app, scene.coded("e"));
    let (one, two) = tokio::join!(sms(app, "SM7", PHONE, &body), sms(app, "SM7", PHONE, &body));
    assert_eq!((one.as_str(), two.as_str()), ("SHOP-1 is escalated.", "SHOP-1 is escalated."));
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(sms(app, "SM7", PHONE, &body).await, "SHOP-1 is escalated.");
    assert_eq!(scene.crew.events(scene.incident).await, ["triggered", "escalated"]);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_answer_any_more_cannot_by_phone() {
    let scene = scene().await;
    let (ann, team) = (scene.crew.ann, scene.crew.team);
    for (change, expected) in [
        (
            format!("UPDATE memberships SET role = 'viewer' WHERE user_id = {ann} AND team_id = {team}"),
            "You may not answer incidents (any more).",
        ),
        (
            format!("DELETE FROM memberships WHERE user_id = {ann}"),
            "You may not answer incidents (any more).",
        ),
        (
            format!("UPDATE users SET disabled = true WHERE id = {ann}"),
            "You may not answer incidents (any more).",
        ),
    ] {
        scene.crew.app.database.execute(&change).await.unwrap();
        assert_eq!(scene.reply(&scene.coded("a")).await, expected);
    }
    // A member of another team is not one of this.
    let red = team_of(&scene.crew, "red").await;
    let (carl, _) =
        person(&scene.crew.app, "carl", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    phone(&scene.crew, carl, "+15005550009", true).await;
    let said = sms(&scene.crew.app, "SM9", "+15005550009", &scene.coded("a")).await;
    assert_eq!(said, format!("There is no incident {} that you may answer.", scene.incident));
    assert_eq!(scene.state().await, "triggered");
    scene.crew.app.stop().await;
}

async fn team_of(crew: &Crew, name: &str) -> bugle_model::TeamId {
    team(&crew.app, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_pages_it_is_asked_which_is_meant() {
    let scene = scene().await;
    let crew = &scene.crew;
    let issue = crew.app.issue(crew.project, 2, "Worse", 1).await;
    let second = crew
        .app
        .database
        .number(&format!(
            "INSERT INTO incidents (project_id, issue_id, title, policy_version_id, priority, received_at, triggered_at)
             SELECT project_id, {issue}, 'Worse', policy_version_id, 3, received_at, triggered_at FROM incidents RETURNING id"
        ))
        .await
        .unwrap();
    page(crew, second, scene.phone, crew.ann, 2).await;
    let first = scene.incident;
    let expected = format!("Say which, as in \"ack {second}\": {second} (SHOP-2), {first} (SHOP-1).");
    assert_eq!(scene.reply("ack").await, expected);
    assert_eq!(scene.reply(&format!("ack {second}")).await, "SHOP-2 is acknowledged.");
    assert_eq!(scene.reply("ack").await, "SHOP-1 is acknowledged.", "the only one that it applies to");
    assert_eq!(scene.reply("ack").await, "All of your 2 open incidents are acknowledged already.");
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_switches_the_contact_method_off_and_start_on_again() {
    let scene = scene().await;
    let app = &scene.crew.app;
    assert_eq!(scene.reply("help").await, "");
    assert_eq!(scene.method().await, (true, Value::Null));
    assert_eq!(sms(app, "SM1", PHONE, "Stop").await, "", "Twilio answers, and lets nothing else through");
    let reason = json!("STOP was sent from the number; START switches it on again");
    assert_eq!(scene.method().await, (false, reason));
    assert_eq!(scene.reply("START").await, "");
    assert_eq!(scene.method().await, (true, Value::Null));
    assert_eq!(sms(app, "SM1", PHONE, "Stop").await, "");
    assert_eq!(scene.method().await, (true, Value::Null), "one that comes again");
    let log = app.get("/api/v1/audit?action=contact_method.stopped").await.ok(200);
    let entries = log["items"].as_array().unwrap().clone();
    assert_eq!((entries.len(), &entries[0]["actor"]["name"]), (1, &json!("ann")));
    assert!(!log.to_string().contains(PHONE));

    // What is off for another reason stays so.
    let off = format!(
        "UPDATE destinations SET enabled = false, disabled_reason = 'gone' WHERE id = {}",
        scene.phone
    );
    app.database.execute(&off).await.unwrap();
    scene.reply("start").await;
    assert_eq!(scene.method().await, (false, json!("gone")));
    let refused = "UPDATE destinations SET disabled_reason = 'Twilio''s code 21610: the number takes no SMS'";
    app.database.execute(refused).await.unwrap();
    scene.reply("unstop").await;
    assert_eq!(scene.method().await, (true, Value::Null));
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_answers_every_message_is_let_be() {
    let scene = scene().await;
    for _ in 0..5 {
        assert!(scene.reply("I am driving").await.starts_with("Reply with the number of an incident"));
    }
    assert_eq!(scene.reply("I am driving").await, "");
    assert_eq!(scene.reply(&scene.coded("a")).await, "SHOP-1 is acknowledged.", "what is an answer still is");
    scene.crew.app.clock.advance(TimeDelta::hours(1));
    assert!(scene.reply("I am driving").await.starts_with("Reply with the number of an incident"));
    scene.crew.app.stop().await;
}
