//! "Some event of this issue has this tag": only what is not known to be there is written.

use super::cache::Cache;
use super::counts::Tallies;
use crate::{Connection, StoreError, statement};
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;

/// Adds the tags of the batch, at most 200 values a key and issue; returns the fingerprints of what is there now.
pub(super) async fn add(connection: &mut Connection, cache: &Cache, tallies: &Tallies) -> Result<Vec<u64>, StoreError> {
    let (mut issues, mut keys, mut values, mut fingerprints) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (issue, tally) in tallies {
        for (key, value) in &tally.tags {
            let fingerprint = cache.fingerprint((issue, key, value));
            if !cache.knows_tag(fingerprint) {
                issues.push(*issue);
                keys.push(key.as_str());
                values.push(value.as_str());
                fingerprints.push(fingerprint);
            }
        }
    }
    if issues.is_empty() {
        return Ok(fingerprints);
    }
    statement(
        "INSERT INTO issue_tags (issue_id, key, value)
         SELECT i, k, v FROM UNNEST($1, $2, $3) AS t (i, k, v)
         WHERE (SELECT count(*) FROM (SELECT 1 FROM issue_tags o WHERE o.issue_id = i AND o.key = k LIMIT 200) o) < 200
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<BigInt>, _>(issues)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Text>, _>(values)
    .execute(connection)
    .await?;
    Ok(fingerprints)
}
