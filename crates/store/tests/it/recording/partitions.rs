//! Partitions come in time and go in time.

use super::support::{World, noon};
use bugle_model::{Outcome, OutcomeCount, RetentionClass};
use bugle_store::partitions::{self, clamp};
use bugle_store::record::{Batch, Ended, NewEvent, record};
use bugle_store::{projects, upkeep};
use bugle_testkit::TestDatabase;
use chrono::TimeDelta;
use uuid::Uuid;

const LEAVES: &str = "SELECT count(*) FROM pg_class WHERE relname ~ '^events_[0-9]+_[0-9]{8}$'";

#[tokio::test]
async fn they_are_made_around_now_and_once() {
    let database = TestDatabase::new().await.unwrap();
    let store = bugle_store::connect(database.url(), 1).unwrap();
    let mut connection = store.conn().await.unwrap();
    assert_eq!(partitions::ahead(&mut connection, noon().date_naive()).await.unwrap(), 0);
    let made = partitions::make(&mut connection, noon()).await.unwrap();
    assert_eq!(made, 3 * (8 + 1 + 7) + 7 + 1 + 7, "three classes, and the week without its eighth day back");
    assert_eq!(partitions::make(&mut connection, noon()).await.unwrap(), 0);
    assert_eq!(partitions::make(&mut connection, noon() + TimeDelta::days(1)).await.unwrap(), 4);
    assert_eq!(partitions::ahead(&mut connection, noon().date_naive()).await.unwrap(), 8);
    let raw = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
               WHERE c.relname ~ '^events_[0-9]+_[0-9]{8}$' AND a.attname = 'payload' AND a.attstorage <> 'e'";
    assert_eq!(database.number(raw).await.unwrap(), 0, "payloads are not compressed twice");
    let indexes = "SELECT DISTINCT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
               WHERE c.relname ~ '^events_[0-9]+_[0-9]{8}$' GROUP BY c.oid";
    assert_eq!(database.rows(indexes).await.unwrap(), ["3"], "by id, by issue, by trace");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_make_and_maintain_at_once() {
    let database = TestDatabase::new().await.unwrap();
    let store = bugle_store::connect(database.url(), 6).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..6 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut connection = store.conn().await.unwrap();
            if number % 2 == 0 {
                partitions::make(&mut connection, noon()).await.unwrap()
            } else {
                upkeep::maintain(&mut connection, noon()).await.unwrap().made
            }
        });
    }
    let made: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(made, 63);
    assert_eq!(database.number(LEAVES).await.unwrap(), 63);
}

#[tokio::test]
async fn retention_drops_what_is_past_it_and_keeps_the_rest_readable() {
    let mut world = World::new().await;
    let mut kept = Vec::new();
    // One event of each class on each of nine days, with the maintenance of each day.
    for _ in 0..9 {
        let batch: Vec<NewEvent> = RetentionClass::ALL
            .into_iter()
            .map(|retention| NewEvent { retention, ..world.event("KeyError") })
            .collect();
        world.record(&batch).await;
        kept.extend(batch);
        world.later(TimeDelta::days(1));
        upkeep::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    }
    // 2026-03-10 to 18 at first; now it is the 19th: a week ago was the 12th.
    let classes = world
        .rows("SELECT retention, count(*), min(received_at)::date FROM events GROUP BY 1 ORDER BY 1")
        .await;
    assert_eq!(classes, ["7|7|2026-03-12", "30|9|2026-03-10", "90|9|2026-03-10", "365|9|2026-03-10"]);
    for event in kept.iter().filter(|event| event.retention != RetentionClass::Days7) {
        world.stored(event.event_id).await;
    }
    world.later(TimeDelta::days(60));
    let done = upkeep::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    assert!(done.dropped > 0 && !done.skipped);
    let classes = world.rows("SELECT retention, count(*) FROM events GROUP BY 1 ORDER BY 1").await;
    assert_eq!(classes, ["90|9", "365|9"]);
    // Anchors go once nothing can refer to them: a month, the retention, and a few days.
    assert_eq!(world.rows("SELECT DISTINCT retention FROM anchors ORDER BY 1").await, ["90", "365"]);
    for event in kept.iter().filter(|event| event.retention.days() >= 90) {
        world.stored(event.event_id).await;
    }
    world.later(TimeDelta::days(400));
    upkeep::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM events").await, 0);
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 0);
    assert_eq!(world.number(LEAVES).await, 63);
    assert_eq!(world.number("SELECT count(*) FROM issue_minutes").await, 0);
}

