//! Calendars of others as overrides. It is a Friday, noon UTC.

use crate::oncall::{Crew, crew};
use crate::people::person;
use bugle_model::{InstallationRole, TeamRole};
use serde_json::{Value, json};

fn event(uid: &str, who: &str, day: u32) -> String {
    format!(
        "BEGIN:VEVENT\nUID:{uid}\n{who}\nDTSTART:202702{day:02}T080000Z\nDTEND:202702{day:02}T160000Z\nEND:VEVENT\n"
    )
}

fn calendar(events: &[String]) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{}END:VCALENDAR\n", events.concat())
}

/// Who is on call when, as an answer tells it.
fn shifts(overrides: &Value) -> Vec<(String, i64)> {
    let shift = |one: &Value| {
        assert_eq!(one["kind"], "add");
        (one["from"].as_str().unwrap().to_owned(), one["who"].as_i64().unwrap())
    };
    overrides.as_array().unwrap().iter().map(shift).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_become_overrides_once_somebody_has_seen_which() {
    let Crew { app, boss, member, viewer, ann, team, .. } = crew().await;
    // Of two people with one name it is the one who was there first.
    let (twin, _) = person(&app, "twin", InstallationRole::Member, &[(team, TeamRole::Member)]).await;
    app.database.execute(&format!("UPDATE users SET name = 'Boss' WHERE id = {twin}")).await.unwrap();
    let first = app.database.number("SELECT id::bigint FROM users WHERE name = 'boss'").await.unwrap();
    let empty = json!({ "name": "shop", "zone": "Europe/Vienna", "layers": [] });
    let path =
        format!("/api/v1/schedules/{}", boss.post(&app, "/api/v1/schedules", &empty).await.ok(201)["id"]);
    let text = calendar(&[
        event("1", "SUMMARY:on call\nATTENDEE;CN=Ann:mailto:Ann@Example.com", 1),
        event("2", "SUMMARY:BOSS", 2),
        event("3", "SUMMARY:Vicky", 3),
        event("4", "SUMMARY:Vicky\nRRULE:FREQ=DAILY;COUNT=2", 4),
        "BEGIN:VEVENT\nUID:5\nSUMMARY:vic\nDTSTART:later\nEND:VEVENT\n".to_owned(),
    ]);
    let import = format!("{path}/import");
    let body = json!({ "calendar": text, "dry_run": true });
    assert_eq!(member.post(&app, &import, &body).await.status, 403, "it is for managers");
    let preview = boss.post(&app, &import, &body).await.ok(200);
    let known =
        [("2027-02-01T08:00:00Z".to_owned(), i64::from(ann.0)), ("2027-02-02T08:00:00Z".to_owned(), first)];
    assert_eq!(shifts(&preview["overrides"]), known);
    assert_eq!(
        preview["unknown"],
        json!([{ "name": "Vicky", "occurrences": 3, "first": "2027-02-03T08:00:00Z" }])
    );
    assert_eq!(
        preview["problems"],
        json!([{ "uid": "5", "message": "DTSTART: `later` is no date and no time" }])
    );
    assert_eq!(
        viewer.get(&app, &format!("{path}/overrides")).await.ok(200)["items"],
        json!([]),
        "nothing is made"
    );

    let body = json!({ "calendar": text, "people": { "Vicky": first } });
    let made = boss.post(&app, &import, &body).await.ok(200);
    assert_eq!(
        (shifts(&made["overrides"]).len(), &made["unknown"], &made["dry_run"]),
        (5, &json!([]), &json!(false))
    );
    let there = viewer.get(&app, &format!("{path}/overrides")).await.ok(200)["items"].clone();
    assert_eq!(shifts(&there), shifts(&made["overrides"]));
    assert!(
        there.as_array().unwrap().iter().all(|one| one["imported"] == true && one["created_by"] == "boss"),
        "{there}"
    );
    let log = app.get("/api/v1/audit?action=schedule.imported").await.ok(200);
    assert_eq!(
        (&log["items"][0]["before"], &log["items"][0]["after"]),
        (&json!({ "imported": 0 }), &json!({ "imported": 5 }))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_replaces_the_one_before_and_nothing_else() {
    let Crew { app, boss, member, ann, .. } = crew().await;
    let empty = json!({ "name": "shop", "zone": "UTC", "layers": [] });
    let path =
        format!("/api/v1/schedules/{}", boss.post(&app, "/api/v1/schedules", &empty).await.ok(201)["id"]);
    let (import, overrides) = (format!("{path}/import"), format!("{path}/overrides"));
    let by_hand =
        json!({ "from": "2027-02-03T00:00:00Z", "to": "2027-02-04T00:00:00Z", "kind": "remove", "who": ann });
    member.post(&app, &overrides, &by_hand).await.ok(201);
    let of = |days: &[u32]| {
        calendar(&days.iter().map(|day| event(&day.to_string(), "SUMMARY:ann", *day)).collect::<Vec<_>>())
    };
    let first = boss.post(&app, &import, &json!({ "calendar": of(&[1, 2, 3]) })).await.ok(200);
    assert_eq!(
        (shifts(&first["overrides"]).len(), shifts(&first["conflicts"]).len()),
        (2, 1),
        "ann is away on the third"
    );
    let second = boss.post(&app, &import, &json!({ "calendar": of(&[2, 5]) })).await.ok(200);
    assert_eq!((shifts(&second["overrides"]).len(), &second["replaced"]), (2, &json!(2)));
    let there = member.get(&app, &overrides).await.ok(200)["items"].clone();
    let starts: Vec<_> = there.as_array().unwrap().iter().map(|one| one["from"].as_str().unwrap()).collect();
    assert_eq!(starts, ["2027-02-03T00:00:00Z", "2027-02-02T08:00:00Z", "2027-02-05T08:00:00Z"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_is_refused_with_the_reason() {
    let Crew { app, boss, .. } = crew().await;
    let empty = json!({ "name": "shop", "zone": "UTC", "layers": [] });
    let path =
        format!("/api/v1/schedules/{}", boss.post(&app, "/api/v1/schedules", &empty).await.ok(201)["id"]);
    let import = format!("{path}/import");
    let hourly = "BEGIN:VEVENT\nUID:1\nSUMMARY:boss\nDTSTART:20270116T000000Z\nDURATION:PT30M\nRRULE:FREQ=HOURLY\nEND:VEVENT\n";
    for (body, mistake) in [
        (json!({ "calendar": "hello" }), "calendar: the calendar cannot be read at `hello`"),
        (
            json!({ "calendar": calendar(&[]), "until": "2027-01-15T12:00:00Z" }),
            "until: in the future, by 366 days at most",
        ),
        (
            json!({ "calendar": calendar(&[]), "until": "2028-01-17T12:00:00Z" }),
            "until: in the future, by 366 days at most",
        ),
        (
            json!({ "calendar": calendar(&[]), "people": { "Al": 4711 } }),
            "people.Al: there is nobody with the id 4711 in the team",
        ),
        (
            json!({ "calendar": calendar(&[hourly.to_owned()]), "until": "2027-03-15T12:00:00Z" }),
            "until: earlier: the schedule would have 1404 overrides, and can have 1000",
        ),
    ] {
        assert_eq!(boss.post(&app, &import, &body).await.mistakes(), [mistake]);
    }
    app.stop().await;
}
