//! What is done to releases, by our own API and by sentry-cli alike: checked, changed, and written into the audit log.

use crate::ApiError;
use crate::access::Principal;
use bugle_store::audit::{self, Target};
use bugle_store::projects::Project;
use bugle_store::releases::{
    self, Deploy, MAX_VERSION, NewCommit, NewDeploy, Release, ReleaseChange, Removed,
};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, FieldError, Problem};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A release has at most this many commits.
pub(crate) const MAX_COMMITS: usize = 1_000;
const MAX_REF: usize = 250;
const MAX_URL: usize = 2_048;
const MAX_NAME: usize = 64;
/// Bytes, as in events.
const MAX_ENVIRONMENT: usize = 64;

/// What is wrong with what a release was said to be.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<FieldError>);

impl Mistakes {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// # Errors
    /// When there are any.
    pub(crate) fn refuse(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0).into()) }
    }

    /// A version that can be declared. Events may bring others.
    pub(crate) fn version(&mut self, version: &str) {
        if version.is_empty() || version.len() > MAX_VERSION {
            self.add("version", format!("expected 1 to {MAX_VERSION} bytes"));
        } else if version.trim() != version || version.chars().any(char::is_control) {
            self.add("version", "has spaces at an end, or control characters");
        } else if version == "." || version == ".." {
            self.add("version", "is a folder, not a version");
        }
    }

    fn text(&mut self, field: &str, text: Option<&str>, longest: usize) {
        match text.map(|text| text.chars().count()) {
            Some(0) => self.add(field, "is empty"),
            Some(length) if length > longest => self.add(field, format!("is over {longest} characters")),
            _ => {}
        }
    }

    fn web_address(&mut self, url: Option<&str>) {
        self.text("url", url, MAX_URL);
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if url.is_some_and(|url| !is_web(url)) {
            self.add("url", "does not begin with https:// or http://");
        }
    }

    /// What is said of a release.
    pub(crate) fn change(&mut self, change: &ReleaseChange) {
        self.text("ref", change.reference.as_ref().and_then(Option::as_deref), MAX_REF);
        self.web_address(change.url.as_ref().and_then(Option::as_deref));
    }

    /// The commits of a release.
    pub(crate) fn commits(&mut self, commits: &[NewCommit]) {
        if commits.len() > MAX_COMMITS {
            self.add("commits", format!("are over {MAX_COMMITS}"));
        }
        for (number, commit) in commits.iter().enumerate().take(MAX_COMMITS) {
            let mut check = |name: &str, text: Option<&str>, longest: usize| {
                self.text(&format!("commits[{number}].{name}"), text, longest);
            };
            check("id", Some(&commit.id), 64);
            check("repository", commit.repository.as_deref(), 200);
            check("author_name", commit.author_name.as_deref(), 128);
            check("author_email", commit.author_email.as_deref(), 254);
            check("message", commit.message.as_deref(), 4_096);
        }
    }

    /// A deploy.
    pub(crate) fn deploy(&mut self, deploy: &NewDeploy) {
        if deploy.environment.is_empty() || deploy.environment.len() > MAX_ENVIRONMENT {
            self.add("environment", format!("expected 1 to {MAX_ENVIRONMENT} bytes"));
        }
        self.text("name", deploy.name.as_deref(), MAX_NAME);
        self.web_address(deploy.url.as_deref());
    }
}

/// Makes a version of a project known, if it is not, and notes what is said of it.
pub(crate) async fn declare(
    connection: &mut Connection,
    principal: &Principal,
    project: &Project,
    version: &str,
    change: &ReleaseChange,
    now: DateTime<Utc>,
) -> Result<Release, ApiError> {
    connection
        .transaction(async |connection| {
            let declared = releases::declare(connection, project.id, version, now).await?;
            let before = found(connection, project, version).await?;
            releases::change(connection, declared.number, change).await?;
            let after = found(connection, project, version).await?;
            if declared.is_new {
                note(connection, principal, "release.created", &after, None, Some(kept(&after)), now).await?;
            } else {
                note_change(connection, principal, &before, &after, now).await?;
            }
            Ok(after)
        })
        .await
}

async fn found(connection: &mut Connection, project: &Project, version: &str) -> Result<Release, ApiError> {
    let found = releases::get(connection, project.id, version).await?;
    found.ok_or_else(|| missing(version))
}

fn missing(version: &str) -> ApiError {
    let shown: String = version.chars().take(64).collect();
    Problem::not_found(format_args!("release `{shown}`")).into()
}

/// Changes a release that was looked up for the caller.
pub(crate) async fn change(
    connection: &mut Connection,
    principal: &Principal,
    release: &Release,
    change: &ReleaseChange,
    now: DateTime<Utc>,
) -> Result<Release, ApiError> {
    connection
        .transaction(async |connection| {
            releases::change(connection, release.number, change).await?;
            let after = reread(connection, release).await?;
            note_change(connection, principal, release, &after, now).await?;
            Ok(after)
        })
        .await
}

/// A release as it is now.
pub(crate) async fn reread(connection: &mut Connection, release: &Release) -> Result<Release, ApiError> {
    let found = releases::get(connection, release.project, &release.version).await?;
    found.ok_or_else(|| missing(&release.version))
}

/// Gives a release that was looked up for the caller other commits.
pub(crate) async fn set_commits(
    connection: &mut Connection,
    principal: &Principal,
    release: &Release,
    commits: &[NewCommit],
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    connection
        .transaction(async |connection| {
            releases::set_commits(connection, release, commits, &principal.actor.name, now).await?;
            let (before, after) =
                (json!({ "commits": release.commit_count }), json!({ "commits": commits.len() }));
            note(connection, principal, "release.commits_set", release, Some(before), Some(after), now).await
        })
        .await
}

/// Notes a deploy of a release that was looked up for the caller.
pub(crate) async fn deploy(
    connection: &mut Connection,
    principal: &Principal,
    release: &Release,
    new: &NewDeploy,
    now: DateTime<Utc>,
) -> Result<Deploy, ApiError> {
    connection
        .transaction(async |connection| {
            let made = releases::deploy(connection, release, new).await?;
            let after = json!({ "environment": made.environment, "name": made.name });
            note(connection, principal, "release.deployed", release, None, Some(after), now).await?;
            Ok(made)
        })
        .await
}

/// Removes a release that was looked up for the caller: 409 while it has events.
pub(crate) async fn remove(
    connection: &mut Connection,
    principal: &Principal,
    release: &Release,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    connection
        .transaction(async |connection| {
            if releases::remove(connection, release.number).await? == Removed::HasEvents {
                let detail = "the release has events, which would no longer know it; archive it instead";
                return Err(Problem::with_detail(Code::Conflict, detail).into());
            }
            note(connection, principal, "release.deleted", release, Some(kept(release)), None, now).await
        })
        .await
}

async fn note_change(
    connection: &mut Connection,
    principal: &Principal,
    before: &Release,
    after: &Release,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let (was, is) = (kept(before), kept(after));
    if was == is {
        return Ok(());
    }
    note(connection, principal, "release.updated", after, Some(was), Some(is), now).await
}

async fn note(
    connection: &mut Connection,
    principal: &Principal,
    action: &'static str,
    release: &Release,
    before: Option<Value>,
    after: Option<Value>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let target = Target::new("release", release.number, &release.id);
    let entry = principal.changed(action, target, release.team, before, after);
    Ok(audit::add(connection, &entry, now).await?)
}

fn kept(release: &Release) -> Value {
    json!({
        "status": release.status, "ref": release.reference, "url": release.url,
        "started_at": release.started_at, "released_at": release.released_at,
    })
}
