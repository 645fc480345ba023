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

/// Adds the tags of the batch, at most 200 values a key and issue; returns the fingerprints of what needs no asking
/// from now on: tags that are there, and keys that are full.
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
        "WITH wanted AS (SELECT i, k, v, row_number() OVER (PARTITION BY i, k) AS n
                 FROM UNNEST($1, $2, $3) AS t (i, k, v)),
             kept AS (SELECT i, k, (SELECT count(*) FROM (SELECT 1 FROM issue_tags o
                     WHERE o.issue_id = w.i AND o.key = w.k LIMIT 200) o) AS n FROM wanted w GROUP BY i, k),
             made AS (INSERT INTO issue_tags (issue_id, key, value)
                 SELECT w.i, w.k, w.v FROM wanted w JOIN kept ON kept.i = w.i AND kept.k = w.k
                 WHERE kept.n + w.n <= 200 ON CONFLICT DO NOTHING)
         SELECT i AS issue_id, k AS key FROM kept WHERE n >= 200",
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
