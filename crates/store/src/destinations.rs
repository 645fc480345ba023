//! Destinations: where a project's notifications go.

mod change;
mod check;

pub use change::{DestinationChange, change, hold};
pub use check::{Invalid, secret_from};
pub(crate) use check::{Looks, mistakes};

use crate::{Connection, StoreError, statement};
use bugle_model::{Channel, DestinationId, DestinationSettings, Priority, ProjectId, TeamId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Int8, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use url::Url;

/// How many destinations a project may have.
pub const MAX_PER_PROJECT: i64 = 100;
/// What is shown in the place of a secret.
const HIDDEN: &str = "[hidden]";

/// A destination as stored. `settings` holds secrets: never show or log it whole, see [`Destination::redacted`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its id.
    pub id: DestinationId,
    /// Its project; `None` is a person's contact method.
    pub project: Option<ProjectId>,
    /// How messages travel.
    pub channel: Channel,
    /// The address, URL, number or channel id; see [`Channel`].
    pub target: String,
    /// The lowest priority that is sent.
    pub min_priority: Priority,
    /// Everything else that can be set.
    pub settings: DestinationSettings,
    /// Off means: nothing is sent, and what waits is cancelled.
    pub enabled: bool,
    /// Why Bugle switched it off.
    pub disabled_reason: Option<String>,
    /// Failures in a row; the circuit breaker's.
    pub failures: i32,
    /// Nothing is sent before: the breaker is open, the provider asked to wait, or the rate limit is used up.
    pub open_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Destination {
    /// The settings with secrets replaced: what the API may show after the moment of creation.
    #[must_use]
    pub fn redacted(&self) -> DestinationSettings {
        let hidden = || HIDDEN.to_owned();
        let mut settings = self.settings.clone();
        settings.secret = settings.secret.map(|_| hidden());
        settings.bot_token = settings.bot_token.map(|_| hidden());
        settings.auth = settings.auth.map(|_| hidden());
        // Which of them carry credentials cannot be told.
        settings.headers.values_mut().for_each(|value| *value = hidden());
        settings
    }

    /// The opposite of [`Self::redacted`]: a secret that is given as it is shown stays what it is.
    fn unredacted(&self, mut given: DestinationSettings) -> DestinationSettings {
        let keep = |place: &mut String, kept: Option<&String>| {
            if let Some(kept) = kept.filter(|_| place.as_str() == HIDDEN) {
                place.clone_from(kept);
            }
        };
        for (place, kept) in [
            (&mut given.secret, &self.settings.secret),
            (&mut given.bot_token, &self.settings.bot_token),
            (&mut given.auth, &self.settings.auth),
        ] {
            place.iter_mut().for_each(|place| keep(place, kept.as_ref()));
        }
        for (name, place) in &mut given.headers {
            keep(place, self.settings.headers.get(name));
        }
        given
    }

    /// What the audit log keeps: a target may be a secret itself (Slack's URLs are), and settings hold some.
    #[must_use]
    pub fn audited(&self) -> Value {
        json!({ "channel": self.channel, "min_priority": self.min_priority, "enabled": self.enabled })
    }
}

/// A destination to be made.
#[derive(Debug, Clone)]
pub struct NewDestination {
    /// The project.
    pub project: ProjectId,
    /// How messages travel.
    pub channel: Channel,
    /// The address, URL, number or channel id; see [`Channel`].
    pub target: String,
    /// The lowest priority that is sent; [`Channel::default_min_priority`] when absent.
    pub min_priority: Option<Priority>,
    /// Everything else. A webhook's `secret` is filled in when absent.
    pub settings: DestinationSettings,
}

/// Why a destination was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Fields that are wrong, all of them.
    #[error("destination: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Invalid>),
    /// There is no such project.
    #[error("project: there is no project {0}")]
    NoProject(ProjectId),
    /// The project has [`MAX_PER_PROJECT`] already.
    #[error("project: has {MAX_PER_PROJECT} destinations, which is the limit")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = Int4)]
    pub(crate) id: i32,
    #[diesel(sql_type = Nullable<Int4>)]
    project_id: Option<i32>,
    #[diesel(sql_type = SmallInt)]
    channel: i16,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = SmallInt)]
    min_priority: i16,
    #[diesel(sql_type = Jsonb)]
    settings: Value,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    disabled_reason: Option<String>,
    #[diesel(sql_type = Int4)]
    failures: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    open_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Destination {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("destination {}: {field}", row.id));
        let settings = serde_json::from_value(row.settings.clone());
        Ok(Self {
            id: DestinationId(row.id),
            project: row.project_id.map(ProjectId),
            channel: Channel::from_code(row.channel).ok_or_else(|| damaged("channel"))?,
            min_priority: Priority::from_code(row.min_priority).ok_or_else(|| damaged("min_priority"))?,
            settings: settings.map_err(|error| damaged(&format!("settings: {error}")))?,
            target: row.target,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            failures: row.failures,
            open_until: row.open_until,
            created_at: row.created_at,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Destination>, StoreError> {
    rows.into_iter().map(Destination::try_from).collect()
}

/// Checks and makes a destination. `fresh_secret` (see [`secret_from`]) becomes a webhook's signing secret when none
/// is given; the answer holds it, to be shown this once.
///
/// # Errors
/// See [`CreateError`].
pub async fn create(
    conn: &mut Connection,
    new: &NewDestination,
    fresh_secret: &str,
    now: DateTime<Utc>,
) -> Result<Destination, CreateError> {
    let mut mistakes = mistakes(Looks { channel: new.channel, target: &new.target, settings: &new.settings });
    if new.channel.is_personal() {
        let reason = format!("{} reaches people: as a contact method of theirs", new.channel);
        mistakes.push(Invalid { field: "channel", reason });
    }
    if !mistakes.is_empty() {
        return Err(CreateError::Invalid(mistakes));
    }
    let mut settings = new.settings.clone();
    if new.channel == Channel::Webhook && settings.secret.is_none() {
        settings.secret = Some(fresh_secret.to_owned());
    }
    let settings = serde_json::to_value(&settings).map_err(|error| StoreError::Damaged(error.to_string()))?;
    match count(conn, new.project).await? {
        None => return Err(CreateError::NoProject(new.project)),
        Some(count) if count >= MAX_PER_PROJECT => return Err(CreateError::TooMany),
        Some(_) => {}
    }
    let min_priority = new.min_priority.unwrap_or_else(|| new.channel.default_min_priority());
    let row: Row = statement(
        "INSERT INTO destinations (project_id, channel, target, min_priority, settings, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
    )
    .bind::<Int4, _>(new.project.0)
    .bind::<SmallInt, _>(new.channel.code())
    .bind::<Text, _>(new.target.trim())
    .bind::<SmallInt, _>(min_priority.code())
    .bind::<Jsonb, _>(settings)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await
    .map_err(StoreError::from)?;
    Ok(Destination::try_from(row)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Int8)]
    count: i64,
}

/// How many the project has; `None` when there is no such project.
async fn count(conn: &mut Connection, project: ProjectId) -> Result<Option<i64>, StoreError> {
    let rows: Vec<Count> = statement(
        "SELECT (SELECT count(*) FROM destinations d WHERE d.project_id = p.id) AS count
         FROM projects p WHERE p.id = $1",
    )
    .bind::<Int4, _>(project.0)
    .load(conn)
    .await?;
    Ok(rows.into_iter().next().map(|row| row.count))
}

/// All destinations of a project, oldest first; [`MAX_PER_PROJECT`] at most.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Connection, project: ProjectId) -> Result<Vec<Destination>, StoreError> {
    read(
        statement("SELECT * FROM destinations WHERE project_id = $1 ORDER BY id")
            .bind::<Int4, _>(project.0)
            .load(conn)
            .await?,
    )
}

