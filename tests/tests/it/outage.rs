//! Servers that are away, stuck or slow, under load: no request is refused, nothing is lost, and a fresh critical
//! error is paged before the backlog is through. A minute each with `BUGLE_TEST_OUTAGE=60`; shorter otherwise.

use crate::ledger::Load;
use anyhow::{Context, Result, ensure};
use bugle_devservers::Durability;
use bugle_testkit::Proxy;
use bugle_testkit::http::HttpFake;
use bugle_tests::{Servers, System, Topology};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// For a fresh critical error once the servers are back.
const PAGED: Duration = Duration::from_secs(20);
const DRAIN: Duration = Duration::from_secs(120);

fn outage() -> Duration {
    Duration::from_secs(
        std::env::var("BUGLE_TEST_OUTAGE").ok().and_then(|text| text.parse().ok()).unwrap_or(6),
    )
}

/// Which calls arrive depends on the moment of the outage: what nobody waits for is no mistake here.
struct Hook(HttpFake);

impl Drop for Hook {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

struct Run {
    system: System,
    project: Value,
    hook: Hook,
    load: Load,
}

impl Run {
    async fn start(topology: Topology) -> Result<Self> {
        let servers = Servers::own(topology == Topology::Services).await?;
        Self::start_on(servers, topology, &[]).await
    }

    async fn start_on(servers: Servers, topology: Topology, settings: &[(&str, &str)]) -> Result<Self> {
        let hook = Hook(HttpFake::start().await);
        let system = System::start_on(servers, topology, settings).await?;
        let project = system.project("outage").await?;
        system.bugle(&["destination", "add", "outage", "webhook", &hook.0.url("/")])?;
        let load = Load::start(&system.client(), &project, 4, 10);
        let run = Self { system, project, hook, load };
        run.accepted_more(50).await?;
        Ok(run)
    }

    /// Waits until `more` requests were accepted: proof that the door is open now.
    async fn accepted_more(&self, more: usize) -> Result<()> {
        let before = self.load.accepted();
        bugle_tests::eventually("requests are accepted", Duration::from_secs(20), || async {
            Ok((self.load.accepted() >= before + more).then_some(()))
        })
        .await
    }

    /// Sends a fatal error of a new kind and waits for its page.
    async fn page(&self, name: &str) -> Result<()> {
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            self.project["id"],
            self.project["key"].as_str().context("key")?
        );
        let event = json!({ "level": "fatal", "exception": { "values": [{ "type": name, "value": "now",
            "mechanism": { "type": "generic", "handled": false } }] } });
        let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let answer = self.system.client().post(&path, body.into_bytes(), &[]).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        let begun = Instant::now();
        let paged = async { while !self.hook.0.next().await.text().contains(name) {} };
        tokio::time::timeout(PAGED, paged).await.with_context(|| format!("{name} was not paged in time"))?;
        eprintln!("{name} was paged after {:.1?}", begun.elapsed());
        Ok(())
    }

    async fn finish(self) -> Result<()> {
        let ledger = self.load.finish().await;
        ledger.nothing_refused()?;
        // The one page is an event too.
        ledger.balances(&self.system, 1, DRAIN).await?;
        bugle_tests::eventually("the last pages are out", DRAIN, || async {
            let waiting = crate::ledger::number(
                &self.system.servers.database_url(),
                "SELECT count(*) FROM notifications WHERE state IN (0, 1)",
            )
            .await?;
            Ok((waiting == 0).then_some(()))
        })
        .await?;
        self.system.stop()?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_is_away() -> Result<()> {
    let run = Run::start(Topology::Services).await?;
    run.system.servers.rabbit().stop()?;
    run.accepted_more(20).await?;
    tokio::time::sleep(outage()).await;
    run.accepted_more(20).await?;
    run.system.servers.rabbit().restart()?;
    run.page("AfterTheBroker").await?;
    run.finish().await
}

on_both!(postgresql_is_away);

async fn postgresql_is_away(topology: Topology) -> Result<()> {
    let mut run = Run::start(topology).await?;
    run.system.servers.postgres().stop()?;
    run.accepted_more(20).await?;
    tokio::time::sleep(outage()).await;
    run.accepted_more(20).await?;
    run.system.servers.postgres().restart(Durability::Full)?;
    run.page("AfterTheDatabase").await?;
    run.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_are_away() -> Result<()> {
    let mut run = Run::start(Topology::Services).await?;
    run.system.servers.postgres().stop()?;
    run.system.servers.rabbit().stop()?;
    tokio::time::sleep(outage()).await;
    run.accepted_more(20).await?;
    run.system.servers.rabbit().restart()?;
    run.system.servers.postgres().restart(Durability::Full)?;
    run.page("AfterBoth").await?;
    run.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_is_blocked_by_its_disk_alarm() -> Result<()> {
    let run = Run::start(Topology::Services).await?;
    run.system.servers.rabbit().set_disk_alarm(true)?;
    run.accepted_more(20).await?;
    tokio::time::sleep(outage()).await;
    run.accepted_more(20).await?;
    run.system.servers.rabbit().set_disk_alarm(false)?;
    run.page("AfterTheAlarm").await?;
    run.finish().await
}

on_both!(every_statement_of_postgresql_takes_ten_seconds);

async fn every_statement_of_postgresql_takes_ten_seconds(topology: Topology) -> Result<()> {
    let mut servers = Servers::own(topology == Topology::Services).await?;
    let port = servers.postgres().port();
    let proxy = Proxy::start(([127, 0, 0, 1], port).into()).await?;
    let url = servers.database_url().replace(&format!(":{port}/"), &format!(":{}/", proxy.address().port()));
    let run = Run::start_on(servers, topology, &[("BUGLE_DATABASE_URL", &url)]).await?;
    proxy.slow_answers(Duration::from_secs(10));
    run.accepted_more(20).await?;
    tokio::time::sleep(outage() + Duration::from_secs(10)).await;
    run.accepted_more(20).await?;
    proxy.resume();
    run.page("AfterTheWait").await?;
    run.finish().await
}
