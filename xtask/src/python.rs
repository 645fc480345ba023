//! Python, for what comes from its package index: always into an environment of its own, never into the system.

use anyhow::Result;
use bugle_devservers::{ensure_installed, find_program};
use std::process::Command;

/// Installs Python and its venv when they are missing.
pub fn ensure_venv() -> Result<()> {
    ensure_installed("Python's venv", &["python3", "python3-venv"], has_venv)
}

/// Debian's Python comes without `ensurepip`, and then an environment has no pip.
fn has_venv() -> bool {
    find_program("python3", &[]).is_some()
        && Command::new("python3").args(["-c", "import ensurepip"]).status().is_ok_and(|it| it.success())
}
