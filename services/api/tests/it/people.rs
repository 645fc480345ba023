//! People for tests: made in the database, or by hand through the API as a browser would.

use crate::harness::{Answer, App};
use bugle_model::{InstallationRole, TeamId, TeamRole, UserId};
use bugle_store::users::{self, NewUser};
use bugle_store::{sessions, teams};
use bugle_web::auth;
use reqwest::Method;
use serde_json::{Value, json};

pub const PASSWORD: &str = "correct horse";

/// Somebody with a session.
#[derive(Clone)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

impl Browser {
    /// From an answer that began a session.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let (cookie, _) = answer.header("set-cookie").split_once(';').unwrap();
        let csrf = answer.body["csrf"].as_str().unwrap().to_owned();
        Self { cookie: cookie.to_owned(), csrf }
    }

    pub async fn send(&self, app: &App, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = app.client.request(method, app.url(path)).header("cookie", &self.cookie);
        let request = request.header("x-csrf-token", &self.csrf);
        app.send(body.into_iter().fold(request, |request, body| request.json(body))).await
    }

    pub async fn get(&self, app: &App, path: &str) -> Answer {
        self.send(app, Method::GET, path, None).await
    }

    pub async fn post(&self, app: &App, path: &str, body: &Value) -> Answer {
        self.send(app, Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, app: &App, path: &str, body: &Value) -> Answer {
        self.send(app, Method::PATCH, path, Some(body)).await
    }

    pub async fn put(&self, app: &App, path: &str, body: &Value) -> Answer {
        self.send(app, Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, app: &App, path: &str) -> Answer {
        self.send(app, Method::DELETE, path, None).await
    }
}

pub async fn sign_in(app: &App, email: &str, password: &str) -> Answer {
    sign_in_with(app, &json!({ "email": email, "password": password })).await
}

pub async fn sign_in_with(app: &App, body: &Value) -> Answer {
    app.send(app.client.post(app.url("/api/v1/session")).json(body)).await
}

/// An account with [`PASSWORD`].
pub async fn account(app: &App, email: &str, role: InstallationRole) -> UserId {
    let hash = bugle_api::accounts::passwords::hash(PASSWORD).unwrap();
    let new = NewUser { email, name: email, password_hash: Some(&hash), role };
    users::create(&mut *app.connection().await, &new, app.now()).await.unwrap()
}

pub async fn team(app: &App, name: &str) -> TeamId {
    teams::create(&mut *app.connection().await, name, app.now()).await.unwrap()
}

/// Somebody without a password who is in some teams and has a session.
pub async fn person(
    app: &App,
    name: &str,
    role: InstallationRole,
    in_teams: &[(TeamId, TeamRole)],
) -> (UserId, Browser) {
    let mut connection = app.connection().await;
    let email = format!("{name}@example.com");
    let new = NewUser { email: &email, name, password_hash: None, role };
    let id = users::create(&mut connection, &new, app.now()).await.unwrap();
    for (team, role) in in_teams {
        teams::put_member(&mut connection, *team, id, *role, app.now()).await.unwrap();
    }
    (id, session(app, id, name).await)
}

/// A session whose token is known from the name.
pub async fn session(app: &App, id: UserId, name: &str) -> Browser {
    let token = format!("session-of-{name}");
    let mut connection = app.connection().await;
    sessions::end_by_hash(&mut connection, &auth::hash(&token)).await.unwrap();
    sessions::create(&mut connection, id, &auth::hash(&token), "192.0.2.1", "test", app.now()).await.unwrap();
    let cookie = format!("bugle_session={token}");
    let answer = app.send(app.client.get(app.url("/api/v1/session")).header("cookie", &cookie)).await;
    let csrf = answer.ok(200)["csrf"].as_str().unwrap().to_owned();
    Browser { cookie, csrf }
}
