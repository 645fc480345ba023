use crate::fake_bus::Mood;
use crate::harness::{Harness, KEY, Setup, eventually};
use bugle_model::{Clock, ManualClock, Outcome, ProjectId};
use bugle_runtime::SystemClock;
use bugle_store::outcomes;
use bugle_testkit::TestDatabase;
use chrono::{DateTime, TimeDelta};
use std::sync::Arc;
use std::time::{Duration, Instant};

const EVENT: &str = "{}\n{\"type\":\"event\"}\n{}";
const AT: &str = "'2026-11-20T12:00:00Z'";

async fn database() -> TestDatabase {
    let database = TestDatabase::new().await.unwrap();
    let project =
        format!("INSERT INTO projects (id, name, prefix, created_at) VALUES (1, 'shop', 'SHOP', {AT})");
    database.execute(&project).await.unwrap();
    add_key(&database, KEY).await;
    database
}

async fn add_key(database: &TestDatabase, key: &str) {
    let sql =
        format!("INSERT INTO project_keys (project_id, public_key, created_at) VALUES (1, '{key}', {AT})");
    database.execute(&sql).await.unwrap();
}

async fn start(url: &str) -> Harness {
    let mut setup = Setup::new();
    setup.snapshot = None;
    setup.store = Some(bugle_store::connect(url, 4).unwrap());
    setup.start().await
}

/// Sends until the answer is this.
async fn until(door: &Harness, path: &str, status: u16, limit: Duration) {
    let deadline = Instant::now() + limit;
    loop {
        let answer = door.post(path, &[], EVENT).await;
        if answer.status == status {
            return;
        }
        assert!(Instant::now() < deadline, "{path}: {answer:?} instead of {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_and_go_within_seconds() {
    let database = database().await;
    let door = start(database.url()).await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    until(&door, &path, 200, Duration::from_secs(10)).await;
    let new = "abababababababababababababababab";
    let new_path = format!("/api/1/envelope/?sentry_key={new}");
    assert_eq!(door.post(&new_path, &[], EVENT).await.status, 403);
    add_key(&database, new).await;
    until(&door, &new_path, 200, Duration::from_secs(5)).await;
    database
        .execute(&format!("UPDATE project_keys SET enabled = false WHERE public_key = '{KEY}'"))
        .await
        .unwrap();
    until(&door, &path, 403, Duration::from_secs(5)).await;
    assert!(door.items().iter().all(|item| item.unverified_key.is_none()));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_just_made_is_asked_for() {
    let database = database().await;
    let door = start(database.url()).await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    until(&door, &path, 200, Duration::from_secs(10)).await;
    for n in 0..5 {
        let key = format!("{n}").repeat(32);
        add_key(&database, &key).await;
        let answer = door.post(&format!("/api/1/envelope/?sentry_key={key}"), &[], EVENT).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_outlives_the_database_and_the_process() {
    let database = database().await;
    let door = start(database.url()).await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    until(&door, &path, 200, Duration::from_secs(10)).await;
    let mut setup = Setup::in_dir(door.stop().await);
    setup.snapshot = None;
    // Nobody listens there.
    setup.store = Some(bugle_store::connect("postgres://nobody@127.0.0.1:1/nothing", 2).unwrap());
    let door = setup.start().await;
    let started = Instant::now();
    assert_eq!(door.post(&path, &[], EVENT).await.status, 200);
    assert!(started.elapsed() < Duration::from_secs(1));
    let item = door.items().pop().unwrap();
    assert!(item.key.is_some() && item.unverified_key.is_none());
    // An unknown one is for the recorder to decide.
    let unknown = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
    assert_eq!(door.post(&format!("/api/1/envelope/?sentry_key={unknown}"), &[], EVENT).await.status, 200);
    assert_eq!(door.items().pop().unwrap().unverified_key.as_deref(), Some(unknown));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_and_heartbeats_reach_the_database() {
    let database = database().await;
    let door = start(database.url()).await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    until(&door, &path, 200, Duration::from_secs(10)).await;
    for _ in 0..3 {
        assert_eq!(door.post(&path, &[], "{}\n{\"type\":\"session\"}\n{}").await.status, 200);
    }
    assert_eq!(door.post(&path, &[], "nonsense").await.status, 400);
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.number("SELECT count(*) FROM service_heartbeats WHERE service = 'ingest'").await.unwrap()
        == 0
    {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The stop flushes, and takes the heartbeat back.
    door.bus.set(Mood::Away);
    door.stop().await;
    let rows = database
        .rows("SELECT outcome || ' ' || reason || ' ' || category || ' ' || quantity FROM outcomes WHERE project_id = 1 ORDER BY 1")
        .await
        .unwrap();
    assert_eq!(rows, ["3 malformed default 1", "7 session session 3"]);
    assert_eq!(database.number("SELECT count(*) FROM service_heartbeats").await.unwrap(), 0);
    let store = bugle_store::connect(database.url(), 1).unwrap();
    let from = DateTime::parse_from_rfc3339("2026-11-20T12:30:00Z").unwrap().to_utc();
    let until = from + TimeDelta::hours(1);
    let mut connection = store.conn().await.unwrap();
    let listed = outcomes::list(&mut connection, Some(ProjectId(1)), from, until, None, 10).await.unwrap();
    let listed: Vec<_> =
        listed.iter().map(|row| (row.count.outcome, row.count.quantity, row.hour < from)).collect();
    assert_eq!(listed, [(Outcome::Invalid, 1, true), (Outcome::Unsupported, 3, true)]);
    assert_eq!(outcomes::list(&mut connection, None, from, until, None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_of_attachments_go_when_nothing_refers_to_them() {
    let database = database().await;
    let mut setup = Setup::new();
    setup.store = Some(bugle_store::connect(database.url(), 4).unwrap());
    // Long after the files below are written, by the clock of the file system.
    setup.clock = Arc::new(ManualClock::new(SystemClock.now() + TimeDelta::days(17)));
    let folder = setup.dir.path().join("attachments/ab");
    std::fs::create_dir_all(&folder).unwrap();
    let (kept, gone) = (format!("ab{}", "0".repeat(62)), format!("ab{}", "1".repeat(62)));
    for sha256 in [&kept, &gone] {
        std::fs::write(folder.join(sha256), "x").unwrap();
    }
    let row = format!(
        "INSERT INTO attachments (item_id, project_id, event_id, sha256, size, filename, received_at, expires_on)
         VALUES (gen_random_uuid(), 1, gen_random_uuid(), decode('{kept}', 'hex'), 1, 'a', {AT}, '2026-12-20')"
    );
    database.execute(&row).await.unwrap();
    let door = setup.start().await;
    eventually("what nothing refers to is gone", Duration::from_secs(10), || !folder.join(&gone).exists())
        .await;
    assert!(folder.join(&kept).exists());
    door.stop().await;
}
