//! Who an issue is assigned to: a name, `{"user": id}` or `{"team": id}`.

use crate::ApiError;
use crate::access::Principal;
use bugle_model::{TeamId, UserId};
use bugle_store::issues::people::{Person, who_see};
use bugle_store::issues::{Assignee, Issue};
use bugle_store::{Connection, teams};
use bugle_web::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MAX_NAME: usize = 128;
const FIELD: &str = "assigned_to";

/// As it is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Given {
    /// A name. That of one account which sees the issue, or its address, is this account.
    Name(String),
    /// An account that sees the issue.
    User(GivenUser),
    /// A team that the caller sees.
    Team(GivenTeam),
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenUser {
    /// Its id.
    user: UserId,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenTeam {
    /// Its id.
    team: TeamId,
}

/// A name trimmed; an empty one is nobody.
pub(super) fn checked(given: Option<Option<Given>>) -> Result<Option<Option<Given>>, Problem> {
    let Some(Some(Given::Name(name))) = given else { return Ok(given) };
    let name = name.trim();
    if name.chars().count() > MAX_NAME {
        return Err(Problem::invalid_field(FIELD, format!("is over {MAX_NAME} characters")));
    }
    Ok(Some((!name.is_empty()).then(|| Given::Name(name.to_owned()))))
}

/// Whom it is for an issue.
pub(super) async fn resolve(
    connection: &mut Connection,
    principal: &Principal,
    issue: &Issue,
    given: &Given,
) -> Result<Assignee, ApiError> {
    match given {
        Given::Name(name) => {
            let people = who_see(connection, issue.team).await?;
            Ok(the_one(&people, name).map_or_else(|| Assignee::named(name.clone()), Assignee::person))
        }
        Given::User(GivenUser { user }) => {
            let people = who_see(connection, issue.team).await?;
            let person = people.iter().find(|person| person.id == *user);
            let missing =
                || Problem::invalid_field(FIELD, format!("nobody who sees the issue has the id {user}"));
            Ok(Assignee::person(person.ok_or_else(missing)?))
        }
        Given::Team(GivenTeam { team }) => {
            let found = teams::get(connection, &principal.visible(), *team).await?;
            let missing = || Problem::invalid_field(FIELD, format!("there is no team {team}"));
            let found = found.ok_or_else(missing)?;
            Ok(Assignee::team(found.id, &found.name))
        }
    }
}

/// The only one with this name or address.
fn the_one<'a>(people: &'a [Person], name: &str) -> Option<&'a Person> {
    let mut named =
        people.iter().filter(|person| person.name == name || person.email.eq_ignore_ascii_case(name));
    let first = named.next()?;
    named.next().is_none().then_some(first)
}
