//! Whom rules of a project can name.

use crate::ApiError;
use crate::access::Principal;
use bugle_model::{Owner, ScheduleId, TeamId, UserId};
use bugle_store::issues::people::who_see;
use bugle_store::projects::Project;
use bugle_store::{Connection, Scope, oncall, teams};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Whom rules of a project can name.
pub(super) struct Known {
    /// Whoever sees the project, by their addresses in lower case.
    people: BTreeMap<String, UserId>,
    schedules: BTreeSet<ScheduleId>,
    teams: BTreeSet<TeamId>,
}

impl Known {
    pub(super) async fn load(
        connection: &mut Connection,
        principal: &Principal,
        project: &Project,
        now: DateTime<Utc>,
    ) -> Result<Self, ApiError> {
        let people = who_see(connection, project.team).await?;
        let of_team = Scope::Teams(project.team.into_iter().collect());
        let schedules = oncall::list_schedules(connection, &of_team, now).await?;
        let teams = teams::list(connection, &principal.visible()).await?;
        Ok(Self {
            people: people.into_iter().map(|person| (person.email.to_lowercase(), person.id)).collect(),
            schedules: schedules.into_iter().map(|schedule| schedule.id).collect(),
            teams: teams.into_iter().map(|team| team.id).collect(),
        })
    }

    /// Why somebody cannot be named, if they cannot.
    pub(super) fn stranger(&self, owner: &Owner) -> Option<String> {
        match owner {
            Owner::Person { user } if !self.people.values().any(|known| known == user) => {
                Some(format!("nobody who sees the project has the id {user}"))
            }
            Owner::Schedule { schedule } if !self.schedules.contains(schedule) => {
                Some(format!("the project's team has no schedule {schedule}"))
            }
            Owner::Team { team } if !self.teams.contains(team) => Some(format!("there is no team {team}")),
            _ => None,
        }
    }

    /// Whose address this is, of those who see the project.
    pub(super) fn by_address(&self, address: &str) -> Option<Owner> {
        self.people.get(&address.to_lowercase()).map(|user| Owner::Person { user: *user })
    }
}
