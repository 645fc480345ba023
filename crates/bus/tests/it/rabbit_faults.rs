//! A broker of the test's own, that is killed and blocked.

use crate::support::{World, body, consume, expect_all, id, next, publish, soon, until};
use bugle_bus::{BusState, PublishError, Queue};
use bugle_testkit::PrivateRabbit;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing_that_it_confirmed() {
    let broker = Arc::new(PrivateRabbit::start().await.unwrap());
    let world = World::with(Some(broker.url().parse().unwrap()), Duration::from_secs(5)).await;
    soon(world.bus.connected()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..6_u128)
        .map(|publisher| {
            let (bus, stop) = (Arc::clone(&world.bus), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut confirmed = BTreeSet::new();
                for number in (publisher << 32).. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    match bus.publish(Queue::Intake, id(number), body(number)).await {
                        Ok(()) => drop(confirmed.insert(id(number))),
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
                confirmed
            })
        })
        .collect();
    let mut consumer = consume(&world.bus, 10).await;
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.id());
        delivery.ack().await.unwrap();
    }
    let killed = Arc::clone(&broker);
    tokio::task::spawn_blocking(move || killed.kill9().and_then(|()| killed.restart()))
        .await
        .unwrap()
        .unwrap();
    // The same consumer goes on, and publishing too.
    let connects = world.bus.metrics().connects;
    until(|| async { world.bus.metrics().connects > connects || world.bus.state() == BusState::Connected })
        .await;
    let confirmed_before = world.bus.metrics().confirmed;
    until(|| async { world.bus.metrics().confirmed > confirmed_before + 50 }).await;
    stop.store(true, Ordering::Relaxed);
    let mut confirmed = BTreeSet::new();
    for publisher in publishers {
        confirmed.append(&mut soon(publisher).await.unwrap());
    }
    while !confirmed.is_subset(&seen) {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.id());
        drop(delivery.ack().await);
    }
    world.bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_alarm_blocks_at_once_and_loses_nothing() {
    let broker = Arc::new(PrivateRabbit::start().await.unwrap());
    let world = World::with(Some(broker.url().parse().unwrap()), Duration::from_secs(30)).await;
    soon(world.bus.connected()).await;
    publish(&world.bus, 1..=3).await;
    alarm(&broker, true).await;
    // The broker blocks a connection when it publishes: that one is in doubt, and is told.
    let in_doubt = soon(world.bus.publish(Queue::Intake, id(4), body(4))).await;
    assert!(matches!(in_doubt, Err(PublishError::Blocked)), "{in_doubt:?}");
    assert_eq!(world.bus.state(), BusState::Blocked);
    let started = Instant::now();
    let refused = world.bus.publish(Queue::Intake, id(5), body(5)).await;
    assert!(matches!(refused, Err(PublishError::Blocked)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(1));
    // Consuming and acking go on meanwhile.
    expect_all(&world.bus, 1..=3).await;
    alarm(&broker, false).await;
    until(|| async { world.bus.state() == BusState::Connected }).await;
    publish(&world.bus, 4..=6).await;
    expect_all(&world.bus, 4..=6).await;
    world.bus.close().await;
}

async fn alarm(broker: &Arc<PrivateRabbit>, on: bool) {
    let broker = Arc::clone(broker);
    tokio::task::spawn_blocking(move || broker.set_disk_alarm(on)).await.unwrap().unwrap();
}
