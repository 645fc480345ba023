//! What stays of a schedule that follows a calendar: when nothing of it can be used, when somebody else was faster, and what people have made. It is a
//! Friday, noon UTC.

use super::scene::at;
use super::subscriptions::{Followed, HOUR, QUARTER, calendar};
use crate::world::noon;
use bugle_model::TeamRole;
use bugle_schedule::ical::Imported;
use bugle_schedule::{Override, OverrideKind};
use bugle_store::oncall::{self, ReadCalendar};
use bugle_testkit::http::Answer;
use chrono::TimeDelta;
use std::collections::BTreeMap;

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_calendar_of_which_nothing_can_be_used_ends_nothing() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(0).await;
    followed.says(&[("Vicky", "25T0800", "25T1600"), ("ann", "26T0800", "26T0800")]);
    followed.after(QUARTER).await;
    assert_eq!(followed.overrides().await, ["ann 24 08:00 – 24 16:00"]);
    let failing = followed.subscription().await;
    let error = "none of its events can be used: 1 person whom nobody knows, 1 event that cannot be read";
    assert_eq!((failing.failed_since, failing.last_error.as_deref()), (Some(at(15)), Some(error)));
    assert_eq!((failing.unknown[0].name.as_str(), failing.problems), ("Vicky", 1), "so they can be named");
    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(QUARTER).await;
    assert_eq!(followed.subscription().await.failed_since, None);
}

const EARLIER: [&str; 2] = ["ben 21 08:00 – 21 16:00", "ben 25 08:00 – 25 16:00"];

/// What was imported by hand an hour before the schedule followed a calendar: [`EARLIER`].
async fn import_before(followed: &Followed) {
    let before = "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at, imported)
        SELECT $1, day + interval '8 hours', day + interval '16 hours', jsonb_build_object('kind', 'add', 'who', $2::integer), 'boss',
            '2026-11-20T11:00:00Z', true
        FROM UNNEST('{2026-11-21T00:00:00Z,2026-11-25T00:00:00Z}'::timestamptz[]) WITH ORDINALITY AS d (day, place) ORDER BY place";
    followed.scene.world.sql.execute(before, &[&followed.schedule.0, &followed.ben.id.0]).await.unwrap();
}

#[tokio::test]
async fn what_was_imported_before_stays_until_it_is_known_who_everybody_is() {
    let followed = Followed::new().await;
    import_before(&followed).await;
    let earlier = EARLIER;
    followed.says(&[("Benny", "21T0800", "21T1600"), ("ann", "22T0800", "22T1600")]);
    followed.after(0).await;
    assert_eq!(followed.overrides().await, [earlier[0], earlier[1], "ann 22 08:00 – 22 16:00"]);
    followed.says(&[("Benny", "21T0800", "21T1600"), ("ann", "23T0800", "23T1600")]);
    followed.after(QUARTER).await;
    let expected = [earlier[0], earlier[1], "ann 23 08:00 – 23 16:00"];
    assert_eq!(followed.overrides().await, expected, "what it made itself follows it");
    assert_eq!(followed.subscription().await.overrides, 1);

    let people = BTreeMap::from([("Benny".to_owned(), followed.ben.id)]);
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    oncall::set_subscription(&mut conn, followed.schedule, None, Some(&people), "tests", at(15))
        .await
        .unwrap();
    followed.after(0).await;
    assert_eq!(followed.overrides().await, [earlier[0], "ann 23 08:00 – 23 16:00"]);
}

#[tokio::test]
async fn a_calendar_that_is_given_up_before_it_is_known_who_everybody_is_leaves_what_was_there() {
    let followed = Followed::new().await;
    import_before(&followed).await;
    followed.says(&[("Benny", "21T0800", "21T1600"), ("ann", "22T0800", "22T1600")]);
    followed.after(0).await;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    assert!(oncall::remove_subscription(&mut conn, followed.schedule, noon()).await.unwrap());
    assert_eq!(followed.overrides().await, EARLIER);
}

