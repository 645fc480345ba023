//! `/api/v1/tokens`: tokens of the API. Nobody gives one more than they have, nor for longer.

use super::named;
use crate::access::Principal;
use crate::accounts::fields;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{TeamId, TokenScope};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::tokens::{self, ApiToken, NewToken};
use bugle_web::{Code, FieldError, JsonBody, Page, Problem, auth};
use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A token as shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(super) struct TokenView {
    #[serde(flatten)]
    token: ApiToken,
    /// What is sent as `Authorization: Bearer`; only in the answer that made it.
    #[serde(rename = "token", skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

fn kept(token: &ApiToken) -> Value {
    json!({ "scopes": token.scopes, "team": token.team, "expires_at": token.expires_at })
}

/// `GET …/tokens`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<TokenView>>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = tokens::list(&mut connection, &principal.scope()).await?;
    let view = |token| TokenView { token, secret: None };
    Ok(Json(Page::whole(found.into_iter().map(view).collect())))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
    scopes: Vec<TokenScope>,
    team: Option<TeamId>,
    expires_at: Option<DateTime<Utc>>,
}

/// `POST …/tokens`: the token itself is in this answer and nowhere else.
pub(super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<TokenView>, ApiError> {
    let now = state.clock.now();
    let name = checked(&principal, &body, now)?;
    let mut connection = state.store.conn().await?;
    let team = named::team_for_new(&mut connection, &principal, body.team).await?;
    if let Some(scope) = body.scopes.iter().find(|scope| !principal.may_grant(**scope, team)) {
        let detail = match (scope, team) {
            (TokenScope::Admin, Some(_)) => "the scope admin is for tokens without a team".to_owned(),
            _ => format!("you do not have the scope {scope} yourself"),
        };
        return Err(Problem::with_detail(Code::Forbidden, detail).into());
    }
    let mut scopes = body.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let token = auth::new_token();
    let created_by = principal.person_behind();
    let new = NewToken { name: &name, scopes: &scopes, team, created_by, expires_at: body.expires_at };
    let made = connection
        .transaction(async |connection| {
            let made = tokens::create_scoped(connection, &new, &auth::hash(&token), now).await?;
            let target = Target::new("token", made.id, &made.name);
            let entry = principal.changed("token.created", target, team, None, Some(kept(&made)));
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(TokenView { token: made, secret: Some(token) }).uncached())
}

fn checked(principal: &Principal, body: &Body, now: DateTime<Utc>) -> Result<String, ApiError> {
    let mut mistakes = Vec::new();
    let name = fields::team_name(&body.name).map_err(|error| mistakes.push(error)).unwrap_or_default();
    if body.scopes.is_empty() {
        mistakes.push(FieldError::new("scopes", "expected some of read, triage, write, admin"));
    }
    if body.expires_at.is_some_and(|at| at <= now) {
        mistakes.push(FieldError::new("expires_at", "is not in the future"));
    }
    if let Some(end) = principal.token_ends_at()
        && body.expires_at.is_none_or(|at| at > end)
    {
        let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
        let message = format!("expected {end} at the latest, when the token that makes it ends");
        mistakes.push(FieldError::new("expires_at", message));
    }
    named::refuse(mistakes)?;
    Ok(name)
}

/// `DELETE …/tokens/{id}`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let all = tokens::list(&mut connection, &principal.visible()).await?;
    let found = all.into_iter().find(|one| id.parse() == Ok(one.id));
    let found = found.ok_or_else(|| named::missing("token", &id))?;
    principal.allowed(found.team)?;
    connection
        .transaction(async |connection| {
            tokens::revoke(connection, &found.name).await?;
            let target = Target::new("token", found.id, &found.name);
            let entry = principal.changed("token.revoked", target, found.team, Some(kept(&found)), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
