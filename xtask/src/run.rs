//! `make run`: everything on this machine, from nothing.

use crate::stack::{Bus, Stack};
use crate::{dashboard, dirs};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

pub fn run(arguments: &[String]) -> Result<()> {
    let bus = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["--bus", "embedded"] => Bus::Embedded,
        ["--bus", "rabbit"] => Bus::Rabbit,
        other => bail!("run takes `--bus embedded` or `--bus rabbit`, not `{}`", other.join(" ")),
    };
    let binary = build()?;
    let address = std::env::var("BUGLE_HTTP_ADDR").unwrap_or_else(|_| DEFAULT_ADDRESS.to_owned());
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })?;
    let mut stack = Stack::start(&binary, &dirs::data(), bus, &address, &[])?;
    let access = access(&stack)?;
    print_welcome(&address, &access, stack.bugle(&["user", "setup-link"]).ok().as_deref());
    while stopped.recv_timeout(Duration::from_millis(500)) == Err(mpsc::RecvTimeoutError::Timeout) {
        if let Some(ended) = stack.ended() {
            stack.stop()?;
            bail!("{ended}; the log above says why");
        }
    }
    println!("stopping …");
    stack.stop()
}

/// Builds the binary in the release profile and returns its path. `BUGLE_TEST_BINARY` names one that is built already.
pub fn build() -> Result<std::path::PathBuf> {
    if let Some(binary) = std::env::var_os("BUGLE_TEST_BINARY") {
        return Ok(binary.into());
    }
    dashboard::build()?;
    let status = Command::new("cargo")
        .current_dir(dirs::root())
        .args(["build", "--release", "--package", "bugle"])
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the build failed");
    }
    Ok(dirs::target().join("release/bugle"))
}

/// The project and the token that the first start made: `{"dsn":…,"token":…}`.
fn access(stack: &Stack) -> Result<Value> {
    let file = dirs::data().join("access.json");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged: remove it", file.display()));
    }
    let project: Value = serde_json::from_str(&stack.bugle(&["project", "create", "default", "--json"])?)?;
    let token: Value = serde_json::from_str(&stack.bugle(&["token", "create", "first-start", "--json"])?)?;
    let access = serde_json::json!({ "dsn": project["dsn"], "token": token["token"] });
    std::fs::write(&file, access.to_string())?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    Ok(access)
}

fn print_welcome(address: &str, access: &Value, setup_link: Option<&str>) {
    let text = |key: &str| access[key].as_str().unwrap_or("?").to_owned();
    println!();
    println!("  Bugle is ready.   Ctrl-C stops it; the data stays in {}", dirs::data().display());
    println!();
    println!("  address     http://{address}");
    if let Some(link) = setup_link {
        println!("  set-up      {}   (makes the first account)", link.trim());
    }
    println!("  DSN         {}", text("dsn"));
    println!("  API token   {}", text("token"));
    println!();
    println!("  Try:  curl -H 'Authorization: Bearer {}' http://{address}/api/v1/issues", text("token"));
    println!("        make demo        (in another terminal: errors from several apps)");
    println!();
}
