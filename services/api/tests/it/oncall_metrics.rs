//! How on-call went: figures, and the log of what was delivered.

use crate::harness::App;
use crate::oncall::{Crew, crew};
use crate::people::{Browser, person, team};
use bugle_model::{Channel, InstallationRole, NotificationState, TeamRole};
use chrono::TimeDelta;
use serde_json::{Value, json};

const DAY: &str = "from=2027-01-15T00:00:00Z&to=2027-01-18T00:00:00Z";

/// A page of ann's that ended so: when it was due, and when it ended.
async fn page(crew: &Crew, incident: i64, channel: Channel, state: NotificationState, times: [&str; 2]) {
    let [due, ended] = times.map(|time| format!("2027-01-{time}"));
    let (channel, code) = (channel.code(), state.code());
    let error = if state == NotificationState::Failed { "'refused'" } else { "NULL" };
    let Crew { app, project, ann, .. } = crew;
    app.database
        .execute(&format!(
            "WITH d AS (
                INSERT INTO destinations (user_id, channel, target, min_priority, created_at)
                VALUES ({ann}, {channel}, 'there', 1, '{due}') RETURNING id),
             n AS (
                INSERT INTO notifications (message_id, project_id, destination_id, kind, priority, received_at, created_at,
                    state, finished_at, error)
                SELECT gen_random_uuid(), {project}, id, 13, 3, '{due}', '{due}', {code}, '{ended}', {error} FROM d
                RETURNING id)
             INSERT INTO incident_pages (notification_id, incident_id, generation, pass, step, user_id)
             SELECT id, {incident}, 1, 0, 0, {ann} FROM n"
        ))
        .await
        .unwrap();
}

async fn metrics(app: &App, who: &Browser, parameters: &str) -> Value {
    who.get(app, &format!("/api/v1/on-call/metrics?{parameters}")).await.ok(200)
}

