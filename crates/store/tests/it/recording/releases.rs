//! Releases that events bring, and issues that are resolved by them.

use super::support::{World, told};
use bugle_store::issues::{self, Issue, IssueChange, Resolution};
use bugle_store::record::{Batch, NewEvent, Recorded, record};
use bugle_store::releases::{self, NewCommit, Removed};
use bugle_store::{Scope, StoreError, Transactions};
use chrono::TimeDelta;

impl World {
    async fn of(&mut self, release: &str) -> Recorded {
        self.later(TimeDelta::minutes(1));
        let event = NewEvent { release: Some(release.to_owned()), ..self.event("KeyError") };
        self.record(&[event]).await
    }

    async fn resolve(&self, resolution: Resolution) -> Issue {
        let change = IssueChange { resolution: Some(resolution), ..IssueChange::default() };
        let mut connection = self.store.conn().await.unwrap();
        let issue = self.issue().await;
        issues::change(&mut connection, &Scope::All, issue, &change, "ann", self.now).await.unwrap().unwrap()
    }

    async fn declare(&self, version: &str) -> releases::Release {
        let mut connection = self.store.conn().await.unwrap();
        releases::declare(&mut connection, self.project, version, self.now).await.unwrap();
        releases::get(&mut connection, self.project, version).await.unwrap().unwrap()
    }

    async fn commit(&self, version: &str, id: &str) {
        let release = self.declare(version).await;
        let commits = [NewCommit { id: id.to_owned(), ..NewCommit::default() }];
        let mut connection = self.store.conn().await.unwrap();
        releases::set_commits(&mut connection, &release, &commits, "ci", self.now).await.unwrap();
    }

    async fn status(&self) -> String {
        self.rows("SELECT status, resolution, resolved_commit FROM issues").await.remove(0)
    }
}

const REGRESSED: [&str; 1] = ["issue.regressed 1 medium"];

#[tokio::test]
async fn events_of_a_release_are_counted_with_the_first_and_the_last() {
    let mut world = World::new().await;
    world.of("shop@1.0.0").await;
    let first = world.now;
    world.later(TimeDelta::minutes(5));
    let of = |world: &World, release: &str| NewEvent {
        release: Some(release.to_owned()),
        ..world.event("KeyError")
    };
    let batch = [
        of(&world, "shop@1.0.0"),
        of(&world, "shop@1.1.0"),
        world.event("KeyError"),
        of(&world, "shop@1.0.0"),
    ];
    world.record(&batch).await;
    // Once more: they are there.
    world.record(&batch).await;
    let counts = world
        .rows(
            "SELECT r.version, c.events, extract(epoch FROM c.first_event)::bigint, extract(epoch FROM c.last_event)::bigint
             FROM release_counts c JOIN releases r ON r.id = c.release_id ORDER BY 1",
        )
        .await;
    let (first, last) = (first.timestamp(), world.now.timestamp());
    assert_eq!(counts, [format!("shop@1.0.0|3|{first}|{last}"), format!("shop@1.1.0|1|{last}|{last}")]);
}

#[tokio::test]
async fn a_release_that_is_deleted_under_the_recorder_comes_back_with_its_next_event() {
    let mut world = World::new().await;
    world.of("shop@1.0.0").await;
    world.execute("UPDATE issues SET first_release_id = NULL; DELETE FROM releases").await;
    assert_eq!(world.of("shop@1.0.0").await.events, 1);
    let counts = "SELECT r.version, c.events FROM release_counts c JOIN releases r ON r.id = c.release_id";
    assert_eq!(world.rows(counts).await, ["shop@1.0.0|1"]);

    world.execute("UPDATE issues SET first_release_id = NULL; DELETE FROM releases").await;
    let other = NewEvent { release: Some("shop@1.0.0".to_owned()), ..world.event("another issue") };
    assert_eq!(world.record(&[other]).await.events, 1);
    assert_eq!(world.rows(counts).await, ["shop@1.0.0|1"]);
}

#[tokio::test]
async fn only_a_release_without_events_can_be_removed() {
    let mut world = World::new().await;
    world.of("shop@1.0.0").await;
    let mut connection = world.store.conn().await.unwrap();
    let used = releases::get(&mut connection, world.project, "shop@1.0.0").await.unwrap().unwrap();
    let unused = world.declare("shop@1.1.0").await;
    assert_eq!(releases::remove(&mut connection, used.number).await.unwrap(), Removed::HasEvents);
    assert_eq!(releases::remove(&mut connection, unused.number).await.unwrap(), Removed::Gone);
    assert_eq!(world.rows("SELECT version FROM releases").await, ["shop@1.0.0"]);
}

