//! Every captured request, byte for byte: the projects and keys of the captures are made here.

use anyhow::{Context, Result, ensure};
use bugle_testkit::postgres::{rows_of, run_on};
use bugle_tests::corpus::Captured;
use bugle_tests::{System, Topology, corpus, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

on_both!(every_captured_request_is_answered_and_every_event_can_be_read_back);

async fn every_captured_request_is_answered_and_every_event_can_be_read_back(
    topology: Topology,
) -> Result<()> {
    let system = System::start(topology, &[]).await?;
    let captures = corpus::all()?;
    let projects = projects(&captures);
    make(&system, &projects).await?;
    let client = system.client();
    let mut events = Vec::new();
    for captured in &captures {
        let headers: Vec<(&str, &str)> = captured
            .headers
            .iter()
            .filter(|(name, _)| !is_hop_by_hop(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = client.send(&captured.method, &captured.path, captured.body.clone(), &headers).await?;
        let expected = if captured.path.contains("/cron/") { 202 } else { 200 };
        ensure!(answer.status == expected, "{}: {} {}", captured.name, answer.status, answer.text());
        let is_event = captured.path.contains("/envelope/")
            || captured.path.contains("/store/")
            || captured.path == "/tunnel";
        if is_event && let Some(id) = answer.json()?["id"].as_str() {
            events.push((captured.name.clone(), id.to_owned()));
        }
    }
    read_back(&system, &events).await?;
    let bad = rows_of(
        &system.servers.database_url(),
        "SELECT concat_ws(' ', project_id, outcome, reason, category, quantity) FROM outcomes WHERE outcome IN (3, 5, 6, 10)",
    )
    .await?;
    ensure!(bad.is_empty(), "outcomes that no captured request deserves: {bad:?}");
    system.stop()?;
    Ok(())
}

/// Every id that was answered for an envelope with an event is in the API. Sessions and the like are answered with
/// an id too when their envelope has one: what an envelope without an event names was never one.
async fn read_back(system: &System, answered: &[(String, String)]) -> Result<()> {
    let client = system.client();
    let database = system.servers.database_url();
    let expected = EVENTS as i64;
    eventually("all events are recorded", SOON, || async {
        let recorded = crate::ledger::number(&database, "SELECT count(*) FROM events").await?;
        Ok((recorded >= expected).then_some(()))
    })
    .await?;
    let recorded =
        rows_of(&database, "SELECT project_id || '/' || replace(event_id::text, '-', '') FROM events")
            .await?;
    ensure!(recorded.len() == EVENTS, "{} events, not {EVENTS}", recorded.len());
    for place in &recorded {
        let (project, id) = place.split_once('/').context("a place")?;
        let event: Value = client.json(&format!("/api/v1/projects/{project}/events/{id}")).await?;
        let name = answered.iter().find(|(_, answered)| answered == id).map(|(name, _)| name.as_str());
        ensure!(
            event["event_id"].as_str().map(|text| text.replace('-', "")).as_deref() == Some(id),
            "{name:?}: {event}"
        );
        ensure!(event["title"].as_str().is_some_and(|title| !title.is_empty()), "{name:?}: {event}");
        ensure!(
            event["issue"].is_i64() && event["platform"].is_string() && event["level"].is_string(),
            "{name:?}: {event}"
        );
    }
    Ok(())
}

/// The number of different events in the corpus: 231 ids in envelopes and stores, and 4 security reports.
const EVENTS: usize = 235;

/// The project and key of each client, as its requests show them.
fn projects(captures: &[Captured]) -> BTreeMap<i32, String> {
    let mut by_client: BTreeMap<&str, (Option<i32>, Option<String>)> = BTreeMap::new();
    for captured in captures {
        let client = captured.name.split('/').next().unwrap_or_default();
        let entry = by_client.entry(client).or_default();
        let body = String::from_utf8_lossy(&captured.body);
        let dsn = body.split("\"dsn\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let in_path =
            captured.path.strip_prefix("/api/").and_then(|rest| rest.split('/').next()?.parse().ok());
        entry.0 = entry.0.or(in_path).or_else(|| dsn.rsplit('/').next()?.parse().ok());
        let auth = captured.headers.iter().filter(|(name, _)| name.to_ascii_lowercase().contains("auth"));
        let places =
            [captured.path.clone(), dsn.to_owned()].into_iter().chain(auth.map(|(_, value)| value.clone()));
        entry.1 = entry.1.take().or_else(|| places.into_iter().find_map(|text| key_in(&text)));
    }
    by_client.into_values().filter_map(|(project, key)| Some((project?, key?))).collect()
}

/// The first run of exactly 32 hex digits.
fn key_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == 32).map(str::to_owned)
}

async fn make(system: &System, projects: &BTreeMap<i32, String>) -> Result<()> {
    let database = system.servers.database_url();
    for (id, key) in projects {
        run_on(
            &database,
            &format!(
                "INSERT INTO projects (id, name, prefix, created_at) VALUES ({id}, 'client {id}', 'C{id}', now());
                 INSERT INTO project_keys (project_id, public_key, created_at) VALUES ({id}, '{key}', now())"
            ),
        )
        .await?;
    }
    let (client, last) = (system.client(), projects.iter().next_back());
    let (id, key) = last.context("the corpus has projects")?;
    let path = format!("/api/{id}/envelope/?sentry_key={key}");
    eventually("the door knows the keys", SOON, || async {
        Ok((client.post(&path, b"{}".to_vec(), &[]).await?.status == 200).then_some(()))
    })
    .await
}

fn is_hop_by_hop(name: &str) -> bool {
    ["host", "content-length", "transfer-encoding", "connection"]
        .contains(&name.to_ascii_lowercase().as_str())
}
