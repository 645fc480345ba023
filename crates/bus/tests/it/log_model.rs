//! The log against a model of it: any run of appends, takes, acks, returns, restarts and crashes.

use crate::support::{body, id};
use bugle_bus::LogLimits;
use bugle_bus::spool::{Spool, SpoolEntry};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

const LIMITS: LogLimits = LogLimits { segment_bytes: 256, max_bytes: u64::MAX };

#[derive(Debug, Clone)]
enum Step {
    Append,
    Take,
    Ack(Index),
    GiveBack(Index),
    Restart,
    /// The machine stops: what was synced is there, with some bytes of an append that was under way.
    Crash(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Append),
        6 => Just(Step::Take),
        4 => any::<Index>().prop_map(Step::Ack),
        2 => any::<Index>().prop_map(Step::GiveBack),
        1 => Just(Step::Restart),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Step::Crash),
    ]
}

/// What the log must look like.
#[derive(Debug, Default)]
struct Model {
    appended: u128,
    waiting: BTreeSet<u128>,
    taken: BTreeSet<u128>,
    acked: BTreeSet<u128>,
    /// Of those waiting, the ones that come newest first: appended or given back since the log was opened.
    recent: BTreeSet<u128>,
}

impl Model {
    fn opened(&mut self) {
        self.recent.clear();
    }

    fn waits(&mut self, number: u128) {
        self.waiting.insert(number);
        self.recent.insert(number);
    }

    fn take(&mut self) -> Option<u128> {
        let next = self.recent.pop_last().or_else(|| self.waiting.first().copied())?;
        self.waiting.remove(&next);
        self.taken.insert(next);
        Some(next)
    }
}

struct Run {
    folder: TempDir,
    spool: Spool,
    out: Vec<SpoolEntry>,
    model: Model,
}

impl Run {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Append => {
                let number = self.model.appended;
                self.spool.append(id(number), body(number)).await.unwrap();
                self.model.appended += 1;
                self.model.waits(number);
            }
            Step::Take => {
                let entry = self.spool.try_next().await.unwrap();
                let taken = entry.as_ref().map(|entry| entry.id().as_u128());
                assert_eq!(taken, self.model.take());
                self.out.extend(entry);
            }
            Step::Ack(which) if !self.out.is_empty() => {
                let entry = self.out.swap_remove(which.index(self.out.len()));
                self.model.taken.remove(&entry.id().as_u128());
                self.model.acked.insert(entry.id().as_u128());
                entry.ack();
            }
            Step::GiveBack(which) if !self.out.is_empty() => {
                let entry = self.out.swap_remove(which.index(self.out.len()));
                self.model.taken.remove(&entry.id().as_u128());
                self.model.waits(entry.id().as_u128());
            }
            Step::Ack(_) | Step::GiveBack(_) => {}
            Step::Restart => self.restart().await,
            Step::Crash(torn) => self.crash(&torn).await,
        }
        let waiting = self.model.waiting.len() + self.model.taken.len();
        assert_eq!(self.spool.stats().records, waiting as u64);
    }

    async fn restart(&mut self) {
        self.out.clear();
        self.model.opened();
        self.model.waiting.append(&mut self.model.taken);
        self.spool.close().await;
        let elsewhere = TempDir::new().unwrap();
        self.spool = Spool::open(elsewhere.path(), LIMITS).await.unwrap();
        self.spool = Spool::open(self.folder.path(), LIMITS).await.unwrap();
    }

    async fn crash(&mut self, torn: &[u8]) {
        let copy = TempDir::new().unwrap();
        copy_files(self.folder.path(), copy.path(), torn);
        self.out.clear();
        self.spool = Spool::open(copy.path(), LIMITS).await.unwrap();
        self.folder = copy;
        self.model.waiting.append(&mut self.model.taken);
        // Acks are not synced: of those, any may have been forgotten.
        let mut found = Vec::new();
        while let Some(entry) = self.spool.try_next().await.unwrap() {
            found.push(entry);
        }
        let numbers: BTreeSet<u128> = found.iter().map(|entry| entry.id().as_u128()).collect();
        assert_eq!(numbers.len(), found.len(), "one came twice");
        assert!(self.model.waiting.is_subset(&numbers), "one is lost");
        assert!(numbers.difference(&self.model.waiting).all(|number| self.model.acked.contains(number)));
        self.model.waiting = numbers.clone();
        // They were all given back just now.
        self.model.recent = numbers;
    }
}

fn copy_files(from: &Path, to: &Path, torn: &[u8]) {
    let mut last = None;
    // Journals first: an ack of a record that is not there yet would be the wrong way round.
    for extension in ["ack", "seg"] {
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == extension) {
                let copy = to.join(path.file_name().unwrap());
                // It may have been removed since the folder was read.
                if std::fs::copy(&path, &copy).is_ok() && extension == "seg" {
                    last = last.max(Some(copy));
                }
            }
        }
    }
    if let Some(last) = last {
        let mut bytes = std::fs::read(&last).unwrap();
        bytes.extend_from_slice(torn);
        std::fs::write(&last, bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_log_does_what_its_model_does(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = TempDir::new().unwrap();
            let spool = Spool::open(folder.path(), LIMITS).await.unwrap();
            let mut run = Run { folder, spool, out: Vec::new(), model: Model::default() };
            for step in steps {
                run.step(step).await;
            }
            run.restart().await;
            let mut left = Vec::new();
            while let Some(entry) = run.spool.try_next().await.unwrap() {
                left.push(entry.id().as_u128());
                assert_eq!(*entry.body(), body(entry.id().as_u128()));
                entry.ack();
            }
            assert_eq!(left, run.model.waiting.into_iter().collect::<Vec<_>>());
        });
    }
}
