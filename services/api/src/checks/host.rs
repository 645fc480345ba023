//! The machine's disk and memory.

use bugle_runtime::health::{Check, CheckResult, check};
use std::path::PathBuf;
use std::sync::Arc;

const MIB: u64 = 1024 * 1024;
/// With less memory left than this the kernel is about to end processes.
const MIN_MEMORY: u64 = 64 * MIB;

/// Whether the folder's disk has `min_free` bytes left.
#[must_use]
pub fn disk(folder: PathBuf, min_free: u64) -> Arc<dyn Check> {
    check("disk", move || {
        let stat = rustix::fs::statvfs(&folder);
        async move {
            let Ok(stat) = stat else { return CheckResult::unhealthy("the data folder cannot be looked at") };
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let message = format!("{} MiB free in the data folder, {} needed", free / MIB, min_free / MIB);
            CheckResult { healthy: free >= min_free, message }
        }
    })
}

/// Whether the machine has memory left; also tells how much this process holds.
#[must_use]
pub fn memory() -> Arc<dyn Check> {
    check("memory", || async {
        let resident = proc_value("/proc/self/status", "VmRSS:");
        let available = proc_value("/proc/meminfo", "MemAvailable:");
        let shown =
            |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes / MIB).to_string());
        let message = format!("{} MiB resident, {} MiB available", shown(resident), shown(available));
        CheckResult { healthy: available.is_none_or(|bytes| bytes >= MIN_MEMORY), message }
    })
}

/// A line such as `MemAvailable:   123 kB`, in bytes.
fn proc_value(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tell_what_is_left() {
        let folder = std::env::temp_dir();
        assert!(disk(folder.clone(), 1).run().await.healthy);
        let full = disk(folder, u64::MAX).run().await;
        assert!(!full.healthy && full.message.contains("MiB free"), "{}", full.message);
        assert!(!disk(PathBuf::from("/no/such/folder"), 1).run().await.healthy);
        assert!(memory().run().await.message.contains("MiB resident"));
    }
}
