//! Who listens with what right. Asked again while they listen, every few seconds as long as not too many do: a session that was
//! ended, a token that was revoked or a team that was left is noticed as soon, and within a minute in any case.

use super::{Live, lock};
use crate::access::Proof;
use bugle_runtime::Shutdown;
use bugle_store::{Scope, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;

/// How old a right is at least when it is asked for again.
const FRESH: TimeDelta = TimeDelta::seconds(2);
/// How old a right becomes before it is asked for again, however many there are.
const OLD: TimeDelta = TimeDelta::seconds(30);
/// How many are asked for again in a second before they are [`OLD`]: as many as are due when as many sockets are open as there
/// may be by default, each with a right of its own.
const MOST_EARLY: usize = 70;
/// How old a right may be that could not be asked for again.
const OLDEST: TimeDelta = TimeDelta::seconds(60);
const PERIOD: Duration = Duration::from_secs(1);

/// What one proof is worth, for all sockets that were opened with it.
#[derive(Debug)]
struct Right {
    /// None: nothing any more.
    sees: watch::Sender<Option<Scope>>,
    checked_at: DateTime<Utc>,
    sockets: usize,
}

/// The rights of all sockets.
#[derive(Debug, Default)]
pub(super) struct Rights {
    by_proof: HashMap<Proof, Right>,
    sockets: usize,
}

impl Rights {
    pub(super) fn is_empty(&self) -> bool {
        self.sockets == 0
    }

    pub(super) const fn sockets(&self) -> usize {
        self.sockets
    }

    /// How many sockets were opened with a proof.
    pub(super) fn sockets_of(&self, proof: Proof) -> usize {
        self.by_proof.get(&proof).map_or(0, |right| right.sockets)
    }

    /// Adds a socket whose right was checked just now.
    pub(super) fn enter(
        &mut self,
        proof: Proof,
        scope: Scope,
        now: DateTime<Utc>,
    ) -> watch::Receiver<Option<Scope>> {
        self.sockets += 1;
        let right = self.by_proof.entry(proof).or_insert_with(|| Right {
            sees: watch::Sender::new(Some(scope.clone())),
            checked_at: now,
            sockets: 0,
        });
        right.sockets += 1;
        right.set(Some(scope), now);
        right.sees.subscribe()
    }

    pub(super) fn leave(&mut self, proof: Proof) {
        self.sockets = self.sockets.saturating_sub(1);
        if let Some(right) = self.by_proof.get_mut(&proof) {
            right.sockets -= 1;
            if right.sockets == 0 {
                self.by_proof.remove(&proof);
            }
        }
    }

    /// The oldest first.
    fn due(&self, now: DateTime<Utc>) -> Vec<(Proof, DateTime<Utc>)> {
        let due = self.by_proof.iter().filter(|(_, right)| now - right.checked_at >= FRESH);
        let mut due: Vec<_> = due.map(|(proof, right)| (*proof, right.checked_at)).collect();
        due.sort_unstable_by_key(|(_, checked_at)| *checked_at);
        let old = due.partition_point(|(_, checked_at)| now - *checked_at >= OLD);
        due.truncate(old.max(MOST_EARLY));
        due
    }
}

impl Right {
    fn set(&mut self, sees: Option<Scope>, now: DateTime<Utc>) {
        self.checked_at = now;
        self.sees.send_if_modified(|before| {
            let is_other = *before != sees;
            *before = sees;
            is_other
        });
    }
}

impl Live {
    /// Asks again for every right that is old, one after the other, until the stop; ends with the watch.
    pub(super) async fn keep_rights(self, shutdown: Shutdown) {
        let mut timer = tokio::time::interval(PERIOD);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.soft.cancelled() => return,
                _ = timer.tick() => {}
            }
            let due = lock(&self.0.rights).due(self.0.clock.now());
            for (proof, checked_at) in due {
                let now = self.0.clock.now();
                let sees = match self.ask(proof, now).await {
                    Ok(sees) => sees,
                    // Nobody may see for long what nobody vouches for.
                    Err(_) if now - checked_at >= OLDEST => None,
                    Err(error) => {
                        tracing::debug!(%error, "live updates: a right could not be looked at");
                        break;
                    }
                };
                if let Some(right) = lock(&self.0.rights).by_proof.get_mut(&proof) {
                    right.set(sees, now);
                }
            }
        }
    }

    async fn ask(&self, proof: Proof, now: DateTime<Utc>) -> Result<Option<Scope>, StoreError> {
        let mut connection = self.0.store.conn().await?;
        proof.sees(&mut connection, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rights of so many tokens, each a millisecond younger than the one before.
    fn rights(count: u16, noon: DateTime<Utc>) -> Rights {
        let mut rights = Rights::default();
        for number in 0..count {
            let mut hash = [0; 32];
            hash[..2].copy_from_slice(&number.to_be_bytes());
            rights.enter(Proof::Token(hash), Scope::All, noon + TimeDelta::milliseconds(number.into()));
        }
        rights
    }

    #[test]
    fn few_are_asked_for_again_within_seconds() {
        let noon = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        let few = rights(3, noon);
        assert!(few.due(noon + TimeDelta::seconds(1)).is_empty());
        assert_eq!(few.due(noon + TimeDelta::seconds(3)).len(), 3);
    }

    #[test]
    fn of_many_the_oldest_go_first_and_none_grows_old() {
        let noon = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        let many = rights(300, noon);
        let early = many.due(noon + TimeDelta::seconds(3));
        assert_eq!(early.len(), MOST_EARLY);
        assert!(
            early.iter().all(|(_, checked_at)| *checked_at < noon + TimeDelta::milliseconds(70)),
            "{early:?}"
        );
        assert_eq!(many.due(noon + TimeDelta::seconds(31)).len(), 300);
    }
}
