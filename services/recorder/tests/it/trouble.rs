//! What must not be lost, nor counted twice, whatever happens.

use crate::world::{World, id_of_age, until};
use bugle_bus::Queue;
use bugle_model::{Clock, ItemKind, ManualClock, RawItem};
use bugle_runtime::SystemClock;
use bugle_testkit::proxy::Proxy;
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_nobody_can_read_is_a_dead_letter() {
    let world = World::new().await;
    let id = Uuid::now_v7();
    world.bus.publish(Queue::Intake, id, vec![1, 2, 3].into()).await.unwrap();
    world.publish(&[world.event("after")]).await;
    world.recorded(1).await;
    assert_eq!(world.one_dead_letter().await.id, id);
    let outcomes = world.outcomes(2).await;
    assert!(outcomes.iter().any(|row| row.starts_with("10|")), "{outcomes:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_database_refuses_stands_alone() {
    an_event_stands_alone(Uuid::now_v7()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_event_that_the_database_refuses_stands_alone() {
    an_event_stands_alone(id_of_age(TimeDelta::minutes(1))).await;
}

/// The database refuses one event of the batch with this id.
async fn an_event_stands_alone(id: Uuid) {
    let world = World::idle().await;
    world.execute("ALTER TABLE issues ADD CONSTRAINT no_poison CHECK (title NOT LIKE '%poison%')").await;
    let mut items: Vec<RawItem> = (0..20).map(|n| world.event(&format!("group {}", n % 4))).collect();
    items.insert(7, world.event("poison"));
    world.publish_to(Queue::Intake, id, &items).await;
    let fine = world.publish(&[world.event("group 0")]).await;
    let mut world = world;
    world.start().await;
    world.recorded(21).await;
    assert_eq!(world.one_dead_letter().await.id, id, "and not {fine}");
    let outcomes = world.outcomes(22).await;
    assert!(outcomes.contains(&"0||error|21".to_owned()), "{outcomes:?}");
    assert!(outcomes.contains(&"10|database|error|1".to_owned()), "{outcomes:?}");
    world.assert_counts_are_exact().await;
    // Once the cause is gone it can be sent again: only what was refused is new.
    world.execute("ALTER TABLE issues DROP CONSTRAINT no_poison").await;
    world.redrive().await;
    world.recorded(22).await;
    world.assert_counts_are_exact().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_may_go_and_come_back() {
    let world = World::new().await;
    world.publish(&[world.event("a")]).await;
    world.recorded(1).await;
    for round in 0..3 {
        world.proxy.refuse();
        for _ in 0..10 {
            world.publish(&[world.event("a"), world.event("b")]).await;
        }
        until("the recorder has noticed", async || {
            world.bus.depth(Queue::Intake).await.unwrap().messages
                + world.bus.depth(Queue::IntakeBacklog).await.unwrap().messages
                >= 10
        })
        .await;
        assert_eq!(world.number("SELECT count(*) FROM events").await, 1 + 20 * round);
        world.proxy.resume();
        world.recorded(1 + 20 * (round + 1)).await;
    }
    world.assert_counts_are_exact().await;
    assert!(world.dead_letters().await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_at_any_moment_loses_and_doubles_nothing() {
    let mut world = World::new().await;
    world.start().await;
    for round in 0..40 {
        let items: Vec<RawItem> = (0..25).map(|n| world.event(&format!("{}", (round + n) % 9))).collect();
        world.publish(&items).await;
        if round % 2 == 0 {
            world.proxy.cut();
        }
        if round % 8 == 3 {
            // Commits are carried out, and nobody hears of it.
            world.proxy.stall_answers();
            tokio::task::yield_now().await;
            world.publish(&[world.event("0")]).await;
            world.proxy.cut();
            world.proxy.resume();
        }
    }
    world.recorded(40 * 25 + 5).await;
    world.assert_counts_are_exact().await;
    assert_eq!(world.number("SELECT count(*) FROM issues").await, 9);
    assert!(world.dead_letters().await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_comes_twice_is_recorded_once() {
    let world = World::new().await;
    let items: Vec<RawItem> = (0..30).map(|n| world.event(&format!("{}", n % 3))).collect();
    world.publish(&items).await;
    world.publish(&items[..15]).await;
    world.publish_to(Queue::IntakeBacklog, Uuid::now_v7(), &items[10..]).await;
    assert_eq!(world.outcomes(65).await, ["0||error|30", "4||error|35"]);
    world.recorded(30).await;
    world.assert_counts_are_exact().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_no_row_is_counted_once_too() {
    let world = World::new().await;
    let report =
        json!({ "discarded_events": [{ "reason": "sample_rate", "category": "error", "quantity": 5 }] });
    let items = [
        world.event("a"),
        world.item(ItemKind::Event, "no JSON"),
        world.item(ItemKind::ClientReport, report.to_string()),
    ];
    let id = world.publish(&items).await;
    world.outcomes(7).await;
    // The acknowledgement was lost.
    world.publish_to(Queue::IntakeBacklog, id, &items).await;
    let outcomes = world.outcomes(8).await;
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|row| row.ends_with("|1")).count(), 3, "{outcomes:?}");
    assert!(outcomes.contains(&"11|sample_rate|error|5".to_owned()), "{outcomes:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fresh_events_do_not_wait_behind_an_outage() {
    let mut world = World::idle().await;
    // What waited while the recorder was away, in front of a fresh one.
    for n in 0..300 {
        let items: Vec<RawItem> = (0..20).map(|_| world.event(&format!("old {}", n % 5))).collect();
        world.publish_to(Queue::Intake, id_of_age(TimeDelta::seconds(60 + n)), &items).await;
    }
    let fresh = world.event("fresh");
    world.publish(&[fresh]).await;
    world.start().await;
    until("the fresh one is recorded", async || {
        world.number("SELECT count(*) FROM issues WHERE title LIKE '%fresh%'").await == 1
    })
    .await;
    let before_it = world.number("SELECT count(*) FROM events").await;
    assert!(before_it < 3_000, "{before_it} of 6,000 old events went first");
    world.recorded(6_001).await;
    world.assert_counts_are_exact().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grows_late_before_a_database_that_hangs_steps_aside_meanwhile() {
    steps_aside_while(Proxy::stall_answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grows_late_before_a_database_that_is_away_steps_aside_meanwhile() {
    steps_aside_while(Proxy::refuse).await;
}

async fn steps_aside_while(broken: impl Fn(&Proxy)) {
    let mut world = World::idle().await;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    world.start_at(clock.clone()).await;
    world.publish(&[world.event("a")]).await;
    world.recorded(1).await;
    broken(&world.proxy);
    // More than may be under way.
    for _ in 0..400 {
        world.publish(&[world.event("a")]).await;
    }
    clock.advance(TimeDelta::seconds(60));
    until("most have stepped aside", async || {
        world.bus.depth(Queue::IntakeBacklog).await.unwrap().messages >= 300
    })
    .await;
    world.proxy.resume();
    world.recorded(401).await;
    world.assert_counts_are_exact().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_be_read_stop_neither_their_project_nor_others() {
    let mut world = World::idle().await;
    world.execute("UPDATE projects SET settings = '{\"retention\": \"for ever\"}'").await;
    world.publish(&[world.event("a")]).await;
    world.start().await;
    world.recorded(1).await;
    assert_eq!(world.number("SELECT count(*) FROM events WHERE retention = 90").await, 1);
    world.stop().await;
}
