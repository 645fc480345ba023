//! Bugle watches itself: the canary's road from one end to the other, and the heartbeat.

use anyhow::{Context, Result, ensure};
use bugle_testkit::http::HttpFake;
use bugle_tests::{System, Topology, eventually};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(40);

on_both!(the_canary_comes_through_and_leaves_nothing_behind);

async fn the_canary_comes_through_and_leaves_nothing_behind(topology: Topology) -> Result<()> {
    let outside = HttpFake::start().await;
    let heartbeat = outside.url("/heartbeat");
    let settings = [("BUGLE_HEARTBEAT_URL", heartbeat.as_str()), ("BUGLE_HEARTBEAT_INTERVAL", "10")];
    let mut system = System::start(topology, &settings).await?;
    let project = system.project("canary").await?;
    let receiver = format!("http://{}/api/v1/canary", system.address);
    system.bugle(&["destination", "add", "canary", "webhook", &receiver])?;
    system.set("BUGLE_CANARY_DSN", project["dsn"].as_str().context("dsn")?);
    system.set("BUGLE_CANARY_URL", &outside.url("/canary"));
    let process = if topology == Topology::OneProcess { "bugle" } else { "api" };
    system.kill(process)?;
    system.launch(process).await?;
    let (mut beaten, mut flown) = (false, false);
    while !(beaten && flown) {
        match outside.next().await.target.as_str() {
            "/heartbeat" => beaten = true,
            "/canary" => flown = true,
            other => anyhow::bail!("told {other}:\n{}", system.log_tail(process)),
        }
    }
    let client = system.client();
    eventually("the canary's issue is gone", SOON, || async {
        let issues = client.json(&format!("/api/v1/issues?project={}", project["id"])).await?;
        Ok((issues["items"] == serde_json::json!([])).then_some(()))
    })
    .await?;
    let health = client.json("/health/").await?;
    ensure!(health["checks"]["on_call"]["healthy"] == true, "{health}");
    system.stop()?;
    drop(outside.take());
    Ok(())
}