async fn outsider(app: &App) -> Browser {
    let red = team(app, "red").await;
    person(app, "eve", InstallationRole::Member, &[(red, TeamRole::Manager)]).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_timed_from_the_trigger_to_the_first_of_them() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    crew.app.clock.advance(TimeDelta::seconds(90));
    crew.act(incident, "acknowledge", &json!({})).await.ok(200);
    crew.act(incident, "unacknowledge", &json!({})).await.ok(200);
    crew.app.clock.advance(TimeDelta::seconds(210));
    crew.act(incident, "acknowledge", &json!({})).await.ok(200);
    crew.act(incident, "resolve", &json!({})).await.ok(200);
    let found = metrics(&crew.app, &crew.viewer, DAY).await;
    let once = |seconds: f64| json!({ "incidents": 1, "median_seconds": seconds, "mean_seconds": seconds });
    assert_eq!(found["time_to_acknowledge"], once(90.0));
    assert_eq!(found["time_to_resolve"], once(300.0));
    assert_eq!(found["incidents"], json!([{ "priority": "high", "counts": [1, 0, 0] }]));
    let days = ["2027-01-15T00:00:00Z", "2027-01-16T00:00:00Z", "2027-01-17T00:00:00Z"];
    assert_eq!(found["buckets"], json!(days));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_counted_by_channel_and_by_whom_they_woke() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let sent = NotificationState::Sent;
    page(&crew, incident, Channel::Email, sent, ["15T12:00:00Z", "15T12:00:00.2Z"]).await;
    page(&crew, incident, Channel::Email, sent, ["16T12:00:00Z", "16T12:00:00.4Z"]).await;
    // 22:30 and 06:30 of one night in Vienna, where ann is; 07:30 is none.
    let vienna = format!("UPDATE users SET time_zone = 'Europe/Vienna' WHERE id = {}", crew.ann);
    crew.app.database.execute(&vienna).await.unwrap();
    for time in ["15T21:30:00Z", "16T05:30:00Z", "16T06:30:00Z"] {
        page(&crew, incident, Channel::Sms, sent, [time, time]).await;
    }
    page(&crew, incident, Channel::Sms, NotificationState::Failed, ["15T22:00:00Z", "15T22:00:01Z"]).await;
    page(&crew, incident, Channel::Sms, NotificationState::Cancelled, ["15T22:00:00Z", "15T22:00:00Z"]).await;
    let found = metrics(&crew.app, &crew.viewer, DAY).await;
    let expected = json!([
        { "channel": "email", "sent": 2, "failed": 0, "counts": [1, 1, 0], "p50_ms": 300.0, "p95_ms": 390.0, "p99_ms": 398.0 },
        { "channel": "sms", "sent": 3, "failed": 1, "counts": [2, 2, 0], "p50_ms": 0.0, "p95_ms": 0.0, "p99_ms": 0.0 },
    ]);
    assert_eq!(found["channels"], expected);
    let ann =
        json!({ "user": crew.ann, "name": "ann", "pages": 5, "night_pages": 2, "interrupted_nights": 1 });
    assert_eq!(found["people"], json!([ann]));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_ones_teams_and_of_90_days_at_most() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    page(&crew, incident, Channel::Email, NotificationState::Sent, ["15T12:00:00Z", "15T12:00:01Z"]).await;
    let eve = outsider(&crew.app).await;
    let nothing = metrics(&crew.app, &eve, DAY).await;
    assert_eq!(
        (&nothing["incidents"], &nothing["channels"], &nothing["people"]),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(
        nothing["time_to_resolve"],
        json!({ "incidents": 0, "median_seconds": null, "mean_seconds": null })
    );
    let own = metrics(&crew.app, &crew.viewer, &format!("{DAY}&team={}", crew.team)).await;
    assert_eq!(own["channels"][0]["sent"], 1);
    for (parameters, mistake) in [
        (format!("team={}", crew.team), format!("team: there is no team {}", crew.team)),
        (
            "from=2027-01-01T00:00:00Z&to=2027-04-02T00:00:00Z".to_owned(),
            "to: later than from, by 90 days at most".to_owned(),
        ),
        (
            "from=2027-01-02T00:00:00Z&to=2027-01-02T00:00:00Z".to_owned(),
            "to: later than from, by 90 days at most".to_owned(),
        ),
    ] {
        let refused = eve.get(&crew.app, &format!("/api/v1/on-call/metrics?{parameters}")).await;
        assert_eq!(refused.mistakes(), [mistake]);
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_whom_a_page_was_for_also_without_a_project() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    page(&crew, incident, Channel::Email, NotificationState::Sent, ["15T12:00:00Z", "15T12:00:01Z"]).await;
    let policy =
        crew.boss.get(&crew.app, "/api/v1/escalation-policies").await.ok(200)["items"][0]["id"].clone();
    let body =
        json!({ "title": "Checkout is down", "priority": "high", "policy": policy, "team": crew.team });
    let by_hand =
        crew.member.post(&crew.app, "/api/v1/incidents", &body).await.ok(201)["id"].as_i64().unwrap();
    page(&crew, by_hand, Channel::Sms, NotificationState::Sent, ["15T12:00:00Z", "15T12:00:01Z"]).await;
    let newest = "UPDATE notifications SET project_id = NULL WHERE id = (SELECT max(id) FROM notifications)";
    crew.app.database.execute(newest).await.unwrap();
    let log = async |who: &Browser, parameters: &str| {
        let found = who.get(&crew.app, &format!("/api/v1/notifications?{parameters}")).await.ok(200);
        let told = |item: &Value| json!([item["incident"], item["user"], item["project"], item["channel"]]);
        found["items"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let (sms, email) =
        (json!([by_hand, crew.ann, null, "sms"]), json!([incident, crew.ann, crew.project, "email"]));
    assert_eq!(log(&crew.viewer, "").await, [sms.clone(), email.clone()]);
    assert_eq!(log(&crew.viewer, "channel=sms").await, [sms]);
    assert_eq!(log(&crew.viewer, "project=shop").await, [email]);
    assert_eq!(log(&outsider(&crew.app).await, "").await, Vec::<Value>::new());
    crew.app.stop().await;
}
