//! `make bench ARGS=oncall`: how fast incidents page, all at once and one after the other.

use super::load::{Connection, percentile};
use super::measure::Cpu;
use super::probe::Receiver;
use crate::corpus::{self, Random, Target};
use crate::stack::{Bus, Stack};
use crate::{dirs, run};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long after the fill the incidents are due.
const AHEAD: Duration = Duration::from_secs(5);
/// What has not arrived by then is missing.
const LIMIT: Duration = Duration::from_secs(180);
const PRIORITIES: [(usize, &str); 4] = [(4, "critical"), (3, "high"), (2, "medium"), (1, "low")];

/// `--incidents N` that are due at one instant, each with a person and a webhook of its own; `--rate N` new ones a second for
/// `--seconds N`.
pub fn oncall(arguments: &[String]) -> Result<()> {
    let number = |name: &str, default: usize| -> Result<usize> {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(Ok(default), |text| Ok(text.parse()?))
    };
    let incidents = number("--incidents", 10_000)?;
    let (rate, seconds) = (number("--rate", 100)?, number("--seconds", 10)?);
    let binary = run::build()?;
    let folder = dirs::target().join("bench").join(format!("oncall-{}", std::process::id()));
    let address = format!("127.0.0.1:{}", bugle_devservers::free_port()?);
    let extra = [("BUGLE_ALLOW_PRIVATE_NETS", "127.0.0.0/8".to_owned()), super::unlimited()];
    let mut stack = Stack::start(&binary, &folder, Bus::Embedded, &address, &extra)?;
    let result = Receiver::start().and_then(|receiver| {
        println!("| what | figure |\n|---|---|");
        at_once(&stack, &receiver, incidents)?;
        one_by_one(&stack, &receiver, rate, seconds)
    });
    stack.stop()?;
    std::fs::remove_dir_all(&folder).ok();
    result
}

fn probe(number: usize) -> String {
    format!("Probe{number:016x}")
}

/// All are due at the same instant.
fn at_once(stack: &Stack, receiver: &Receiver, incidents: usize) -> Result<()> {
    let (project, _) = project(stack, "burst")?;
    stack.postgres.query("bugle", &fill(project, incidents, &receiver.url()))?;
    let (there, instant) = (receiver.arrived().len(), Instant::now() + AHEAD);
    let begins = format!("(SELECT clock_timestamp() + interval '{} s')", AHEAD.as_secs());
    stack
        .postgres
        .query("bugle", &format!("UPDATE incidents SET next_at = {begins} WHERE project_id = {project}"))?;
    if Instant::now() > instant {
        bail!("to make the incidents due took longer than {AHEAD:?}");
    }
    std::thread::sleep(instant.saturating_duration_since(Instant::now()));
    let bugle: Vec<u32> = stack.processes.iter().map(|(_, child)| child.id()).collect();
    let before = Cpu::read(&bugle, stack.postgres.pid(), None);
    let arrived = receiver.wait_for(there + incidents, LIMIT);
    let used = Cpu::read(&bugle, stack.postgres.pid(), None).since(&before);
    let after = |number: usize| arrived.get(&probe(number)).map(|at| at.saturating_duration_since(instant));
    let mut all: Vec<Duration> = (1..=incidents).filter_map(after).collect();
    all.sort_unstable();
    let last = all.last().copied().unwrap_or_default().as_secs_f64();
    println!(
        "| {incidents} incidents due at one instant: first pages delivered (missing) | {} ({}) |",
        all.len(),
        incidents - all.len()
    );
    println!(
        "| … after p50 / p99 / the last | {:.2} / {:.2} / **{last:.2} s** |",
        percentile(&all, 0.5) / 1000.0,
        percentile(&all, 0.99) / 1000.0
    );
    for (priority, name) in PRIORITIES {
        let own: Vec<Duration> =
            (1..=incidents).filter(|n| 1 + n % 4 == priority).filter_map(after).collect();
        let (first, last) = (own.iter().min(), own.iter().max());
        let seconds = |at: Option<&Duration>| at.map_or(f64::NAN, Duration::as_secs_f64);
        println!("| … {name}: first / last | {:.2} / {:.2} s |", seconds(first), seconds(last));
    }
    println!(
        "| … processor time for one page: bugle / PostgreSQL | {:.2} / {:.2} ms |",
        used.bugle * 1000.0 / incidents as f64,
        used.postgres * 1000.0 / incidents as f64
    );
    Ok(())
}

