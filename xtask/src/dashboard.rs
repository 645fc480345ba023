//! The dashboard's part of `make run`, `make test` and `make check`: Node's packages, the build, its own checks.

use crate::dirs;
use anyhow::{Context, Result, bail};
use bugle_devservers::{ensure_installed, find_program};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

fn folder() -> PathBuf {
    dirs::root().join("services/dashboard")
}

/// Builds the dashboard when its sources are newer than the last build.
pub fn build() -> Result<()> {
    let built = modified(&folder().join("dist/index.html"));
    let sources = ["src", "public", "index.html", "package-lock.json", "vite.config.ts"];
    let newest = sources.iter().filter_map(|name| newest(&folder().join(name))).max();
    if built.is_some() && built > newest {
        return Ok(());
    }
    packages()?;
    println!("building the dashboard …");
    npm(&["run", "build"])?;
    // Fails when a page's first load is over its limit.
    npm(&["run", "--silent", "size"])
}

/// Its types, its lints, its unit tests.
pub fn check() -> Result<()> {
    packages()?;
    println!("check: dashboard");
    npm(&["run", "check"])?;
    npm(&["test"])
}

/// Runs one of its scripts against a server that the environment names.
pub fn run(script: &str, arguments: &[String], environment: &[(&str, OsString)]) -> Result<()> {
    packages()?;
    let mut command = Command::new("npm");
    command.current_dir(folder()).args(["run", "--silent", script, "--"]).args(arguments);
    let status = command.envs(environment.iter().cloned()).status().context("cannot start npm")?;
    if !status.success() {
        bail!("`npm run {script}` failed in {}", folder().display());
    }
    Ok(())
}

/// Installs Node when it is missing, and what `package-lock.json` says when that has changed since.
fn packages() -> Result<()> {
    ensure_installed("Node", &["nodejs", "npm"], || find_program("npm", &[]).is_some())?;
    let installed = modified(&folder().join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder().join("package-lock.json")) {
        return Ok(());
    }
    println!("installing the dashboard's packages …");
    npm(&["ci", "--no-audit", "--no-fund", "--loglevel=error"])
}

fn npm(arguments: &[&str]) -> Result<()> {
    let status =
        Command::new("npm").current_dir(folder()).args(arguments).status().context("cannot start npm")?;
    if !status.success() {
        bail!("`npm {}` failed in {}", arguments.join(" "), folder().display());
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When the newest file in or at `path` was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return modified(path);
    }
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    entries.filter_map(|entry| newest(&entry.path())).max()
}
