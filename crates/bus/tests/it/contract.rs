//! What holds for every backend.

use crate::support::{
    Backend, World, body, consume, expect_all, expect_empty, id, next, publish, soon, until,
};
use bugle_bus::{BusState, DeadSelection, PublishError, Queue};
use bytes::Bytes;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        mod on_disk {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(crate::support::Backend::Embedded).await })+
        }
        mod over_rabbit {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(crate::support::Backend::Rabbit).await })+
        }
    };
}

contract!(
    what_is_published_is_consumed_once_acked,
    a_dropped_consumer_gives_back,
    a_dropped_delivery_comes_back,
    fifty_redeliveries_lose_nothing,
    retries_count_their_attempts,
    prefetch_is_a_limit,
    one_consumer_with_prefetch_one_gets_them_in_order,
    rejected_messages_are_dead_until_redriven,
    chosen_dead_letters_are_discarded,
    dead_letters_can_be_listed_for_ever,
    many_publishers_at_once,
    two_consumers_share,
    signals_go_to_who_hears_them,
    too_large_is_refused,
    empty_and_large_bodies_come_back_whole,
    a_cancelled_wait_loses_nothing,
    close_waits_for_deliveries_that_are_out,
    a_closed_bus_refuses,
    a_restart_keeps_everything,
    counters_count,
);

async fn what_is_published_is_consumed_once_acked(backend: Backend) {
    let world = World::new(backend).await;
    assert_eq!(world.bus.state(), BusState::Connected);
    publish(&world.bus, 1..=3).await;
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().messages == 3 }).await;
    expect_all(&world.bus, 1..=3).await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn a_dropped_consumer_gives_back(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=5).await;
    let mut consumer = consume(&world.bus, 3).await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    assert!(!first.message().redelivered);
    drop(consumer);
    // One that is out can still be acked after its consumer is gone.
    first.ack().await.unwrap();
    drop(second);
    expect_all(&world.bus, 2..=5).await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn a_dropped_delivery_comes_back(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, [1]).await;
    let mut consumer = consume(&world.bus, 5).await;
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert_eq!(again.id(), id(1));
    assert!(again.message().redelivered);
    again.ack().await.unwrap();
    world.finish().await;
}

async fn fifty_redeliveries_lose_nothing(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, [1]).await;
    for _ in 0..25 {
        let mut consumer = consume(&world.bus, 1).await;
        let delivery = next(&mut consumer).await;
        drop(consumer);
        drop(delivery);
    }
    let mut consumer = consume(&world.bus, 1).await;
    for _ in 0..25 {
        next(&mut consumer).await.retry();
    }
    let last = next(&mut consumer).await;
    assert!(last.attempt() >= 50, "{}", last.attempt());
    last.ack().await.unwrap();
    world.finish().await;
}

async fn retries_count_their_attempts(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, [1]).await;
    let mut consumer = consume(&world.bus, 1).await;
    for attempt in 0..5 {
        let delivery = next(&mut consumer).await;
        assert_eq!((delivery.attempt(), delivery.message().redelivered), (attempt, attempt > 0));
        delivery.retry();
    }
    world.finish().await;
}

async fn prefetch_is_a_limit(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=10).await;
    let mut consumer = consume(&world.bus, 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(next(&mut consumer).await);
    }
    assert!(tokio::time::timeout(Duration::from_millis(150), consumer.next()).await.is_err());
    held.pop().unwrap().ack().await.unwrap();
    held.push(next(&mut consumer).await);
    drop(held);
    world.finish().await;
}

async fn one_consumer_with_prefetch_one_gets_them_in_order(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=40).await;
    let mut consumer = consume(&world.bus, 1).await;
    for number in 1..=40 {
        let mut delivery = next(&mut consumer).await;
        if number % 7 == 0 {
            // What comes back comes first.
            delivery.retry();
            delivery = next(&mut consumer).await;
        }
        assert_eq!(delivery.id(), id(number));
        delivery.ack().await.unwrap();
    }
    world.finish().await;
}

