//! What one is told of one's shifts, and who is asked for twice at once.

use crate::oncall::{Crew, crew, weekly};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn people_say_when_they_are_told_of_their_shifts() {
    let Crew { app, member, boss, .. } = crew().await;
    let path = "/api/v1/account/handoff-notices";
    let default = json!({ "before_hours": [0], "going_off": true });
    assert_eq!(member.get(&app, path).await.ok(200), default);
    let mistakes =
        member.put(&app, path, &json!({ "before_hours": [0, 2], "going_off": true })).await.mistakes();
    assert_eq!(mistakes, ["before_hours: expected some of 0, 1, 12 and 24"]);
    let changed = json!({ "before_hours": [12, 1, 12], "going_off": false });
    let kept = json!({ "before_hours": [1, 12], "going_off": false });
    assert_eq!(member.put(&app, path, &changed).await.ok(200), kept);
    assert_eq!(member.get(&app, path).await.ok(200), kept);
    assert_eq!(boss.get(&app, path).await.ok(200), default, "it is ann's");
    let log = app.get("/api/v1/audit?action=handoff_notices").await.ok(200);
    assert_eq!((&log["items"][0]["before"], &log["items"][0]["after"]), (&default, &kept));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_tells_who_is_on_call_by_another_schedule_too() {
    let Crew { app, boss, viewer, ann, .. } = crew().await;
    let own = boss.post(&app, "/api/v1/schedules", &weekly(ann)).await.ok(201)["id"].clone();
    let nobody = json!({ "name": "other", "zone": "UTC", "layers": [] });
    let other = boss.post(&app, "/api/v1/schedules", &nobody).await.ok(201)["id"].clone();
    let add = |from, to| json!({ "from": from, "to": to, "kind": "add", "who": ann });
    let overrides = format!("/api/v1/schedules/{other}/overrides");
    boss.post(&app, &overrides, &add("2027-01-15T08:00:00Z", "2027-01-15T14:00:00Z")).await.ok(201);
    boss.post(&app, &overrides, &add("2027-01-20T08:00:00Z", "2027-01-20T14:00:00Z")).await.ok(201);
    let range = "from=2027-01-01T00:00:00Z&to=2027-01-20T10:00:00Z";
    let shown = viewer.get(&app, &format!("/api/v1/schedules/{own}/calendar?{range}")).await.ok(200);
    let expected = json!([
        { "start": "2027-01-15T12:00:00Z", "end": "2027-01-15T14:00:00Z", "who": ann, "schedule": other },
        { "start": "2027-01-20T08:00:00Z", "end": "2027-01-20T10:00:00Z", "who": ann, "schedule": other },
    ]);
    assert_eq!(shown["double_bookings"], expected, "from now on");
    app.stop().await;
}