/// A person, a webhook, a policy, an issue and an incident for each number.
fn fill(project: i64, incidents: usize, url: &str) -> String {
    let all = format!("generate_series(1, {incidents}) n");
    format!(
        "BEGIN;
         INSERT INTO users (email, name, role, created_at)
             SELECT 'bench' || n || '@example.com', 'Bench ' || n, 'member', clock_timestamp() FROM {all};
         INSERT INTO memberships (user_id, team_id, role, created_at)
             SELECT u.id, p.team_id, 'member', u.created_at FROM users u, projects p WHERE u.name LIKE 'Bench %' AND p.id = {project};
         INSERT INTO destinations (user_id, channel, target, min_priority, settings, created_at)
             SELECT id, 4, '{url}/' || id, 1, '{{\"secret\": \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"}}', created_at
             FROM users WHERE name LIKE 'Bench %';
         INSERT INTO contact_methods (destination_id, name, verified_at)
             SELECT d.id, 'webhook', d.created_at FROM destinations d JOIN users u ON u.id = d.user_id AND u.name LIKE 'Bench %';
         WITH made AS (INSERT INTO escalation_policies (team_id, name, created_at)
             SELECT p.team_id, u.name, u.created_at FROM users u, projects p WHERE u.name LIKE 'Bench %' AND p.id = {project}
             RETURNING id, name, created_at)
         INSERT INTO escalation_policy_versions (policy_id, version, content, created_by, created_at)
             SELECT made.id, 1, jsonb_build_object('steps', jsonb_build_array(jsonb_build_object('delay_minutes', 30,
                 'targets', jsonb_build_array(jsonb_build_object('type', 'person', 'user', u.id))))), 'bench', made.created_at
             FROM made JOIN users u USING (name);
         INSERT INTO issues (project_id, number, title, platform, level, priority, first_seen, active_at)
             SELECT {project}, n, 'Probe' || lpad(to_hex(n), 16, '0'), 'python', 40, 1 + n % 4, clock_timestamp(), clock_timestamp()
             FROM {all};
         UPDATE projects SET next_issue_number = {incidents} + 1 WHERE id = {project};
         INSERT INTO incidents (project_id, issue_id, title, policy_version_id, priority, received_at, triggered_at)
             SELECT {project}, i.id, i.title, v.id, i.priority, i.first_seen, i.first_seen
             FROM issues i JOIN escalation_policies p ON p.name = 'Bench ' || i.number
             JOIN escalation_policy_versions v ON v.policy_id = p.id WHERE i.project_id = {project};
         COMMIT; ANALYZE"
    )
}

/// New issues of critical events, each of which opens an incident that pages one person's webhook.
fn one_by_one(stack: &Stack, receiver: &Receiver, rate: usize, seconds: usize) -> Result<()> {
    let (project, target) = project(stack, "stream")?;
    stack.postgres.query("bugle", &route(project, &receiver.url()))?;
    // The key reaches the door's snapshot within two seconds.
    std::thread::sleep(Duration::from_secs(3));
    let template = corpus::bulk("bulk-django")?.into_iter().next().context("no captured event")?;
    let (mut random, mut sent) = (Random::new(), Vec::new());
    let mut connection = Connection::open(&stack.address)?;
    let begun = Instant::now();
    for number in 0..rate * seconds {
        let name = format!("Probe{:016x}", random.next());
        let request = template.prepare_new_issue(&mut random, &target, &name);
        let due = begun + Duration::from_secs_f64(number as f64 / rate as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        connection.request(&request.bytes).context("an event was not accepted")?;
        sent.push((name, due));
    }
    let wanted = |arrived: &std::collections::HashMap<String, Instant>| {
        sent.iter().filter(|(name, _)| arrived.contains_key(name)).count()
    };
    let limit = Instant::now() + Duration::from_secs(30);
    let mut arrived = receiver.arrived();
    while wanted(&arrived) < sent.len() && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(100));
        arrived = receiver.arrived();
    }
    let mut latencies: Vec<Duration> = sent
        .iter()
        .filter_map(|(name, due)| arrived.get(name).map(|at| at.saturating_duration_since(*due)))
        .collect();
    latencies.sort_unstable();
    println!(
        "| {rate} new incidents a second for {seconds} s: event to webhook received, p50 / p99 (missing) | {:.1} / **{:.1} ms** ({}) |",
        percentile(&latencies, 0.5),
        percentile(&latencies, 0.99),
        sent.len() - latencies.len()
    );
    Ok(())
}

/// Whoever comes by this project pages one person.
fn route(project: i64, url: &str) -> String {
    format!(
        "WITH person AS (INSERT INTO users (email, name, role, created_at)
             VALUES ('stream@example.com', 'Stream', 'member', clock_timestamp()) RETURNING id),
         member AS (INSERT INTO memberships (user_id, team_id, role, created_at)
             SELECT person.id, p.team_id, 'member', clock_timestamp() FROM person, projects p WHERE p.id = {project}),
         method AS (INSERT INTO destinations (user_id, channel, target, min_priority, settings, created_at)
             SELECT id, 4, '{url}/stream', 1, '{{\"secret\": \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"}}', clock_timestamp()
             FROM person RETURNING id),
         proven AS (INSERT INTO contact_methods (destination_id, name, verified_at)
             SELECT id, 'webhook', clock_timestamp() FROM method),
         policy AS (INSERT INTO escalation_policies (team_id, name, created_at)
             SELECT team_id, 'stream', clock_timestamp() FROM projects WHERE id = {project} RETURNING id),
         version AS (INSERT INTO escalation_policy_versions (policy_id, version, content, created_by, created_at)
             SELECT policy.id, 1, jsonb_build_object('steps', jsonb_build_array(jsonb_build_object('delay_minutes', 30,
                 'targets', jsonb_build_array(jsonb_build_object('type', 'person', 'user', person.id))))), 'bench', clock_timestamp()
             FROM policy, person)
         INSERT INTO routing_rules (team_id, place, project_id, min_priority, policy_id, created_at)
             SELECT p.team_id, 1, p.id, 1, policy.id, clock_timestamp() FROM projects p, policy WHERE p.id = {project}"
    )
}

/// A project of a team's of its own, and where its events are sent.
fn project(stack: &Stack, name: &str) -> Result<(i64, Target)> {
    let made: Value = serde_json::from_str(&stack.bugle(&["project", "create", name, "--json"])?)?;
    let mut target = Target::from_dsn(made["dsn"].as_str().context("no DSN")?)?;
    target.address.clone_from(&stack.address);
    let project: i64 = target.project.parse().context("the DSN's project is no number")?;
    stack.postgres.query(
        "bugle",
        &format!(
            "WITH own AS (INSERT INTO teams (name, created_at) VALUES ('{name}', clock_timestamp()) RETURNING id)
             UPDATE projects p SET team_id = own.id FROM own WHERE p.id = {project}"
        ),
    )?;
    Ok((project, target))
}
