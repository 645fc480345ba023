//! `/api/v1/session/oidc`: signing in with an OpenID Connect provider. Both are pages that a browser goes to, so that what
//! goes wrong is said by the sign-in page: `/signin?oidc=…`.

use crate::accounts::oidc::{self, Oidc};
use crate::accounts::sign_in::{self, Client};
use crate::openapi::{Parameter, Redirect, parameter};
use crate::{ApiError, State};
use actix_web::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use bugle_store::oidc::{Attempt, LONGEST};
use bugle_store::sessions;
use bugle_web::{Params, Problem, auth};
use schemars::JsonSchema;
use serde::Serialize;

/// Binds a sign-in to the browser that began it: who is sent a link to the end of somebody else's gets nowhere.
const COOKIE: &str = "bugle_oidc";
const PATH: &str = "/api/v1/session/oidc";
const LONGEST_NEXT: usize = 1024;

/// The parameters of the start.
pub(super) const START: &[Parameter] = &[parameter::<String>("next", "The page to go on with.")];
/// The parameters of the end. Providers add more.
pub(super) const CALLBACK: &[Parameter] = &[
    parameter::<String>("state", "What was begun."),
    parameter::<String>("code", "What proves who it is."),
    parameter::<String>("error", "Why the provider refuses."),
    parameter::<String>("iss", "The provider."),
];

/// How people sign in, besides with a password.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SignInMethods")]
pub(super) struct Methods {
    /// The OpenID Connect provider, when there is one.
    oidc: Option<Provider>,
}

/// An OpenID Connect provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OidcProvider")]
pub(super) struct Provider {
    /// What people call it.
    name: String,
}

/// `GET /api/v1/session/methods`
pub(super) async fn methods(state: Data<State>) -> Result<Json<Methods>, ApiError> {
    let oidc = state.oidc.as_ref().map(|oidc| Provider { name: oidc.name().to_owned() });
    Ok(Json(Methods { oidc }))
}

fn configured(state: &State) -> Result<&Oidc, Problem> {
    state.oidc.as_deref().ok_or_else(|| Problem::not_found("OpenID Connect provider here"))
}

/// `GET …/oidc?next=`: to the provider.
pub(super) async fn start(state: Data<State>, request: HttpRequest) -> Result<Redirect, ApiError> {
    let oidc = configured(&state)?;
    let mut params = Params::of(&request);
    let next = params.text("next").filter(|next| is_our_page(next)).unwrap_or_else(|| "/".to_owned());
    params.finish()?;
    let start = match oidc.start().await {
        Ok(start) => start,
        Err(error) => {
            tracing::warn!(%error, "a sign-in with the OpenID Connect provider cannot begin");
            return Ok(refuse(&state, "unavailable"));
        }
    };
    let attempt = Attempt { nonce: start.nonce, verifier: start.verifier, next };
    let mut connection = state.store.conn().await?;
    bugle_store::oidc::begin(&mut connection, &auth::hash(&start.state), &attempt, state.clock.now()).await?;
    let cookie = cookie(&state, &start.state, LONGEST.num_seconds());
    Ok(Redirect::of(
        HttpResponse::Found()
            .insert_header((LOCATION, start.url.as_str()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((SET_COOKIE, cookie))
            .finish(),
    ))
}

/// `GET …/oidc/callback`: back from the provider.
pub(super) async fn callback(state: Data<State>, request: HttpRequest) -> Result<Redirect, ApiError> {
    let oidc = configured(&state)?;
    let mut params = Params::of(&request);
    let [returned, code, error, issuer] = ["state", "code", "error", "iss"].map(|name| params.text(name));
    // Providers add more.
    params.ignore_others();
    params.finish()?;
    let client = Client::of(&state, &request);
    let now = state.clock.now();
    let began = auth::cookie(&request, COOKIE).map(auth::hash);
    let returned = returned.map(|returned| auth::hash(&returned));
    let (Some(began), Some(returned)) = (began, returned) else { return Ok(refuse(&state, "failed")) };
    if !auth::same(&began, &returned) {
        tracing::warn!(address = client.address, "a sign-in came back to another browser than began it");
        return Ok(refuse(&state, "failed"));
    }
    let mut connection = state.store.conn().await?;
    let Some(attempt) = bugle_store::oidc::take(&mut connection, &returned, now).await? else {
        return Ok(refuse(&state, "failed"));
    };
    drop(connection);
    if let Some(error) = error {
        let error: String = error.chars().take(64).filter(char::is_ascii_graphic).collect();
        tracing::info!(error, address = client.address, "the OpenID Connect provider refuses a sign-in");
        return Ok(refuse(&state, "denied"));
    }
    // RFC 9207: of another provider, it is not meant for us.
    let (Some(code), true) = (code, issuer.is_none_or(|issuer| issuer == oidc.issuer())) else {
        return Ok(refuse(&state, "failed"));
    };
    let claims = match oidc.finish(&code, &attempt.nonce, attempt.verifier).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(%error, address = client.address, "a sign-in with the OpenID Connect provider failed");
            return Ok(refuse(&state, "failed"));
        }
    };
    let mut connection = state.store.conn().await?;
    match oidc::person(&state, &mut connection, oidc.issuer(), &claims, &client, now).await? {
        Err(refused) => {
            tracing::info!(reason = refused.as_str(), address = client.address, "a sign-in is refused");
            Ok(refuse(&state, refused.as_str()))
        }
        Ok((user, name)) => {
            let token = sign_in::begin(&mut connection, &client, user, &name, now).await?;
            let session = sign_in::cookie(&state, &token, sessions::LONGEST.num_seconds())?;
            Ok(Redirect::of(
                HttpResponse::Found()
                    .insert_header((LOCATION, attempt.next))
                    .insert_header((CACHE_CONTROL, "no-store"))
                    .append_header((SET_COOKIE, cookie(&state, "", 0)))
                    .append_header((SET_COOKIE, session))
                    .finish(),
            ))
        }
    }
}

/// To the sign-in page, which says why.
fn refuse(state: &State, reason: &str) -> Redirect {
    Redirect::of(
        HttpResponse::Found()
            .insert_header((LOCATION, format!("/signin?oidc={reason}")))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((SET_COOKIE, cookie(state, "", 0)))
            .finish(),
    )
}

/// A path of this origin, and nothing that a browser takes for another.
fn is_our_page(next: &str) -> bool {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    is_path && next.len() <= LONGEST_NEXT && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn cookie(state: &State, value: &str, age: i64) -> String {
    let secure = if state.config.public_url.scheme() == "https" { "; Secure" } else { "" };
    // Lax: it has to come along when the provider sends the browser back.
    format!("{COOKIE}={value}; Path={PATH}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}
