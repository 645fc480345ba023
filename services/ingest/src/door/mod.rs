//! Who may come in: projects and keys in memory, complete, and what happens when a key is not among them.

mod refresh;

pub(crate) use refresh::run;

use crate::answer::Refusal;
use crate::files;
use bugle_model::{DoorKey, DoorProject, DoorSnapshot, ProjectId};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// A key that the database did not know is not asked for again for this long.
const ABSENT_FOR: Duration = Duration::from_secs(10);
const MAX_ABSENT: usize = 4096;
/// How many requests may wait for the answer about their keys.
const MAX_WAITING: usize = 512;
/// How long a request waits for the answer about its key; then it is taken for unverified.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// What is accepted without knowing the key, until the database has been read again.
const MAX_UNVERIFIED_ITEMS: u64 = 1_000;
const MAX_UNVERIFIED_BYTES: u64 = 16 * 1024 * 1024;

/// A project's key that may come in.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) key: Arc<DoorKey>,
    pub(crate) project: Arc<DoorProject>,
    /// Ingest processes that share the quotas.
    pub(crate) processes: u32,
}

/// Who sends.
#[derive(Debug, Clone)]
pub(crate) enum Sender {
    /// A key that is known and enabled.
    Known(Known),
    /// A key that cannot be looked up now; the recorder decides. The project is the URL's, 0 without one.
    Unverified {
        /// What the client sent.
        public_key: String,
        /// What the URL said.
        project: ProjectId,
    },
}

#[derive(Debug, Default)]
struct Index {
    keys: HashMap<String, Arc<DoorKey>>,
    projects: HashMap<ProjectId, Arc<DoorProject>>,
    processes: u32,
}

impl From<&DoorSnapshot> for Index {
    fn from(snapshot: &DoorSnapshot) -> Self {
        Self {
            keys: snapshot.keys.iter().map(|key| (key.public_key.clone(), Arc::new(key.clone()))).collect(),
            projects: snapshot
                .projects
                .iter()
                .map(|project| (project.id, Arc::new(project.clone())))
                .collect(),
            processes: snapshot.ingest_processes.max(1),
        }
    }
}

#[derive(Debug, Default)]
struct Unverified {
    items: u64,
    bytes: u64,
}

/// The door.
#[derive(Debug)]
pub(crate) struct Door {
    index: RwLock<Arc<Index>>,
    /// Keys that the database did not know, and when it said so.
    absent: Mutex<HashMap<String, Instant>>,
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
    asked: Notify,
    /// The last attempt to read the database failed, or there is none.
    away: AtomicBool,
    unverified: Mutex<Unverified>,
    file: PathBuf,
}

impl Door {
    /// A door that knows what was saved last. `has_database`: whether there is anybody to ask.
    pub(crate) fn load(dir: &Path, has_database: bool) -> Self {
        let file = dir.join("door.json");
        let snapshot: Option<DoorSnapshot> = files::load(&file);
        Self {
            index: RwLock::new(Arc::new(snapshot.as_ref().map(Index::from).unwrap_or_default())),
            absent: Mutex::default(),
            waiting: Mutex::default(),
            asked: Notify::new(),
            away: AtomicBool::new(!has_database),
            unverified: Mutex::default(),
            file,
        }
    }

    fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides about a key. `url_project` is the project in the URL, if there is one: digits.
    pub(crate) async fn admit(&self, public_key: &str, url_project: Option<&str>) -> Result<Sender, Refusal> {
        let project = match url_project {
            None => None,
            // More digits than a project has.
            Some(text) => Some(ProjectId(text.parse().map_err(|_| Refusal::Forbidden)?)),
        };
        if let Some(found) = self.find(public_key, project) {
            return found.map(Sender::Known);
        }
        // No key looks different.
        if public_key.len() != 32 || !public_key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refusal::Forbidden);
        }
        if self.is_absent(public_key) {
            return Err(Refusal::Forbidden);
        }
        if self.ask().await {
            return match self.find(public_key, project) {
                Some(found) => found.map(Sender::Known),
                None => {
                    self.remember_absent(public_key);
                    Err(Refusal::Forbidden)
                }
            };
        }
        Ok(Sender::Unverified { public_key: public_key.to_owned(), project: project.unwrap_or(ProjectId(0)) })
    }

    fn find(&self, public_key: &str, project: Option<ProjectId>) -> Option<Result<Known, Refusal>> {
        let index = self.index();
        let key = index.keys.get(public_key)?;
        if !key.enabled || project.is_some_and(|project| project != key.project) {
            return Some(Err(Refusal::Forbidden));
        }
        let project = index.projects.get(&key.project)?;
        Some(Ok(Known { key: Arc::clone(key), project: Arc::clone(project), processes: index.processes }))
    }

    /// Has the database read again, with others who wait for the same; whether it was.
    async fn ask(&self) -> bool {
        if self.away.load(Ordering::Relaxed) {
            return false;
        }
        let answer = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING {
                return false;
            }
            let (sender, answer) = oneshot::channel();
            waiting.push(sender);
            answer
        };
        self.asked.notify_one();
        matches!(tokio::time::timeout(ANSWER_WAIT, answer).await, Ok(Ok(())))
    }

    /// Counts items of an unknown key against the cap.
    pub(crate) fn take_unverified(&self, items: u64, bytes: u64) -> Result<(), Refusal> {
        let mut taken = self.unverified.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.items + items > MAX_UNVERIFIED_ITEMS || taken.bytes + bytes > MAX_UNVERIFIED_BYTES {
            return Err(Refusal::unavailable("the key cannot be verified now"));
        }
        taken.items += items;
        taken.bytes += bytes;
        Ok(())
    }

    fn is_absent(&self, public_key: &str) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(public_key).is_some_and(|since| since.elapsed() < ABSENT_FOR)
    }

    fn remember_absent(&self, public_key: &str) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        if absent.len() >= MAX_ABSENT {
            absent.retain(|_, since| since.elapsed() < ABSENT_FOR);
        }
        if absent.len() < MAX_ABSENT {
            absent.insert(public_key.to_owned(), Instant::now());
        }
    }

    fn replace(&self, snapshot: &DoorSnapshot) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Index::from(snapshot));
        *self.unverified.lock().unwrap_or_else(PoisonError::into_inner) = Unverified::default();
        self.away.store(false, Ordering::Relaxed);
    }

    fn is_away(&self) {
        self.away.store(true, Ordering::Relaxed);
    }
}
