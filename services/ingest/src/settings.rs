//! The limits that hold at the door, and where ingest keeps its files.

use bugle_runtime::Config;
use ipnet::IpNet;
use std::path::PathBuf;
use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What holds at the door. [`Settings::from_config`] gives production's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Below it lie the door's snapshot, the quotas' state, the spool and the attachments.
    pub data_dir: PathBuf,
    /// Where attachments are kept: a folder (relative to the data folder), or `s3://bucket/prefix`.
    pub object_store: String,
    /// The spool grows to at most this many bytes.
    pub spool_max: u64,
    /// Whether a spool stands behind the bus. The embedded bus is on disk itself and needs none.
    pub spool: bool,
    /// With less free space than this (bytes) nothing is written to the disk, and 503 answered.
    pub min_free_disk: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Errors per minute and client address at the frontend endpoint.
    pub frontend_per_minute: u32,
    /// One event, feedback, report: 1 MiB of JSON.
    pub max_event: usize,
    /// One attachment: 20 MiB.
    pub max_attachment: usize,
    /// One client report or user report: 100 KiB.
    pub max_report: usize,
    /// One envelope, as sent and inflated: 22 MiB.
    pub max_envelope: usize,
    /// What is read and thrown away where a body is not kept: 32 MiB.
    pub max_discarded: usize,
    /// Ordinary bodies (1.25 MiB at most) in memory at the same time, all together; bytes. One larger body at a
    /// time comes on top.
    pub max_in_flight: usize,
    /// A body that is slower than [`Settings::min_rate`] after this long is cut off.
    pub body_grace: Duration,
    /// A body that is not complete after this long is cut off.
    pub body_deadline: Duration,
    /// Bytes per second that a body must keep up on average.
    pub min_rate: u64,
    /// How long a request waits for memory before it is answered 503.
    pub memory_wait: Duration,
    /// How long a batch waits for the bus before it goes to the spool.
    pub confirm_timeout: Duration,
    /// How many bytes a second are drained from the spool at most.
    pub drain_rate: u32,
}

impl Settings {
    /// What the configuration says, and the fixed limits.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        Self {
            data_dir: config.data_dir.clone(),
            object_store: config.object_store.clone(),
            spool_max: config.spool_max,
            spool: config.amqp_url.is_some(),
            min_free_disk: config.min_free_disk,
            trusted_proxies: config.trusted_proxies.clone(),
            frontend_per_minute: config.frontend_per_minute,
            max_event: bugle_protocol::store::MAX_EVENT_BYTES,
            max_attachment: 20 * MIB,
            max_report: 100 * KIB,
            max_envelope: 22 * MIB,
            max_discarded: 32 * MIB,
            // The rest is left to the one large body.
            max_in_flight: usize::try_from(config.max_in_flight / 4).unwrap_or(8 * MIB).max(2 * MIB),
            body_grace: Duration::from_secs(5),
            body_deadline: Duration::from_secs(60),
            min_rate: 1024,
            memory_wait: Duration::from_secs(5),
            confirm_timeout: Duration::from_millis(200),
            drain_rate: 8 * 1024 * 1024,
        }
    }

    /// Where ingest keeps its own small files.
    #[must_use]
    pub fn own_dir(&self) -> PathBuf {
        self.data_dir.join("ingest")
    }
}
