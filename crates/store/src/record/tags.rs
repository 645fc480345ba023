//! "Some event of this issue has this tag": only what is not known to be there is written.

use super::cache::Cache;
use super::counts::Tallies;
use crate::{Connection, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;

#[derive(QueryableByName)]
struct Full {
    #[diesel(sql_type = BigInt)]
    issue_id: i64,
    #[diesel(sql_type = Text)]
    key: String,
}

const RELEASE: &str = "release";
/// Values that an issue keeps of a key: the first ones, …
const MOST_VALUES: i64 = 200;
/// … but of its releases the newest: the one of today is the one that is looked for.
const MOST_RELEASES: i64 = 1_000;

/// Adds the tags of the batch, at most 200 keys an issue and so many values a key; returns the fingerprints of what needs no
/// asking from now on: tags that are there, and keys that are full or left out. The issues are locked.
pub(super) async fn add(
    connection: &mut Connection,
    cache: &Cache,
    tallies: &Tallies<'_>,
) -> Result<Vec<u64>, StoreError> {
    let mut unknown: BTreeMap<(i64, &str, &str), u64> = BTreeMap::new();
    for (issue, tally) in tallies {
        for (key, value) in &tally.tags {
            let fingerprint = cache.fingerprint((issue, key, value));
            if !cache.knows_tag(fingerprint) && !cache.knows_tag(cache.fingerprint((issue, key))) {
                unknown.insert((*issue, key, value), fingerprint);
            }
        }
    }
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let full: Vec<Full> = statement(
        "WITH wanted AS (SELECT * FROM UNNEST($1, $2, $3) AS t (i, k, v)),
             kept AS MATERIALIZED (SELECT i, k, (SELECT count(*) FROM (SELECT 1 FROM issue_tags o
                     WHERE o.issue_id = w.i AND o.key = w.k LIMIT $5) o) AS n,
                     CASE k WHEN 'release' THEN $5 ELSE $4 END AS most FROM wanted w GROUP BY i, k),
             new_keys AS MATERIALIZED (SELECT i, k, row_number() OVER (PARTITION BY i ORDER BY k)
                     + (SELECT count(DISTINCT o.key) FROM issue_tags o WHERE o.issue_id = kept.i) AS place
                 FROM kept WHERE n = 0),
             new AS MATERIALIZED (SELECT i, k, v, row_number() OVER (PARTITION BY i, k ORDER BY v) AS place FROM wanted w
                 WHERE NOT EXISTS (SELECT 1 FROM issue_tags o
                     WHERE o.issue_id = w.i AND o.key = w.k AND o.value = w.v)),
             room AS MATERIALIZED (SELECT kept.i, kept.k, CASE WHEN new_keys.place > 200 THEN 0 ELSE kept.most - kept.n END AS n
                 FROM kept LEFT JOIN new_keys ON new_keys.i = kept.i AND new_keys.k = kept.k),
             made AS (INSERT INTO issue_tags (issue_id, key, value)
                 SELECT new.i, new.k, new.v FROM new JOIN room ON room.i = new.i AND room.k = new.k
                 WHERE new.place <= room.n ON CONFLICT DO NOTHING)
         SELECT room.i AS issue_id, room.k AS key FROM room
         WHERE room.n <= (SELECT count(*) FROM new WHERE new.i = room.i AND new.k = room.k)",
    )
    .bind::<Array<BigInt>, _>(unknown.keys().map(|(issue, _, _)| *issue).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(unknown.keys().map(|(_, key, _)| *key).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(unknown.keys().map(|(_, _, value)| *value).collect::<Vec<_>>())
    .bind::<BigInt, _>(MOST_VALUES)
    .bind::<BigInt, _>(MOST_RELEASES)
    .load(connection)
    .await?;
    let (of_releases, full): (Vec<&Full>, Vec<&Full>) = full.iter().partition(|row| row.key == RELEASE);
    let of_releases: Vec<i64> = of_releases.iter().map(|row| row.issue_id).collect();
    let newest = unknown.keys().filter(|(issue, key, _)| *key == RELEASE && of_releases.contains(issue));
    replace_oldest(connection, newest.map(|(issue, _, version)| (*issue, *version)).collect()).await?;
    // A key with ever new values would fill the memory with what is not there.
    let full: Vec<(i64, &str)> = full.iter().map(|row| (row.issue_id, row.key.as_str())).collect();
    let there = unknown.iter().filter(|((issue, key, _), _)| !full.contains(&(*issue, key)));
    let mut known: Vec<u64> = there.map(|(_, fingerprint)| *fingerprint).collect();
    known.extend(full.iter().map(|(issue, key)| cache.fingerprint((issue, key))));
    Ok(known)
}

/// Gives issues whose releases are full these versions in place of those that were first seen the longest ago.
async fn replace_oldest(connection: &mut Connection, newest: Vec<(i64, &str)>) -> Result<(), StoreError> {
    if newest.is_empty() {
        return Ok(());
    }
    let (issues, versions): (Vec<i64>, Vec<&str>) = newest.into_iter().unzip();
    statement(
        "WITH new AS MATERIALIZED (SELECT i, v FROM UNNEST($1, $2) AS t (i, v) WHERE NOT EXISTS (
                 SELECT 1 FROM issue_tags o WHERE o.issue_id = i AND o.key = 'release' AND o.value = v)),
             had AS (SELECT t.issue_id, t.value, row_number() OVER (PARTITION BY t.issue_id ORDER BY r.id NULLS FIRST) AS place
                 FROM issue_tags t JOIN issues i ON i.id = t.issue_id
                 LEFT JOIN releases r ON r.project_id = i.project_id AND r.version = t.value
                 WHERE t.key = 'release' AND t.issue_id IN (SELECT i FROM new)),
             gone AS (DELETE FROM issue_tags t USING had
                 WHERE t.issue_id = had.issue_id AND t.key = 'release' AND t.value = had.value
                     AND had.place <= (SELECT count(*) FROM new WHERE new.i = had.issue_id))
         INSERT INTO issue_tags (issue_id, key, value) SELECT i, 'release', v FROM new ON CONFLICT DO NOTHING",
    )
    .bind::<Array<BigInt>, _>(issues)
    .bind::<Array<Text>, _>(versions)
    .execute(connection)
    .await?;
    Ok(())
}
