//! Calendars that schedules follow. It is a Friday, noon UTC.

use super::scene::{Scene, Somebody, at};
use crate::world::noon;
use bugle_model::{Clock, ScheduleId, TeamRole};
use bugle_notifier::Subscriptions;
use bugle_notifier::guard::SystemLookup;
use bugle_schedule::OverrideKind;
use bugle_schedule::ical::Imported;
use bugle_schedule::limits::MAX_FEED_BYTES;
use bugle_store::oncall::{self, CalendarUrl, ReadCalendar, StoredOverride, Subscribed, Subscription};
use bugle_store::{Store, teams};
use bugle_testkit::http::Answer;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::Arc;

const PATH: &str = "/private-0f1e/basic.ics";
pub(super) const QUARTER: i64 = 15 * 60;
pub(super) const HOUR: i64 = 60 * 60;

/// A calendar of events: title, begin and end.
pub(super) fn calendar(events: &[(&str, &str, &str)]) -> String {
    let event = |(index, (who, from, to)): (usize, &(&str, &str, &str))| {
        format!(
            "BEGIN:VEVENT\nUID:{index}\nSUMMARY:{who}\nDTSTART:202611{from}00Z\nDTEND:202611{to}00Z\nEND:VEVENT\n"
        )
    };
    let events: String = events.iter().enumerate().map(event).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{events}END:VCALENDAR\n")
}

/// A schedule that has nobody but by a calendar at [`PATH`] of the hooks.
pub(super) struct Followed {
    pub scene: Scene,
    pub schedule: ScheduleId,
    pub ann: Somebody,
    pub ben: Somebody,
}

impl Followed {
    pub async fn new() -> Self {
        Self::of(Scene::new().await).await
    }

    async fn of(scene: Scene) -> Self {
        let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
        let schedule = scene.schedule(&[None]).await;
        let followed = Self { scene, schedule, ann, ben };
        followed.set(PATH).await;
        followed
    }

    async fn set(&self, path: &str) {
        self.follow(self.schedule, path).await;
    }

    /// Has a schedule follow the calendar at a path of the hooks.
    pub async fn follow(&self, schedule: ScheduleId, path: &str) {
        let mut conn = self.scene.world.store.conn().await.unwrap();
        let url = CalendarUrl::parse(&self.scene.hooks.url(path)).unwrap();
        let now = self.scene.world.clock.now();
        let done = oncall::set_subscription(&mut conn, schedule, Some(&url), None, "tests", now).await;
        assert_eq!(done.unwrap(), Subscribed::Address);
    }

    pub fn says(&self, events: &[(&str, &str, &str)]) {
        self.answers(Answer::status(200).body(calendar(events)));
    }

    pub fn answers(&self, answer: Answer) {
        self.scene.hooks.route("GET", PATH, answer);
    }

    fn worker_on(&self, store: Store) -> Subscriptions {
        let clock = Arc::clone(&self.scene.world.clock) as Arc<dyn Clock>;
        Subscriptions::new(store, clock, &self.scene.world.config, Arc::new(SystemLookup)).unwrap()
    }

    /// Fetches what is due: nothing, or the calendar. The `If-None-Match` of the request.
    pub async fn fetch(&self) -> Vec<Option<String>> {
        self.worker_on(self.scene.world.store.clone()).run_once().await.unwrap();
        let requests = self.scene.hooks.take();
        requests.iter().map(|one| one.header("if-none-match").map(str::to_owned)).collect()
    }

    /// Fetches it once after so many seconds.
    pub async fn after(&self, seconds: i64) {
        self.scene.world.advance(seconds);
        assert_eq!(self.fetch().await.len(), 1);
    }

    pub async fn subscription(&self) -> Subscription {
        let mut conn = self.scene.world.store.conn().await.unwrap();
        let now = self.scene.world.clock.now();
        oncall::get_subscription(&mut conn, self.schedule, now).await.unwrap().unwrap()
    }

    pub async fn stored(&self) -> Vec<StoredOverride> {
        let mut conn = self.scene.world.store.conn().await.unwrap();
        oncall::list_overrides(&mut conn, self.schedule, self.scene.world.clock.now()).await.unwrap()
    }

    /// Who is on call from when to when, by overrides that have not ended.
    pub async fn overrides(&self) -> Vec<String> {
        let name = |kind: OverrideKind| match kind {
            OverrideKind::Add { who } if who == self.ann.id => "ann",
            OverrideKind::Add { who } if who == self.ben.id => "ben",
            _ => "something else",
        };
        let short = |at: chrono::DateTime<chrono::Utc>| at.format("%d %H:%M").to_string();
        let all = self.stored().await;
        all.iter().map(|one| format!("{} {} – {}", name(one.kind), short(one.from), short(one.to))).collect()
    }

