//! Releases and environments: from names to numbers.

use super::batch::NewEvent;
use super::cache::Cache;
use crate::{Connection, StoreError, statement};
use bugle_model::ProjectId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeSet, HashMap};

/// Numbers of releases and environments.
#[derive(Debug, Default)]
pub(super) struct Names {
    releases: HashMap<(ProjectId, String), i32>,
    environments: HashMap<(ProjectId, String), i32>,
}

impl Names {
    pub fn release(&self, event: &NewEvent) -> Option<i32> {
        self.releases.get(&(event.project, event.release.clone()?)).copied()
    }

    pub fn environment(&self, event: &NewEvent) -> Option<i32> {
        self.environments.get(&(event.project, event.environment.clone()?)).copied()
    }
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    name: String,
}

/// Finds or makes the releases and environments of the batch, outside the batch's transaction: one without an
/// event does no harm, and nobody waits for the lock.
pub(super) async fn names(
    connection: &mut Connection,
    cache: &mut Cache,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<Names, StoreError> {
    let wanted = |name: fn(&NewEvent) -> Option<&String>| -> BTreeSet<(ProjectId, String)> {
        events.iter().filter_map(|event| Some((event.project, name(event)?.clone()))).collect()
    };
    let releases = wanted(|event| event.release.as_ref());
    let environments = wanted(|event| event.environment.as_ref());
    let pick = |known: &HashMap<(ProjectId, String), i32>, wanted: &BTreeSet<(ProjectId, String)>| {
        wanted.iter().filter_map(|key| Some((key.clone(), *known.get(key)?))).collect::<HashMap<_, _>>()
    };
    let mut names = Names {
        releases: pick(&cache.releases, &releases),
        environments: pick(&cache.environments, &environments),
    };
    let missing: Vec<_> = releases.into_iter().filter(|key| !names.releases.contains_key(key)).collect();
    if !missing.is_empty() {
        let rows: Vec<NameRow> = statement(
            "WITH wanted AS (SELECT * FROM UNNEST($1, $2) AS t (project_id, version)),
             made AS (INSERT INTO releases (project_id, version, created_at)
                 SELECT w.project_id, w.version, $3 FROM wanted w JOIN projects p ON p.id = w.project_id
                 ORDER BY 1, 2 ON CONFLICT (project_id, version) DO UPDATE SET version = excluded.version
                 RETURNING id, project_id, version)
             SELECT id, project_id, version AS name FROM made",
        )
        .bind::<Array<Integer>, _>(missing.iter().map(|key| key.0.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(missing.iter().map(|key| key.1.clone()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .load(connection)
        .await?;
        remember(&mut cache.releases, &mut names.releases, rows);
    }
    let missing: Vec<_> =
        environments.into_iter().filter(|key| !names.environments.contains_key(key)).collect();
    if !missing.is_empty() {
        let rows: Vec<NameRow> = statement(
            "INSERT INTO environments (project_id, name)
             SELECT w.project_id, w.name FROM UNNEST($1, $2) AS w (project_id, name) JOIN projects p ON p.id = w.project_id
             ORDER BY 1, 2 ON CONFLICT (project_id, name) DO UPDATE SET name = excluded.name
             RETURNING id, project_id, name",
        )
        .bind::<Array<Integer>, _>(missing.iter().map(|key| key.0.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(missing.iter().map(|key| key.1.clone()).collect::<Vec<_>>())
        .load(connection)
        .await?;
        remember(&mut cache.environments, &mut names.environments, rows);
    }
    Ok(names)
}

fn remember(
    cache: &mut HashMap<(ProjectId, String), i32>,
    names: &mut HashMap<(ProjectId, String), i32>,
    rows: Vec<NameRow>,
) {
    for row in rows {
        let key = (ProjectId(row.project_id), row.name);
        cache.insert(key.clone(), row.id);
        names.insert(key, row.id);
    }
}