#[test]
fn times_are_kept_inside_the_partitions() {
    let now = noon();
    let days = TimeDelta::days;
    assert_eq!(clamp(now - days(30), now), now - days(7));
    assert_eq!(clamp(now + days(30), now), now + days(1));
    assert_eq!(clamp(now - days(3), now), now - days(3));
}

#[tokio::test]
async fn a_maintenance_that_fails_lets_go_of_the_lead() {
    let world = World::new().await;
    let mut connection = world.store.conn().await.unwrap();
    world.execute("ALTER TABLE issue_minutes RENAME TO elsewhere").await;
    upkeep::maintain(&mut connection, world.now).await.unwrap_err();
    world.execute("ALTER TABLE elsewhere RENAME TO issue_minutes").await;
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(world.number(locks).await, 0);
    let mut other = world.store.conn().await.unwrap();
    assert!(!upkeep::maintain(&mut other, world.now).await.unwrap().skipped);
}

#[tokio::test]
async fn a_partition_in_use_is_left_for_the_next_run() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError")]).await;
    world.later(TimeDelta::days(100));
    let mut reader = world.database.client().await.unwrap();
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("SELECT count(*) FROM events_90_20260310").await.unwrap();
    let before = world.number(LEAVES).await;
    let mut connection = world.store.conn().await.unwrap();
    assert!(upkeep::maintain(&mut connection, world.now).await.unwrap().dropped > 0);
    let leaf = "SELECT count(*) FROM pg_class WHERE relname = 'events_90_20260310'";
    assert_eq!(world.number(leaf).await, 1);
    assert!(world.number(LEAVES).await < before + 63, "the others went");
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 1);
    reading.commit().await.unwrap();
    upkeep::maintain(&mut connection, world.now).await.unwrap();
    assert_eq!(world.number(leaf).await, 0);
    assert_eq!(world.number(LEAVES).await, 63 + 16, "a year's class keeps its first days");
}

