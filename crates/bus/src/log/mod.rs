//! An append-only log of messages on disk, in segments: what the embedded bus and the spool are made of.
//!
//! - [`Log::append`] returns when the record is on stable storage; appends that wait at the same time share one
//!   `fdatasync` (a writer thread takes all that have gathered).
//! - Records are lent out oldest first, or newest first as far as they were appended since the log was opened, and come back when a [`Lease`] is dropped without an ack.
//! - Acks are journalled without a sync: a crash of the machine may bring acked records back, never lose others.
//! - A segment is deleted when all its records are acked. A torn end is cut off on open; damage in the middle costs
//!   the records it hit.
//! - One process at a time: the folder is locked.

mod index;
mod journal;
mod lease;
mod record;
mod segment;
mod writer;

pub(crate) use lease::Lease;

use bytes::Bytes;
use index::Index;
use record::MAX_BODY;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, oneshot};
use uuid::Uuid;
use writer::{Append, Inbox};

/// Bytes of appends that may wait for the disk at once; further ones wait for room.
const MAX_WAITING: usize = 64 * 1024 * 1024;

/// Why a log cannot do what was asked.
#[derive(Debug, Clone, Error)]
pub enum LogError {
    /// The body is larger than a record may be.
    #[error("a message of {size} bytes: {limit} allowed")]
    TooLarge {
        /// The body's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The log has reached the size it may have.
    #[error("the log holds {limit} bytes, which is its limit")]
    Full {
        /// The limit in bytes.
        limit: u64,
    },
    /// Another process has the folder.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The disk: full, failing, or not permitted.
    #[error("{0}")]
    Io(Arc<io::Error>),
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// Sizes of a log.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// A segment is closed when it has reached this many bytes. Default 16 MiB.
    pub segment_bytes: u32,
    /// Un-acked bytes above which appends are refused. Default: no limit.
    pub max_bytes: u64,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { segment_bytes: 16 * 1024 * 1024, max_bytes: u64::MAX }
    }
}

/// What a log holds and has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStats {
    /// Records not acked.
    pub records: u64,
    /// Bytes of those, with their headers.
    pub bytes: u64,
    /// How often the disk was asked to sync appended records.
    pub syncs: u64,
    /// Records appended.
    pub appended: u64,
    /// Stretches that could not be read back.
    pub damaged: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Log {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the log's handles, its leases and its writer thread share.
#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    limits: LogLimits,
    index: Mutex<Index>,
    inbox: Inbox,
    readable: Notify,
    room: Semaphore,
    waiting_bytes: AtomicU64,
    syncs: AtomicU64,
    appended: AtomicU64,
    lock: File,
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Opens the log in `dir`, which is made when absent. Blocking: reads the whole backlog once.
    ///
    /// # Errors
    /// When another process has the folder, or the disk fails.
    pub(crate) fn open(dir: &Path, limits: LogLimits) -> Result<Self, LogError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let lock = lock(dir)?;
        let index = Index::open(dir)?;
        sync_dir(dir)?;
        if let Some(parent) = dir.parent() {
            sync_dir(parent)?;
        }
        let shared = Arc::new(Shared {
            dir: dir.to_path_buf(),
            limits,
            index: Mutex::new(index),
            inbox: Inbox::default(),
            readable: Notify::new(),
            room: Semaphore::new(MAX_WAITING),
            waiting_bytes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            appended: AtomicU64::new(0),
            lock,
        });
        let writer = writer::start(Arc::clone(&shared))?;
        Ok(Self { shared, writer: Mutex::new(Some(writer)) })
    }

    /// Appends a record; `Ok` when it is on stable storage. When the future is dropped the record may still be kept.
    ///
    /// # Errors
    /// When the record is too large, the log full or closed, or the disk fails; then the record is not promised.
    pub(crate) async fn append(&self, id: Uuid, stamp: i64, body: Bytes) -> Result<(), LogError> {
        let size = body.len();
        if size > MAX_BODY {
            return Err(LogError::TooLarge { size, limit: MAX_BODY });
        }
        let len = size + record::HEADER_LEN;
        let permits = u32::try_from(len).map_err(|_| LogError::TooLarge { size, limit: MAX_BODY })?;
        let _room = self.shared.room.acquire_many(permits).await.map_err(|_| LogError::Closed)?;
        let _waiting = self.reserve(len as u64)?;
        let (done, outcome) = oneshot::channel();
        self.shared.inbox.append(Append { id, stamp, body, done })?;
        outcome.await.map_err(|_| LogError::Closed)?
    }

    /// Counts `len` bytes against the log's limit for as long as the answer lives.
    fn reserve(&self, len: u64) -> Result<Waiting<'_>, LogError> {
        let waiting = self.shared.waiting_bytes.fetch_add(len, Ordering::AcqRel);
        let reserved = Waiting { bytes: &self.shared.waiting_bytes, len };
        let (_, held) = self.shared.index().depth();
        let limit = self.shared.limits.max_bytes;
        if held.saturating_add(waiting).saturating_add(len) > limit {
            return Err(LogError::Full { limit });
        }
        Ok(reserved)
    }

    /// Lends up to `count` records and about `bytes` bytes, oldest first. Blocking.
    ///
    /// # Errors
    /// When the disk fails before the first.
    pub(crate) fn lend(&self, count: usize, bytes: usize) -> Result<Vec<Lease>, LogError> {
        let mut leases = Vec::new();
        let mut size = 0;
        while leases.len() < count && size < bytes {
            let lent = self.shared.index().lend();
            match lent {
                Ok(Some(stored)) => {
                    size += stored.body.len();
                    leases.push(Lease::new(Arc::clone(&self.shared), stored));
                }
                Ok(None) => break,
                Err(error) if leases.is_empty() => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(leases)
    }

    /// Lends the newest record, as far as they are remembered; the oldest otherwise. Blocking.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn lend_newest(&self) -> Result<Option<Lease>, LogError> {
        let stored = self.shared.index().lend_newest()?;
        Ok(stored.map(|stored| Lease::new(Arc::clone(&self.shared), stored)))
    }

    /// Told when there may be something to lend. Arm it before looking.
    pub(crate) fn readable(&self) -> &Notify {
        &self.shared.readable
    }

    /// What it holds and has done.
    pub(crate) fn stats(&self) -> LogStats {
        let index = self.shared.index();
        let (records, bytes) = index.depth();
        LogStats {
            records,
            bytes,
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            appended: self.shared.appended.load(Ordering::Relaxed),
            damaged: index.damaged(),
        }
    }

    /// Writes out what waits and stops the writer. Later appends are refused. Blocking.
    pub(crate) fn close(&self) {
        self.shared.inbox.close();
        self.shared.readable.notify_waiters();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("log: the writer ended badly");
        }
        self.shared.index().close();
        // By hand, because a child process that is just being started still has the file open.
        if let Err(error) = self.shared.lock.unlock() {
            tracing::warn!(%error, "log: cannot unlock the folder");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

/// Bytes that count against the limit while they wait for the disk.
struct Waiting<'a> {
    bytes: &'a AtomicU64,
    len: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.bytes.fetch_sub(self.len, Ordering::AcqRel);
    }
}

fn lock(dir: &Path) -> Result<File, LogError> {
    let path = dir.join("lock");
    let file = segment::private_file(OpenOptions::new().create(true).write(true).truncate(false), &path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked(dir.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes the names in a folder durable.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
