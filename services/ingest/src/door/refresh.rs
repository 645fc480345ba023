//! Keeps the door's index fresh: on a notice from the database, when a key is not known, and every two seconds.

use super::Door;
use crate::files;
use bugle_model::{Clock, DoorSnapshot};
use bugle_store::{Store, StoreError, door};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

const POLL: Duration = Duration::from_secs(2);
/// Notices in a row are taken together, and unknown keys ask at most this often.
const NOTICE_PAUSE: Duration = Duration::from_millis(100);
const ASK_PAUSE: Duration = Duration::from_secs(1);
/// A database that needs longer is as good as away.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Poll,
    Notice,
    UnknownKey,
    Stop,
}

/// Runs until the stop.
pub(crate) async fn run(door: Arc<Door>, store: Store, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut refresher = Refresher { door, store, clock, changes: None, saved: None };
    let mut last_asked = Instant::now().checked_sub(ASK_PAUSE).unwrap_or_else(Instant::now);
    loop {
        // Only those who asked before the reading began learn from it.
        let waiting =
            std::mem::take(&mut *refresher.door.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let read = refresher.refresh().await;
        let was_away = read.is_err();
        refresher.settle(read, waiting).await;
        match refresher.wait(&stop, last_asked, was_away).await {
            Cause::Stop => return,
            Cause::UnknownKey => last_asked = Instant::now(),
            Cause::Notice => tokio::time::sleep(NOTICE_PAUSE).await,
            Cause::Poll => {}
        }
    }
}

struct Refresher {
    door: Arc<Door>,
    store: Store,
    clock: Arc<dyn Clock>,
    changes: Option<door::Changes>,
    saved: Option<DoorSnapshot>,
}

impl Refresher {
    async fn refresh(&mut self) -> Result<DoorSnapshot, StoreError> {
        let read = async {
            if self.changes.is_none() {
                self.changes = Some(door::Changes::listen(&self.store).await?);
            }
            let mut connection = self.store.conn().await?;
            door::snapshot(&mut connection, self.clock.now()).await
        };
        match timeout(READ_TIMEOUT, read).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Away("the door's tables were not read in time".to_owned())),
        }
    }

    /// Takes over what was read, tells those who wait, and saves what has changed.
    async fn settle(&mut self, read: Result<DoorSnapshot, StoreError>, waiting: Vec<oneshot::Sender<()>>) {
        match read {
            Ok(snapshot) => {
                self.door.replace(&snapshot);
                for answer in waiting {
                    // Who has stopped waiting needs no answer.
                    let _ = answer.send(());
                }
                self.save(snapshot).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the door goes on with what it knows");
                self.changes = None;
                self.door.is_away();
                // Dropped without an answer, as those taken before: away.
                self.door.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    }

    async fn save(&mut self, snapshot: DoorSnapshot) {
        let is_same = self.saved.as_ref().is_some_and(|saved| {
            saved.projects == snapshot.projects
                && saved.keys == snapshot.keys
                && saved.ingest_processes == snapshot.ingest_processes
        });
        if is_same {
            return;
        }
        let file = self.door.file.clone();
        let written =
            tokio::task::spawn_blocking(move || files::save(&file, &snapshot).map(|()| snapshot)).await;
        match written {
            Ok(Ok(snapshot)) => self.saved = Some(snapshot),
            Ok(Err(error)) => tracing::warn!(%error, "cannot save the door's snapshot"),
            Err(_) => {}
        }
    }

    async fn wait(&mut self, stop: &CancellationToken, last_asked: Instant, was_away: bool) -> Cause {
        let poll = Instant::now() + POLL;
        let (changes, door) = (&mut self.changes, &self.door);
        let notice = async move {
            match changes {
                Some(listening) => listening.next().await,
                None => std::future::pending().await,
            }
        };
        let asked = async {
            door.asked.notified().await;
            sleep_until(last_asked + if was_away { POLL } else { ASK_PAUSE }).await;
        };
        tokio::select! {
            () = stop.cancelled() => Cause::Stop,
            () = sleep_until(poll) => Cause::Poll,
            () = asked => Cause::UnknownKey,
            heard = notice => match heard {
                Ok(()) => Cause::Notice,
                Err(_) => Cause::Poll,
            },
        }
    }
}