#[tokio::test]
async fn resolved_in_the_next_release_it_comes_back_with_a_newer_one_only() {
    let mut world = World::new().await;
    world.of("shop@1.9.0").await;
    world.of("shop@1.10.0").await;
    let issue = world.resolve(Resolution::Next).await;
    assert_eq!(issue.resolved_in, Some(Resolution::Next));
    for same_or_older in ["shop@1.10.0", "shop@1.9.0", "shop@1.9.5"] {
        assert!(told(&world.of(same_or_older).await).is_empty(), "{same_or_older}");
    }
    world.later(TimeDelta::minutes(1));
    assert!(told(&world.record(&[world.event("KeyError")]).await).is_empty(), "an event without a release");
    assert_eq!(told(&world.of("shop@1.10.1").await), REGRESSED);
    assert_eq!(world.status().await, "0|0|");
}

/// A batch has looked for its issue's lock while somebody resolves the issue, and gets it afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resolved_while_a_batch_waits_for_it_it_stays_resolved() -> Result<(), StoreError> {
    for resolution in [Resolution::Next, Resolution::Release("shop@2.0.0".to_owned())] {
        let mut world = World::new().await;
        world.of("shop@1.0.0").await;
        world.declare("shop@2.0.0").await;
        let (issue, resolved_at) = (world.issue().await, world.now);
        world.later(TimeDelta::minutes(1));
        let event = NewEvent { release: Some("shop@1.0.0".to_owned()), ..world.event("KeyError") };
        let batch = Batch { events: vec![event], ..Batch::default() };
        let (store, now) = (bugle_store::connect(world.database.url(), 1)?, world.now);
        let mut cache = std::mem::take(&mut world.cache);
        let (mut connection, waiter) = (world.store.conn().await?, &world);
        let change = IssueChange { resolution: Some(resolution), ..IssueChange::default() };
        let recorder = connection
            .transaction(async |connection| {
                issues::change(connection, &Scope::All, issue, &change, "ann", resolved_at).await?;
                let recorder = tokio::spawn(async move { record(&store, &mut cache, &batch, now).await });
                waiter.somebody_waits().await;
                Ok::<_, StoreError>(recorder)
            })
            .await?;
        assert!(told(&recorder.await.unwrap()?).is_empty());
        assert_eq!(world.rows("SELECT status, generation FROM issues").await, ["1|0"]);
    }
    Ok(())
}

#[tokio::test]
async fn resolved_in_a_release_it_comes_back_with_that_or_a_newer_one() {
    let mut world = World::new().await;
    world.of("shop@1.9.0").await;
    world.declare("shop@2.0.0").await;
    world.declare("shop@1.10.0").await;
    let issue = world.resolve(Resolution::Release("shop@1.10.0".to_owned())).await;
    assert_eq!(issue.resolved_in, Some(Resolution::Release("shop@1.10.0".to_owned())));
    assert!(told(&world.of("shop@1.9.9").await).is_empty());
    assert_eq!(told(&world.of("shop@1.10.0").await), REGRESSED);
}

#[tokio::test]
async fn versions_that_are_none_go_by_when_they_were_known() {
    let mut world = World::new().await;
    world.of("f00dfeed").await;
    world.of("0badcafe").await;
    world.resolve(Resolution::Next).await;
    assert!(told(&world.of("0badcafe").await).is_empty());
    assert!(told(&world.of("f00dfeed").await).is_empty());
    assert_eq!(told(&world.of("00000001").await), REGRESSED);
}

#[tokio::test]
async fn a_commit_resolves_it_when_a_release_has_it() {
    let mut world = World::new().await;
    world.of("shop@1.0.0").await;
    let issue = world.resolve(Resolution::Commit("abcdef0".to_owned())).await;
    assert_eq!(issue.resolved_in, Some(Resolution::Commit("abcdef0".to_owned())));
    assert_eq!(world.status().await, "0|0|abcdef0", "nothing has the commit yet");
    assert!(told(&world.of("shop@1.0.0").await).is_empty());
    assert_eq!(world.status().await, "0|0|abcdef0", "the recorder leaves it waiting");
    world.commit("shop@1.0.1", "0123456789").await;
    assert_eq!(world.status().await, "0|0|abcdef0", "another commit");
    world.commit("shop@1.1.0", "ABCDEF0123456789").await;
    assert_eq!(world.status().await, "1|2|abcdef0");
    let activity =
        world.rows("SELECT actor, data ->> 'to' FROM issue_activity ORDER BY id DESC LIMIT 1").await;
    assert_eq!(activity, ["ci|resolved"]);
    assert!(told(&world.of("shop@1.0.1").await).is_empty());
    assert_eq!(told(&world.of("shop@1.1.0").await), REGRESSED);
    assert_eq!(world.status().await, "0|0|");

    world.resolve(Resolution::Commit("abcdef01".to_owned())).await;
    assert_eq!(world.status().await, "1|2|abcdef01", "a release has it already");
}

#[tokio::test]
async fn another_resolution_takes_the_place_of_the_one_before() {
    let mut world = World::new().await;
    world.of("shop@1.0.0").await;
    world.resolve(Resolution::Commit("abcdef0".to_owned())).await;
    world.resolve(Resolution::Next).await;
    assert_eq!(world.status().await, "1|1|");
    world.resolve(Resolution::Now).await;
    assert_eq!(world.status().await, "1|0|");
    assert_eq!(told(&world.of("shop@1.0.0").await), REGRESSED);
}