#[tokio::test]
async fn a_fetch_that_is_overtaken_is_not_taken() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(0).await;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    let lease = TimeDelta::minutes(2);
    let read = ReadCalendar { imported: Imported::default(), until: at(60), etag: None };

    let first = oncall::claim_subscriptions(&mut conn, at(15), at(15) + lease, 10).await.unwrap().remove(0);
    let second = oncall::claim_subscriptions(&mut conn, at(17), at(17) + lease, 10).await.unwrap().remove(0);
    let late = oncall::follow_calendar(&mut conn, &first, &read, at(32), at(17)).await.unwrap();
    assert_eq!(late, oncall::Followed::Late, "its time was over");
    assert_eq!(oncall::note_failure(&mut conn, &first, "late", at(32), at(17)).await.unwrap(), None);

    let removed = followed.stored().await[0].id;
    oncall::delete_override(&mut conn, followed.schedule, removed).await.unwrap().unwrap();
    let late = oncall::follow_calendar(&mut conn, &second, &read, at(32), at(17)).await.unwrap();
    assert_eq!(late, oncall::Followed::Late, "something was changed");
    followed.after(18 * 60).await;
    assert_eq!(followed.overrides().await, ["ann 24 08:00 – 24 16:00"], "a minute later it is read again");

    let third = oncall::claim_subscriptions(&mut conn, at(33), at(35), 10).await.unwrap().remove(0);
    assert!(oncall::fetch_soon(&mut conn, followed.schedule, at(33)).await.unwrap());
    let late = oncall::follow_calendar(&mut conn, &third, &read, at(48), at(33)).await.unwrap();
    assert_eq!(late, oncall::Followed::Late, "somebody wants it fetched");
}

#[tokio::test]
async fn whoever_replaces_somebody_by_hand_is_on_call_when_the_calendar_names_them() {
    let followed = Followed::new().await;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    let kind = OverrideKind::Replace { who: followed.ben.id, replaced: followed.ann.id };
    let by_hand = Override { from: at(20 * 60), to: at(44 * 60), kind };
    oncall::create_override(&mut conn, followed.schedule, &by_hand, "ben", noon()).await.unwrap();
    followed.says(&[("ann", "21T0800", "23T0800")]);
    followed.after(0).await;
    let first = followed.stored().await;
    let mut expected =
        vec!["something else 21 08:00 – 22 08:00", "ben 21 08:00 – 22 08:00", "ann 22 08:00 – 23 08:00"];
    assert_eq!(followed.overrides().await, expected);
    followed.after(QUARTER).await;
    assert_eq!(followed.stored().await, first);
    oncall::delete_override(&mut conn, followed.schedule, first[0].id).await.unwrap().unwrap();
    followed.after(QUARTER).await;
    expected = vec!["ann 21 08:00 – 23 08:00"];
    assert_eq!(followed.overrides().await, expected);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_not_in_the_way_of_others() {
    let followed = Followed::new().await;
    let other = followed.scene.schedule(&[None]).await;
    followed.follow(other, "/other.ics").await;
    followed.scene.hooks.route("GET", "/other.ics", Answer::status(200).body(calendar(&[])));
    let damage = r#"UPDATE schedule_subscriptions SET people = '{"Vicky": "nobody"}' WHERE schedule_id = $1"#;
    followed.scene.world.sql.execute(damage, &[&followed.schedule.0]).await.unwrap();
    assert_eq!(followed.fetch().await.len(), 1);
}

#[tokio::test]
async fn a_failure_is_told_as_soon_as_there_is_somebody_to_tell() {
    let followed = Followed::new().await;
    followed.answers(Answer::status(503));
    followed.after(0).await;
    followed.after(7 * HOUR).await;
    assert_eq!(followed.mails().await, NOTHING);
    followed.scene.person_as("max", TeamRole::Manager).await;
    followed.after(QUARTER).await;
    assert_eq!(followed.mails().await.len(), 1);
    followed.after(QUARTER).await;
    assert_eq!(followed.mails().await, NOTHING);
}
