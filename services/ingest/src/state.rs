//! What every request uses.

use crate::addresses::AddressLimits;
use crate::batch::{Batcher, Outlet};
use crate::disk::Disk;
use crate::door::Door;
use crate::memory::Memory;
use crate::metrics::IngestMetrics;
use crate::objects::Objects;
use crate::outcomes::Outcomes;
use crate::quota::Quotas;
use crate::settings::Settings;
use bugle_model::Clock;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::{NoContext, Timestamp, Uuid};

/// The shared state of the endpoints. Made by [`crate::Service::start`], handed to [`crate::routes()`].
pub struct Ingest {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<IngestMetrics>,
    pub(crate) memory: Memory,
    pub(crate) door: Arc<Door>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) outcomes: Arc<Outcomes>,
    pub(crate) objects: Objects,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) batcher: Arc<Batcher>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) frontend: AddressLimits,
    pub(crate) under_way: Arc<AtomicUsize>,
}

/// A request under way; the stop waits for it.
pub(crate) struct UnderWay(Arc<AtomicUsize>);

impl Ingest {
    pub(crate) fn enter(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(&self.under_way))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A new id (UUIDv7) as of `now`.
pub(crate) fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