/// The destinations of a team's projects, by project, oldest first; the first 1,000.
///
/// # Errors
/// When the database fails.
pub async fn list_of_team(conn: &mut Connection, team: TeamId) -> Result<Vec<Destination>, StoreError> {
    let rows = statement(
        "SELECT d.* FROM destinations d JOIN projects p ON p.id = d.project_id
         WHERE p.team_id = $1 ORDER BY p.name, d.id LIMIT 1000",
    )
    .bind::<Int4, _>(team.0)
    .load(conn)
    .await?;
    read(rows)
}

/// The enabled destinations of some projects. One that cannot be read (made by a newer version, or by hand) is left
/// out and told in the log: it must not keep the others from hearing of anything.
///
/// # Errors
/// When the database fails.
pub async fn enabled(conn: &mut Connection, projects: &[i32]) -> Result<Vec<Destination>, StoreError> {
    let rows: Vec<Row> =
        statement("SELECT * FROM destinations WHERE project_id = ANY($1) AND enabled ORDER BY id")
            .bind::<Array<Int4>, _>(projects)
            .load(conn)
            .await?;
    let readable = |row| {
        Destination::try_from(row)
            .inspect_err(|error| tracing::error!(%error, "a destination cannot be read and is told nothing"))
            .ok()
    };
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// One destination, when it is there.
///
/// # Errors
/// When the database fails.
pub async fn get(conn: &mut Connection, id: DestinationId) -> Result<Option<Destination>, StoreError> {
    let rows = statement("SELECT * FROM destinations WHERE id = $1").bind::<Int4, _>(id.0).load(conn).await?;
    Ok(read(rows)?.into_iter().next())
}

/// Switches a destination on or off. On also closes its circuit breaker. Whether it is there.
///
/// # Errors
/// When the database fails.
pub async fn set_enabled(conn: &mut Connection, id: DestinationId, on: bool) -> Result<bool, StoreError> {
    let changed = statement(
        "UPDATE destinations SET enabled = $2, disabled_reason = NULL,
            failures = CASE WHEN $2 THEN 0 ELSE failures END,
            open_until = CASE WHEN $2 THEN NULL ELSE open_until END
         WHERE id = $1",
    )
    .bind::<Int4, _>(id.0)
    .bind::<Bool, _>(on)
    .execute(conn)
    .await?;
    Ok(changed == 1)
}

/// Removes a destination and its notifications. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &mut Connection, id: DestinationId) -> Result<bool, StoreError> {
    let gone =
        statement("DELETE FROM destinations WHERE id = $1").bind::<Int4, _>(id.0).execute(conn).await?;
    Ok(gone == 1)
}