#[tokio::test]
async fn a_part_that_fails_does_not_keep_the_others_from_being_done() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError")]).await;
    world.later(TimeDelta::days(100));
    world
        .execute(
            "INSERT INTO service_heartbeats (service, instance, started_at, seen_at, version)
             VALUES ('recorder', gen_random_uuid(), '2026-03-10', '2026-03-10', '1');
             ALTER TABLE issue_minutes RENAME TO elsewhere",
        )
        .await;
    upkeep::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap_err();
    for table in ["events", "service_heartbeats"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    world.execute("ALTER TABLE issue_hours RENAME TO nowhere").await;
    world.later(TimeDelta::days(400));
    upkeep::clean(&mut world.store.conn().await.unwrap(), world.now).await.unwrap_err();
    for table in ["project_hours", "outcomes"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn what_came_with_an_event_goes_with_it() {
    let mut world = World::new().await;
    for (item, days) in [(1, 7), (2, 30)] {
        for (table, columns, values) in [
            ("attachments", "sha256, size, filename", "decode(repeat('01', 32), 'hex'), 1, 'f'"),
            ("feedback", "message", "'it broke'"),
        ] {
            let project = world.project;
            world
                .execute(&format!(
                    "INSERT INTO {table} (item_id, project_id, event_id, received_at, expires_on, {columns})
                     VALUES ('00000000-0000-0000-0000-00000000000{item}', {project}, gen_random_uuid(), '2026-03-10',
                         '2026-03-10'::date + {days}, {values})",
                ))
                .await;
        }
    }
    let both = "SELECT (SELECT count(*) FROM attachments), (SELECT count(*) FROM feedback)";
    for (days, left) in [(7, "2|2"), (1, "1|1"), (22, "1|1"), (1, "0|0")] {
        world.later(TimeDelta::days(days));
        upkeep::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
        assert_eq!(world.rows(both).await, [left], "{}", world.now);
    }
}

#[tokio::test]
async fn history_goes_after_400_days() {
    let mut world = World::new().await;
    let discarded = OutcomeCount {
        project: Some(world.project),
        key: None,
        outcome: Outcome::Filtered,
        reason: "release".to_owned(),
        category: "error".to_owned(),
        quantity: 1,
    };
    let outcomes = vec![Ended { message: Uuid::now_v7(), count: discarded }];
    let batch = Batch { events: vec![world.event("KeyError")], outcomes, ..Batch::default() };
    record(&world.store, &mut world.cache, &batch, world.now).await.unwrap();
    world
        .execute(&format!(
            "INSERT INTO destinations (project_id, channel, target, min_priority, created_at) VALUES ({0}, 4, 'x', 1, '2026-03-10');
             INSERT INTO notifications (message_id, project_id, issue_id, destination_id, kind, priority, received_at, created_at,
                 state, finished_at, next_at)
             SELECT gen_random_uuid(), {0}, i.id, d.id, k, 1, '2026-03-10', '2026-03-10', s, f, n
             FROM issues i, destinations d, (VALUES (1, 2, '2026-03-10'::timestamptz, NULL), (2, 0, NULL, '2026-03-10'::timestamptz))
                 AS v (k, s, f, n);
             INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result)
             SELECT id, 1, '2026-03-10', 1, 'delivered' FROM notifications",
            world.project
        ))
        .await;
    let left = "SELECT (SELECT count(*) FROM issue_hours), (SELECT count(*) FROM project_hours), (SELECT count(*) FROM outcomes),
        (SELECT count(*) FROM notifications), (SELECT count(*) FROM notification_attempts), (SELECT count(*) FROM consumed_messages)";
    for (days, expected) in [(7, "1|1|2|2|2|1"), (2, "1|1|2|2|2|0"), (390, "1|1|2|2|2|0"), (3, "0|0|0|1|1|0")]
    {
        world.later(TimeDelta::days(days));
        assert!(upkeep::clean(&mut world.store.conn().await.unwrap(), world.now).await.unwrap());
        assert_eq!(world.rows(left).await, [expected], "{}", world.now);
    }
    assert_eq!(world.number("SELECT count(*) FROM issues").await, 1);
}

#[tokio::test]
async fn a_project_takes_its_counts_along() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError"), world.event("ValueError")]).await;
    world.execute("INSERT INTO issue_moves (from_issue, to_issue, created_at) SELECT 4711, min(id), '2026-03-10' FROM issues").await;
    assert!(projects::delete(&mut world.store.conn().await.unwrap(), world.project).await.unwrap());
    for table in ["issues", "issue_minutes", "issue_hours", "project_hours"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(world.rows("SELECT to_issue IS NULL FROM issue_moves").await, ["t"]);
}

#[tokio::test]
async fn values_that_no_issue_has_any_more_make_room() {
    let mut world = World::new().await;
    let tagged = |world: &World, group: &str, tags: &[(&str, &str)]| {
        let mut event = world.event(group);
        event.tags.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        event
    };
    world.record(&[tagged(&world, "a", &[("page", "/"), ("user", "ann")])]).await;
    world.record(&[tagged(&world, "b", &[("page", "/"), ("user", "bob")])]).await;
    world.execute("DELETE FROM issues WHERE title LIKE 'a:%'").await;
    upkeep::clean(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    assert_eq!(world.rows("SELECT key, value FROM project_tags ORDER BY 1").await, ["page|/", "user|bob"]);
}
