//! The order of releases, as the database has it.

use bugle_store::releases::{is_older, sort_key};
use bugle_testkit::TestDatabase;

/// In the order of semantic versions, and then what is none.
const VERSIONS: [&str; 28] = [
    "0.0.1",
    "1.0.0-0",
    "1.0.0-2",
    "1.0.0-11",
    "1.0.0-11.0",
    "1.0.0-11.a",
    "1.0.0-1234567890123456789",
    "1.0.0-A",
    "shop@1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha..",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-x",
    "1.0.0-é",
    "1.0.0",
    "a@b@1.0.1+x-y.7",
    "v1.2",
    "1.10.0",
    "1.999999999999999999.0",
    "",
    "1",
    "1.2.3.4",
    "1.2.x",
    "1.2.3-",
    "1.-2",
    "1.1234567890123456789",
    "1.2.3+a@b",
    "f00dfeed",
];

#[tokio::test]
async fn the_database_and_the_code_agree_on_the_order_of_versions() {
    let database = TestDatabase::new().await.unwrap();
    let client = database.client().await.unwrap();
    let mut keys = Vec::new();
    for version in VERSIONS {
        let row = client.query_one("SELECT bugle_version_key($1)", &[&version]).await.unwrap();
        let key: Vec<u8> = row.get(0);
        assert_eq!(key, sort_key(version).unwrap_or_default(), "{version}");
        keys.push(key);
    }
    let semantic = keys.iter().take_while(|key| !key.is_empty()).count();
    assert_eq!(semantic, 19);
    assert!(keys[..semantic].is_sorted() && keys[semantic..].iter().all(Vec::is_empty));
    for (i, one) in VERSIONS[..semantic].iter().enumerate() {
        for (j, other) in VERSIONS[..semantic].iter().enumerate() {
            assert_eq!(is_older((one, 1), (other, 1)), i < j, "{one} {other}");
        }
    }
}

#[tokio::test]
async fn the_newest_release_is_the_highest_version_or_else_the_last_known() {
    let database = TestDatabase::new().await.unwrap();
    database
        .execute(
            "INSERT INTO projects (id, name, prefix, created_at) VALUES (7, 'shop', 'SHOP', '2026-01-01Z')",
        )
        .await
        .unwrap();
    let newest = "SELECT r.version FROM releases r WHERE r.id = bugle_newest_release(7)";
    assert!(database.rows(newest).await.unwrap().is_empty());
    for (hour, version, expected) in [
        (1, "f00dfeed", "f00dfeed"),
        (2, "shop@1.10.0", "shop@1.10.0"),
        (3, "shop@1.9.9", "shop@1.10.0"),
        (4, "0badcafe", "0badcafe"),
        (5, "shop@1.11.0-rc.1", "shop@1.11.0-rc.1"),
    ] {
        database
            .execute(&format!(
                "INSERT INTO releases (project_id, version, created_at) VALUES (7, '{version}', '2026-01-01 0{hour}:00Z')"
            ))
            .await
            .unwrap();
        assert_eq!(database.rows(newest).await.unwrap(), [expected]);
    }
    let before = database
        .rows(
            "SELECT r.version || ' < ' || o.version FROM releases o
             JOIN releases r ON r.id = bugle_previous_release(7, o.id, o.created_at, o.sort_key) ORDER BY o.id",
        )
        .await
        .unwrap();
    assert_eq!(
        before,
        ["shop@1.9.9 < shop@1.10.0", "shop@1.9.9 < 0badcafe", "shop@1.10.0 < shop@1.11.0-rc.1"],
        "of versions the next lower one, of others the one known before"
    );
}
