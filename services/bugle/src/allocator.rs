//! How mimalloc treats memory that is free: it gives it back at once, and commits none ahead. Measured under load, the
//! process stays at a quarter of the memory (60 MB for 270) at the same speed, and pauses less.
//!
//! mimalloc reads its options before `main`, from the environment. Where they are not set, the process starts itself anew
//! with them, in place: same process id, same arguments.

use std::os::unix::process::CommandExt;
use std::process::Command;

const OPTIONS: [(&str, &str); 2] = [("MIMALLOC_ARENA_EAGER_COMMIT", "0"), ("MIMALLOC_PURGE_DELAY", "0")];

/// Sees to it that the options are set. An operator's own values stay. Returns when there is nothing to do, or when the
/// process cannot be started anew: it works without, with more memory.
pub(crate) fn set_options() {
    let missing: Vec<_> = OPTIONS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error = Command::new(program).args(std::env::args_os().skip(1)).envs(missing).exec();
        drop(error);
    }
}
