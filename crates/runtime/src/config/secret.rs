//! Values that must not be shown.

use std::fmt;
use std::ops::Deref;
use url::Url;

/// A password, token or the like. Never printed: `Debug` shows `***`, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for whoever has to send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A URL that may hold a password. `Debug` shows it without; [`SecretUrl::shown`] gives that text. It derefs to
/// the whole [`Url`].
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// The whole URL, password and all.
    #[must_use]
    pub const fn reveal(&self) -> &Url {
        &self.0
    }

    /// The URL for people: scheme, host, port and path only.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        // These fail for URLs that cannot have a user, which then have none.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.into()
    }
}

impl From<Url> for SecretUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl Deref for SecretUrl {
    type Target = Url;
    fn deref(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_shows_what_it_holds() {
        let url = SecretUrl::from(Url::parse("postgres://bugle:hunter2@db:5432/bugle?password=x").unwrap());
        let shown = format!("{:?} {url:?}", Secret::new("hunter2"));
        assert_eq!(shown, "*** postgres://db:5432/bugle");
        assert_eq!(url.password(), Some("hunter2"));
    }
}
