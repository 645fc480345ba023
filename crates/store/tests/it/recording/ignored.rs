//! Ignoring until something happens.

use super::support::{World, told};
use bugle_model::IssueStatus;
use bugle_store::issues::{self, IgnoreUntil, IssueChange, Resolution, ignore};
use bugle_store::record::NewEvent;
use chrono::TimeDelta;

const STATE: &str = "SELECT status, generation, ignore_until IS NULL FROM issues";
const WHY: &str = "SELECT data -> 'until' FROM issue_activity WHERE kind = 'unignored'";

impl World {
    async fn ignore(&self, until: Option<IgnoreUntil>) {
        let change =
            IssueChange { status: Some(IssueStatus::Ignored), ignore_until: until, ..IssueChange::default() };
        self.change(change).await;
    }

    async fn change(&self, change: IssueChange) {
        let (issue, scope) = (self.issue().await, bugle_store::Scope::All);
        let mut connection = self.store.conn().await.unwrap();
        issues::change(&mut connection, &scope, issue, &change, "ann", self.now).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn until_so_many_more_events() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 5)).await;
    world.ignore(Some(IgnoreUntil::Events(3))).await;
    assert!(told(&world.record(&world.events("KeyError", 2)).await).is_empty());
    assert_eq!(world.rows(STATE).await, ["2|0|f"]);
    world.later(TimeDelta::minutes(1));
    let recorded = world.record(&world.events("KeyError", 1)).await;
    assert_eq!(told(&recorded), ["issue.unignored 1 medium"]);
    assert_eq!(world.rows(STATE).await, ["0|1|t"]);
    assert_eq!(world.rows(WHY).await, [r#"{"events": 3}"#]);
    assert!(told(&world.record(&world.events("KeyError", 5)).await).is_empty(), "told once");
}

#[tokio::test]
async fn what_waits_for_a_commit_goes_on_waiting() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 1)).await;
    world.ignore(Some(IgnoreUntil::Events(1))).await;
    let resolution = Some(Resolution::Commit("abcdef0".to_owned()));
    world.change(IssueChange { resolution, ..IssueChange::default() }).await;
    let state = "SELECT status, resolved_commit FROM issues";
    assert_eq!(world.rows(state).await, ["2|abcdef0"]);
    world.later(TimeDelta::minutes(1));
    let recorded = world.record(&world.events("KeyError", 1)).await;
    assert_eq!(told(&recorded), ["issue.unignored 1 medium"]);
    assert_eq!(world.rows(state).await, ["0|abcdef0"]);
}

#[tokio::test]
async fn until_so_many_more_users() {
    let mut world = World::new().await;
    let of = |world: &World, user| NewEvent { user: Some(user), ..world.event("KeyError") };
    world.record(&[of(&world, 1)]).await;
    world.ignore(Some(IgnoreUntil::Users(2))).await;
    assert!(told(&world.record(&[of(&world, 1), of(&world, 2), of(&world, 2)]).await).is_empty());
    assert_eq!(told(&world.record(&[of(&world, 3)]).await), ["issue.unignored 1 medium"]);
    assert_eq!(world.rows(STATE).await, ["0|1|t"]);
}

#[tokio::test]
async fn until_it_has_twice_the_events_of_its_busiest_hour() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 20)).await;
    world.later(TimeDelta::hours(5));
    world.record(&world.events("KeyError", 3)).await;
    world.ignore(Some(IgnoreUntil::Escalates(true))).await;
    world.later(TimeDelta::hours(2));
    assert!(told(&world.record(&world.events("KeyError", 30)).await).is_empty());
    world.later(TimeDelta::hours(2));
    assert!(
        told(&world.record(&world.events("KeyError", 39)).await).is_empty(),
        "the hour before does not count"
    );
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["issue.unignored 1 medium"]);
    // What was usual is measured anew.
    world.ignore(Some(IgnoreUntil::Escalates(true))).await;
    assert_eq!(world.rows("SELECT ignore_until -> 'limit' FROM issues").await, ["80"]);
}

#[tokio::test]
async fn a_quiet_issue_needs_ten_events_to_escalate() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 1)).await;
    world.later(TimeDelta::hours(3));
    world.ignore(Some(IgnoreUntil::Escalates(true))).await;
    assert!(told(&world.record(&world.events("KeyError", 9)).await).is_empty());
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["issue.unignored 1 medium"]);
}