    /// The mails that are put on their way now, with the calendar's host as `HOST` and the schedule's name as `NAME`.
    pub async fn mails(&self) -> Vec<String> {
        let sql = "WITH gone AS (DELETE FROM account_mails RETURNING recipient, about)
            SELECT split_part(recipient, '@', 1) || ': ' || regexp_replace(regexp_replace(about,
                '[0-9a-f]{8}-[0-9a-f-]{27}', 'NAME'), 'http://[^/]*', 'HOST') FROM gone ORDER BY 1";
        self.scene.world.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test]
async fn the_events_of_a_calendar_become_overrides() {
    let followed = Followed::new().await;
    let text = calendar(&[
        ("ann", "21T0800", "21T1600"),
        ("Ben", "22T0800", "22T1600"),
        ("Vicky", "23T0800", "23T1600"),
        ("Vicky", "24T0800", "24T1600"),
        ("ann", "25T0800", "25T0800"),
    ]);
    followed.answers(Answer::status(200).header("etag", "\"1\"").body(text));
    assert_eq!(followed.fetch().await, [None]);
    assert_eq!(followed.overrides().await, ["ann 21 08:00 – 21 16:00", "ben 22 08:00 – 22 16:00"]);
    assert!(followed.stored().await.iter().all(|one| one.imported && one.created_by == "tests"));
    let subscription = followed.subscription().await;
    assert_eq!(subscription.host, followed.scene.hooks.url("/…"));
    assert_eq!((subscription.overrides, subscription.problems), (2, 1));
    assert_eq!(
        (subscription.fetched_at, subscription.changed_at, subscription.taken_until),
        (Some(noon()), Some(noon()), Some(noon() + TimeDelta::days(180)))
    );
    let unknown: Vec<_> =
        subscription.unknown.iter().map(|one| (one.name.as_str(), one.occurrences)).collect();
    assert_eq!(unknown, [("Vicky", 2)]);
    assert_eq!((subscription.failed_since, subscription.last_error), (None, None));

    followed.scene.world.advance(QUARTER - 1);
    assert!(followed.fetch().await.is_empty(), "every quarter of an hour");
    let known = calendar(&[("ann", "21T0800", "21T1600")]);
    followed.answers(Answer::status(200).header("etag", "\"2\"").body(known));
    followed.scene.world.advance(1);
    assert_eq!(followed.fetch().await, [None], "as long as it names somebody unknown it is read in any case");
    followed.answers(Answer::status(304));
    followed.scene.world.advance(QUARTER);
    assert_eq!(followed.fetch().await, [Some("\"2\"".to_owned())]);
    let subscription = followed.subscription().await;
    assert_eq!((subscription.fetched_at, subscription.changed_at), (Some(at(30)), Some(at(15))));
    followed.answers(Answer::status(200));
    followed.scene.world.advance(12 * HOUR);
    assert_eq!(followed.fetch().await, [None], "half a day later it is read in any case");
}

#[tokio::test]
async fn a_calendar_that_has_changed_changes_what_is_different() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "21T0800", "21T1600"), ("ben", "22T0800", "22T1600")]);
    followed.after(0).await;
    let first = followed.stored().await;
    followed.after(QUARTER).await;
    assert_eq!(followed.stored().await, first, "the same once more");
    assert_eq!(followed.subscription().await.changed_at, Some(noon()));
    followed.says(&[("ben", "22T0800", "22T1600"), ("ann", "23T0800", "23T1600")]);
    followed.after(QUARTER).await;
    assert_eq!(followed.overrides().await, ["ben 22 08:00 – 22 16:00", "ann 23 08:00 – 23 16:00"]);
    assert_eq!(followed.stored().await[0], first[1]);
    assert_eq!(followed.subscription().await.changed_at, Some(at(30)));
    followed.says(&[]);
    followed.after(QUARTER).await;
    assert!(followed.overrides().await.is_empty(), "a calendar without events says that nobody is on call");
}

#[tokio::test]
async fn what_is_over_of_a_shift_stays_as_it_was() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "20T0800", "20T1600"), ("ann", "20T1600", "20T1700")]);
    followed.after(0).await;
    assert_eq!(followed.overrides().await, ["ann 20 12:00 – 20 17:00"], "from now on");
    followed.says(&[("ann", "20T0800", "20T1800")]);
    followed.after(HOUR).await;
    assert_eq!(followed.overrides().await, ["ann 20 12:00 – 20 18:00"]);
    followed.says(&[("ben", "20T0800", "20T1800")]);
    followed.after(HOUR).await;
    assert_eq!(followed.overrides().await, ["ben 20 14:00 – 20 18:00"]);
    let sql = "SELECT to_char(ends_at AT TIME ZONE 'UTC', 'HH24:MI') FROM schedule_overrides ORDER BY id";
    let ends: Vec<String> =
        followed.scene.world.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ends, ["14:00", "18:00"]);
}

