//! The spool: newest first, limits, syncs.

use crate::support::{body, id, soon};
use bugle_bus::spool::Spool;
use bugle_bus::{LogError, LogLimits};
use bytes::Bytes;
use futures_util::future::join_all;
use std::path::Path;
use tempfile::TempDir;

pub const SMALL: LogLimits = LogLimits { segment_bytes: 1024, max_bytes: u64::MAX };

pub fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "seg")).collect();
    segments.sort();
    segments
}

/// Takes and acks all that is there, and gives the numbers in order.
pub async fn drain(spool: &Spool) -> Vec<u128> {
    let mut numbers = Vec::new();
    while let Some(entry) = spool.try_next().await.unwrap() {
        numbers.push(entry.id().as_u128());
        assert_eq!(*entry.body(), body(entry.id().as_u128()));
        entry.ack();
    }
    numbers
}

#[tokio::test]
async fn entries_come_out_newest_first_and_once() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert!(spool.is_empty());
    for number in 0..100 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    assert_eq!(spool.stats().records, 100);
    let first = spool.next().await.unwrap();
    let second = spool.next().await.unwrap();
    assert_eq!((first.id(), second.id()), (id(99), id(98)));
    drop(first);
    second.ack();
    spool.append(id(100), body(100)).await.unwrap();
    let rest: Vec<u128> = [100, 99].into_iter().chain((0..98).rev()).collect();
    assert_eq!(drain(&spool).await, rest);
    assert!(spool.is_empty());
    assert_eq!(spool.stats().bytes, 0);
}

#[tokio::test]
async fn what_an_earlier_process_left_comes_last_and_oldest_first() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    for number in 0..20 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    spool.close().await;
    drop(spool);
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    for number in 20..40 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    let expected: Vec<u128> = (20..40).rev().chain(0..20).collect();
    assert_eq!(drain(&spool).await, expected);
}

#[tokio::test]
async fn waiting_appends_share_syncs() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), LogLimits::default()).await.unwrap();
    for round in 0..10_u128 {
        let appends = (0..64).map(|number| spool.append(id(round * 64 + number), body(number)));
        join_all(appends).await.into_iter().collect::<Result<Vec<()>, _>>().unwrap();
    }
    let stats = spool.stats();
    assert_eq!(stats.appended, 640);
    assert!((1..=200).contains(&stats.syncs), "{} syncs for 640 appends", stats.syncs);
}

#[tokio::test]
async fn segments_that_are_done_are_removed() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    for number in 0..100 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    assert!(segments(folder.path()).len() > 3);
    drain(&spool).await;
    assert!(segments(folder.path()).len() <= 1, "{:?}", segments(folder.path()));
    spool.close().await;
    drop(spool);
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert!(spool.is_empty());
    assert_eq!(segments(folder.path()), Vec::<std::path::PathBuf>::new());
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["lock"]);
}

#[tokio::test]
async fn a_full_spool_refuses_until_it_is_drained() {
    let folder = TempDir::new().unwrap();
    let limits = LogLimits { segment_bytes: 1024, max_bytes: 10_000 };
    let spool = Spool::open(folder.path(), limits).await.unwrap();
    let large = Bytes::from(vec![7; 3000]);
    for number in 0..3 {
        spool.append(id(number), large.clone()).await.unwrap();
    }
    let refused = spool.append(id(3), large.clone()).await;
    assert!(matches!(refused, Err(LogError::Full { limit: 10_000 })), "{refused:?}");
    spool.next().await.unwrap().ack();
    spool.append(id(3), large).await.unwrap();
}

#[tokio::test]
async fn who_waits_is_woken() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    let waiting = tokio::spawn({
        let spool = spool.clone();
        async move { spool.next().await.unwrap().id() }
    });
    tokio::task::yield_now().await;
    spool.append(id(5), body(5)).await.unwrap();
    assert_eq!(soon(waiting).await.unwrap(), id(5));
}

#[tokio::test]
async fn a_closed_spool_refuses_and_keeps() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    spool.append(id(1), body(1)).await.unwrap();
    assert!(matches!(Spool::open(folder.path(), SMALL).await, Err(LogError::Locked(_))));
    spool.close().await;
    assert!(matches!(spool.append(id(2), body(2)).await, Err(LogError::Closed)));
    drop(spool);
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert_eq!(drain(&spool).await, [1]);
}
