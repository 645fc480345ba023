//! Schedules for calendar programs, and how evenly they are spread.

use crate::harness::App;
use crate::oncall::{Crew, crew, weekly};
use serde_json::{Value, json};

/// What a link shows to whoever has it: status and text.
async fn read(app: &App, link: &Value) -> (u16, String) {
    let url = link["url"].as_str().unwrap();
    let (_, token) = url.split_once("/api/v1/calendars/").unwrap();
    let answer = app.client.get(app.url(&format!("/api/v1/calendars/{token}"))).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_program_reads_a_schedule_by_a_secret_link() {
    let Crew { app, boss, member, viewer, ann, team, .. } = crew().await;
    let schedule = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}/feed", schedule["id"]);
    let link = member.post(&app, &path, &json!({ "only_mine": true })).await.ok(201);
    let (status, text) = read(&app, &link).await;
    assert_eq!(status, 200);
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.contains("ann"), "{text}");
    let of_all = viewer.post(&app, &path, &json!({})).await.ok(201);
    assert_eq!(read(&app, &of_all).await, (200, text.clone()));
    let of_mine = viewer.post(&app, &path, &json!({ "only_mine": true })).await.ok(201);
    assert_eq!(read(&app, &of_all).await.0, 404, "a new link ends the one before");
    assert!(!read(&app, &of_mine).await.1.contains("BEGIN:VEVENT"), "the viewer has no shifts");
    viewer.delete(&app, &path).await.ok(204);
    assert_eq!(read(&app, &of_mine).await.0, 404);
    assert_eq!(read(&app, &link).await.0, 200, "the link of somebody else stays");
    boss.delete(&app, &format!("/api/v1/teams/{team}/members/{ann}")).await.ok(204);
    assert_eq!(read(&app, &link).await.0, 404, "whoever has left the team sees it no more");
    assert_eq!(member.post(&app, &path, &json!({})).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_cannot_be_read_now_is_not_gone() {
    let Crew { app, boss, member, ann, .. } = crew().await;
    let schedule = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}/feed", schedule["id"]);
    let link = member.post(&app, &path, &json!({})).await.ok(201);
    // The link is found, and the schedule cannot be read in time.
    app.database
        .execute(
            "CREATE FUNCTION late() RETURNS boolean LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'canceling statement due to lock timeout'; END $$;
             ALTER TABLE schedules RENAME TO schedules_there;
             CREATE VIEW schedules AS SELECT * FROM schedules_there WHERE late()",
        )
        .await
        .unwrap();
    assert_eq!(read(&app, &link).await.0, 503);
    let back = "DROP VIEW schedules; ALTER TABLE schedules_there RENAME TO schedules";
    app.database.execute(back).await.unwrap();
    assert_eq!(read(&app, &link).await.0, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spread_of_a_schedule_is_told_in_hours() {
    let Crew { app, boss, viewer, ann, .. } = crew().await;
    let schedule = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201);
    let path = format!("/api/v1/schedules/{}/fairness", schedule["id"]);
    let range = "from=2027-02-01T00:00:00Z&to=2027-02-08T00:00:00Z";
    let spread = viewer.get(&app, &format!("{path}?{range}")).await.ok(200);
    assert_eq!(spread["people"][0]["who"], ann.0);
    let hours = |what: &str| spread["people"][0][what].as_f64().unwrap();
    assert_eq!((hours("hours"), hours("night_hours"), hours("weekend_hours")), (168.0, 63.0, 48.0));
    assert_eq!((&spread["coverage"], &spread["score"]), (&json!(100.0), &json!(100)));
    let mistakes =
        viewer.get(&app, &format!("{path}?from=2027-02-08T00:00:00Z&to=2027-02-01T00:00:00Z")).await;
    assert_eq!(mistakes.mistakes(), ["to: later than from, by 366 days at most"]);
    app.stop().await;
}
