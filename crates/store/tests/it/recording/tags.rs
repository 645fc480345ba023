//! Tags by which issues are found: 200 keys an issue and 200 values a key, 1,000 keys a project. And the tags of events, read by themselves.

use super::support::{World, from_model};
use bugle_model::{Event, ProjectId};
use bugle_store::events::tags_by_event;
use bugle_store::issues::Range;
use bugle_store::record::NewEvent;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

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
async fn of_an_issues_releases_the_newest_1000_are_kept() {
    let mut world = World::new().await;
    let of = |world: &World, releases: std::ops::Range<i32>| -> Vec<NewEvent> {
        releases
            .map(|number| {
                let version = format!("shop@1.{number}");
                let mut event = world.with_tags("KeyError", [("release".to_owned(), version.clone())]);
                event.release = Some(version);
                event
            })
            .collect()
    };
    let kept = "SELECT count(*), count(*) FILTER (WHERE number < 100), max(number)
        FROM (SELECT split_part(value, '.', 2)::int AS number FROM issue_tags WHERE key = 'release') r";
    for first in (0..1_000).step_by(100) {
        let events = of(&world, first..first + 100);
        world.record(&events).await;
    }
    assert_eq!(world.rows(kept).await, ["1000|100|999"]);
    let events = of(&world, 998..1_003);
    world.record(&events).await;
    let events = of(&world, 1_003..1_005);
    world.record(&events).await;
    assert_eq!(world.rows(kept).await, ["1000|95|1004"]);
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

impl World {
    /// An event of a group of its own, in production, of a page.
    fn of_page(&self, page: usize) -> NewEvent {
        let mut model = Event::new(Uuid::new_v4(), self.now);
        model.environment = Some("production".to_owned());
        model.tags = BTreeMap::from([("page".to_owned(), format!("/{page}"))]);
        from_model(self.project, &model, &format!("page {page}"), self.now)
    }

    async fn tags_of(
        &self,
        wanted: &[(ProjectId, Uuid)],
        received: Range<DateTime<Utc>>,
    ) -> HashMap<(ProjectId, Uuid), BTreeMap<String, String>> {
        tags_by_event(&mut self.store.conn().await.unwrap(), wanted, received).await.unwrap()
    }
}

fn key(event: &NewEvent) -> (ProjectId, Uuid) {
    (event.project, event.event_id)
}

#[tokio::test]
async fn the_tags_of_events_of_many_issues_are_read_at_once() {
    let mut world = World::new().await;
    let new: Vec<NewEvent> = (0..70).map(|page| world.of_page(page)).collect();
    world.record(&new).await;
    let wanted: Vec<_> = new.iter().map(key).collect();
    let at = Range { from: Some(world.now), to: Some(world.now) };
    let found = world.tags_of(&wanted, at).await;
    assert_eq!(found.len(), 70);
    for (page, key) in wanted.iter().enumerate() {
        let page = format!("/{page}");
        let expected = [("environment", "production"), ("page", page.as_str())];
        assert!(found[key].iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected));
    }
    assert_eq!(world.tags_of(&wanted, Range::default()).await, found, "without knowing when they came");
    let before = Range { from: None, to: Some(world.now - TimeDelta::seconds(1)) };
    assert!(world.tags_of(&wanted, before).await.is_empty());
    let elsewhere = (ProjectId(world.project.0 + 1), new[0].event_id);
    assert!(world.tags_of(&[elsewhere, (world.project, Uuid::new_v4())], at).await.is_empty());
}

#[tokio::test]
async fn an_event_that_cannot_be_read_leaves_the_others_their_tags() {
    let mut world = World::new().await;
    let new: Vec<NewEvent> = (0..3).map(|page| world.of_page(page)).collect();
    world.record(&new).await;
    let damaged = new[1].event_id;
    let issue = world.number(&format!("SELECT issue_id FROM events WHERE event_id = '{damaged}'")).await;
    // Whichever of both it is kept in.
    world.execute(&format!("UPDATE anchors SET payload = '\\x01ff' WHERE issue_id = {issue}")).await;
    let alone =
        format!("UPDATE events SET payload = '\\x01ff' WHERE issue_id = {issue} AND anchor_id IS NULL");
    world.execute(&alone).await;
    let wanted: Vec<_> = new.iter().map(key).collect();
    let found = world.tags_of(&wanted, Range::default()).await;
    assert_eq!(found.len(), 2);
    assert!(!found.contains_key(&wanted[1]));
}
