//! The real sentry-cli, in the version that `tests/sentry-cli` pins. Its binary comes from npm, once, into
//! `target/tools`.

use crate::System;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// sentry-cli with a system's address and token, in a folder.
#[derive(Debug)]
pub struct SentryCli {
    program: PathBuf,
    folder: PathBuf,
    url: String,
    token: String,
    project: String,
}

impl SentryCli {
    /// For a project of a system.
    ///
    /// # Errors
    /// When npm cannot install it.
    pub fn new(system: &System, project: &str, folder: &Path) -> Result<Self> {
        Ok(Self {
            program: program()?,
            folder: folder.to_owned(),
            url: format!("http://{}", system.address),
            token: system.token.clone(),
            project: project.to_owned(),
        })
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self }
    }

    /// Runs it; what it printed to both streams, when it ended well.
    ///
    /// # Errors
    /// When it ended otherwise; the error carries what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let Output { status, stdout, stderr } = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.folder)
            // Nothing of whoever runs the tests: no settings, no token, no proxy.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("SENTRY_URL", &self.url)
            .env("SENTRY_AUTH_TOKEN", &self.token)
            .env("SENTRY_ORG", "acme")
            .env("SENTRY_PROJECT", &self.project)
            .env("SENTRY_DISABLE_UPDATE_CHECK", "1")
            .output()
            .context("cannot start sentry-cli")?;
        let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        ensure!(status.success(), "sentry-cli {}: {printed}", arguments.join(" "));
        Ok(printed)
    }
}

/// The program, installed by the first test that wants it.
fn program() -> Result<PathBuf> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    program.clone().map_err(anyhow::Error::msg)
}

fn install() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let (pinned, tools) = (root.join("tests/sentry-cli"), root.join("target/tools/sentry-cli"));
    let lock = fs::read(pinned.join("package-lock.json"))?;
    let is_installed = fs::read(tools.join("package-lock.json")).is_ok_and(|known| known == lock);
    if let Some(found) = find(&tools).filter(|_| is_installed) {
        return Ok(found);
    }
    fs::create_dir_all(&tools)?;
    for name in ["package.json", ".npmrc"] {
        fs::copy(pinned.join(name), tools.join(name))?;
    }
    fs::write(tools.join("package-lock.json"), &lock)?;
    let installed = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--loglevel=error"])
        .current_dir(&tools)
        .status()
        .context("cannot start npm")?;
    if !installed.success() {
        // So that it is begun anew.
        fs::remove_file(tools.join("package-lock.json"))?;
    }
    ensure!(installed.success(), "npm could not install sentry-cli");
    find(&tools).context("npm has no sentry-cli for this kind of machine")
}

/// npm installs the one package that is for this kind of machine.
fn find(tools: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(tools.join("node_modules/@sentry")).ok()?.filter_map(Result::ok);
    packages
        .filter(|package| package.file_name() != "cli")
        .map(|package| package.path().join("bin/sentry-cli"))
        .find(|program| program.is_file())
}
