//! Tables that grow fast are analysed before PostgreSQL's daemon comes.

use bugle_store::statistics;
use bugle_testkit::TestDatabase;

#[tokio::test]
async fn a_table_that_has_grown_is_analysed_and_no_other() {
    let database = TestDatabase::new().await.unwrap();
    let store = bugle_store::connect(database.url(), 1).unwrap();
    let mut connection = store.conn().await.unwrap();
    database
        .execute(
            "ALTER TABLE teams SET (autovacuum_enabled = off); ALTER TABLE users SET (autovacuum_enabled = off); ANALYZE teams, users;
             INSERT INTO teams (name, created_at) SELECT 'team ' || n, now() FROM generate_series(1, 5000) n;
             INSERT INTO users (email, name, role, created_at) VALUES ('ann@example.com', 'ann', 'member', now())",
        )
        .await
        .unwrap();
    statistics::refresh(&mut connection).await.unwrap();
    let analysed = "SELECT reltuples::bigint FROM pg_class WHERE relname = ";
    let known = async |table| database.number(&format!("{analysed} '{table}'")).await.unwrap();
    assert!(known("teams").await >= 5000);
    assert!(known("users").await <= 0, "one row is no reason");
    database.execute("INSERT INTO teams (name, created_at) VALUES ('one more', now())").await.unwrap();
    let before = known("teams").await;
    statistics::refresh(&mut connection).await.unwrap();
    assert_eq!(known("teams").await, before, "one more is none either");
}
