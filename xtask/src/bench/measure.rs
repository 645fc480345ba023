//! What the system used: processor time, memory, bytes on disk.

use anyhow::Result;
use bugle_devservers::Postgres;
use std::fs;

/// Processor seconds by part of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    pub bugle: f64,
    pub postgres: f64,
    pub rabbit: f64,
}

impl Cpu {
    /// Reads the counters of the processes and of the children that they have waited for.
    pub fn read(bugle: &[u32], postgres: Option<u32>, rabbit: Option<u32>) -> Self {
        let tree = |pid: Option<u32>| {
            pid.map_or(0.0, |pid| seconds(pid) + children(pid).into_iter().map(seconds).sum::<f64>())
        };
        Self {
            bugle: bugle.iter().copied().map(seconds).sum(),
            postgres: tree(postgres),
            rabbit: tree(rabbit),
        }
    }

    /// What was used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            bugle: self.bugle - earlier.bugle,
            postgres: self.postgres - earlier.postgres,
            rabbit: self.rabbit - earlier.rabbit,
        }
    }

    /// All parts together.
    pub fn total(&self) -> f64 {
        self.bugle + self.postgres + self.rabbit
    }
}

/// utime, stime, cutime and cstime of /proc/pid/stat, at the kernel's 100 ticks a second.
fn seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    after_name.split(' ').skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn children(parent: u32) -> Vec<u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok()) == Some(parent)
        })
        .collect()
}

/// Resident memory now and at its highest, in MB, over all processes.
pub fn resident(pids: &[u32]) -> (f64, f64) {
    let field = |pid: u32, name: &str| {
        fs::read_to_string(format!("/proc/{pid}/status"))
            .unwrap_or_default()
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1024.0
    };
    (pids.iter().map(|pid| field(*pid, "VmRSS:")).sum(), pids.iter().map(|pid| field(*pid, "VmHWM:")).sum())
}

/// Bytes on disk: a label, and the bytes.
pub fn disk(postgres: &Postgres) -> Result<Vec<(String, f64)>> {
    let rows = postgres.query(
        "bugle",
        "WITH leaves AS (SELECT inhrelid::regclass AS leaf FROM pg_inherits WHERE inhparent IN
             (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass))
         SELECT 'payload', coalesce(sum(octet_length(payload)), 0) FROM events
         UNION ALL SELECT 'row (heap and TOAST without the payload)',
             (SELECT sum(pg_table_size(leaf)) FROM leaves) - (SELECT coalesce(sum(octet_length(payload)), 0) FROM events)
         UNION ALL SELECT 'index: event id', (SELECT sum(pg_relation_size(indexrelid)) FROM pg_index
             WHERE indrelid IN (SELECT leaf FROM leaves) AND indisunique)
         UNION ALL SELECT 'index: issue and time', (SELECT sum(pg_relation_size(indexrelid)) FROM pg_index
             WHERE indrelid IN (SELECT leaf FROM leaves) AND NOT indisunique AND indpred IS NULL)
         UNION ALL SELECT 'index: trace', (SELECT sum(pg_relation_size(indexrelid)) FROM pg_index
             WHERE indrelid IN (SELECT leaf FROM leaves) AND indpred IS NOT NULL)
         UNION ALL SELECT 'search: words, ranks, users, names of tags', pg_total_relation_size('issue_texts')
             + pg_total_relation_size('issue_ranks') + pg_total_relation_size('issue_user_keys') + pg_total_relation_size('project_tags')
         UNION ALL SELECT 'anchors', pg_total_relation_size('anchors')
         UNION ALL SELECT 'issue_users', pg_total_relation_size('issue_users')
         UNION ALL SELECT 'issue_tags', pg_total_relation_size('issue_tags')
         UNION ALL SELECT 'counts, hashes, minutes, hours', pg_total_relation_size('issue_counts')
             + pg_total_relation_size('issue_hashes') + pg_total_relation_size('issue_minutes') + pg_total_relation_size('issue_hours')
             + pg_total_relation_size('issues')",
    )?;
    Ok(rows
        .lines()
        .filter_map(|line| line.rsplit_once('|'))
        .filter_map(|(label, bytes)| Some((label.to_owned(), bytes.parse().ok()?)))
        .collect())
}

/// How many events are recorded.
pub fn recorded(postgres: &Postgres) -> Result<i64> {
    Ok(postgres.query("bugle", "SELECT coalesce(sum(events), 0) FROM issue_counts")?.trim().parse()?)
}
