//! A process with the embedded bus is killed in the middle of publishing and consuming.

use crate::support::{body, consume, id, next};
use bugle_bus::{Bus, BusConfig, Queue};
use bugle_model::ManualClock;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Says to this test binary, started as a child, where to publish until it is killed.
const FOLDER: &str = "BUGLE_TEST_CRASH_FOLDER";

async fn open(folder: &Path) -> Arc<dyn Bus> {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    bugle_bus::connect(BusConfig::new(folder.to_path_buf(), clock)).await.unwrap()
}

/// Publishes from sixteen tasks and acks every other message, telling each step on standard output. As a child for
/// ever; by itself for a hundred messages, which must then be there or acked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy() {
    let child = std::env::var_os(FOLDER);
    let own = TempDir::new().unwrap();
    let bus = open(child.as_ref().map_or(own.path(), Path::new)).await;
    let start: u128 = std::env::var("BUGLE_TEST_CRASH_START").map_or(0, |text| text.parse().unwrap());
    let turns = if child.is_some() { u128::MAX >> 8 } else { 7 };
    let publishers: Vec<_> = (0..16_u128)
        .map(|publisher| {
            let bus = Arc::clone(&bus);
            tokio::spawn(async move {
                for number in (0..turns).map(|turn| start + turn * 16 + publisher) {
                    bus.publish(Queue::Intake, id(number), body(number)).await.unwrap();
                    println!("confirmed {number}");
                }
            })
        })
        .collect();
    let mut consumer = consume(&bus, 8).await;
    for turn in 0.. {
        let delivery = next(&mut consumer).await;
        if turn % 2 == 0 {
            println!("acking {}", delivery.id().as_u128());
            delivery.ack().await.unwrap();
        }
        if child.is_none() && turn > 50 {
            break;
        }
    }
    drop(consumer);
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let metrics = bus.metrics();
    let left = bus.depth(Queue::Intake).await.unwrap().messages;
    assert_eq!(metrics.confirmed, metrics.acked + left);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_survives_kill_nine() {
    let folder = TempDir::new().unwrap();
    let mut confirmed = BTreeSet::new();
    let mut acking = BTreeSet::new();
    for round in 0..4_u128 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::busy", "--nocapture"])
            .env(FOLDER, folder.path())
            .env("BUGLE_TEST_CRASH_START", (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut count = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The harness writes in between, and the last line may be cut short.
            let number = |word: &str| line.strip_prefix(word).and_then(|text| text.parse::<u128>().ok());
            confirmed.extend(number("confirmed "));
            acking.extend(number("acking "));
            count += 1;
            if count == 300 + 100 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(count >= 300, "the child ended by itself");
    }
    let bus = open(folder.path()).await;
    let mut left: u64 = bus.depth(Queue::Intake).await.unwrap().messages;
    let mut consumer = consume(&bus, 50).await;
    let mut found = acking;
    while left > 0 {
        let delivery = next(&mut consumer).await;
        assert_eq!(*delivery.body(), body(delivery.id().as_u128()));
        found.insert(delivery.id().as_u128());
        delivery.ack().await.unwrap();
        left -= 1;
    }
    let lost: Vec<_> = confirmed.difference(&found).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), confirmed.len());
    drop(consumer);
    bus.close().await;
}
