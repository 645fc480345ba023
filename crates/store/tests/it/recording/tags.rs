//! Tags by which issues are found: 200 keys an issue and 200 values a key, 1,000 keys a project.

use super::support::World;
use bugle_store::record::NewEvent;

const VALUES: &str = "SELECT count(*) FROM issue_tags WHERE key = 'page'";

impl World {
    fn with_tags(&self, group: &str, tags: impl IntoIterator<Item = (String, String)>) -> NewEvent {
        NewEvent { tags: tags.into_iter().collect(), ..self.event(group) }
    }

    fn of_pages(&self, pages: std::ops::Range<i32>) -> Vec<NewEvent> {
        pages.map(|page| self.with_tags("KeyError", [("page".to_owned(), format!("/{page:03}"))])).collect()
    }
}

#[tokio::test]
async fn a_key_is_filled_to_its_last_place() {
    let mut world = World::new().await;
    world.record(&world.of_pages(0..195)).await;
    // Known ones take no place, also for a recorder that has forgotten them.
    world.cache = bugle_store::record::Cache::default();
    world.record(&world.of_pages(190..198)).await;
    assert_eq!(world.number(VALUES).await, 198);
    world.record(&world.of_pages(198..205)).await;
    assert_eq!(world.number(VALUES).await, 200);
    world.record(&world.of_pages(300..310)).await;
    assert_eq!(world.number(VALUES).await, 200);
}

#[tokio::test]
async fn an_issue_has_200_keys_and_goes_on_with_them() {
    let mut world = World::new().await;
    let keys = |range: std::ops::Range<i32>, value: &str| {
        range.map(|key| (format!("key-{key:04}"), value.to_owned())).collect::<Vec<_>>()
    };
    world.record(&[world.with_tags("KeyError", keys(0..150, "a"))]).await;
    world.record(&[world.with_tags("KeyError", keys(140..260, "b"))]).await;
    assert_eq!(world.rows("SELECT count(DISTINCT key), max(key) FROM issue_tags").await, ["200|key-0199"]);
    world.record(&[world.with_tags("KeyError", keys(190..270, "c"))]).await;
    assert_eq!(
        world.rows("SELECT count(*), max(key) FROM issue_tags WHERE value = 'c'").await,
        ["10|key-0199"]
    );
}

#[tokio::test]
async fn a_project_has_1000_keys() {
    let mut world = World::new().await;
    for issue in 0..6_i32 {
        let keys = (issue * 190..(issue + 1) * 190).map(|key| (format!("key-{key:04}"), "a".to_owned()));
        let event = world.with_tags(&format!("group {issue}"), keys);
        world.record(&[event]).await;
    }
    assert_eq!(world.rows("SELECT count(DISTINCT key), max(key) FROM project_tags").await, ["1000|key-0999"]);
    let event = world
        .with_tags("more", [("key-0001".to_owned(), "b".to_owned()), ("other".to_owned(), "b".to_owned())]);
    world.record(&[event]).await;
    assert_eq!(world.rows("SELECT key FROM project_tags WHERE value = 'b'").await, ["key-0001"]);
}
