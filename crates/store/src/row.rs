//! Rows as one JSON value each, for the small tables: what is read is what serde says of the type.

use crate::StoreError;
use diesel::QueryableByName;
use diesel::sql_types::Jsonb;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A row of `SELECT to_jsonb(…) AS row`.
#[derive(QueryableByName)]
pub(crate) struct JsonRow {
    #[diesel(sql_type = Jsonb)]
    row: Value,
}

impl JsonRow {
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, StoreError> {
        serde_json::from_value(self.row)
            .map_err(|error| StoreError::Damaged(format!("{}: {error}", std::any::type_name::<T>())))
    }
}

/// All rows.
pub(crate) fn all<T: DeserializeOwned>(rows: Vec<JsonRow>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(JsonRow::read).collect()
}

/// The first row, when there is one.
pub(crate) fn first<T: DeserializeOwned>(rows: Vec<JsonRow>) -> Result<Option<T>, StoreError> {
    rows.into_iter().next().map(JsonRow::read).transpose()
}
