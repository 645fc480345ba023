//! Signing in with an OpenID Connect provider: the code flow with PKCE, `state` and `nonce`.

mod people;

pub(crate) use people::person;

use bugle_model::Clock;
use bugle_runtime::Config;
use bugle_web::auth;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// Where the provider sends people back to, below the public address.
const CALLBACK: &str = "api/v1/session/oidc/callback";
/// What the provider says of itself is asked for again after this long.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(60);
/// While it is asked, or does not answer, what it said is good for this long: its keys may be others by then.
const USABLE_FOR: TimeDelta = TimeDelta::minutes(10);
/// A provider that did not answer is asked again after this long: nobody waits for it in a row.
const FAILED_FOR: TimeDelta = TimeDelta::seconds(5);
/// How far its clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: usize = 1024 * 1024;
/// Signatures that only the provider can make. Not those with the client's secret, and never none.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a sign-in came to nothing; for the log.
#[derive(Debug, Error)]
pub(crate) enum OidcError {
    #[error("{0}")]
    Provider(String),
    #[error("its token is not accepted: {0}")]
    Token(String),
}

/// Why a request to the provider failed.
#[derive(Debug, Error)]
pub(crate) enum HttpFailure {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Answer(#[from] openidconnect::http::Error),
    #[error("its answer is over {LONGEST_ANSWER} bytes")]
    TooLong,
}

/// The provider that the settings name.
pub(crate) struct Oidc {
    issuer: Url,
    id: String,
    secret: String,
    name: String,
    callback: String,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// One asks at a time.
    asking: tokio::sync::Mutex<()>,
}

/// What is known of the provider.
#[derive(Default)]
struct Known {
    metadata: Option<(DateTime<Utc>, CoreProviderMetadata)>,
    failed: Option<(DateTime<Utc>, String)>,
}

impl Known {
    /// What it said of itself, if that is not older than so.
    fn within(&self, age: TimeDelta, now: DateTime<Utc>) -> Option<CoreProviderMetadata> {
        self.metadata.as_ref().filter(|(at, _)| now - *at < age).map(|(_, metadata)| metadata.clone())
    }

    /// What to go by, without asking; none: it is to be asked.
    fn current(&self, now: DateTime<Utc>) -> Option<Result<CoreProviderMetadata, OidcError>> {
        if let Some(fresh) = self.within(KNOWN_FOR, now) {
            return Some(Ok(fresh));
        }
        let (_, error) = self.failed.as_ref().filter(|(at, _)| now - *at < FAILED_FOR)?;
        Some(self.within(USABLE_FOR, now).ok_or_else(|| OidcError::Provider(error.clone())))
    }
}

/// A sign-in that begins.
pub(crate) struct Start {
    /// Where the browser goes.
    pub(crate) url: Url,
    /// What comes back with it.
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// What the provider says of somebody.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) subject: String,
    /// Verified by the provider.
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

impl Oidc {
    /// The provider, when there is one.
    pub(crate) fn of(config: &Config, clock: Arc<dyn Clock>) -> Option<Self> {
        let (issuer, id) = (config.oidc_issuer.clone()?, config.oidc_client_id.clone()?);
        let public = config.public_url.as_str().trim_end_matches('/');
        Some(Self {
            issuer,
            id,
            secret: config.oidc_client_secret.as_ref()?.reveal().to_owned(),
            name: config.oidc_name.clone(),
            callback: format!("{public}/{CALLBACK}"),
            clock,
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Its name, for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its issuer, as its tokens have it.
    pub(crate) fn issuer(&self) -> &str {
        // A URL of a host alone gets a slash that the issuer does not have.
        if self.issuer.path() == "/" {
            self.issuer.as_str().trim_end_matches('/')
        } else {
            self.issuer.as_str()
        }
    }

    /// Begins a sign-in.
    pub(crate) async fn start(&self) -> Result<Start, OidcError> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(auth::new_secret()),
            || Nonce::new(auth::new_secret()),
        );
        let scopes = ["email", "profile"].map(|scope| Scope::new(scope.to_owned()));
        let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        let (state, nonce) = (state.into_secret(), nonce.secret().clone());
        Ok(Start { url, state, nonce, verifier: verifier.into_secret() })
    }

    /// Trades the code for what the provider says of whoever brought it.
    pub(crate) async fn finish(
        &self,
        code: &str,
        nonce: &str,
        verifier: String,
    ) -> Result<Claims, OidcError> {
        let client = self.client().await?;
        let http = http()?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(provider)?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&http)
            .await
            .map_err(provider)?;
        let id_token = tokens.extra_fields().id_token();
        let id_token = id_token.ok_or_else(|| OidcError::Token("there is none".to_owned()))?;
        let mut claims = self.verified(&client, id_token, nonce, tokens.access_token())?;
        if claims.email.is_none() && client.user_info_url().is_some() {
            let subject = openidconnect::SubjectIdentifier::new(claims.subject.clone());
            let request = client.user_info(tokens.access_token().clone(), Some(subject)).map_err(provider)?;
            let info: CoreUserInfoClaims = request.request_async(&http).await.map_err(provider)?;
            let is_verified = info.email_verified() == Some(true);
            claims.email = info.email().filter(|_| is_verified).map(|email| email.to_string());
            let name = info.name().and_then(|names| names.get(None)).map(|name| name.to_string());
            claims.name = claims.name.or(name);
        }
        Ok(claims)
    }

