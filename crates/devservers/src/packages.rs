//! Installing what is missing with the system's package manager (Debian, Ubuntu).

use crate::process::{is_root, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Finds a program in `folders`, then in `PATH` and the folders for system programs.
#[must_use]
pub fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Makes sure that `packages` are there: asks `present`, and installs them with apt when it says no.
///
/// # Errors
/// When they are missing and cannot be installed; the message says what to install by hand.
pub fn ensure_installed(what: &str, packages: &[&str], present: impl Fn() -> bool) -> Result<()> {
    if present() {
        return Ok(());
    }
    let by_hand =
        format!("{what} is missing: install it, for instance with `apt-get install {}`", packages.join(" "));
    let Some(apt) = find_program("apt-get", &[]) else { bail!("{by_hand}") };
    report(&format!("installing {what} ({})", packages.join(" ")));
    run(apt_command(&apt).args(["update", "-qq"])).context(by_hand.clone())?;
    run(apt_command(&apt).args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
        .context(by_hand.clone())?;
    if !present() {
        bail!("{what} was installed but cannot be found; {by_hand}");
    }
    Ok(())
}

fn apt_command(apt: &Path) -> Command {
    let mut command = if is_root() { Command::new(apt) } else { Command::new("sudo") };
    if !is_root() {
        command.arg(apt);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[expect(clippy::print_stdout, reason = "installing takes a while: the person at the terminal is told")]
fn report(text: &str) {
    println!("{text} …");
}
