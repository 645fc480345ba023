//! Making projects, for the API and the command line alike.

use bugle_grouping::Grouper;
use bugle_model::{ProjectId, ProjectSettings};
use bugle_store::Connection;
use bugle_store::projects::{self, ProjectError};
use bugle_web::FieldError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

const MAX_RULES: usize = 64 * 1024;
const MAX_PATTERNS: usize = 500;
const MAX_PATTERN: usize = 500;

/// A new project with its first key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewProject {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// The first part of its issues' short ids.
    pub prefix: String,
    /// What clients send.
    pub key: String,
    /// What SDKs are given.
    pub dsn: String,
}

/// A new public key: 32 hex digits, 122 bits of them random.
#[must_use]
pub fn new_public_key() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The DSN of a key: the public URL with the key as user and the project's id as last part of the path.
#[must_use]
pub fn dsn(public_url: &Url, key: &str, project: ProjectId) -> String {
    let mut url = public_url.clone();
    // Fails for URLs without a host only, which the configuration refuses.
    let _ = url.set_username(key);
    url.set_path(&format!("{}/{project}", public_url.path().trim_end_matches('/')));
    url.into()
}

/// Makes a project and its first key in one transaction.
///
/// # Errors
/// See [`ProjectError`].
pub async fn create(
    connection: &mut Connection,
    public_url: &Url,
    name: &str,
    now: DateTime<Utc>,
) -> Result<NewProject, ProjectError> {
    let (project, key) = projects::create_with_key(connection, name, &new_public_key(), now).await?;
    let dsn = dsn(public_url, &key.public_key, project.id);
    Ok(NewProject { id: project.id, name: project.name, prefix: project.prefix, key: key.public_key, dsn })
}

/// Grouping rules, ready for use; or the first mistake in them, with its place.
pub(crate) fn grouper(field: &str, rules: &str) -> Result<Grouper, FieldError> {
    Grouper::new(rules).map_err(|error| FieldError {
        position: Some(error.position(rules)),
        ..FieldError::new(field, error.to_string())
    })
}

/// What is wrong with settings, beyond their types.
#[must_use]
pub fn check_settings(settings: &ProjectSettings) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if settings.grouping_rules.len() > MAX_RULES {
        errors.push(FieldError::new("grouping_rules", format!("over {MAX_RULES} bytes")));
    } else if let Err(error) = grouper("grouping_rules", &settings.grouping_rules) {
        errors.push(error);
    }
    let filters = &settings.filters;
    let lists = [
        ("filters.releases", &filters.releases),
        ("filters.environments", &filters.environments),
        ("filters.exception_types", &filters.exception_types),
        ("filters.messages", &filters.messages),
        ("scrub.fields", &settings.scrub.fields),
        ("scrub.keep", &settings.scrub.keep),
    ];
    for (field, list) in lists {
        if list.len() > MAX_PATTERNS {
            errors
                .push(FieldError::new(field, format!("has {} entries; at most {MAX_PATTERNS}", list.len())));
        }
        if list.iter().any(|entry| entry.is_empty() || entry.len() > MAX_PATTERN) {
            errors.push(FieldError::new(
                field,
                format!("has an entry that is empty or over {MAX_PATTERN} bytes"),
            ));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_keeps_port_and_path_of_the_public_url() {
        let key = "0123456789abcdef0123456789abcdef";
        let of = |url: &str| dsn(&Url::parse(url).unwrap(), key, ProjectId(7));
        assert_eq!(of("http://localhost:8080"), format!("http://{key}@localhost:8080/7"));
        assert_eq!(
            of("https://errors.example.com/bugle/"),
            format!("https://{key}@errors.example.com/bugle/7")
        );
    }
}
