//! `make test`: every test of the workspace against private servers on free ports.

use crate::{dashboard, dirs};
use anyhow::{Context, Result, bail};
use bugle_devservers::{Durability, Postgres, Rabbit};
use std::process::Command;

pub fn test(arguments: &[String]) -> Result<()> {
    let folder = dirs::target().join("test-servers").join(std::process::id().to_string());
    let postgres = Postgres::start(&folder.join("postgres"), Durability::None)?;
    let rabbit = Rabbit::start(&folder.join("rabbit"));
    let result = rabbit.as_ref().map_err(|error| anyhow::anyhow!("{error:#}")).and_then(|rabbit| {
        build_binary()?;
        run_tests(arguments, &postgres, rabbit, &folder.join("rabbit"))
    });
    if let Ok(rabbit) = rabbit {
        rabbit.stop()?;
    }
    postgres.stop()?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

/// The end-to-end tests start the binary itself.
pub fn build_binary() -> Result<()> {
    dashboard::build()?;
    let status = Command::new("cargo").args(["build", "--package", "bugle"]).status()?;
    if !status.success() {
        bail!("the build failed");
    }
    Ok(())
}

fn run_tests(
    arguments: &[String],
    postgres: &Postgres,
    rabbit: &Rabbit,
    rabbit_folder: &std::path::Path,
) -> Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(dirs::root()).arg("test");
    if !arguments.iter().any(|argument| argument == "-p" || argument == "--package") {
        command.arg("--workspace");
    }
    let status = command
        .args(arguments)
        .env("BUGLE_TEST_DATABASE_URL", postgres.url("postgres"))
        .env("BUGLE_TEST_AMQP_URL", rabbit.url())
        .env("BUGLE_TEST_RABBIT_FOLDER", rabbit_folder)
        .env("BUGLE_TEST_BINARY", dirs::target().join("debug/bugle"))
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("tests failed");
    }
    Ok(())
}
