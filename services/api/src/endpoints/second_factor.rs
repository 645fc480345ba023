//! `/api/v1/account/totp`: a second factor, its first code, and doing without it again.

use super::account::confirm;
use crate::access::Principal;
use crate::accounts::totp;
use crate::openapi::{Answer, NoContent};
use crate::{ApiError, State};
use actix_web::web::Data;
use bugle_store::audit::{self, Target};
use bugle_store::{Transactions, second_factors};
use bugle_web::{Code, JsonBody, Problem, auth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A second factor that is not confirmed yet.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProposedSecondFactor")]
pub(super) struct Proposed {
    /// In base 32.
    secret: String,
    /// What a QR code holds: `otpauth://…`.
    uri: String,
}

/// What signs in when the device is lost; each once.
#[derive(Serialize, JsonSchema)]
pub(super) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// `POST …/totp`: a secret, which counts once a first code has come.
pub(super) async fn propose(
    principal: Principal,
    state: Data<State>,
) -> Result<Answer<Proposed, 200>, ApiError> {
    let user = &principal.session()?.active.user;
    let secret: [u8; 20] = rand::random();
    let mut connection = state.store.conn().await?;
    if !second_factors::propose(&mut connection, user.id, &secret).await? {
        return Err(Problem::with_detail(Code::Conflict, "there is a second factor; remove it first").into());
    }
    let host = state.config.public_url.host_str().unwrap_or_default();
    let uri = totp::uri(&secret, &user.email, host);
    Ok(Answer::of(Proposed { secret: totp::base32(&secret), uri }).uncached())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    code: String,
}

/// `PUT …/totp`: the first code; answers the recovery codes, this once.
pub(super) async fn enable(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<First>,
) -> Result<Answer<RecoveryCodes, 200>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let proposed = second_factors::get(&mut connection, user.id).await?.filter(|factor| !factor.confirmed);
    let nothing = || Problem::with_detail(Code::Conflict, "there is nothing to confirm; start with POST");
    let proposed = proposed.ok_or_else(nothing)?;
    let step = totp::matching_step(&proposed.secret, &body.code, now);
    let step = step.ok_or_else(|| Problem::invalid_field("code", "is not the code of this moment"))?;
    let codes: Vec<String> = (0..totp::RECOVERY_CODES).map(|_| totp::recovery_code()).collect();
    let hashes: Vec<_> = codes.iter().map(|code| auth::hash(&totp::plain_recovery_code(code))).collect();
    let entry = principal.did("user.second_factor_added", Target::new("user", user.id, &user.name), None);
    connection
        .transaction(async |connection| {
            if !second_factors::confirm(connection, user.id, step, &hashes, now).await? {
                return Err(ApiError::from(nothing()));
            }
            Ok(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(Answer::of(RecoveryCodes { recovery_codes: codes }).uncached())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Gone {
    password: String,
}

/// `DELETE …/totp`
pub(super) async fn remove(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Gone>,
) -> Result<NoContent, ApiError> {
    let user = &principal.session()?.active.user;
    confirm(&state, user, "password", &body.password).await?;
    let now = state.clock.now();
    let entry = principal.did("user.second_factor_removed", Target::new("user", user.id, &user.name), None);
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            if second_factors::remove(connection, user.id).await? {
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}