/// A target without what lets whoever knows it post there: the path, query and user of a URL. Addresses and ids of channels
/// are no secrets.
#[must_use]
pub fn without_credentials(target: &str) -> String {
    match Url::parse(target) {
        Ok(url) => format!("{}/…", url.origin().ascii_serialization()),
        Err(_) => target.to_owned(),
    }
}

/// What a project's destination is called where everybody of the team reads it.
pub(crate) fn display_name(channel: Channel, target: &str) -> String {
    match channel {
        Channel::Email => target.to_owned(),
        Channel::Sms | Channel::Voice => masked(target),
        Channel::Slack | Channel::Webhook | Channel::WebPush => without_credentials(target),
    }
}

/// A number with its last four digits alone.
fn masked(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    let shown = number.chars().map(|char| {
        seen += usize::from(char.is_ascii_digit());
        if char.is_ascii_digit() && seen + 4 <= digits { '•' } else { char }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::{Channel, display_name, without_credentials};

    #[test]
    fn a_url_is_shown_without_what_lets_one_post_there() {
        let cases = [
            ("https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com/…"),
            ("https://ann:secret@example.com:8443/hook?token=secret", "https://example.com:8443/…"),
            ("HTTPS://example.com/secret", "https://example.com/…"),
            ("ops@example.com", "ops@example.com"),
            ("+431234567", "+431234567"),
            ("C0123456", "C0123456"),
        ];
        for (target, expected) in cases {
            assert_eq!(without_credentials(target), expected);
        }
    }

    #[test]
    fn a_name_shows_no_number_and_no_url() {
        let cases = [
            (Channel::Email, "ops@example.com", "ops@example.com"),
            (Channel::Sms, "+431234567", "+•••••4567"),
            (Channel::Sms, "4567", "4567"),
            (Channel::Slack, "C0123456", "C0123456"),
            (Channel::Webhook, "https://example.com/hook?token=secret", "https://example.com/…"),
        ];
        for (channel, target, expected) in cases {
            assert_eq!(display_name(channel, target), expected);
        }
    }
}
