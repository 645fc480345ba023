//! `make e2e`: the dashboard in a real browser, on a real Bugle with a private PostgreSQL.

use crate::{dashboard, dirs, python, test};
use anyhow::{Context, Result, bail};
use bugle_devservers::{Durability, Postgres, ensure_installed, find_program};
use std::ffi::OsString;

/// `e2e` walks through the dashboard; `e2e screenshots` takes the pictures of docs/screenshots, or those of them that are named.
pub fn e2e(arguments: &[String]) -> Result<()> {
    let script = match arguments.first().map(String::as_str) {
        None => "e2e",
        Some("screenshots") => "screenshots",
        Some(other) => bail!("e2e takes nothing or `screenshots`, not `{other}`"),
    };
    ensure_installed("Chromium", &["chromium"], || {
        std::env::var_os("CHROMIUM").is_some() || find_program("chromium", &[]).is_some()
    })?;
    ensure_installed("curl", &["curl"], || find_program("curl", &[]).is_some())?;
    if script == "e2e" {
        // The set-up page's snippets are run, and those in Python install what they need.
        python::ensure_venv()?;
    }
    if script == "screenshots" {
        // Without it the pictures are three times as large.
        ensure_installed("pngquant", &["pngquant"], || find_program("pngquant", &[]).is_some())?;
    }
    let binary = match std::env::var_os("BUGLE_TEST_BINARY") {
        Some(binary) => binary,
        None => build()?,
    };
    let folder = dirs::target().join("test-servers").join(format!("e2e-{}", std::process::id()));
    let postgres = Postgres::start(&folder, Durability::None)?;
    let result = postgres.create_database("bugle").and_then(|()| {
        let environment = [
            ("BUGLE_E2E_DATABASE_URL", format!("{}?sslmode=disable", postgres.url("bugle")).into()),
            ("BUGLE_TEST_BINARY", binary),
        ];
        dashboard::run(script, arguments.get(1..).unwrap_or_default(), &environment)
    });
    postgres.stop()?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn build() -> Result<OsString> {
    test::build_binary()?;
    Ok(dirs::target().join("debug/bugle").into_os_string())
}
