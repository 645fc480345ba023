use bugle_testkit::TestDatabase;
use std::process::Command;

/// The schema as `pg_dump` tells it, without what differs from run to run.
fn dump(database: &TestDatabase) -> String {
    let output = Command::new(pg_dump())
        .args([
            "--schema-only",
            "--no-owner",
            "--exclude-table=__diesel_schema_migrations",
            "-d",
            database.url(),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("\\") && !line.starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The newest pg_dump of this machine: it reads servers of its own and of older versions.
fn pg_dump() -> std::path::PathBuf {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let major: u32 = path.file_name()?.to_str()?.parse().ok()?;
            Some((major, path.join("bin/pg_dump")))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    found.pop().map_or_else(|| "pg_dump".into(), |(_, path)| path)
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_down_and_up_again_without_a_difference() {
    let database = TestDatabase::empty().await.unwrap();
    let store = bugle_store::connect(database.url(), 2).unwrap();
    let empty = dump(&database);

    let pending = bugle_store::migrate::pending(&store).await.unwrap();
    assert!(!pending.is_empty());
    let applied = bugle_store::migrate::run(&store).await.unwrap();
    assert_eq!(applied.len(), pending.len());
    assert!(bugle_store::migrate::pending(&store).await.unwrap().is_empty());
    let first = dump(&database);
    assert!(first.contains("CREATE TABLE public.events"));

    bugle_store::migrate::revert_all(&store).await.unwrap();
    assert_eq!(dump(&database), empty);
    bugle_store::migrate::run(&store).await.unwrap();
    assert_eq!(dump(&database), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_template_is_what_the_migrations_make() {
    let cloned = TestDatabase::new().await.unwrap();
    let migrated = TestDatabase::empty().await.unwrap();
    let store = bugle_store::connect(migrated.url(), 1).unwrap();
    bugle_store::migrate::run(&store).await.unwrap();
    assert_eq!(dump(&cloned), dump(&migrated));
    let of_clone = bugle_store::connect(cloned.url(), 1).unwrap();
    assert!(bugle_store::migrate::pending(&of_clone).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_migrate_at_once() {
    let database = TestDatabase::empty().await.unwrap();
    let stores: Vec<_> = (0..3).map(|_| bugle_store::connect(database.url(), 1).unwrap()).collect();
    let (a, b, c) = tokio::join!(
        tokio::spawn({
            let s = stores[0].clone();
            async move { bugle_store::migrate::run(&s).await.unwrap().len() }
        }),
        tokio::spawn({
            let s = stores[1].clone();
            async move { bugle_store::migrate::run(&s).await.unwrap().len() }
        }),
        tokio::spawn({
            let s = stores[2].clone();
            async move { bugle_store::migrate::run(&s).await.unwrap().len() }
        }),
    );
    let mut applied = [a.unwrap(), b.unwrap(), c.unwrap()];
    applied.sort_unstable();
    assert_eq!(applied[..2], [0, 0]);
    assert!(applied[2] > 0);
}
