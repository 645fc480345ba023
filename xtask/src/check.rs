//! `make check`: the gate.

use crate::{dashboard, dirs};
use anyhow::{Context, Result, bail};
use bugle_devservers::find_program;
use std::path::PathBuf;
use std::process::Command;

/// Who may know a library (invariant 7). The first name is the library, the rest the packages that may depend
/// on it, directly or not.
const DIRECTIONS: &[(&str, &[&str])] = &[
    (
        "diesel",
        &[
            "bugle-store",
            "bugle-ingest",
            "bugle-recorder",
            "bugle-notifier",
            "bugle-api",
            "bugle",
            "bugle-testkit",
            "bugle-tests",
        ],
    ),
    (
        "lapin",
        &[
            "bugle-bus",
            "bugle-ingest",
            "bugle-recorder",
            "bugle-notifier",
            "bugle-api",
            "bugle",
            "bugle-tests",
        ],
    ),
    ("actix-web", &["bugle-web", "bugle-ingest", "bugle-api", "bugle", "bugle-tests"]),
    ("lettre", &["bugle-notifier", "bugle", "bugle-tests"]),
];
/// Who may name a library in its own manifest.
const DIRECT: &[(&str, &[&str])] = &[
    ("diesel", &["bugle-store"]),
    ("diesel-async", &["bugle-store"]),
    ("lapin", &["bugle-bus"]),
    ("actix-web", &["bugle-web", "bugle-ingest", "bugle-api", "bugle"]),
    ("lettre", &["bugle-notifier"]),
    ("icalendar", &["bugle-schedule"]),
    ("rrule", &["bugle-schedule"]),
];

pub fn check() -> Result<()> {
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    cargo("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"], &[])?;
    cargo(
        "docs",
        &["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    deny()?;
    directions()?;
    dashboard::check()?;
    println!("check: all passed");
    Ok(())
}

fn cargo(what: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("check: {what}");
    let status = Command::new("cargo")
        .current_dir(dirs::root())
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("{what}: `cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}

/// Bans, licences and sources always. Advisories need a database from the network: they are reported where it
/// can be reached, and never fail the gate.
fn deny() -> Result<()> {
    let tools = dirs::target().join("tools");
    let folders: [PathBuf; 1] = [tools.join("bin")];
    if find_program("cargo-deny", &folders).is_none() {
        let root = tools.to_string_lossy().into_owned();
        cargo(
            "installing cargo-deny",
            &["install", "--quiet", "--locked", "--root", &root, "--profile", "dev", "cargo-deny"],
            &[],
        )?;
    }
    let program =
        find_program("cargo-deny", &folders).context("cargo-deny was installed but is not there")?;
    println!("check: dependencies");
    let status = Command::new(program)
        .current_dir(dirs::root())
        .args(["--log-level", "error", "check", "bans", "licenses", "sources"])
        .status()?;
    if !status.success() {
        bail!("dependencies: `cargo deny check bans licenses sources` failed");
    }
    Ok(())
}

fn directions() -> Result<()> {
    println!("check: directions");
    let metadata = Command::new("cargo")
        .current_dir(dirs::root())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).context("cargo metadata")?;
    for package in metadata["packages"].as_array().context("cargo metadata: packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if !dependency["kind"].is_null() {
                continue;
            }
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if let Some((_, allowed)) = DIRECT.iter().find(|(library, _)| *library == dependency)
                && !allowed.contains(&name)
            {
                bail!("directions: {name} depends on {dependency}, which only {} may", allowed.join(", "));
            }
        }
    }
    for (library, allowed) in DIRECTIONS {
        let tree = Command::new("cargo")
            .current_dir(dirs::root())
            .args([
                "tree",
                "--workspace",
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--offline",
                "--invert",
                library,
            ])
            .output()?;
        for line in String::from_utf8_lossy(&tree.stdout).lines() {
            let name = line.split(' ').next().unwrap_or_default();
            let ours = name == "bugle" || name == "xtask" || name.starts_with("bugle-");
            if ours && !allowed.contains(&name) {
                bail!("directions: {name} reaches {library}, which only {} may", allowed.join(", "));
            }
        }
    }
    Ok(())
}
