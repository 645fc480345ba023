//! Free space in the data folder, looked at every second.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Knows how much is free; stale by a second at most.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    min_free: u64,
    free: AtomicU64,
}

impl Disk {
    pub(crate) fn new(path: &Path, min_free: u64) -> Self {
        let disk = Self { path: path.to_path_buf(), min_free, free: AtomicU64::new(u64::MAX) };
        disk.look();
        disk
    }

    /// Asks the file system. When it cannot tell, writing will.
    pub(crate) fn look(&self) -> u64 {
        let free = match rustix::fs::statvfs(&self.path) {
            Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
            Err(_) => u64::MAX,
        };
        self.free.store(free, Ordering::Relaxed);
        free
    }

    /// Whether something may be written.
    pub(crate) fn has_room(&self) -> bool {
        self.free.load(Ordering::Relaxed) >= self.min_free
    }
}