async fn rejected_messages_are_dead_until_redriven(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=3).await;
    world.clock.advance(TimeDelta::minutes(5));
    let mut consumer = consume(&world.bus, 1).await;
    for _ in 0..2 {
        next(&mut consumer).await.reject("bad_batch: cannot be read").await.unwrap();
    }
    next(&mut consumer).await.ack().await.unwrap();
    let letters = world.bus.dead_letters(Queue::Intake, 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), [id(1), id(2)]);
    let first = letters.first().unwrap();
    assert_eq!((first.reason.as_str(), first.attempts), ("bad_batch: cannot be read", 1));
    assert_eq!(first.body, body(1));
    assert_eq!(first.rejected_at.unwrap() - first.published_at.unwrap(), 5 * 60 * 1000);
    assert_eq!(world.bus.dead_letters(Queue::Intake, 1).await.unwrap().len(), 1);
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().dead == 2 }).await;
    let one = DeadSelection::Ids(vec![id(2), id(99)]);
    assert_eq!(world.bus.redrive(Queue::Intake, one).await.unwrap(), 1);
    let again = next(&mut consumer).await;
    assert_eq!((again.id(), again.body().clone()), (id(2), body(2)));
    again.ack().await.unwrap();
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().dead == 1 }).await;
    assert_eq!(world.bus.redrive(Queue::Intake, DeadSelection::All).await.unwrap(), 1);
    let again = next(&mut consumer).await;
    assert_eq!(again.id(), id(1));
    again.ack().await.unwrap();
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().dead == 0 }).await;
    world.finish().await;
}

async fn chosen_dead_letters_are_discarded(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=3).await;
    let mut consumer = consume(&world.bus, 1).await;
    for _ in 0..3 {
        next(&mut consumer).await.reject("no").await.unwrap();
    }
    let discarded = world.bus.discard_dead(Queue::Intake, DeadSelection::Ids(vec![id(2)])).await.unwrap();
    assert_eq!(discarded, 1);
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().dead == 2 }).await;
    let left = world.bus.dead_letters(Queue::Intake, 10).await.unwrap();
    assert_eq!(left.iter().map(|letter| letter.id).collect::<BTreeSet<_>>(), BTreeSet::from([id(1), id(3)]));
    assert_eq!(world.bus.discard_dead(Queue::Intake, DeadSelection::All).await.unwrap(), 2);
    until(|| async { world.bus.depth(Queue::Intake).await.unwrap().dead == 0 }).await;
    world.finish().await;
}

async fn dead_letters_can_be_listed_for_ever(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, [1]).await;
    let mut consumer = consume(&world.bus, 1).await;
    next(&mut consumer).await.reject("no").await.unwrap();
    for _ in 0..30 {
        until(|| async { world.bus.dead_letters(Queue::Intake, 5).await.unwrap().len() == 1 }).await;
    }
    world.finish().await;
}

async fn many_publishers_at_once(backend: Backend) {
    let world = World::new(backend).await;
    let publishers = (0..150_u128).map(|publisher| {
        let bus = Arc::clone(&world.bus);
        tokio::spawn(async move { publish(&bus, (0..4).map(|turn| publisher * 4 + turn)).await })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    expect_all(&world.bus, 0..600).await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn two_consumers_share(backend: Backend) {
    let world = World::new(backend).await;
    let mut first = consume(&world.bus, 1).await;
    let mut second = consume(&world.bus, 1).await;
    publish(&world.bus, 1..=2).await;
    let (one, two) = (next(&mut first).await, next(&mut second).await);
    assert_ne!(one.id(), two.id());
    one.ack().await.unwrap();
    two.ack().await.unwrap();
    world.finish().await;
}

async fn signals_go_to_who_hears_them(backend: Backend) {
    let world = World::new(backend).await;
    let mut consumer = world.bus.consume(Queue::NotifierSignals, 10).await.unwrap();
    world.bus.publish_signal("issue.seen", id(1), body(1)).await.unwrap();
    for (number, key) in [(2, "issue.opened"), (3, "issue.regressed"), (4, "threshold.reached")] {
        world.bus.publish_signal(key, id(number), body(number)).await.unwrap();
    }
    let mut heard = BTreeSet::new();
    while heard.len() < 3 {
        let delivery = next(&mut consumer).await;
        heard.insert(delivery.id());
        delivery.ack().await.unwrap();
    }
    assert_eq!(heard, BTreeSet::from([id(2), id(3), id(4)]));
    assert_eq!(world.bus.metrics().unheard, 1);
    world.finish().await;
}

async fn too_large_is_refused(backend: Backend) {
    let world = World::new(backend).await;
    let body = Bytes::from(vec![0; bugle_bus::MAX_MESSAGE_BYTES + 1]);
    let refused = world.bus.publish(Queue::Intake, id(1), body).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })));
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn empty_and_large_bodies_come_back_whole(backend: Backend) {
    let world = World::new(backend).await;
    let large: Bytes = (0..3 * 1024 * 1024_u32).map(|at| (at % 251) as u8).collect::<Vec<_>>().into();
    world.bus.publish(Queue::Intake, id(1), Bytes::new()).await.unwrap();
    world.bus.publish(Queue::Intake, id(2), large.clone()).await.unwrap();
    let mut consumer = consume(&world.bus, 1).await;
    for expected in [Bytes::new(), large] {
        let delivery = next(&mut consumer).await;
        assert!(*delivery.body() == expected);
        delivery.ack().await.unwrap();
    }
    world.finish().await;
}

