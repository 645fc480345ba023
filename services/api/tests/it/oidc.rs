//! Signing in with an OpenID Connect provider: a scripted one, which signs what each test wants.

use crate::harness::{Answer, App, noon};
use crate::people::{Browser, account, person, team};
use bugle_model::{InstallationRole, TeamRole};
use bugle_runtime::{Config, Secret};
use bugle_store::links::{self, NewInvitation};
use bugle_testkit::HttpFake;
use bugle_testkit::http::Answer as Reply;
use bugle_web::auth;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenFields, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
    CoreRsaPrivateSigningKey, CoreTokenResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, Audience, EmptyAdditionalClaims, EmptyExtraTokenFields, EndUserEmail, IssuerUrl,
    JsonWebKeyId, Nonce, PrivateSigningKey, StandardClaims, SubjectIdentifier,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

const KEY: &str = include_str!("oidc_key.pem");
const CLIENT: &str = "bugle";

fn key() -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(KEY, Some(JsonWebKeyId::new("one".to_owned()))).unwrap()
}

/// What a token says.
struct Says {
    issuer: String,
    audience: &'static str,
    subject: &'static str,
    email: &'static str,
    verified: bool,
    nonce: String,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// A provider with a Bugle that trusts it.
struct World {
    app: App,
    provider: HttpFake,
}

impl World {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let provider = HttpFake::start().await;
        let issuer: Url = provider.url("/").parse().unwrap();
        let mut config = Config {
            oidc_issuer: Some(issuer.clone()),
            oidc_client_id: Some(CLIENT.to_owned()),
            oidc_client_secret: Some(Secret::new("a secret of the client")),
            api_rate_limit: 0,
            ..Config::default()
        };
        change(&mut config);
        let app = App::start_with(config).await;
        let world = Self { app, provider };
        world.introduce();
        world
    }

    fn issuer(&self) -> String {
        self.provider.url("/").trim_end_matches('/').to_owned()
    }

    /// What the provider says of itself, and its keys; kept for a minute.
    fn introduce(&self) {
        let issuer = self.issuer();
        let metadata = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"), "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        self.provider.then(Reply::json(200, &metadata));
        let keys = CoreJsonWebKeySet::new(vec![key().as_verification_key()]);
        self.provider.then(Reply::json(200, &serde_json::to_value(&keys).unwrap()));
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        self.app.send(client.get(self.app.url(path)).header("cookie", cookie)).await
    }

    /// Begins; the cookie, and what the provider was asked.
    async fn begin(&self, path: &str) -> (String, HashMap<String, String>) {
        let answer = self.get(path, "").await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        let url: Url = answer.header("location").parse().unwrap();
        assert_eq!(url.path(), "/auth", "{url}");
        let (cookie, attributes) = answer.header("set-cookie").split_once(';').unwrap();
        assert_eq!(attributes, " Path=/api/v1/session/oidc; Max-Age=600; HttpOnly; SameSite=Lax");
        (cookie.to_owned(), url.query_pairs().into_owned().collect())
    }

    fn says(&self, asked: &HashMap<String, String>) -> Says {
        Says {
            issuer: self.issuer(),
            audience: CLIENT,
            subject: "ann at the provider",
            email: "ann@example.com",
            verified: true,
            nonce: asked["nonce"].clone(),
            issued_at: noon(),
            expires_at: noon() + TimeDelta::minutes(5),
        }
    }

