//! What only the bus on disk can show.

use crate::support::{Backend, World, consume, expect_all, next, publish};
use bugle_bus::{BusConfig, BusError, LogError, Queue};
use bugle_model::ManualClock;
use chrono::TimeDelta;
use std::sync::Arc;

#[tokio::test]
async fn dead_letters_expire_after_seven_days() {
    let world = World::new(Backend::Embedded).await;
    publish(&world.bus, 1..=2).await;
    let mut consumer = consume(&world.bus, 1).await;
    next(&mut consumer).await.reject("old").await.unwrap();
    world.clock.advance(TimeDelta::days(4));
    next(&mut consumer).await.reject("young").await.unwrap();
    world.clock.advance(TimeDelta::days(3) + TimeDelta::milliseconds(1));
    let left = world.bus.dead_letters(Queue::Intake, 10).await.unwrap();
    assert_eq!(left.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["young"]);
    world.clock.advance(TimeDelta::days(4));
    assert_eq!(world.bus.depth(Queue::Intake).await.unwrap().dead, 0);
    world.finish().await;
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let config = BusConfig::new(folder.path().to_path_buf(), clock);
    let first = bugle_bus::connect(config.clone()).await.unwrap();
    let second = bugle_bus::connect(config).await;
    assert!(matches!(second, Err(BusError::Log(LogError::Locked(_)))));
    first.close().await;
}

#[tokio::test]
async fn attempts_survive_a_restart() {
    let mut world = World::new(Backend::Embedded).await;
    publish(&world.bus, [1]).await;
    let mut consumer = consume(&world.bus, 1).await;
    next(&mut consumer).await.retry();
    next(&mut consumer).await.retry();
    drop(consumer);
    world.reopen().await;
    let mut consumer = consume(&world.bus, 1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!((delivery.attempt(), delivery.message().redelivered), (2, true));
    drop((delivery, consumer));
    expect_all(&world.bus, [1]).await;
    world.finish().await;
}

#[tokio::test]
async fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let bus = bugle_bus::connect(BusConfig::new(folder.path().to_path_buf(), clock)).await.unwrap();
    publish(&bus, [1]).await;
    let queue = folder.path().join("bus/bugle.intake");
    assert_eq!(queue.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let segments: Vec<_> = std::fs::read_dir(&queue).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(segments.len() > 1);
    for entry in segments {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    bus.close().await;
}
