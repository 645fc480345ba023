//! How much of requests may be in memory at the same time.
//!
//! Bodies up to [`ORDINARY_MAX`] share a budget in bytes; what they hold counts as it arrives, so that a client
//! which only announces much holds nothing. Larger bodies (envelopes with attachments) go one at a time. Whoever
//! finds no room waits without reading from its socket, and gives up after a while.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Bodies above this size (bytes) go one at a time.
pub(crate) const ORDINARY_MAX: usize = 1280 * 1024;
/// Room is handed out in units of this many bytes.
const UNIT: usize = 1024;

/// The budget. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    ordinary: Arc<Semaphore>,
    large: Arc<Semaphore>,
    wait: Duration,
}

/// No room came free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// Room that is given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Memory,
    ordinary: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Memory {
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self { ordinary: Arc::new(Semaphore::new(units)), large: Arc::new(Semaphore::new(1)), wait }
    }

    /// A reservation of nothing.
    pub(crate) fn reserve(&self) -> Reservation {
        Reservation { memory: self.clone(), ordinary: None, large: None }
    }
}

impl Reservation {
    /// Grows to `bytes`, waiting for room.
    pub(crate) async fn grow_to(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if self.large.is_some() {
            return Ok(());
        }
        if bytes > ORDINARY_MAX {
            let large = Arc::clone(&self.memory.large).acquire_owned();
            self.large =
                Some(timeout(self.memory.wait, large).await.map_err(|_| NoRoom)?.map_err(|_| NoRoom)?);
            self.ordinary = None;
            return Ok(());
        }
        let held = self.ordinary.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = bytes.div_ceil(UNIT).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| NoRoom)?;
        let more = Arc::clone(&self.memory.ordinary).acquire_many_owned(missing);
        let more = timeout(self.memory.wait, more).await.map_err(|_| NoRoom)?.map_err(|_| NoRoom)?;
        match &mut self.ordinary {
            Some(held) => held.merge(more),
            None => self.ordinary = Some(more),
        }
        Ok(())
    }

    /// Gives back what goes beyond `bytes`. A large body keeps its turn.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if let Some(held) = &mut self.ordinary {
            let surplus = held.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            drop(held.split(surplus));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn room_is_bounded_and_comes_back() {
        let memory = Memory::new(100 * UNIT, Duration::from_secs(1));
        let mut first = memory.reserve();
        first.grow_to(80 * UNIT).await.unwrap();
        let mut second = memory.reserve();
        assert_eq!(second.grow_to(30 * UNIT).await, Err(NoRoom));
        first.shrink_to(10 * UNIT);
        second.grow_to(90 * UNIT).await.unwrap();
        drop(first);
        second.grow_to(100 * UNIT).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_go_one_at_a_time_and_leave_the_ordinary_ones_alone() {
        let memory = Memory::new(100 * UNIT, Duration::from_secs(1));
        let mut first = memory.reserve();
        first.grow_to(50 * UNIT).await.unwrap();
        first.grow_to(ORDINARY_MAX + 1).await.unwrap();
        let mut second = memory.reserve();
        assert_eq!(second.grow_to(ORDINARY_MAX + 1).await, Err(NoRoom));
        second.grow_to(100 * UNIT).await.unwrap();
        drop(first);
        second.grow_to(ORDINARY_MAX + 1).await.unwrap();
    }
}
