//! Partitions come in time and go in time.

use super::support::{World, noon};
use bugle_model::RetentionClass;
use bugle_store::partitions::{self, clamp};
use bugle_store::record::NewEvent;
use bugle_testkit::TestDatabase;
use chrono::TimeDelta;

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
                partitions::maintain(&mut connection, noon()).await.unwrap().made
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
        partitions::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
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
    let done = partitions::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    assert!(done.dropped > 0 && !done.skipped);
    let classes = world.rows("SELECT retention, count(*) FROM events GROUP BY 1 ORDER BY 1").await;
    assert_eq!(classes, ["90|9", "365|9"]);
    // Anchors go once nothing can refer to them: a month, the retention, and a few days.
    assert_eq!(world.rows("SELECT DISTINCT retention FROM anchors ORDER BY 1").await, ["90", "365"]);
    for event in kept.iter().filter(|event| event.retention.days() >= 90) {
        world.stored(event.event_id).await;
    }
    world.later(TimeDelta::days(400));
    partitions::maintain(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
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
    partitions::maintain(&mut connection, world.now).await.unwrap_err();
    world.execute("ALTER TABLE elsewhere RENAME TO issue_minutes").await;
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(world.number(locks).await, 0);
    let mut other = world.store.conn().await.unwrap();
    assert!(!partitions::maintain(&mut other, world.now).await.unwrap().skipped);
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
    assert!(partitions::maintain(&mut connection, world.now).await.unwrap().dropped > 0);
    let leaf = "SELECT count(*) FROM pg_class WHERE relname = 'events_90_20260310'";
    assert_eq!(world.number(leaf).await, 1);
    assert!(world.number(LEAVES).await < before + 63, "the others went");
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 1);
    reading.commit().await.unwrap();
    partitions::maintain(&mut connection, world.now).await.unwrap();
    assert_eq!(world.number(leaf).await, 0);
    assert_eq!(world.number(LEAVES).await, 63 + 16, "a year's class keeps its first days");
}

#[tokio::test]
async fn contents_of_attachments_are_given_up_with_the_last_one() {
    let world = World::new().await;
    for (item, content, days) in [(1, 1, 7), (2, 1, 30), (3, 2, 7)] {
        world
            .execute(&format!(
                "INSERT INTO attachments (item_id, project_id, event_id, sha256, size, filename, received_at, expires_on)
                 VALUES ('00000000-0000-0000-0000-00000000000{item}', {}, gen_random_uuid(), decode(repeat('0{content}', 32), 'hex'), 1, 'f',
                         '2026-03-10', '2026-03-10'::date + {days})",
                world.project
            ))
            .await;
    }
    let mut connection = world.store.conn().await.unwrap();
    let mut orphans = async |days| {
        partitions::maintain(&mut connection, noon() + TimeDelta::days(days)).await.unwrap().orphans
    };
    assert!(orphans(7).await.is_empty());
    assert_eq!(orphans(8).await, [vec![2; 32]]);
    assert_eq!(orphans(31).await, [vec![1; 32]]);
}
