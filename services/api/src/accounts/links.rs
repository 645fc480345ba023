//! Links that let somebody in once. What they prove is random; its SHA-256 is kept.

use bugle_model::UserId;
use bugle_store::{Connection, StoreError, links, users};
use bugle_web::auth;
use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

/// How long the first link works.
const SETUP: TimeDelta = TimeDelta::days(7);
/// How long a link for a new password works.
pub(crate) const RESET: TimeDelta = TimeDelta::hours(1);
/// How long an invitation works.
pub(crate) const INVITATION: TimeDelta = TimeDelta::days(7);

/// A link to a page of the dashboard.
#[must_use]
pub fn page(public_url: &Url, page: &str) -> String {
    let mut url = public_url.clone();
    url.set_path(&format!("{}/{page}", public_url.path().trim_end_matches('/')));
    url.into()
}

/// A link to a page of the dashboard with a token.
#[must_use]
pub fn link(public_url: &Url, page: &str, token: &str) -> String {
    let mut url = public_url.clone();
    url.set_path(&format!("{}/{page}", public_url.path().trim_end_matches('/')));
    url.set_query(Some(&format!("token={token}")));
    url.into()
}

/// A new link for making the first account; none when there is an account. Works for 7 days.
///
/// # Errors
/// When the database fails.
pub async fn setup(
    connection: &mut Connection,
    public_url: &Url,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    if users::any(connection).await? {
        return Ok(None);
    }
    let token = auth::new_secret();
    links::add_setup(connection, &auth::hash(&token), now + SETUP).await?;
    Ok(Some(link(public_url, "setup", &token)))
}

/// A new link for setting a person's password. Works once, for an hour.
///
/// # Errors
/// When the database fails.
pub async fn reset(
    connection: &mut Connection,
    public_url: &Url,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let token = auth::new_secret();
    links::add_reset(connection, &auth::hash(&token), user, now, now + RESET).await?;
    Ok(link(public_url, "reset", &token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_path_of_the_public_url() {
        let public = Url::parse("https://errors.example.com/bugle/").unwrap();
        assert_eq!(link(&public, "setup", "0f"), "https://errors.example.com/bugle/setup?token=0f");
    }
}
