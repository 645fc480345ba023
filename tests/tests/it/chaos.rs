//! kill -9 of any process at random moments under load. Twenty rounds with `BUGLE_TEST_KILLS=20`; three otherwise,
//! so that the suite stays short.

use crate::ledger::{Load, told_once};
use anyhow::Result;
use bugle_testkit::http::HttpFake;
use bugle_tests::{Servers, System, Topology};
use std::time::Duration;

const DRAIN: Duration = Duration::from_secs(90);

on_both!(a_kill_loses_nothing_and_doubles_nothing);

/// A small generator (SplitMix64), seeded and printed, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

async fn a_kill_loses_nothing_and_doubles_nothing(topology: Topology) -> Result<()> {
    let kills: u64 = std::env::var("BUGLE_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let seed: u64 = std::env::var("BUGLE_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    println!("{kills} kills, seed {seed}");
    let mut random = Random(seed);
    let hook = HttpFake::start().await;
    let servers = Servers::own(topology == Topology::Services).await?;
    let mut system = System::start_on(servers, topology, &[]).await?;
    let project = system.project("chaos").await?;
    system.bugle(&["destination", "add", "chaos", "webhook", &hook.url("/")])?;
    let load = Load::start(&system.client(), &project, 4, 10);
    let mut victims = system.names();
    victims.push("postgresql".to_owned());
    if topology == Topology::Services {
        victims.push("rabbitmq".to_owned());
    }
    for round in 0..kills {
        tokio::time::sleep(Duration::from_millis(300 + random.below(1200))).await;
        // Every kind of process gets its turn before one gets a second.
        let victim = victims[((round + seed) % victims.len() as u64) as usize].clone();
        kill_and_restart(&mut system, &victim, Duration::from_millis(random.below(800))).await?;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ledger = load.finish().await;
    assert!(ledger.accepted() > 50, "the load got through: {}", ledger.accepted());
    ledger.balances(&system, 0, DRAIN).await?;
    told_once(&system, &hook.take(), DRAIN).await?;
    drop(hook.take());
    system.stop()?;
    Ok(())
}

async fn kill_and_restart(system: &mut System, victim: &str, down: Duration) -> Result<()> {
    println!("kill -9 {victim}");
    match victim {
        "postgresql" => {
            let postgres = system.servers.postgres();
            postgres.kill()?;
            tokio::time::sleep(down).await;
            postgres.restart(bugle_devservers::Durability::Full)
        }
        "rabbitmq" => {
            system.servers.rabbit().kill()?;
            tokio::time::sleep(down).await;
            system.servers.rabbit().restart()
        }
        name => {
            system.kill(name)?;
            tokio::time::sleep(down).await;
            system.launch(name).await
        }
    }
}