#[tokio::test]
async fn what_it_said_last_stays_while_it_cannot_be_fetched_and_managers_hear_of_it_once_a_day() {
    let followed = Followed::new().await;
    followed.scene.person_as("max", TeamRole::Manager).await;
    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(0).await;
    let expected = ["ann 24 08:00 – 24 16:00"];
    followed.answers(Answer::status(503));
    followed.after(QUARTER).await;
    let failing = followed.subscription().await;
    assert_eq!((failing.failed_since, failing.last_error.as_deref()), (Some(at(15)), Some("answered 503")));
    assert_eq!(failing.fetched_at, Some(noon()));
    for _ in 0..23 {
        followed.after(QUARTER).await;
    }
    assert_eq!(followed.mails().await, Vec::<String>::new());
    followed.after(QUARTER).await;
    let mail = "max: The calendar that NAME follows cannot be used since Fri 20 Nov 2026, 12:15 (UTC), and what it said last counts: answered 503 (HOST/…)";
    assert_eq!(followed.mails().await, [mail]);
    for _ in 0..28 {
        followed.after(QUARTER).await;
    }
    assert_eq!(followed.mails().await, Vec::<String>::new(), "once");
    followed.after(17 * HOUR).await;
    assert_eq!(followed.mails().await, [mail], "and once more a day later");
    assert_eq!(followed.overrides().await, expected);

    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(QUARTER).await;
    let well = followed.subscription().await;
    assert_eq!((well.failed_since, well.last_error), (None, None));
    followed.answers(Answer::close());
    for _ in 0..25 {
        followed.after(QUARTER).await;
    }
    assert_eq!(followed.mails().await.len(), 1, "it is another time");
    assert_eq!(followed.overrides().await, expected);
}

#[tokio::test]
async fn what_is_no_calendar_changes_nothing() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "24T0800", "24T1600")]);
    followed.after(0).await;
    let large = "a".repeat(MAX_FEED_BYTES + 1);
    for (answer, error) in [
        (Answer::status(200).body("<!doctype html>\0"), "the calendar cannot be read"),
        (Answer::status(404).body(large.clone()), "answered 404"),
        (Answer::status(200).body(large), "the answer is larger than 2097152 bytes"),
        (Answer::status(404), "answered 404"),
        (Answer::status(302).header("location", "/elsewhere"), "answered 302; redirects are not followed"),
        (Answer::status(304), "answered 304"),
    ] {
        followed.answers(answer);
        followed.after(QUARTER).await;
        let said = followed.subscription().await.last_error.unwrap();
        assert!(said.starts_with(error), "{said}");
        assert_eq!(followed.overrides().await, ["ann 24 08:00 – 24 16:00"]);
    }
}

#[tokio::test]
async fn private_addresses_are_not_asked() {
    let scene = Scene::with(|world| world.config.allow_private_nets = Vec::new()).await;
    let followed = Followed::of(scene).await;
    assert!(followed.fetch().await.is_empty());
    assert_eq!(followed.scene.hooks.connections(), 0);
    let error = followed.subscription().await.last_error.unwrap();
    assert!(error.contains("is not a public address"), "{error}");
    assert!(!error.contains("private-0f1e"), "{error}");
}

#[tokio::test]
async fn a_shift_that_was_passed_on_is_not_given_back() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "21T0800", "22T0800"), ("ann", "23T0800", "24T0800")]);
    followed.after(0).await;
    let first = followed.stored().await[0].id;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    let to_ben = OverrideKind::Add { who: followed.ben.id };
    oncall::pass_override(&mut conn, followed.schedule, first, to_ben, "ben", noon()).await.unwrap();
    let expected = ["ben 21 08:00 – 22 08:00", "ann 23 08:00 – 24 08:00"];
    followed.after(QUARTER).await;
    assert_eq!(followed.overrides().await, expected);
    // Only that time is theirs: the rest of a longer shift is the calendar's.
    followed.says(&[("ann", "21T0800", "22T1200"), ("ann", "23T0800", "24T0800")]);
    followed.after(QUARTER).await;
    let expected = ["ben 21 08:00 – 22 08:00", "ann 23 08:00 – 24 08:00", "ann 22 08:00 – 22 12:00"];
    assert_eq!(followed.overrides().await, expected);
    oncall::delete_override(&mut conn, followed.schedule, first).await.unwrap().unwrap();
    followed.after(QUARTER).await;
    assert_eq!(followed.overrides().await, ["ann 23 08:00 – 24 08:00", "ann 21 08:00 – 22 12:00"]);
}