async fn a_cancelled_wait_loses_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let mut consumer = consume(&world.bus, 4).await;
    let publisher = Arc::clone(&world.bus);
    let publishing = tokio::spawn(async move { publish(&publisher, 0..60).await });
    let mut seen = BTreeSet::new();
    while seen.len() < 60 {
        if let Ok(Some(delivery)) = tokio::time::timeout(Duration::from_micros(200), consumer.next()).await {
            assert_eq!(delivery.attempt(), 0);
            seen.insert(delivery.id());
            delivery.ack().await.unwrap();
        }
    }
    publishing.await.unwrap();
    world.finish().await;
}

async fn close_waits_for_deliveries_that_are_out(backend: Backend) {
    let mut world = World::new(backend).await;
    publish(&world.bus, 1..=2).await;
    let mut consumer = consume(&world.bus, 2).await;
    let first = next(&mut consumer).await;
    let bus = Arc::clone(&world.bus);
    let closing = tokio::spawn(async move { bus.close().await });
    while let Some(delivery) = soon(consumer.next()).await {
        drop(delivery);
    }
    assert!(!closing.is_finished());
    first.ack().await.unwrap();
    drop(consumer);
    soon(closing).await.unwrap();
    world.reopen().await;
    expect_all(&world.bus, [2]).await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn a_closed_bus_refuses(backend: Backend) {
    let mut world = World::new(backend).await;
    world.bus.close().await;
    assert_eq!(world.bus.state(), BusState::Away);
    assert!(world.bus.publish(Queue::Intake, id(1), body(1)).await.is_err());
    assert!(world.bus.consume(Queue::Intake, 1).await.is_err());
    world.reopen().await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn a_restart_keeps_everything(backend: Backend) {
    let mut world = World::new(backend).await;
    publish(&world.bus, 1..=6).await;
    let mut consumer = consume(&world.bus, 1).await;
    next(&mut consumer).await.ack().await.unwrap();
    next(&mut consumer).await.reject("no").await.unwrap();
    drop(consumer);
    world.reopen().await;
    assert_eq!(world.bus.dead_letters(Queue::Intake, 9).await.unwrap().len(), 1);
    expect_all(&world.bus, 3..=6).await;
    expect_empty(&world.bus).await;
    world.finish().await;
}

async fn counters_count(backend: Backend) {
    let world = World::new(backend).await;
    publish(&world.bus, 1..=3).await;
    let mut consumer = consume(&world.bus, 1).await;
    next(&mut consumer).await.retry();
    next(&mut consumer).await.ack().await.unwrap();
    next(&mut consumer).await.reject("no").await.unwrap();
    let metrics = world.bus.metrics();
    assert_eq!((metrics.published, metrics.confirmed, metrics.failed), (3, 3, 0));
    assert_eq!((metrics.delivered, metrics.redelivered, metrics.acked, metrics.dead), (3, 1, 1, 1));
    world.finish().await;
}
