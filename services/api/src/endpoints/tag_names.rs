//! `GET /api/v1/tags/keys?project=&prefix=` and `GET /api/v1/tags/values?key=&project=&prefix=`, for completion.

use super::named;
use crate::access::Principal;
use crate::openapi::{Parameter, parameter, required};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_store::tags;
use bugle_web::{Page, Params};
use schemars::JsonSchema;
use serde::Serialize;

/// No list is longer: who looks for more types more.
const MOST: i64 = 50;
/// As long as names and values of tags are.
const MAX_PREFIX: usize = 200;

const PROJECT: Parameter = parameter::<String>("project", "Only of this project, by id or name.");
const PREFIX: Parameter = parameter::<String>("prefix", "Only those that begin so.");
/// The parameters of [`keys`].
pub(super) const KEYS: &[Parameter] = &[PROJECT, PREFIX];
/// The parameters of [`values`].
pub(super) const VALUES: &[Parameter] = &[required::<String>("key", "The tag's name."), PROJECT, PREFIX];

/// A name or a value of a tag.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct TagText(String);

pub(super) async fn keys(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<TagText>>, ApiError> {
    let mut params = Params::of(&request);
    let (project, prefix) = (params.text("project"), prefix(&mut params));
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, &principal, &named).await?.id),
        None => None,
    };
    let found = tags::keys(&mut connection, &principal.scope(), project, &prefix, MOST).await?;
    Ok(Json(Page::whole(found).map(TagText)))
}

pub(super) async fn values(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<TagText>>, ApiError> {
    let mut params = Params::of(&request);
    let key = params.required("key", "a tag's name", short);
    let (project, prefix) = (params.text("project"), prefix(&mut params));
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let project = match project {
        Some(named) => Some(named::project_parameter(&mut connection, &principal, &named).await?.id),
        None => None,
    };
    let key = key.unwrap_or_default();
    let found = tags::values(&mut connection, &principal.scope(), project, &key, &prefix, MOST).await?;
    Ok(Json(Page::whole(found).map(TagText)))
}

fn prefix(params: &mut Params) -> String {
    params.optional("prefix", "up to 200 characters", short).unwrap_or_default()
}

fn short(text: &str) -> Option<String> {
    (text.chars().count() <= MAX_PREFIX).then(|| text.to_owned())
}