#[tokio::test]
async fn whoever_left_the_team_is_not_put_on_call() {
    let followed = Followed::new().await;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    let people = BTreeMap::from([("On call".to_owned(), followed.ann.id)]);
    oncall::set_subscription(&mut conn, followed.schedule, None, Some(&people), "tests", noon())
        .await
        .unwrap();
    followed.says(&[("On call", "21T0800", "22T0800"), ("ben", "23T0800", "24T0800")]);
    followed.after(0).await;
    let expected = ["ann 21 08:00 – 22 08:00", "ben 23 08:00 – 24 08:00"];
    assert_eq!(followed.overrides().await, expected);
    teams::remove_member(&mut conn, followed.scene.team, followed.ann.id).await.unwrap();
    followed.after(QUARTER).await;
    assert_eq!(followed.overrides().await, expected[1..]);
    assert_eq!(followed.subscription().await.unknown[0].name, "On call");
}

#[tokio::test]
async fn of_two_that_look_at_once_one_fetches() {
    let followed = Followed::new().await;
    followed.says(&[]);
    let one = followed.worker_on(followed.scene.world.another_store());
    let other = followed.worker_on(followed.scene.world.another_store());
    let (one, other) = tokio::join!(one.run_once(), other.run_once());
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(followed.scene.hooks.take().len(), 1);
}

#[tokio::test]
async fn what_was_fetched_for_another_address_is_not_taken() {
    let followed = Followed::new().await;
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    let later = noon() + TimeDelta::minutes(2);
    let claimed = oncall::claim_subscriptions(&mut conn, noon(), later, 10).await.unwrap().remove(0);
    assert!(!format!("{claimed:?}").contains("private-0f1e"));
    followed.set("/another.ics").await;
    let read = ReadCalendar { imported: Imported::default(), until: later, etag: None };
    let late = oncall::follow_calendar(&mut conn, &claimed, &read, later, noon()).await.unwrap();
    assert_eq!(late, oncall::Followed::Late);
    assert!(oncall::note_failure(&mut conn, &claimed, "late", later, noon()).await.unwrap().is_none());
    oncall::note_unchanged(&mut conn, &claimed, later, noon()).await.unwrap();
    let subscription = followed.subscription().await;
    assert_eq!((subscription.fetched_at, subscription.failed_since), (None, None));
    followed.scene.hooks.route("GET", "/another.ics", Answer::status(200).body(calendar(&[])));
    assert_eq!(followed.fetch().await.len(), 1, "the other one is due at once");
}

#[tokio::test]
async fn a_calendar_leaves_room_for_overrides_by_hand() {
    let followed = Followed::new().await;
    let hourly = "BEGIN:VEVENT\nUID:1\nSUMMARY:ann\nDTSTART:20261120T130000Z\nDURATION:PT30M\nRRULE:FREQ=HOURLY\nEND:VEVENT\n";
    let text = calendar(&[]).replace("END:VCALENDAR", &format!("{hourly}END:VCALENDAR"));
    followed.answers(Answer::status(200).header("etag", "\"1\"").body(text));
    let by_hand = "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at)
        SELECT $1, '2027-06-01T00:00:00Z', '2027-06-02T00:00:00Z', jsonb_build_object('kind', 'add', 'who', $2::integer), 'ben',
            '2026-11-20T12:00:00Z' FROM generate_series(1, 60)";
    followed.scene.world.sql.execute(by_hand, &[&followed.schedule.0, &followed.ben.id.0]).await.unwrap();
    followed.after(0).await;
    let subscription = followed.subscription().await;
    assert_eq!(subscription.overrides, 900, "theirs are within the room that is left to them");
    assert_eq!(subscription.taken_until, Some(at(60 + 900 * 60)), "as far as there is room");
    followed.scene.world.advance(QUARTER);
    assert_eq!(followed.fetch().await, [None], "what waits for room is looked at again");
}

#[tokio::test]
async fn without_its_calendar_a_schedule_has_nobody_by_it() {
    let followed = Followed::new().await;
    followed.says(&[("ann", "20T0800", "20T1600"), ("ben", "22T0800", "22T1600")]);
    followed.after(0).await;
    followed.scene.world.advance(QUARTER);
    let mut conn = followed.scene.world.store.conn().await.unwrap();
    assert!(oncall::remove_subscription(&mut conn, followed.schedule, at(15)).await.unwrap());
    assert!(followed.overrides().await.is_empty());
    assert!(followed.fetch().await.is_empty());
    assert!(!oncall::remove_subscription(&mut conn, followed.schedule, at(15)).await.unwrap());
}
