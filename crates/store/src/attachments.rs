//! Whether anything still refers to what lies in the object store.

use crate::{Connection, StoreError, statement};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Binary};
use diesel_async::RunQueryDsl;

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
}

/// Those of some contents, given by their SHA-256, that no attachment refers to. One whose item still waits in a queue
/// is among them: ask about old ones only.
///
/// # Errors
/// When the database is away or the statement fails.
pub async fn unreferenced(
    connection: &mut Connection,
    contents: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows: Vec<Content> = statement(
        "SELECT sha256 FROM UNNEST($1) AS kept (sha256)
         WHERE NOT EXISTS (SELECT FROM attachments a WHERE a.sha256 = kept.sha256)",
    )
    .bind::<Array<Binary>, _>(contents)
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.sha256).collect())
}
