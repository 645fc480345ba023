//! `GET /api/v1/issues/{id}/tags`: how often each value of each tag occurs among the issue's latest events.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_store::events;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Events that are looked at.
const SAMPLE: usize = 200;
/// Values that are told of each tag.
const MAX_VALUES: usize = 10;

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TagValue")]
struct Value {
    value: String,
    count: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Tag {
    key: String,
    /// Events that have it.
    total: usize,
    /// The most frequent first.
    values: Vec<Value>,
}

/// The tags of an issue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IssueTags")]
pub(super) struct Tags {
    /// How many events were looked at: the latest.
    events: usize,
    items: Vec<Tag>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Tags>, ApiError> {
    let mut connection = state.store.conn().await?;
    let issue = named::issue(&mut connection, &principal, &id).await?;
    let latest = events::tags(&mut connection, issue.id, SAMPLE).await?;
    Ok(Json(Tags { events: latest.len(), items: distribution(&latest) }))
}

fn distribution(latest: &[BTreeMap<String, String>]) -> Vec<Tag> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (key, value) in latest.iter().flatten() {
        *counts.entry(key).or_default().entry(value).or_default() += 1;
    }
    let tags = counts.into_iter().map(|(key, values)| {
        let total = values.values().sum();
        let mut values: Vec<_> =
            values.into_iter().map(|(value, count)| Value { value: value.to_owned(), count }).collect();
        values.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
        values.truncate(MAX_VALUES);
        Tag { key: key.to_owned(), total, values }
    });
    tags.collect()
}