    /// The provider gives this token for the next code.
    fn gives(&self, says: Says) {
        let standard = StandardClaims::new(SubjectIdentifier::new(says.subject.to_owned()))
            .set_email(Some(EndUserEmail::new(says.email.to_owned())))
            .set_email_verified(Some(says.verified));
        let claims = CoreIdTokenClaims::new(
            IssuerUrl::new(says.issuer).unwrap(),
            vec![Audience::new(says.audience.to_owned())],
            says.expires_at,
            says.issued_at,
            standard,
            EmptyAdditionalClaims {},
        )
        .set_nonce(Some(Nonce::new(says.nonce)));
        let access = AccessToken::new("an access token".to_owned());
        let algorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
        let token = CoreIdToken::new(claims, &key(), algorithm, Some(&access), None).unwrap();
        let fields = CoreIdTokenFields::new(Some(token), EmptyExtraTokenFields {});
        let answer = CoreTokenResponse::new(access, CoreTokenType::Bearer, fields);
        self.provider.then(Reply::json(200, &serde_json::to_value(&answer).unwrap()));
    }

    async fn come_back(&self, cookie: &str, asked: &HashMap<String, String>) -> Answer {
        self.get(&format!("/api/v1/session/oidc/callback?code=c0de&state={}", asked["state"]), cookie).await
    }

    /// A whole sign-in with a token that is changed by the test; where it ends.
    async fn sign_in(&self, change: impl FnOnce(&mut Says)) -> Answer {
        let (cookie, asked) = self.begin("/api/v1/session/oidc").await;
        let mut says = self.says(&asked);
        change(&mut says);
        self.gives(says);
        self.come_back(&cookie, &asked).await
    }

    /// What the provider was asked is not of interest to every test.
    async fn stop(self) {
        drop(self.provider.take());
        self.app.stop().await;
    }

    async fn who(&self, answer: &Answer) -> Value {
        assert_eq!(answer.header("location"), "/");
        let mut cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let session = cookies.find(|cookie| cookie.starts_with("bugle_session=")).unwrap();
        let browser = Browser { cookie: session.split_once(';').unwrap().0.to_owned(), csrf: String::new() };
        browser.get(&self.app, "/api/v1/session").await.ok(200)["user"].clone()
    }
}

#[track_caller]
fn refused(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.header("location")), (302, format!("/signin?oidc={why}").as_str()));
    assert!(!answer.header("set-cookie").starts_with("bugle_session"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_by_its_verified_address_and_then_known_by_the_subject() {
    let world = World::new(|_| ()).await;
    let ann = account(&world.app, "Ann@Example.com", InstallationRole::Owner).await;
    let methods = world.get("/api/v1/session/methods", "").await.ok(200);
    assert_eq!(methods, json!({ "oidc": { "name": "OpenID Connect" } }));

    let (cookie, asked) = world.begin("/api/v1/session/oidc?next=/issues%3Fquery=x").await;
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
    assert_eq!(
        (asked["code_challenge_method"].as_str(), asked["scope"].as_str()),
        ("S256", "openid email profile")
    );
    assert_eq!(asked["redirect_uri"], "http://127.0.0.1:8080/api/v1/session/oidc/callback");
    world.gives(world.says(&asked));
    let answer = world.come_back(&cookie, &asked).await;
    assert_eq!((answer.status, answer.header("location")), (302, "/issues?query=x"));

    let requests = [world.provider.next().await, world.provider.next().await, world.provider.next().await];
    assert_eq!(requests[0].target, "/.well-known/openid-configuration");
    let form = requests[2].form();
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "c0de"));
    let challenge = auth::hash(&form["code_verifier"]);
    assert_eq!(base64_url(&challenge), asked["code_challenge"]);

    // The address has changed at the provider; the subject has not.
    let again = world.sign_in(|says| (says.email, says.verified) = ("other@example.com", false)).await;
    assert_eq!(world.who(&again).await["id"], json!(ann));
    assert_eq!(world.app.database.number("SELECT count(*) FROM oidc_identities").await.unwrap(), 1);
    let linked = "SELECT count(*) FROM audit_log WHERE action = 'identity.linked' AND actor_kind = 'user'";
    assert_eq!(world.app.database.number(linked).await.unwrap(), 1);
    world.stop().await;
}

fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let six =
        |chunk: &[u8]| (0..6).fold(0, |value, bit| (value << 1) | usize::from(*chunk.get(bit).unwrap_or(&0)));
    bits.chunks(6).map(|chunk| char::from(ALPHABET[six(chunk)])).collect()
}

