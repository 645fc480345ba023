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

/// Adds the tags of the batch, at most 200 keys an issue and 200 values a key; returns the fingerprints of what needs no
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
                     WHERE o.issue_id = w.i AND o.key = w.k LIMIT 200) o) AS n FROM wanted w GROUP BY i, k),
             new_keys AS MATERIALIZED (SELECT i, k, row_number() OVER (PARTITION BY i ORDER BY k)
                     + (SELECT count(DISTINCT o.key) FROM issue_tags o WHERE o.issue_id = kept.i) AS place
                 FROM kept WHERE n = 0),
             new AS MATERIALIZED (SELECT i, k, v, row_number() OVER (PARTITION BY i, k ORDER BY v) AS place FROM wanted w
                 WHERE NOT EXISTS (SELECT 1 FROM issue_tags o
                     WHERE o.issue_id = w.i AND o.key = w.k AND o.value = w.v)),
             room AS MATERIALIZED (SELECT kept.i, kept.k, CASE WHEN new_keys.place > 200 THEN 0 ELSE 200 - kept.n END AS n
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
    .load(connection)
    .await?;
    // A key with ever new values would fill the memory with what is not there.
    let full: Vec<(i64, &str)> = full.iter().map(|row| (row.issue_id, row.key.as_str())).collect();
    let there = unknown.iter().filter(|((issue, key, _), _)| !full.contains(&(*issue, key)));
    let mut known: Vec<u64> = there.map(|(_, fingerprint)| *fingerprint).collect();
    known.extend(full.iter().map(|(issue, key)| cache.fingerprint((issue, key))));
    Ok(known)
}
