//! Users and tags.

use super::support::World;
use bugle_store::record::{Cache, NewEvent};

/// Bits of a number, evenly distributed.
fn spread(n: u64) -> i64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)).cast_signed()
}

fn of_users(world: &World, users: std::ops::Range<u64>) -> Vec<NewEvent> {
    users.map(|user| NewEvent { user: Some(spread(user)), ..world.event("KeyError") }).collect()
}

#[tokio::test]
async fn users_are_exact_to_a_thousand_and_near_above() {
    let mut world = World::new().await;
    for start in [0, 400, 800] {
        world.record(&of_users(&world, start..start + 500)).await;
        world.cache = Cache::default();
        let exact = i64::try_from((start + 500).min(1_000)).unwrap();
        if start < 800 {
            assert_eq!(world.number("SELECT users::bigint FROM issue_counts").await, exact);
        }
    }
    let above = world.number("SELECT users::bigint FROM issue_counts").await;
    assert!((1_235..=1_365).contains(&above), "{above} of 1,300");
    assert_eq!(world.number("SELECT count(*) FROM issue_users").await, 0, "the sketch has them all");

    // The same people again change nothing, whoever records them.
    for _ in 0..2 {
        world.record(&of_users(&world, 0..1_300)).await;
        assert_eq!(world.number("SELECT users::bigint FROM issue_counts").await, above);
        world.cache = Cache::default();
    }
    world.record(&of_users(&world, 1_300..6_000)).await;
    let many = world.number("SELECT users::bigint FROM issue_counts").await;
    assert!((5_700..=6_300).contains(&many), "{many} of 6,000");
    assert_eq!(world.number("SELECT count(*) FROM issue_users").await, 0);
}

#[tokio::test]
async fn exactly_a_thousand_users_stay_exact() {
    let mut world = World::new().await;
    world.record(&of_users(&world, 0..1_000)).await;
    let state =
        "SELECT c.users, users_sketch IS NULL, (SELECT count(*) FROM issue_users) FROM issue_counts c";
    assert_eq!(world.rows(state).await, ["1000|t|1000"]);
    world.record(&of_users(&world, 1_000..1_001)).await;
    assert!(world.number("SELECT users::bigint FROM issue_counts").await > 1_000);
    assert_eq!(world.number("SELECT length(users_sketch)::bigint FROM issue_counts").await, 4_096);
}

#[tokio::test]
async fn a_tag_has_at_most_two_hundred_values() {
    let mut world = World::new().await;
    let tagged = |world: &World, values: std::ops::Range<usize>| -> Vec<NewEvent> {
        let tag = |value: usize| {
            let mut event = world.event("KeyError");
            event.tags.insert("request".to_owned(), format!("r-{value}"));
            event.tags.insert("browser".to_owned(), "Firefox".to_owned());
            event
        };
        values.map(tag).collect()
    };
    world.record(&tagged(&world, 0..150)).await;
    assert_eq!(world.number("SELECT count(*) FROM issue_tags WHERE key = 'request'").await, 150);
    world.record(&tagged(&world, 100..400)).await;
    assert_eq!(world.number("SELECT count(*) FROM issue_tags WHERE key = 'request'").await, 200);
    world.cache = Cache::default();
    world.record(&tagged(&world, 0..400)).await;
    assert_eq!(
        world.rows("SELECT key, count(*) FROM issue_tags GROUP BY key ORDER BY key").await,
        ["browser|1", "request|200"]
    );
}