/// What is wrong with a token.
type Change = fn(&mut Says);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    let world = World::new(|_| ()).await;
    account(&world.app, "ann@example.com", InstallationRole::Owner).await;
    let changes: [(&str, Change); 6] = [
        ("nonce", |says| says.nonce = "another".to_owned()),
        ("issuer", |says| says.issuer = "https://evil.example".to_owned()),
        ("audience", |says| says.audience = "another client"),
        ("expired", |says| says.expires_at = noon() - TimeDelta::seconds(61)),
        ("of the future", |says| says.issued_at = noon() + TimeDelta::seconds(61)),
        ("future and past", |says| {
            (says.issued_at, says.expires_at) = (noon() + TimeDelta::hours(1), noon() - TimeDelta::hours(1))
        }),
    ];
    for (what, change) in changes {
        let answer = world.sign_in(change).await;
        assert_eq!(answer.header("location"), "/signin?oidc=failed", "{what}");
    }
    // Clocks differ a little.
    let skewed = world
        .sign_in(|says| {
            (says.issued_at, says.expires_at) =
                (noon() + TimeDelta::seconds(59), noon() - TimeDelta::seconds(59))
        })
        .await;
    world.who(&skewed).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_once_in_the_browser_that_began_it() {
    let world = World::new(|_| ()).await;
    account(&world.app, "ann@example.com", InstallationRole::Owner).await;
    let (cookie, asked) = world.begin("/api/v1/session/oidc").await;
    let (other_cookie, mut other) = world.begin("/api/v1/session/oidc").await;
    refused(&world.come_back(&other_cookie, &asked).await, "failed");
    refused(&world.come_back("", &asked).await, "failed");
    other.insert("state".to_owned(), "made up".to_owned());
    refused(&world.come_back("bugle_oidc=made up", &other).await, "failed");

    world.gives(world.says(&asked));
    assert_eq!(world.come_back(&cookie, &asked).await.header("location"), "/");
    // The same code again: the provider is not even asked.
    refused(&world.come_back(&cookie, &asked).await, "failed");

    let (cookie, asked) = world.begin("/api/v1/session/oidc").await;
    world.app.clock.advance(TimeDelta::minutes(10));
    refused(&world.come_back(&cookie, &asked).await, "failed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_refuses_is_said() {
    let world = World::new(|_| ()).await;
    account(&world.app, "ann@example.com", InstallationRole::Owner).await;
    let (cookie, asked) = world.begin("/api/v1/session/oidc").await;
    let path = format!("/api/v1/session/oidc/callback?error=access_denied&state={}", asked["state"]);
    refused(&world.get(&path, &cookie).await, "denied");
    let (cookie, asked) = world.begin("/api/v1/session/oidc").await;
    let path =
        format!("/api/v1/session/oidc/callback?code=c&iss=https://evil.example&state={}", asked["state"]);
    refused(&world.get(&path, &cookie).await, "failed");
    let (cookie, asked) = world.begin("/api/v1/session/oidc").await;
    world.provider.then(Reply::json(400, &json!({ "error": "invalid_grant" })));
    refused(&world.come_back(&cookie, &asked).await, "failed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_not_asked_in_a_row() {
    let world = World::new(|_| ()).await;
    world.begin("/api/v1/session/oidc").await;
    let away = || world.provider.then(Reply::json(500, &json!({})));
    // What it said a moment ago is good enough.
    world.app.clock.advance(TimeDelta::seconds(61));
    away();
    world.begin("/api/v1/session/oidc").await;
    drop(world.provider.take());
    world.begin("/api/v1/session/oidc").await;
    assert!(world.provider.take().is_empty(), "it has just failed");
    world.app.clock.advance(TimeDelta::minutes(10));
    away();
    refused(&world.get("/api/v1/session/oidc", "").await, "unavailable");
    drop(world.provider.take());
    refused(&world.get("/api/v1/session/oidc", "").await, "unavailable");
    assert!(world.provider.take().is_empty(), "it has just failed");
    world.app.clock.advance(TimeDelta::seconds(5));
    world.introduce();
    world.begin("/api/v1/session/oidc").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_are_meant_get_in() {
    let world = World::new(|config| config.oidc_allowed_domains = vec!["example.com".to_owned()]).await;
    let app = &world.app;
    // While there is nobody, nobody gets in but by the set-up link.
    refused(&world.sign_in(|_| ()).await, "unknown");
    let (owner, _) = person(app, "owner", InstallationRole::Owner, &[]).await;
    refused(&world.sign_in(|says| says.verified = false).await, "unverified");
    refused(&world.sign_in(|_| ()).await, "unknown");
    account(app, "bob@evil.example", InstallationRole::Member).await;
    refused(&world.sign_in(|says| says.email = "bob@evil.example").await, "unknown");

    let blue = team(app, "blue").await;
    let new = NewInvitation {
        email: "ann@example.com",
        role: InstallationRole::Member,
        team: Some((blue, TeamRole::Viewer)),
        invited_by: "Owner",
        expires_at: noon() + TimeDelta::days(7),
    };
    links::invite(&mut *app.connection().await, &auth::hash("a link"), &new, noon()).await.unwrap();
    let ann = world.who(&world.sign_in(|_| ()).await).await;
    assert_eq!((&ann["email"], &ann["teams"][0]["name"]), (&json!("ann@example.com"), &json!("blue")));
    assert_eq!(app.database.number("SELECT count(*) FROM invitations").await.unwrap(), 0);
    let entry =
        "SELECT team_id, after ->> 'team', after ->> 'team_role', after ->> 'invited_by' FROM audit_log
                 WHERE action = 'invitation.accepted'";
    assert_eq!(app.database.rows(entry).await.unwrap(), [format!("{blue}|{blue}|viewer|Owner")]);

    app.database.execute(&format!("UPDATE users SET disabled = true WHERE id <> {owner}")).await.unwrap();
    refused(&world.sign_in(|_| ()).await, "disabled");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_signs_up_where_that_is_allowed_and_the_provider_takes_the_second_factors_place() {
    let world = World::new(|config| config.oidc_sign_up = true).await;
    let (owner, _) = person(&world.app, "owner", InstallationRole::Owner, &[]).await;
    let made = world.who(&world.sign_in(|_| ()).await).await;
    assert_eq!((&made["role"], &made["teams"], &made["name"]), (&json!("member"), &json!([]), &json!("ann")));

    let factor = format!(
        "INSERT INTO second_factors (user_id, secret, confirmed_at)
         VALUES ({owner}, '\\x0000000000000000000000000000000000000000', '2027-01-01T00:00:00Z')"
    );
    world.app.database.execute(&factor).await.unwrap();
    let answer = world.sign_in(|says| (says.subject, says.email) = ("owner", "owner@example.com")).await;
    assert_eq!(world.who(&answer).await["totp"], true);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_with_our_own_pages_only() {
    let world = World::new(|_| ()).await;
    account(&world.app, "ann@example.com", InstallationRole::Owner).await;
    for elsewhere in
        ["https://evil.example", "//evil.example", "/%5Cevil.example", "/a%0D%0Ab", "javascript:alert(1)"]
    {
        let (cookie, asked) = world.begin(&format!("/api/v1/session/oidc?next={elsewhere}")).await;
        world.gives(world.says(&asked));
        assert_eq!(world.come_back(&cookie, &asked).await.header("location"), "/", "{elsewhere}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_nothing() {
    let app = App::start().await;
    assert_eq!(app.get("/api/v1/session/methods").await.ok(200), json!({ "oidc": null }));
    app.get("/api/v1/session/oidc").await.ok(404);
    app.get("/api/v1/session/oidc/callback?code=c&state=s").await.ok(404);
    app.stop().await;
}
