//! Calendars that schedules follow, as far as the API goes: the notifier fetches them. It is a Friday, noon UTC.

use crate::oncall::{Crew, crew};
use crate::people::Browser;
use serde_json::{Value, json};

const SECRET: &str = "https://calendar.example/private-0f1e/basic.ics?key=0f1e";
const SHOWN: &str = "https://calendar.example/…";

async fn schedule(crew: &Crew) -> String {
    let empty = json!({ "name": "shop", "zone": "UTC", "layers": [] });
    let made = crew.boss.post(&crew.app, "/api/v1/schedules", &empty).await.ok(201);
    format!("/api/v1/schedules/{}", made["id"])
}

async fn overrides(crew: &Crew, path: &str, who: &Browser) -> usize {
    let all = who.get(&crew.app, &format!("{path}/overrides")).await.ok(200);
    all["items"].as_array().unwrap().len()
}

/// The calendar has put ann on call from noon on for a day, an hour ago.
async fn has_been_fetched(crew: &Crew) {
    crew.app
        .database
        .execute(&format!(
            "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at, imported)
                 SELECT schedule_id, '2027-01-15T11:00:00Z', '2027-01-16T11:00:00Z', '{{\"kind\": \"add\", \"who\": {}}}', 'boss',
                     '2027-01-15T11:00:00Z', true FROM schedule_subscriptions;
             UPDATE schedule_subscriptions SET next_at = '2027-01-15T12:10:00Z', tried_at = '2027-01-15T11:59:30Z', etag = '\"1\"',
                 fetched_at = '2027-01-15T11:59:30Z', imported_at = '2027-01-15T11:59:30Z', changed_at = '2027-01-15T11:00:00Z',
                 unknown = '[{{\"name\": \"Vicky\", \"occurrences\": 2, \"first\": \"2027-01-20T08:00:00Z\"}}]', problems = 1",
            crew.ann
        ))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_follows_a_calendar_whose_address_is_never_shown() {
    let crew = crew().await;
    let Crew { app, boss, member, ann, .. } = &crew;
    let path = schedule(&crew).await;
    let own = format!("{path}/subscription");
    assert_eq!(boss.get(app, &own).await.status, 404, "it follows none yet");
    let body = json!({ "url": SECRET });
    assert_eq!(member.put(app, &own, &body).await.status, 403, "it is for managers");
    let made = boss.put(app, &own, &body).await;
    assert!(!made.text.contains("0f1e"), "{}", made.text);
    let made = made.ok(200);
    assert_eq!(
        (&made["host"], &made["created_by"], &made["people"]),
        (&json!(SHOWN), &json!("boss"), &json!({}))
    );
    assert_eq!(
        (&made["fetched_at"], &made["overrides"], &made["unknown"]),
        (&Value::Null, &json!(0), &json!([]))
    );
    let due = "SELECT count(*) FROM schedule_subscriptions WHERE next_at <= '2027-01-15T12:00:00Z' AND etag IS NULL";
    assert_eq!(app.database.number(due).await.unwrap(), 1, "it is fetched at once");

    has_been_fetched(&crew).await;
    assert_eq!(app.database.number(due).await.unwrap(), 0);
    let there = boss.get(app, &own).await.ok(200);
    assert_eq!((&there["overrides"], &there["problems"]), (&json!(1), &json!(1)));
    assert_eq!(there["unknown"][0]["name"], "Vicky");
    let known = json!({ "people": { "Vicky": ann } });
    let changed = boss.put(app, &own, &known).await.ok(200);
    assert_eq!((&changed["host"], &changed["people"]), (&json!(SHOWN), &known["people"]));
    assert_eq!(changed["fetched_at"], there["fetched_at"], "it is the same calendar");
    assert_eq!(app.database.number(due).await.unwrap(), 1, "it is read again");
    let another = json!({ "url": "webcal://elsewhere.example/1.ics" });
    let another = boss.put(app, &own, &another).await.ok(200);
    assert_eq!(
        (&another["host"], &another["fetched_at"]),
        (&json!("https://elsewhere.example/…"), &Value::Null)
    );
    assert_eq!(another["people"], known["people"], "who they are stays");

    let log = app.get("/api/v1/audit?action=schedule.subscribed").await;
    assert!(!log.text.contains("0f1e"), "{}", log.text);
    let log = log.ok(200);
    assert_eq!(
        (&log["items"][2]["before"], &log["items"][2]["after"]),
        (&Value::Null, &json!({ "host": SHOWN, "people": {}, "overrides": 0 }))
    );
    assert_eq!(log["items"][1]["after"]["address"], Value::Null);
    assert_eq!(log["items"][0]["after"]["address"], "changed");
    let nobody = boss.put(app, &own, &json!({ "people": {} })).await.ok(200);
    assert_eq!(nobody["people"], json!({}));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_calendar_has_made_goes_with_it() {
    let crew = crew().await;
    let Crew { app, boss, viewer, ann, .. } = &crew;
    let path = schedule(&crew).await;
    let own = format!("{path}/subscription");
    boss.put(app, &own, &json!({ "url": SECRET })).await.ok(200);
    has_been_fetched(&crew).await;
    let by_hand =
        json!({ "from": "2027-02-01T00:00:00Z", "to": "2027-02-02T00:00:00Z", "kind": "add", "who": ann });
    boss.post(app, &format!("{path}/overrides"), &by_hand).await.ok(201);
    assert_eq!(overrides(&crew, &path, viewer).await, 2);
    boss.delete(app, &own).await.ok(204);
    assert_eq!(overrides(&crew, &path, viewer).await, 1);
    let past = "SELECT count(*) FROM schedule_overrides WHERE imported AND ends_at = '2027-01-15T12:00:00Z'";
    assert_eq!(app.database.number(past).await.unwrap(), 1, "what is over stays");
    assert_eq!(boss.delete(app, &own).await.status, 404);
    assert_eq!(boss.post(app, &format!("{own}/fetch"), &json!({})).await.status, 404);
    let log = app.get("/api/v1/audit?action=schedule.unsubscribed").await.ok(200);
    assert_eq!(log["items"][0]["before"]["host"], SHOWN);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_schedule_follows_a_calendar_nothing_is_imported_by_hand() {
    let crew = crew().await;
    let Crew { app, boss, .. } = &crew;
    let path = schedule(&crew).await;
    let own = format!("{path}/subscription");
    boss.put(app, &own, &json!({ "url": SECRET })).await.ok(200);
    let import = format!("{path}/import");
    let body = json!({ "calendar": "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nEND:VCALENDAR\n" });
    let refused = boss.post(app, &import, &body).await.ok(409);
    assert_eq!(
        refused["detail"],
        format!(
            "the schedule follows the calendar at {SHOWN}, which would undo this; end its subscription first"
        )
    );
    boss.delete(app, &own).await.ok(204);
    boss.post(app, &import, &body).await.ok(200);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_fetched_at_once_a_minute_after_the_last_time() {
    let crew = crew().await;
    let Crew { app, boss, member, .. } = &crew;
    let own = format!("{}/subscription", schedule(&crew).await);
    boss.put(app, &own, &json!({ "url": SECRET })).await.ok(200);
    has_been_fetched(&crew).await;
    let fetch = format!("{own}/fetch");
    assert_eq!(member.post(app, &fetch, &json!({})).await.status, 403);
    let under_way = boss.post(app, &fetch, &json!({})).await.ok(202);
    assert_eq!(under_way["host"], SHOWN);
    let next =
        "SELECT count(*) FROM schedule_subscriptions WHERE next_at = '2027-01-15T12:00:30Z' AND etag IS NULL";
    assert_eq!(app.database.number(next).await.unwrap(), 1);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_with_the_reason() {
    let crew = crew().await;
    let Crew { app, boss, .. } = &crew;
    let own = format!("{}/subscription", schedule(&crew).await);
    let scheme = "url: expected an https:// or http:// URL of a calendar";
    let many: serde_json::Map<String, Value> = (0..201).map(|one| (one.to_string(), json!(1))).collect();
    for (body, mistake) in [
        (json!({}), "url: the schedule follows no calendar yet; say where it is"),
        (json!({ "url": "calendar.example" }), scheme),
        (json!({ "url": "file:///etc/passwd" }), scheme),
        (
            json!({ "url": "https://ann:secret@calendar.example/" }),
            "url: a URL with a name or password in it is not taken",
        ),
        (
            json!({ "url": format!("https://calendar.example/{}", "a".repeat(2048)) }),
            "url: longer than 2048 characters",
        ),
        (
            json!({ "url": SECRET, "people": { "Vicky": 4711 } }),
            "people.Vicky: there is nobody with the id 4711 in the team",
        ),
        (json!({ "url": SECRET, "people": many }), "people: 200 names at most"),
        (
            json!({ "url": SECRET, "people": { "a".repeat(256): 1 } }),
            "people: names of 255 characters at most",
        ),
    ] {
        assert_eq!(boss.put(app, &own, &body).await.mistakes(), [mistake]);
    }
    assert_eq!(boss.get(app, &own).await.status, 404);
    crew.app.stop().await;
}
