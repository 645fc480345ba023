//! Issues open, come back, and rise; who is told of it.

use super::support::{World, chosen, signals, told, unhandled};
use bugle_model::{IssueStatus, Level, Priority, Signal};
use bugle_store::issues::{self, IssueChange};
use bugle_store::record::{NewEvent, Recorded};
use chrono::TimeDelta;

impl World {
    async fn set(&self, status: IssueStatus) {
        let change = IssueChange { status: Some(status), ..IssueChange::default() };
        let issue = self.issue().await;
        issues::change(
            &mut self.store.conn().await.unwrap(),
            &bugle_store::Scope::All,
            issue,
            &change,
            "ann",
            self.now,
        )
        .await
        .unwrap()
        .unwrap();
    }

    /// Records an event a minute later.
    async fn next(&mut self, change: impl Fn(&mut NewEvent)) -> Recorded {
        self.later(TimeDelta::minutes(1));
        let mut event = self.event("KeyError");
        change(&mut event);
        self.record(&[event]).await
    }
}

fn of_release(release: &str) -> impl Fn(&mut NewEvent) {
    move |event| event.release = Some(release.to_owned())
}

#[tokio::test]
async fn a_new_issue_is_told_once() {
    let mut world = World::new().await;
    let event = NewEvent { environment: Some("production".to_owned()), ..unhandled(world.event("KeyError")) };
    let recorded = world.record(std::slice::from_ref(&event)).await;
    let [Signal::IssueOpened(about)] = &signals(&recorded)[..] else { panic!("{:?}", signals(&recorded)) };
    assert_eq!((about.generation, about.priority, about.level), (0, Priority::High, Level::Error));
    assert_eq!(
        (about.event_id, about.received_at, about.project),
        (event.event_id, world.now, world.project)
    );
    assert_eq!((about.issue, about.environment.as_deref()), (world.issue().await, Some("production")));
    let row = &recorded.signals[0];
    let expected = format!("{}|{}|issue.opened", row.id, row.message_id);
    assert_eq!(world.rows("SELECT id, message_id, routing_key FROM outbox").await, [expected]);
    assert!(told(&world.record(&[event]).await).is_empty());
    assert!(told(&world.next(|_| ()).await).is_empty());
}

#[tokio::test]
async fn several_new_issues_of_a_batch_are_one_message() {
    let mut world = World::new().await;
    let fatal = NewEvent { level: Level::Fatal, ..world.event("c") };
    let recorded = world.record(&[world.event("a"), unhandled(world.event("b")), fatal]).await;
    assert_eq!(recorded.signals.len(), 1);
    let mut told = told(&recorded);
    told.sort();
    assert_eq!(told, ["issue.opened 0 critical", "issue.opened 0 high", "issue.opened 0 medium"]);
}

#[tokio::test]
async fn a_resolved_issue_comes_back_with_the_next_event() {
    let mut world = World::new().await;
    world.next(|_| ()).await;
    world.set(IssueStatus::Resolved).await;
    assert_eq!(told(&world.next(|_| ()).await), ["issue.regressed 1 medium"]);
    assert_eq!(world.rows("SELECT status, generation, resolved_at IS NULL FROM issues").await, ["0|1|t"]);
    assert!(told(&world.next(|_| ()).await).is_empty());
    world.set(IssueStatus::Resolved).await;
    assert_eq!(told(&world.next(|_| ()).await), ["issue.regressed 2 medium"]);
}

#[tokio::test]
async fn what_was_received_before_it_was_resolved_does_not_bring_it_back() {
    let mut world = World::new().await;
    world.next(|_| ()).await;
    let late = world.event("KeyError");
    world.later(TimeDelta::seconds(30));
    world.set(IssueStatus::Resolved).await;
    let at = world.event("KeyError");
    assert!(told(&world.record(&[late, at]).await).is_empty());
    assert_eq!(world.rows("SELECT status, generation FROM issues").await, ["1|0"]);
    assert_eq!(world.number("SELECT events FROM issue_counts").await, 3);
}

