//! Who sees an issue: whom it can be assigned to, and who can be mentioned.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{TeamId, UserId};
use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// More people are not looked at.
const MOST: i64 = 2_000;

/// Who deals with an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignee {
    /// What is shown, 128 characters at most; of a team its name after a `#`.
    pub name: String,
    /// The account, when it is one's.
    pub user: Option<UserId>,
    /// The team, when it is one.
    pub team: Option<TeamId>,
}

impl Assignee {
    /// Somebody who has no account here.
    #[must_use]
    pub const fn named(name: String) -> Self {
        Self { name, user: None, team: None }
    }

    /// A person.
    #[must_use]
    pub fn person(person: &Person) -> Self {
        Self { name: person.name.clone(), user: Some(person.id), team: None }
    }

    /// A team.
    #[must_use]
    pub fn team(id: TeamId, name: &str) -> Self {
        Self { name: format!("#{name}"), user: None, team: Some(id) }
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// What others read.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// Who sees what belongs to a team, by id: its members, and the admins of the installation. Without a team: the admins. Who is
/// disabled does not.
///
/// # Errors
/// When the database fails.
pub async fn who_see(connection: &mut Connection, team: Option<TeamId>) -> Result<Vec<Person>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email) AS row FROM users u
         WHERE NOT u.disabled AND (u.role IN ('admin', 'owner')
            OR EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.team_id = $1))
         ORDER BY u.id LIMIT $2",
    )
    .bind::<Nullable<Integer>, _>(team.map(|team| team.0))
    .bind::<BigInt, _>(MOST)
    .load(connection)
    .await?;
    row::all(rows)
}