#[tokio::test]
async fn until_a_time_by_the_sweep_or_by_an_event() {
    let mut world = World::new().await;
    let sweep =
        async |world: &World| ignore::sweep(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    world.record(&world.events("KeyError", 1)).await;
    let until = world.now + TimeDelta::hours(1);
    world.ignore(Some(IgnoreUntil::Time(until))).await;
    assert_eq!(sweep(&world).await, 0);
    world.later(TimeDelta::minutes(59));
    assert!(told(&world.record(&world.events("KeyError", 20)).await).is_empty());
    world.later(TimeDelta::minutes(1));
    assert_eq!(sweep(&world).await, 1);
    assert_eq!(world.rows(STATE).await, ["0|1|t"]);
    assert_eq!(
        world.rows("SELECT routing_key FROM outbox WHERE routing_key = 'issue.unignored'").await.len(),
        1
    );
    assert_eq!(sweep(&world).await, 0);

    world.ignore(Some(IgnoreUntil::Time(world.now + TimeDelta::hours(1)))).await;
    world.later(TimeDelta::hours(2));
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["issue.unignored 2 medium"]);
    assert_eq!(world.rows("SELECT count(*) FROM issue_activity WHERE kind = 'unignored'").await, ["2"]);
}

#[tokio::test]
async fn for_ever_ends_by_hand_only_and_another_status_ends_the_condition() {
    let mut world = World::new().await;
    world.record(&world.events("KeyError", 1)).await;
    world.ignore(Some(IgnoreUntil::Events(2))).await;
    world.ignore(None).await;
    assert!(told(&world.record(&world.events("KeyError", 50)).await).is_empty());
    assert_eq!(world.rows(STATE).await, ["2|0|t"]);
    world.ignore(Some(IgnoreUntil::Events(2))).await;
    let change = IssueChange { status: Some(IssueStatus::Unresolved), ..IssueChange::default() };
    let (issue, scope) = (world.issue().await, bugle_store::Scope::All);
    let mut connection = world.store.conn().await.unwrap();
    issues::change(&mut connection, &scope, issue, &change, "ann", world.now).await.unwrap().unwrap();
    assert_eq!(world.rows(STATE).await, ["0|0|t"]);
}

#[tokio::test]
async fn the_hour_before_it_was_ignored_is_measured_as_the_hours_after() {
    let mut world = World::new().await;
    world.later(TimeDelta::minutes(55));
    world.record(&world.events("KeyError", 30)).await;
    world.later(TimeDelta::minutes(8));
    world.record(&world.events("KeyError", 30)).await;
    world.later(TimeDelta::minutes(3));
    world.ignore(Some(IgnoreUntil::Escalates(true))).await;
    world.later(TimeDelta::minutes(1));
    assert!(told(&world.record(&world.events("KeyError", 59)).await).is_empty());
    assert_eq!(told(&world.record(&world.events("KeyError", 1)).await), ["issue.unignored 1 medium"]);
}

#[tokio::test]
async fn what_a_merge_brings_does_not_end_it() {
    for until in [IgnoreUntil::Events(3), IgnoreUntil::Users(3), IgnoreUntil::Escalates(true)] {
        let mut world = World::new().await;
        let of = |world: &World, group: &str, user| NewEvent { user: Some(user), ..world.event(group) };
        world.record(&[of(&world, "KeyError", 1)]).await;
        world.ignore(Some(until)).await;
        let others: Vec<NewEvent> = (2..22).map(|user| of(&world, "ValueError", user)).collect();
        world.record(&others).await;
        world.merge("KeyError", &["ValueError"]).await;
        assert!(
            told(&world.record(&[of(&world, "KeyError", 100), of(&world, "ValueError", 101)]).await)
                .is_empty()
        );
        assert_eq!(world.rows(STATE).await, ["2|0|f"], "{until:?}");
        let more = if until == IgnoreUntil::Escalates(true) { 19 } else { 1 };
        let more: Vec<NewEvent> = (200..200 + more).map(|user| of(&world, "KeyError", user)).collect();
        assert_eq!(told(&world.record(&more).await), ["issue.unignored 1 medium"], "{until:?}");
    }
}