#[tokio::test]
async fn an_older_release_does_not_bring_it_back() {
    let mut world = World::new().await;
    world.next(of_release("shop@1.9.0")).await;
    world.next(of_release("shop@1.10.0")).await;
    world.set(IssueStatus::Resolved).await;
    assert!(told(&world.next(of_release("shop@1.9.0")).await).is_empty());
    assert!(told(&world.next(of_release("shop@1.9.5")).await).is_empty(), "first seen now, and older still");
    assert_eq!(told(&world.next(of_release("shop@1.10.0")).await), ["issue.regressed 1 medium"]);
    world.set(IssueStatus::Resolved).await;
    assert_eq!(told(&world.next(|_| ()).await), ["issue.regressed 2 medium"], "an event without a release");
}

#[tokio::test]
async fn an_ignored_issue_counts_in_silence() {
    let mut world = World::new().await;
    world.next(|_| ()).await;
    world.set(IssueStatus::Ignored).await;
    let recorded = world.record(&world.events("KeyError", 150)).await;
    assert!(recorded.signals.is_empty());
    assert_eq!(world.number("SELECT events FROM issue_counts").await, 151);
    assert_eq!(world.rows("SELECT status, generation FROM issues").await, ["2|0"]);
}

#[tokio::test]
async fn the_priority_rises_with_the_events_and_never_falls() {
    let mut world = World::new().await;
    let priority = async |world: &World| world.rows("SELECT priority FROM issues").await;
    world.next(|event| event.level = Level::Warning).await;
    assert_eq!(priority(&world).await, ["1"]);
    world.next(|_| ()).await;
    assert_eq!(priority(&world).await, ["2"]);
    world.next(|event| event.handled = false).await;
    assert_eq!(priority(&world).await, ["3"]);
    world.next(|event| event.level = Level::Warning).await;
    assert_eq!(priority(&world).await, ["3"]);
    world.next(|event| event.level = Level::Fatal).await;
    assert_eq!(priority(&world).await, ["4"]);
}

#[tokio::test]
async fn a_hundred_users_make_an_unhandled_error_critical() {
    let mut world = World::new().await;
    let of_users = |world: &World, users: std::ops::Range<i64>| -> Vec<NewEvent> {
        users.map(|user| NewEvent { user: Some(user), ..unhandled(world.event("KeyError")) }).collect()
    };
    let state = "SELECT i.priority, c.users FROM issues i, issue_counts c";
    world.record(&of_users(&world, 0..99)).await;
    assert_eq!(world.rows(state).await, ["3|99"]);
    world.record(&of_users(&world, 50..99)).await;
    assert_eq!(world.rows(state).await, ["3|99"]);
    world.record(&of_users(&world, 99..100)).await;
    assert_eq!(world.rows(state).await, ["4|100"]);

    let mut world = World::new().await;
    let handled = of_users(&world, 0..150).into_iter().map(|event| NewEvent { handled: true, ..event });
    world.record(&handled.collect::<Vec<_>>()).await;
    assert_eq!(world.rows(state).await, ["2|150"], "a handled error stays medium");
}

#[tokio::test]
async fn a_thousand_events_an_hour_make_an_unhandled_error_critical() {
    let mut world = World::new().await;
    let events =
        |world: &World, count| world.events("KeyError", count).into_iter().map(unhandled).collect::<Vec<_>>();
    let priority = "SELECT priority FROM issues";
    world.record(&events(&world, 600)).await;
    world.later(TimeDelta::minutes(61));
    world.record(&events(&world, 500)).await;
    assert_eq!(world.rows(priority).await, ["3"], "1,100 in more than an hour");
    world.later(TimeDelta::minutes(30));
    world.record(&events(&world, 499)).await;
    assert_eq!(world.rows(priority).await, ["3"]);
    let recorded = world.record(&events(&world, 1)).await;
    assert_eq!(world.rows(priority).await, ["4"]);
    assert!(recorded.signals.is_empty());
}

#[tokio::test]
async fn what_somebody_chose_stays() {
    let mut world = World::new().await;
    world.record(&[unhandled(world.event("KeyError"))]).await;
    let change = IssueChange { priority: Some(Priority::Low), ..IssueChange::default() };
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
    let crowd: Vec<NewEvent> = (0..1_100)
        .map(|user| NewEvent { user: Some(user), level: Level::Fatal, ..unhandled(world.event("KeyError")) })
        .collect();
    world.record(&crowd).await;
    world.record(&[chosen(world.event("KeyError"), Priority::Critical)]).await;
    assert_eq!(world.rows("SELECT priority FROM issues").await, ["1"]);
}
