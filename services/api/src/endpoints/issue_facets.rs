//! `GET /api/v1/issues/facets?project=&status=&query=`: how what a search finds is spread.

use super::issue_search::{Asked, CHOOSE};
use crate::access::Principal;
use crate::openapi::Parameter;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{IssueStatus, Level, Priority};
use bugle_store::issues::{self, Facets, Tally};
use bugle_web::Params;
use schemars::JsonSchema;
use serde::Serialize;

/// The parameters.
pub(super) const PARAMETERS: &[Parameter] = &CHOOSE;
/// In the order in which they are shown.
const KEYS: [&str; 6] = ["status", "level", "priority", "assigned", "environment", "release"];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FacetValue")]
struct Value {
    /// What a search would ask for.
    value: String,
    /// How many of the issues looked at have it.
    issues: i64,
}

#[derive(Serialize, JsonSchema)]
struct Facet {
    /// `status`, `level`, `priority`, `assigned`, `environment` or `release`.
    key: String,
    /// The most frequent values first, 20 at most.
    values: Vec<Value>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IssueFacets")]
pub(super) struct Answer {
    /// How many issues were looked at: the latest active ones.
    issues: usize,
    /// There are more than were looked at, so that the numbers are those of a sample.
    sample: bool,
    facets: Vec<Facet>,
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Answer>, ApiError> {
    let mut params = Params::of(&request);
    let asked = Asked::take(&mut params, state.clock.now());
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let found = match asked.filter(&mut connection, &principal).await? {
        Some(filter) => issues::facets(&mut connection, &filter).await.map_err(ApiError::of_search)?,
        None => Facets { issues: 0, is_sample: false, facets: Default::default() },
    };
    let Facets { issues, is_sample, mut facets } = found;
    let facets = KEYS.into_iter().map(|key| {
        let values = facets.remove(key).unwrap_or_default().into_iter();
        Facet { key: key.to_owned(), values: values.filter_map(|tally| named(key, tally)).collect() }
    });
    Ok(Json(Answer { issues, sample: is_sample, facets: facets.collect() }))
}

/// The value by its name: the database counts codes.
fn named(key: &str, Tally { value, issues }: Tally) -> Option<Value> {
    let code = || value.parse::<i16>().ok();
    let value = match key {
        "status" => IssueStatus::from_code(code()?)?.to_string(),
        "level" => Level::from_code(code()?)?.to_string(),
        "priority" => Priority::from_code(code()?)?.to_string(),
        _ => value,
    };
    Some(Value { value, issues })
}
