//! 10, 100, 1,000 events within 24 hours: told once for each generation.

use super::support::{World, told};
use bugle_model::IssueStatus;
use bugle_store::issues::{self, IssueChange};
use bugle_store::record::NewEvent;
use chrono::TimeDelta;

async fn resolve(world: &World) {
    let change = IssueChange { status: Some(IssueStatus::Resolved), ..IssueChange::default() };
    let issue = world.issue().await;
    issues::change(
        &mut world.store.conn().await.unwrap(),
        &bugle_store::Scope::All,
        issue,
        &change,
        "ann",
        world.now,
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn each_is_told_once() {
    let mut world = World::new().await;
    assert_eq!(told(&world.record(&world.events("KeyError", 9)).await), ["issue.opened 0 medium"]);
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["threshold.reached 0 medium 10"]);
    assert!(told(&world.record(&world.events("KeyError", 89)).await).is_empty());
    assert_eq!(told(&world.record(&world.events("KeyError", 5)).await), ["threshold.reached 0 medium 100"]);
    assert_eq!(
        told(&world.record(&world.events("KeyError", 900)).await),
        ["threshold.reached 0 medium 1000"]
    );
    world.later(TimeDelta::days(3));
    assert!(told(&world.record(&world.events("KeyError", 500)).await).is_empty());
}

#[tokio::test]
async fn one_batch_may_cross_several() {
    let mut world = World::new().await;
    let told = told(&world.record(&world.events("KeyError", 120)).await);
    assert_eq!(
        told,
        ["issue.opened 0 medium", "threshold.reached 0 medium 10", "threshold.reached 0 medium 100"]
    );
}

#[tokio::test]
async fn only_the_last_day_counts() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 9)).await;
    world.later(TimeDelta::hours(25));
    assert!(told(&world.record(&world.events("KeyError", 9)).await).is_empty());
    world.later(TimeDelta::hours(23));
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["threshold.reached 0 medium 10"]);
}

#[tokio::test]
async fn what_comes_late_is_not_added_to_what_came_since() {
    let mut world = World::new().await;
    let old: Vec<NewEvent> = world
        .events("KeyError", 5)
        .into_iter()
        .map(|event| NewEvent { received_at: world.now - TimeDelta::days(2), ..event })
        .collect();
    world.record(&world.events("KeyError", 6)).await;
    assert!(told(&world.record(&old).await).is_empty(), "11 events in two days");
}

#[tokio::test]
async fn a_regression_begins_anew_even_within_the_same_minute() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 99)).await;
    world.later(TimeDelta::seconds(5));
    resolve(&world).await;
    world.later(TimeDelta::seconds(5));
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["issue.regressed 1 medium"]);
    world.later(TimeDelta::seconds(5));
    assert!(told(&world.record(&world.events("KeyError", 8)).await).is_empty());
    world.later(TimeDelta::seconds(5));
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["threshold.reached 1 medium 10"]);
    world.later(TimeDelta::hours(1));
    assert!(told(&world.record(&world.events("KeyError", 89)).await).is_empty());
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["threshold.reached 1 medium 100"]);
}

#[tokio::test]
async fn a_batch_that_brings_it_back_may_cross_one() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 5)).await;
    resolve(&world).await;
    let before = world.events("KeyError", 5);
    world.later(TimeDelta::minutes(2));
    let batch: Vec<NewEvent> = before.into_iter().chain(world.events("KeyError", 10)).collect();
    assert_eq!(
        told(&world.record(&batch).await),
        ["issue.regressed 1 medium", "threshold.reached 1 medium 10"]
    );
}

#[tokio::test]
async fn what_was_told_of_a_merged_issue_is_not_told_again() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 1)).await;
    world.record(&world.events("ValueError", 120)).await;
    world.merge("KeyError", &["ValueError"]).await;
    assert!(told(&world.record(&world.events("KeyError", 1)).await).is_empty());
    let recorded = world.record(&world.events("ValueError", 878)).await;
    assert_eq!(told(&recorded), ["threshold.reached 0 medium 1000"]);
}
