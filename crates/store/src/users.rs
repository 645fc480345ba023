//! People who can sign in.

use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{InstallationRole, TeamId, TeamRole, UserId};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address to sign in with; unique whatever the case.
    pub email: String,
    /// What others read.
    pub name: String,
    /// What they may do everywhere.
    pub role: InstallationRole,
    /// The time zone that times are shown in (IANA).
    pub time_zone: String,
    /// Cannot sign in, and neither can the tokens they made.
    pub disabled: bool,
    /// A second factor is needed at sign-in.
    pub totp: bool,
    /// Their teams, by name.
    pub teams: Vec<Membership>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// A team as one of its people sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What the person may do in it.
    pub role: TeamRole,
}

/// A person to be made.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// 3 to 254 characters.
    pub email: &'a str,
    /// 1 to 128 characters.
    pub name: &'a str,
    /// argon2id in PHC form; none: a link sets it first.
    pub password_hash: Option<&'a str>,
    /// What they may do everywhere.
    pub role: InstallationRole,
}

/// Makes a person. An address that is taken gives [`StoreError::unique_violation`].
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn create(
    connection: &mut Connection,
    new: &NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<UserId, StoreError> {
    let row: JsonRow = statement(
        "INSERT INTO users (email, name, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)
         RETURNING to_jsonb(id) AS row",
    )
    .bind::<Text, _>(new.email)
    .bind::<Text, _>(new.name)
    .bind::<Nullable<Text>, _>(new.password_hash)
    .bind::<Text, _>(new.role.as_str())
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await?;
    row.read()
}

/// Whether there is anybody yet. Locks the table against others that ask until the transaction ends, so that only one
/// of them becomes the first.
///
/// # Errors
/// When the database fails.
pub async fn lock_and_look(connection: &mut Connection) -> Result<bool, StoreError> {
    statement("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(connection).await?;
    any(connection).await
}

/// Whether there is anybody yet.
///
/// # Errors
/// When the database fails.
pub async fn any(connection: &mut Connection) -> Result<bool, StoreError> {
    let row: JsonRow =
        statement("SELECT to_jsonb(EXISTS (SELECT 1 FROM users)) AS row").get_result(connection).await?;
    row.read()
}

/// People in the order of their ids: those who share a team with the scope, or all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    connection: &mut Connection,
    scope: &Scope,
    after: Option<UserId>,
    limit: usize,
) -> Result<Vec<User>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT u.id, u.email, u.name, u.role, u.time_zone, u.disabled, u.created_at,
                EXISTS (SELECT 1 FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS totp,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'role', m.role) ORDER BY t.name), '[]')
                 FROM memberships m JOIN teams t ON t.id = m.team_id WHERE m.user_id = u.id) AS teams
            FROM users u
            WHERE u.id > $2 AND ($1 IS NULL OR EXISTS (
                SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.team_id = ANY ($1)))
            ORDER BY u.id LIMIT $3) x",
    )
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .bind::<Integer, _>(after.map_or(0, |id| id.0))
    .bind::<diesel::sql_types::BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .load(connection)
    .await?;
    row::all(rows)
}

/// One person that the scope shows.
///
/// # Errors
/// When the database fails.
pub async fn get(connection: &mut Connection, scope: &Scope, id: UserId) -> Result<Option<User>, StoreError> {
    let before = UserId(id.0.saturating_sub(1));
    let found = list(connection, scope, Some(before), 1).await?;
    Ok(found.into_iter().next().filter(|user| user.id == id))
}

/// What sign-in needs to know of an account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Whose.
    pub id: UserId,
    /// As it is written in the account.
    pub email: String,
    /// What others read.
    pub name: String,
    /// argon2id in PHC form; none: no sign-in with a password.
    pub password_hash: Option<String>,
    /// Cannot sign in.
    pub disabled: bool,
}

/// The account with this address, whatever its case.
///
/// # Errors
/// When the database fails.
pub async fn account(connection: &mut Connection, email: &str) -> Result<Option<Account>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(x) AS row FROM (
            SELECT id, email, name, password_hash, disabled FROM users WHERE lower(email) = lower($1)) x",
    )
    .bind::<Text, _>(email)
    .load(connection)
    .await?;
    row::first(rows)
}

/// What of an account is to be different; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// 1 to 128 characters.
    pub name: Option<String>,
    /// IANA.
    pub time_zone: Option<String>,
    /// What they may do everywhere.
    pub role: Option<InstallationRole>,
    /// Whether they are shut out.
    pub disabled: Option<bool>,
    /// argon2id in PHC form.
    pub password_hash: Option<String>,
}

/// Changes an account. Whether it is there.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn change(
    connection: &mut Connection,
    id: UserId,
    change: &UserChange,
) -> Result<bool, StoreError> {
    let changed = statement(
        "UPDATE users SET name = coalesce($2, name), time_zone = coalesce($3, time_zone), role = coalesce($4, role),
            disabled = coalesce($5, disabled), password_hash = coalesce($6, password_hash)
         WHERE id = $1",
    )
    .bind::<Integer, _>(id.0)
    .bind::<Nullable<Text>, _>(change.name.as_deref())
    .bind::<Nullable<Text>, _>(change.time_zone.as_deref())
    .bind::<Nullable<Text>, _>(change.role.map(InstallationRole::as_str))
    .bind::<Nullable<Bool>, _>(change.disabled)
    .bind::<Nullable<Text>, _>(change.password_hash.as_deref())
    .execute(connection)
    .await?;
    Ok(changed == 1)
}

/// How many owners can sign in.
///
/// # Errors
/// When the database fails.
pub async fn owners(connection: &mut Connection) -> Result<i64, StoreError> {
    let row: JsonRow =
        statement("SELECT to_jsonb(count(*)) AS row FROM users WHERE role = 'owner' AND NOT disabled")
            .get_result(connection)
            .await?;
    row.read()
}
