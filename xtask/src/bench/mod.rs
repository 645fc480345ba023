//! `make bench`: one run, both backends, ratios and costs per event.

mod fill;
mod load;
mod measure;
mod oncall;
mod probe;
mod search;

use crate::corpus::{self, Prepared, Random, Target, Template};
use crate::stack::{Bus, Stack};
use crate::{dirs, run};
use anyhow::{Context, Result, bail};
use measure::Cpu;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The share of each source among the requests, in percent.
const MIX: [(&str, usize); 4] =
    [("bulk-django", 40), ("bulk-browser", 30), ("bulk-express", 10), ("corpus", 20)];
const LARGEST: usize = 60_000;
const CONNECTIONS: usize = 32;
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

struct Plan {
    /// Requests of the run at 1,000 a second.
    paced: usize,
    /// Requests of the run without a limit.
    flat_out: usize,
    /// Probes, idle and under load each.
    probes: usize,
}

/// Measures, and prints Markdown. `--quick` takes a fifth of the time; `--bus NAME` measures one backend; `search` measures
/// lists and searches instead.
pub fn bench(arguments: &[String]) -> Result<()> {
    if arguments.first().is_some_and(|argument| argument == "search") {
        return search::search(arguments);
    }
    if arguments.first().is_some_and(|argument| argument == "oncall") {
        return oncall::oncall(arguments);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let plan = if quick {
        Plan { paced: 4_000, flat_out: 15_000, probes: 30 }
    } else {
        Plan { paced: 20_000, flat_out: 80_000, probes: 100 }
    };
    let only = arguments.iter().position(|argument| argument == "--bus").and_then(|at| arguments.get(at + 1));
    let binary = run::build()?;
    let sources = sources()?;
    for (name, bus) in [("embedded", Bus::Embedded), ("rabbit", Bus::Rabbit)] {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let folder = dirs::target().join("bench").join(format!("{name}-{}", std::process::id()));
        let result = measure_backend(name, bus, &binary, &folder, &sources, &plan);
        std::fs::remove_dir_all(&folder).ok();
        result?;
    }
    Ok(())
}

/// What is measured asks more often than anybody may.
fn unlimited() -> (&'static str, String) {
    ("BUGLE_API_RATE_LIMIT", "0".to_owned())
}

fn sources() -> Result<Vec<(usize, Vec<Template>)>> {
    MIX.into_iter()
        .map(|(name, share)| {
            let templates = if name == "corpus" { corpus::captured(LARGEST)? } else { corpus::bulk(name)? };
            if templates.is_empty() {
                bail!("{name} has no events");
            }
            Ok((share, templates))
        })
        .collect()
}

fn requests(sources: &[(usize, Vec<Template>)], target: &Target, count: usize) -> Vec<Prepared> {
    let mut random = Random::new();
    (0..count)
        .map(|_| {
            let mut at = random.below(100);
            let templates = sources
                .iter()
                .find(|(share, _)| {
                    let here = at < *share;
                    at = at.saturating_sub(*share);
                    here
                })
                .map_or(&sources[0].1, |(_, templates)| templates);
            templates[random.below(templates.len())].prepare(&mut random, target)
        })
        .collect()
}

fn measure_backend(
    name: &str,
    bus: Bus,
    binary: &std::path::Path,
    folder: &std::path::Path,
    sources: &[(usize, Vec<Template>)],
    plan: &Plan,
) -> Result<()> {
    let address = format!("127.0.0.1:{}", bugle_devservers::free_port()?);
    let extra = [("BUGLE_ALLOW_PRIVATE_NETS", "127.0.0.0/8".to_owned()), unlimited()];
    let mut stack = Stack::start(binary, folder, bus, &address, &extra)?;
    let result = measure(name, &stack, sources, plan);
    stack.stop()?;
    result
}

fn measure(name: &str, stack: &Stack, sources: &[(usize, Vec<Template>)], plan: &Plan) -> Result<()> {
    let project: Value = serde_json::from_str(&stack.bugle(&["project", "create", "bench", "--json"])?)?;
    let token: Value = serde_json::from_str(&stack.bugle(&["token", "create", "bench", "--json"])?)?;
    let token = token["token"].as_str().context("no token")?;
    let probed: Value = serde_json::from_str(&stack.bugle(&["project", "create", "probe", "--json"])?)?;
    let target = |project: &Value| -> Result<Target> {
        let mut target = Target::from_dsn(project["dsn"].as_str().context("no DSN")?)?;
        target.address.clone_from(&stack.address);
        Ok(target)
    };
    let (load_target, probe_target) = (target(&project)?, target(&probed)?);
    let receiver = probe::Receiver::start()?;
    stack.bugle(&["destination", "add", "probe", "webhook", &receiver.url()])?;
    let bugle: Vec<u32> = stack.processes.iter().map(|(_, child)| child.id()).collect();
    let cpu = || {
        Cpu::read(&bugle, stack.postgres.pid(), stack.rabbit.as_ref().and_then(bugle_devservers::Rabbit::pid))
    };
    let (idle_memory, _) = measure::resident(&bugle);
    // The key reaches the door's snapshot within two seconds.
    std::thread::sleep(Duration::from_secs(3));

    println!("### {name}: {} process(es)\n", bugle.len());
    let idle = probe::probe(
        &sources[0].1[0],
        &probe_target,
        token,
        &receiver,
        plan.probes,
        Duration::from_millis(20),
    )?;

    let paced = requests(sources, &load_target, plan.paced);
    let (loaded, at_rate) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| load::at_rate(&stack.address, &paced, CONNECTIONS, 1000.0));
        std::thread::sleep(Duration::from_millis(500));
        let count = plan.probes.min(plan.paced / 150);
        let probes =
            probe::probe(&sources[0].1[0], &probe_target, token, &receiver, count, Duration::from_millis(50));
        (probes, sender.join())
    });
    let (loaded, at_rate) = (loaded?, at_rate.unwrap_or_else(|_| bail!("the sender panicked"))?);
    drop(paced);
    drain(stack, (plan.paced + 2 * plan.probes) as i64 - 64)?;

    let many = requests(sources, &load_target, plan.flat_out);
    let json: usize = many.iter().map(|request| request.json_bytes).sum::<usize>() / many.len();
    let before = measure::recorded(&stack.postgres)?;
    let (cpu_before, start) = (cpu(), Instant::now());
    let flat_out = load::flat_out(&stack.address, &many, CONNECTIONS)?;
    drain(stack, before + flat_out.accepted as i64)?;
    let (drained, used) = (start.elapsed(), cpu().since(&cpu_before));
    let (memory, peak) = measure::resident(&bugle);

    let thousands = flat_out.accepted as f64 / 1000.0;
    println!(
        "Mix: {}; {json} bytes of JSON an event on average.\n",
        MIX.map(|(name, share)| format!("{share} % {name}")).join(", ")
    );
    println!("| what | figure |\n|---|---|");
    println!(
        "| accepted, {CONNECTIONS} connections flat out | {:.0}/s (refused {}) |",
        flat_out.accepted as f64 / flat_out.elapsed.as_secs_f64(),
        flat_out.refused
    );
    println!(
        "| accepting, flat out, p50 / p99 | {:.1} / {:.1} ms |",
        load::percentile(&flat_out.latencies, 0.5),
        load::percentile(&flat_out.latencies, 0.99)
    );
    println!(
        "| accepting at 1,000/s, p50 / p99 | {:.1} / {:.1} ms (refused {}) |",
        load::percentile(&at_rate.latencies, 0.5),
        load::percentile(&at_rate.latencies, 0.99),
        at_rate.refused
    );
    println!(
        "| recorded end to end, with the drain | {:.0}/s |",
        flat_out.accepted as f64 / drained.as_secs_f64()
    );
    println!(
        "| CPU seconds per 1,000 events: bugle / PostgreSQL / RabbitMQ / all | {:.3} / {:.3} / {:.3} / **{:.3}** |",
        used.bugle / thousands,
        used.postgres / thousands,
        used.rabbit / thousands,
        used.total() / thousands
    );
    println!(
        "| resident memory of Bugle: idle / after load / peak | {idle_memory:.0} / {memory:.0} / {peak:.0} MB |"
    );
    for (label, latencies) in [("idle", &idle), ("under 1,000 events/s", &loaded)] {
        println!(
            "| POST to visible in the API, {label}, p50 / p99 | {:.1} / {:.1} ms |",
            load::percentile(&latencies.api, 0.5),
            load::percentile(&latencies.api, 0.99)
        );
        println!(
            "| POST to webhook received, {label}, p50 / p99 | {:.1} / {:.1} ms (missing {}) |",
            load::percentile(&latencies.webhook, 0.5),
            load::percentile(&latencies.webhook, 0.99),
            latencies.missing
        );
        println!(
            "| the slowest of these, {label}: how long, and after which time | {:.0} ms, {:.1} s |",
            latencies.slowest.0.as_secs_f64() * 1000.0,
            latencies.slowest.1.as_secs_f64()
        );
    }
    let events = measure::recorded(&stack.postgres)? as f64;
    let disk = measure::disk(&stack.postgres)?;
    println!(
        "| bytes per event on disk, all in | **{:.0}** |",
        disk.iter().map(|(_, bytes)| bytes).sum::<f64>() / events
    );
    for (label, bytes) in disk {
        println!("| … {label} | {:.0} |", bytes / events);
    }
    println!();
    Ok(())
}

fn drain(stack: &Stack, expected: i64) -> Result<()> {
    let start = Instant::now();
    loop {
        let recorded = measure::recorded(&stack.postgres)?;
        if recorded >= expected {
            return Ok(());
        }
        if start.elapsed() > DRAIN_LIMIT {
            bail!("only {recorded} of {expected} events were recorded within {DRAIN_LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
