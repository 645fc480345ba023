//! Each project's settings, ready for use, and the keys of items that the door could not check.

use bugle_grouping::Grouper;
use bugle_model::{KeyId, ProjectId, ProjectSettings};
use bugle_protocol::filter::Filters;
use bugle_protocol::scrub::Scrubber;
use bugle_store::projects::{self, Project};
use bugle_store::{Scope, Store, StoreError, keys};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const FRESH: Duration = Duration::from_secs(5);
const PAGE: usize = 1000;

/// A project's settings, compiled.
pub(crate) struct Compiled {
    pub settings: ProjectSettings,
    /// Why the defaults stand in for what is set.
    settings_error: Option<String>,
    pub scrubber: Scrubber,
    pub filters: Filters,
    pub grouper: Grouper,
}

/// All projects.
pub(crate) type Snapshot = Arc<HashMap<ProjectId, Arc<Compiled>>>;

/// The projects as of a few seconds ago.
pub(crate) struct Projects {
    store: Store,
    current: Mutex<(Option<Instant>, Snapshot)>,
}

impl Projects {
    pub fn new(store: Store) -> Self {
        Self { store, current: Mutex::new((None, Snapshot::default())) }
    }

    /// The projects, read again when they are older than five seconds, or when one of `wanted` is not among them:
    /// it may have been made a moment ago, and what was accepted for it must not be lost.
    pub async fn snapshot(&self, wanted: impl Iterator<Item = ProjectId>) -> Result<Snapshot, StoreError> {
        let (read_at, current) = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = read_at.map_or(Duration::MAX, |at| at.elapsed());
        if age < FRESH && wanted.into_iter().all(|project| current.contains_key(&project)) {
            return Ok(current);
        }
        let fresh = self.read(&current).await?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) =
            (Some(Instant::now()), Arc::clone(&fresh));
        Ok(fresh)
    }

    async fn read(&self, before: &Snapshot) -> Result<Snapshot, StoreError> {
        let mut connection = self.store.conn().await?;
        let mut all = HashMap::new();
        let mut after = None;
        loop {
            let page = projects::list(&mut connection, &Scope::All, after, PAGE).await?;
            after = page.last().map(|project| project.id);
            let full = page.len() == PAGE;
            for project in page {
                let id = project.id;
                let compiled = match before.get(&id) {
                    Some(known) if known.is_of(&project) => Arc::clone(known),
                    _ => Arc::new(compile(project)),
                };
                all.insert(id, compiled);
            }
            if !full {
                return Ok(Arc::new(all));
            }
        }
    }

    /// The project and key of an item that the door took unchecked, when the key is there and enabled.
    pub async fn check_key(&self, public_key: &str) -> Result<Option<(ProjectId, KeyId)>, StoreError> {
        let mut connection = self.store.conn().await?;
        let key = keys::find(&mut connection, public_key).await?;
        Ok(key.filter(|key| key.enabled && key.public_key == public_key).map(|key| (key.project, key.id)))
    }
}

impl Compiled {
    fn is_of(&self, project: &Project) -> bool {
        self.settings == project.settings && self.settings_error == project.settings_error
    }
}

fn compile(project: Project) -> Compiled {
    let Project { id: project, settings, settings_error, .. } = project;
    if let Some(error) = &settings_error {
        // Settings are checked when they are set; these were made by a newer version, or by hand.
        tracing::error!(%project, error, "a project's settings cannot be read; recording with the defaults");
    }
    let grouper = Grouper::new(&settings.grouping_rules).unwrap_or_else(|error| {
        // Rules are checked when they are set; these were made by a newer version, or by hand.
        tracing::warn!(%project, %error, "grouping rules cannot be used; grouping without");
        Grouper::default()
    });
    Compiled {
        scrubber: Scrubber::new(&settings.scrub),
        filters: Filters::new(&settings.filters),
        grouper,
        settings,
        settings_error,
    }
}
