//! Bookkeeping of a run under faults: what was sent, what was answered 2xx, and what is in the database at the end.

use anyhow::{Context, Result, ensure};
use bugle_testkit::http::Recorded;
use bugle_tests::{Client, System, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many different issues the load makes.
pub const ISSUES: u64 = 12;

/// What the senders know.
#[derive(Default)]
pub struct Ledger {
    sent: Mutex<BTreeSet<String>>,
    accepted: Mutex<BTreeSet<String>>,
    refused: Mutex<Vec<String>>,
}

/// Senders that run until they are stopped.
pub struct Load {
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    senders: JoinSet<()>,
}

impl Load {
    /// Starts `senders` senders, each with about `1000 / pause_ms` requests a second.
    pub fn start(client: &Client, project: &Value, senders: u64, pause_ms: u64) -> Self {
        let ledger = Arc::new(Ledger::default());
        let stop = Arc::new(AtomicBool::new(false));
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            project["id"],
            project["key"].as_str().unwrap_or_default()
        );
        let mut set = JoinSet::new();
        for sender in 0..senders {
            let (client, path, ledger, stop) =
                (client.clone(), path.clone(), Arc::clone(&ledger), Arc::clone(&stop));
            set.spawn(async move {
                let mut pace = tokio::time::interval(Duration::from_millis(pause_ms));
                pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                let mut number = 0u64;
                while !stop.load(Ordering::Relaxed) {
                    pace.tick().await;
                    number += 1;
                    let id = format!("{sender:08x}000040008000{number:012x}");
                    send(&client, &path, &ledger, &id, (sender + number) % ISSUES).await;
                }
            });
        }
        Self { ledger, stop, senders: set }
    }

    /// Stops the senders and returns what they know.
    pub async fn finish(mut self) -> Arc<Ledger> {
        self.stop.store(true, Ordering::Relaxed);
        while self.senders.join_next().await.is_some() {}
        self.ledger
    }

    /// How many were accepted so far.
    pub fn accepted(&self) -> usize {
        locked(&self.ledger.accepted).len()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn send(client: &Client, path: &str, ledger: &Ledger, id: &str, issue: u64) {
    let event = json!({
        "event_id": id, "platform": "python", "level": "error",
        "exception": { "values": [{ "type": format!("Fault{issue}"), "value": format!("number {id}"),
            "stacktrace": { "frames": [{ "function": format!("f{issue}"), "module": "load", "lineno": 1, "in_app": true }] } }] },
    });
    let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n");
    locked(&ledger.sent).insert(id.to_owned());
    match client.post(path, body.into_bytes(), &[]).await {
        Ok(answer) if answer.status == 200 => drop(locked(&ledger.accepted).insert(id.to_owned())),
        Ok(answer) => locked(&ledger.refused).push(format!("{} {}", answer.status, answer.text())),
        // No answer: it may or may not have been accepted.
        Err(_) => {}
    }
}

impl Ledger {
    /// How many were accepted.
    pub fn accepted(&self) -> usize {
        locked(&self.accepted).len()
    }

    /// Nothing was answered but 200.
    pub fn nothing_refused(&self) -> Result<()> {
        let refused = locked(&self.refused);
        ensure!(refused.is_empty(), "{} requests were refused, such as {:?}", refused.len(), refused.first());
        Ok(())
    }

    /// answered 2xx ⊆ recorded ⊆ sent, no id twice, and the counts equal the events. `others` events were sent
    /// beside the load.
    pub async fn balances(&self, system: &System, others: usize, limit: Duration) -> Result<()> {
        let database = system.servers.database_url();
        let database = database.as_str();
        eventually("everything accepted is recorded", limit, || async {
            let recorded = ids(database).await?;
            Ok(locked(&self.accepted).is_subset(&recorded.keys().cloned().collect()).then_some(()))
        })
        .await
        .with_context(|| format!("{} were accepted", self.accepted()))?;
        let recorded = ids(database).await?;
        let twice: Vec<_> = recorded.iter().filter(|(_, count)| **count > 1).collect();
        ensure!(twice.is_empty(), "recorded twice: {twice:?}");
        let names: BTreeSet<String> = recorded.keys().cloned().collect();
        let sent = locked(&self.sent).clone();
        let strangers: Vec<_> = names.difference(&sent).collect();
        ensure!(strangers.len() == others, "recorded but never sent: {strangers:?}");
        let total = recorded.len() as i64;
        for (what, sql) in [
            ("issue_counts", "SELECT coalesce(sum(events), 0)::bigint FROM issue_counts"),
            ("issue_hashes", "SELECT coalesce(sum(events), 0)::bigint FROM issue_hashes"),
            ("issue_hours", "SELECT coalesce(sum(events), 0)::bigint FROM issue_hours"),
            ("issue_minutes", "SELECT coalesce(sum(events), 0)::bigint FROM issue_minutes"),
            ("outcomes", "SELECT coalesce(sum(quantity), 0)::bigint FROM outcomes WHERE outcome = 0"),
        ] {
            let counted = number(database, sql).await?;
            ensure!(counted == total, "{what} counts {counted} of {total} events");
        }
        let wrong = number(
            database,
            "SELECT count(*) FROM issue_counts c WHERE events <> (SELECT count(*) FROM events e WHERE e.issue_id = c.issue_id)",
        )
        .await?;
        ensure!(wrong == 0, "{wrong} issues count what they don't have");
        Ok(())
    }
}

async fn ids(database: &str) -> Result<BTreeMap<String, u32>> {
    let mut found = BTreeMap::new();
    for row in
        bugle_testkit::postgres::rows_of(database, "SELECT replace(event_id::text, '-', '') FROM events")
            .await?
    {
        *found.entry(row).or_insert(0) += 1;
    }
    Ok(found)
}

/// One number out of the database.
pub async fn number(database: &str, sql: &str) -> Result<i64> {
    let rows = bugle_testkit::postgres::rows_of(database, &format!("SELECT ({sql})::text")).await?;
    Ok(rows.first().context("a row")?.parse()?)
}

/// Each (issue, kind, generation) was told to the webhook, under one `webhook-id` however often it was sent.
pub async fn told_once(system: &System, calls: &[Recorded], limit: Duration) -> Result<()> {
    let database = system.servers.database_url();
    eventually("no notification is still on its way", limit, || async {
        let waiting = number(&database, "SELECT count(*) FROM notifications WHERE state IN (0, 1)").await?;
        let outbox = number(&database, "SELECT count(*) FROM outbox").await?;
        Ok((waiting == 0 && outbox == 0).then_some(()))
    })
    .await?;
    let missing = number(
        &database,
        "SELECT count(*) FROM issues i WHERE NOT EXISTS
             (SELECT 1 FROM notifications n WHERE n.issue_id = i.id AND n.kind = 1 AND n.state IN (2, 5))",
    )
    .await?;
    ensure!(missing == 0, "{missing} new issues were told to nobody");
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in calls {
        let id = call.header("webhook-id").context("every call has an id")?.to_owned();
        let body = call.json();
        let data = &body["data"];
        let about =
            format!("{} {} {} {}", body["type"], data["issue"]["id"], data["threshold"], data["generation"]);
        ids.entry(about).or_default().insert(id);
    }
    for (about, ids) in &ids {
        ensure!(ids.len() == 1, "{about} was sent under {} ids", ids.len());
    }
    Ok(())
}
