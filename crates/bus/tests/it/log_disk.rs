//! What a disk can do to the log.

use crate::spool::{SMALL, drain, segments};
use crate::support::{body, id};
use bugle_bus::spool::Spool;
use bugle_bus::{LogError, LogLimits};
use bytes::Bytes;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Says to this test binary, started as a child, in which folder it is to fill the disk.
const FILL: &str = "BUGLE_TEST_FILL_FOLDER";

async fn spool_with(dir: &Path, numbers: std::ops::Range<u128>) {
    let spool = Spool::open(dir, LogLimits::default()).await.unwrap();
    for number in numbers {
        spool.append(id(number), body(number)).await.unwrap();
    }
    spool.close().await;
}

#[tokio::test]
async fn a_torn_end_is_cut_off() {
    let folder = TempDir::new().unwrap();
    spool_with(folder.path(), 0..20).await;
    let segment = segments(folder.path()).pop().unwrap();
    let whole = std::fs::read(&segment).unwrap();
    for cut in (8..whole.len()).step_by(13) {
        std::fs::write(&segment, &whole[..cut]).unwrap();
        let spool = Spool::open(folder.path(), SMALL).await.unwrap();
        let mut found = Vec::new();
        while let Some(entry) = spool.try_next().await.unwrap() {
            found.push(entry);
        }
        let numbers: Vec<u128> = found.iter().map(|entry| entry.id().as_u128()).collect();
        assert_eq!(numbers, (0..numbers.len() as u128).collect::<Vec<_>>(), "cut at {cut}");
        let record = |number: &u128| 40 + body(*number).len();
        assert!(8 + numbers.iter().map(record).sum::<usize>() <= cut);
        assert!(8 + (0..=numbers.len() as u128).map(|number| record(&number)).sum::<usize>() > cut);
        drop(found);
        spool.close().await;
        drop(spool);
        std::fs::write(&segment, &whole).unwrap();
    }
}

#[tokio::test]
async fn a_flipped_byte_costs_one_record() {
    let folder = TempDir::new().unwrap();
    spool_with(folder.path(), 0..10).await;
    let segment = segments(folder.path()).pop().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    // In the body of the record with number 4; all records before number 10 have the same length.
    let record = 40 + body(0).len();
    bytes[8 + 4 * record + 41] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert_eq!((spool.stats().records, spool.stats().damaged), (9, 1));
    assert_eq!(drain(&spool).await, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_byte_that_flips_under_way_costs_one_record() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    for number in 0..9 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    let segment = segments(folder.path()).pop().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let record = 40 + body(0).len();
    // In the length of the record with number 3: the way to the next one is lost too.
    bytes[8 + 3 * record + 5] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert_eq!(drain(&spool).await, [8, 7, 6, 5, 4, 2, 1, 0]);
    assert!(spool.is_empty());
    assert_eq!(spool.stats().damaged, 1);
}

#[tokio::test]
async fn a_damaged_journal_only_brings_records_back() {
    let folder = TempDir::new().unwrap();
    let spool = Spool::open(folder.path(), LogLimits::default()).await.unwrap();
    for number in 0..4 {
        spool.append(id(number), body(number)).await.unwrap();
    }
    for _ in 0..2 {
        spool.next().await.unwrap().ack();
    }
    spool.close().await;
    drop(spool);
    let journal = segments(folder.path()).pop().unwrap().with_extension("ack");
    let mut bytes = std::fs::read(&journal).unwrap();
    assert_eq!(bytes.len(), 24);
    bytes[1] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    OpenOptions::new().append(true).open(&journal).unwrap().write_all(b"torn").unwrap();
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert_eq!(drain(&spool).await, [0, 1, 3]);
}

#[tokio::test]
async fn files_of_others_are_left_alone() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "keep").unwrap();
    std::fs::write(folder.path().join("0000000000000007.ack"), [0; 12]).unwrap();
    std::fs::write(folder.path().join("0000000000000003.seg"), b"what is this").unwrap();
    spool_with(folder.path(), 0..3).await;
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    assert_eq!(drain(&spool).await, [0, 1, 2]);
    assert!(folder.path().join("notes.txt").exists());
    assert!(!folder.path().join("0000000000000007.ack").exists());
}

/// Run by the test below, in a process whose files may have 32 KiB: a write over that fails as on a full disk, also
/// half-way. Run by itself it has no limit and shows that the appends work without one.
#[tokio::test]
async fn fill() {
    let given = std::env::var_os(FILL);
    let own = TempDir::new().unwrap();
    let folder = given.as_ref().map_or(own.path(), Path::new);
    let spool = Spool::open(folder, LogLimits::default()).await.unwrap();
    let large = Bytes::from(vec![1; 5000]);
    let mut kept = 0;
    let mut refused = 0;
    for number in 0..10 {
        match spool.append(id(number), large.clone()).await {
            Ok(()) => kept += 1,
            Err(LogError::Io(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((kept, refused), if given.is_some() { (6, 4) } else { (10, 0) });
    // What is small enough still fits: the failed ones left nothing behind.
    spool.append(id(100), body(100)).await.unwrap();
    assert_eq!(spool.stats().records, kept + 1);
    spool.close().await;
}

#[tokio::test]
async fn a_full_disk_refuses_and_keeps_what_was_confirmed() {
    let folder = TempDir::new().unwrap();
    let limited = r#"trap "" XFSZ; ulimit -f 64; exec "$0" --exact log_disk::fill"#;
    let child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .env(FILL, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let spool = Spool::open(folder.path(), SMALL).await.unwrap();
    let mut found = Vec::new();
    while let Some(entry) = spool.try_next().await.unwrap() {
        found.push(entry.id().as_u128());
        entry.ack();
    }
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 100]);
    assert_eq!(spool.stats().damaged, 0);
}
