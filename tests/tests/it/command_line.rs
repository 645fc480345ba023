//! What an operator types, and what comes back.

use anyhow::{Result, ensure};
use bugle_tests::{System, Topology};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_a_token_and_a_doctor() -> Result<()> {
    let system = System::start(Topology::OneProcess, &[]).await?;
    let project: Value = serde_json::from_str(&system.bugle(&["project", "create", "shop", "--json"])?)?;
    let key = project["key"].as_str().unwrap_or_default();
    ensure!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{project}");
    ensure!(project["dsn"] == format!("http://{key}@{}/{}", system.address, project["id"]), "{project}");
    let twice = system.bugle(&["project", "create", "shop", "--json"]);
    ensure!(twice.is_err_and(|error| error.to_string().contains("shop")), "the name is taken");
    let doctor = system.bugle(&["doctor"])?;
    ensure!(doctor.contains("database"), "{doctor}");
    system.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_configuration_is_named_and_stops_the_start() -> Result<()> {
    let error = System::start(Topology::OneProcess, &[("BUGLE_HTPP_ADDR", "127.0.0.1:1")]).await.err();
    let text = error.map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(text.contains("BUGLE_HTPP_ADDR") || text.contains("htpp_addr"), "the key is named: {text}");
    Ok(())
}
