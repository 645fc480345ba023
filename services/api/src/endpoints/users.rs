//! `/api/v1/users`: the people that one shares a team with, and for admins all of them.

use super::named;
use crate::access::Principal;
use crate::accounts::fields;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use bugle_model::{InstallationRole, UserId};
use bugle_store::audit::{self, Target};
use bugle_store::users::{self, User, UserChange};
use bugle_store::{Connection, Scope, Transactions, sessions};
use bugle_web::{Code, JsonBody, Page, Params, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET …/users?limit=&cursor=`
pub(super) async fn list(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<User>>, ApiError> {
    let mut params = Params::of(&request);
    let (limit, after) = (params.limit(), params.cursor());
    params.finish()?;
    let mut connection = state.store.conn().await?;
    let found = users::list(&mut connection, &principal.visible(), after, limit + 1).await?;
    let page: Page<User> = Page::cut(found, limit, |last| last.id);
    Ok(Json(page.map(|user| seen_by(&principal, user))))
}

/// Of others only the teams that one is in oneself.
pub(super) fn seen_by(principal: &Principal, mut user: User) -> User {
    let visible = principal.visible();
    user.teams.retain(|team| visible.holds(Some(team.id)));
    user
}

async fn find(connection: &mut Connection, scope: &Scope, text: &str) -> Result<User, ApiError> {
    let found = match text.parse::<UserId>() {
        Ok(id) => users::get(connection, scope, id).await?,
        Err(_) => None,
    };
    Ok(found.ok_or_else(|| named::missing("user", text))?)
}

/// `GET …/users/{id}`
pub(super) async fn get(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<User>, ApiError> {
    let mut connection = state.store.conn().await?;
    let found = find(&mut connection, &principal.visible(), &id).await?;
    Ok(Json(seen_by(&principal, found)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    role: Option<InstallationRole>,
    disabled: Option<bool>,
    name: Option<String>,
}

/// `PATCH …/users/{id}`: who is shut out loses all sessions.
pub(super) async fn change(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<User>, ApiError> {
    let now = state.clock.now();
    let name = body.name.as_deref().map(fields::name).transpose();
    let name = name.map_err(|error| Problem::invalid(vec![error]))?;
    let change = UserChange { name, role: body.role, disabled: body.disabled, ..UserChange::default() };
    let mut connection = state.store.conn().await?;
    let changed = connection
        .transaction(async |connection| {
            // One at a time: two must not take each other's ownership.
            users::lock_and_look(connection).await?;
            let before = find(connection, &Scope::All, &id).await?;
            let touches_owner =
                before.role == InstallationRole::Owner || body.role == Some(InstallationRole::Owner);
            if touches_owner && principal.installation != InstallationRole::Owner {
                return Err(Problem::with_detail(Code::Forbidden, "only owners change owners").into());
            }
            users::change(connection, before.id, &change).await?;
            if before.role == InstallationRole::Owner && users::owners(connection).await? == 0 {
                let detail = "an installation keeps an owner; make somebody else one first";
                return Err(ApiError::from(Problem::with_detail(Code::Conflict, detail)));
            }
            if body.disabled == Some(true) {
                sessions::end_all(connection, before.id, None).await?;
            }
            let after = find(connection, &Scope::All, &id).await?;
            let target = Target::new("user", after.id, &after.name);
            let entry =
                principal.changed("user.updated", target, None, Some(shown(&before)), Some(shown(&after)));
            audit::add(connection, &entry, now).await?;
            Ok(after)
        })
        .await?;
    Ok(Json(changed))
}

fn shown(user: &User) -> Value {
    json!({ "name": user.name, "role": user.role, "disabled": user.disabled })
}