    fn verified(
        &self,
        client: &Client,
        token: &CoreIdToken,
        nonce: &str,
        access: &AccessToken,
    ) -> Result<Claims, OidcError> {
        let now = self.clock.now();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || now - SKEW)
            .set_issue_time_verifier_fn(move |at| {
                if at > now + SKEW { Err("it is of the future".to_owned()) } else { Ok(()) }
            });
        let refused = |error: &dyn std::fmt::Display| OidcError::Token(error.to_string());
        let claims =
            token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| refused(&error))?;
        if let Some(hash) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| refused(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| refused(&error))?;
            let actual =
                AccessTokenHash::from_token(access, algorithm, key).map_err(|error| refused(&error))?;
            if actual != *hash {
                return Err(refused(&"it belongs to another access token"));
            }
        }
        let is_verified = claims.email_verified() == Some(true);
        Ok(Claims {
            subject: claims.subject().to_string(),
            email: claims.email().filter(|_| is_verified).map(|email| email.to_string()),
            name: claims.name().and_then(|names| names.get(None)).map(|name| name.to_string()),
        })
    }

    async fn client(&self) -> Result<Client, OidcError> {
        let secret = ClientSecret::new(self.secret.clone());
        let callback = RedirectUrl::new(self.callback.clone()).map_err(provider)?;
        let client = CoreClient::from_provider_metadata(
            self.metadata().await?,
            ClientId::new(self.id.clone()),
            Some(secret),
        );
        Ok(client.set_redirect_uri(callback))
    }

    /// What the provider says of itself, with its keys.
    async fn metadata(&self) -> Result<CoreProviderMetadata, OidcError> {
        let now = self.clock.now();
        if let Some(current) = self.known().current(now) {
            return current;
        }
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) => {
                if let Some(older) = self.known().within(USABLE_FOR, now) {
                    return Ok(older);
                }
                self.asking.lock().await
            }
        };
        // Whoever asked meanwhile has found out.
        if let Some(current) = self.known().current(self.clock.now()) {
            return current;
        }
        let asked = self.ask().await;
        let (mut known, now) = (self.known(), self.clock.now());
        match asked {
            Ok(metadata) => *known = Known { metadata: Some((now, metadata)), failed: None },
            Err(error) => {
                known.failed = Some((now, error.to_string()));
                if known.within(USABLE_FOR, now).is_some() {
                    tracing::warn!(%error, "the OpenID Connect provider says nothing new of itself");
                }
            }
        }
        known.current(now).unwrap_or_else(|| Err(OidcError::Provider("nothing is known of it".to_owned())))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self) -> Result<CoreProviderMetadata, OidcError> {
        let issuer = IssuerUrl::new(self.issuer().to_owned()).map_err(provider)?;
        CoreProviderMetadata::discover_async(issuer, &http()?).await.map_err(provider)
    }
}

/// With what is behind it: the outer text alone is "request failed".
fn provider(error: impl std::error::Error) -> OidcError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    OidcError::Provider(text)
}

/// An answer that is on its way.
type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>>>>;

/// The issuer is an operator's setting: it may be on a private network. Redirects would lead elsewhere.
fn http() -> Result<impl Fn(HttpRequest) -> Answering, OidcError> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(provider)?;
    Ok(move |request| -> Answering { Box::pin(send(client.clone(), request)) })
}

async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut response = openidconnect::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(HttpFailure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body)?)
}
