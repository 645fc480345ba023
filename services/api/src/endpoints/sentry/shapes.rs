//! The shapes of Sentry's answers and bodies, as far as sentry-cli reads and writes them.

use bugle_model::ReleaseStatus;
use bugle_store::projects::Project;
use bugle_store::releases::{self, NewCommit, Release, ReleaseChange};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The organisation that there is.
pub(super) const ORGANIZATION: &str = "bugle";

/// What a name in a URL is to Sentry: a project's name where it is one, else its id.
fn slug(name: &str, id: bugle_model::ProjectId) -> String {
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits { name.to_owned() } else { id.to_string() }
}

/// A project.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProjectShape {
    id: String,
    slug: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamShape>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TeamShape {
    id: String,
    slug: String,
    name: String,
}

impl From<Project> for ProjectShape {
    fn from(project: Project) -> Self {
        let team = project.team.map(|id| {
            let name = project.team_name.unwrap_or_default();
            TeamShape { id: id.to_string(), slug: name.clone(), name }
        });
        let slug = slug(&project.name, project.id);
        Self { id: project.id.to_string(), slug, name: project.name, team }
    }
}

/// A commit.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommitShape {
    id: String,
    message: Option<String>,
    date_created: Option<DateTime<Utc>>,
    author: Option<releases::Author>,
    repository: Option<RepositoryName>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RepositoryName {
    name: String,
}

impl From<releases::Commit> for CommitShape {
    fn from(commit: releases::Commit) -> Self {
        let releases::Commit { id, repository, author_name, author_email, message, timestamp, .. } = commit;
        let author = releases::Author { name: author_name, email: author_email };
        Self {
            id,
            message,
            date_created: timestamp,
            author: Some(author).filter(|author| author.name.is_some() || author.email.is_some()),
            repository: repository.map(|name| RepositoryName { name }),
        }
    }
}

/// A release of one or several projects.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReleaseShape {
    version: String,
    status: ReleaseStatus,
    #[serde(rename = "ref")]
    reference: Option<String>,
    url: Option<String>,
    date_created: DateTime<Utc>,
    date_started: Option<DateTime<Utc>>,
    date_released: Option<DateTime<Utc>>,
    first_event: Option<DateTime<Utc>>,
    last_event: Option<DateTime<Utc>>,
    new_groups: i64,
    commit_count: i64,
    last_commit: Option<CommitShape>,
    authors: Vec<releases::Author>,
    projects: Vec<ProjectShape>,
}

impl ReleaseShape {
    /// The releases of one version, of which there is at least one.
    pub(super) fn of(mut all: Vec<Release>, last_commit: Option<releases::Commit>) -> Option<Self> {
        let projects = all
            .iter()
            .map(|release| ProjectShape {
                id: release.project.to_string(),
                slug: slug(&release.project_name, release.project),
                name: release.project_name.clone(),
                team: None,
            })
            .collect();
        let date_created = all.iter().map(|release| release.created_at).min()?;
        let first_event = all.iter().filter_map(|release| release.first_seen).min();
        let last_event = all.iter().filter_map(|release| release.last_seen).max();
        let new_groups = all.iter().map(|release| release.new_issues).sum();
        // With commits, or else the first.
        all.sort_by_key(|release| std::cmp::Reverse(release.commit_count));
        let release = all.into_iter().next()?;
        Some(Self {
            version: release.version,
            status: release.status,
            reference: release.reference,
            url: release.url,
            date_created,
            date_started: release.started_at,
            date_released: release.released_at,
            first_event,
            last_event,
            new_groups,
            commit_count: release.commit_count,
            last_commit: last_commit.map(CommitShape::from),
            authors: release.authors,
            projects,
        })
    }
}

/// What names a project: sentry-cli sends digits as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProjectName {
    Name(String),
    Id(i32),
}

/// Projects by their names or ids.
pub(super) fn projects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let names = Option::<Vec<ProjectName>>::deserialize(deserializer)?;
    let text = |name| match name {
        ProjectName::Name(name) => name,
        ProjectName::Id(id) => id.to_string(),
    };
    Ok(names.map(|names| names.into_iter().map(text).collect()))
}

/// What is said of a release. Fields that nobody here knows are left unread: newer clients send more.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ReleaseBody {
    pub(super) version: Option<String>,
    #[serde(deserialize_with = "projects")]
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) projects: Option<Vec<String>>,
    status: Option<ReleaseStatus>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    url: Option<String>,
    date_started: Option<DateTime<Utc>>,
    date_released: Option<DateTime<Utc>>,
    commits: Option<Vec<CommitBody>>,
    refs: Option<Vec<RefBody>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct CommitBody {
    id: String,
    repository: Option<String>,
    author_name: Option<String>,
    author_email: Option<String>,
    message: Option<String>,
    timestamp: Option<DateTime<Utc>>,
}

/// The last commit of a repository; the ones before it are known to nobody but the repository.
#[derive(Debug, Deserialize, JsonSchema)]
struct RefBody {
    repository: String,
    commit: String,
}

impl ReleaseBody {
    pub(super) fn change(&self) -> ReleaseChange {
        ReleaseChange {
            status: self.status,
            reference: self.reference.clone().map(Some),
            url: self.url.clone().map(Some),
            started_at: self.date_started.map(Some),
            released_at: self.date_released.map(Some),
        }
    }

    /// The commits that the release is to have; `None` leaves it those that it has.
    pub(super) fn commits(self) -> Option<Vec<NewCommit>> {
        if let Some(commits) = self.commits {
            return Some(commits.into_iter().map(NewCommit::from).collect());
        }
        let named = |one: RefBody| NewCommit {
            id: one.commit,
            repository: Some(one.repository),
            ..NewCommit::default()
        };
        self.refs.map(|refs| refs.into_iter().map(named).collect())
    }
}

/// People write long commits, and nobody at the other end could shorten them: what is too long is cut.
impl From<CommitBody> for NewCommit {
    fn from(body: CommitBody) -> Self {
        let cut = |text: Option<String>, longest: usize| {
            let cut = text.map(|text| text.trim().chars().take(longest).collect::<String>());
            cut.filter(|text| !text.is_empty())
        };
        Self {
            id: body.id,
            repository: cut(body.repository, 200),
            author_name: cut(body.author_name, 128),
            author_email: cut(body.author_email, 254),
            message: cut(body.message, 4_096),
            timestamp: body.timestamp,
        }
    }
}
