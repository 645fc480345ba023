//! Who gets an issue, and why.

use crate::matching::{STEPS, bounded};
use crate::{Facts, Matched, Weight};
use bugle_model::{Availability, Codeowners, Owner, Ownership, ScheduleId, TeamId, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Somebody who sees the issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// At this moment.
    pub availability: Availability,
    /// Open issues that are assigned to them.
    pub open: i64,
    /// How much they have to do.
    pub weight: Weight,
    /// They work on the team's issues, and do not only look at them.
    pub works: bool,
}

impl Candidate {
    /// Why they cannot be given an issue by itself, if they cannot. No figures: whoever reads it need not see what they are of.
    fn excuse(&self) -> Option<String> {
        if !self.availability.available {
            return Some(format!("{} is away", self.name));
        }
        let limit = self.availability.max_open_issues.map(i64::from)?;
        (self.open >= limit).then(|| format!("{} has as many open issues as they take", self.name))
    }
}

/// Who is on call by a schedule at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnCall {
    /// The schedule's name.
    pub name: String,
    /// Who.
    pub users: Vec<UserId>,
}

/// By what the project's incidents reach somebody who is on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The policy's name.
    pub policy: String,
    /// Its first schedule.
    pub schedule: ScheduleId,
}

/// What is decided by, besides rules and event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    /// Whoever sees the project's issues, by id.
    pub people: BTreeMap<UserId, Candidate>,
    /// The schedules of the project's team.
    pub on_call: BTreeMap<ScheduleId, OnCall>,
    /// The names of teams.
    pub teams: BTreeMap<TeamId, String>,
    /// Where the project's routing rule leads to.
    pub route: Option<Route>,
}

/// Who gets an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ChosenAssignee")]
pub enum Assignee {
    /// A person.
    User(UserId),
    /// A team as a whole.
    Team(TeamId),
}

/// Who gets an issue, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ChosenOwner")]
pub struct Choice {
    /// Who.
    pub assignee: Assignee,
    /// Their name.
    pub name: String,
    /// Why: `owner by rule 3: path src/checkout/**`.
    pub reason: String,
}

/// What becomes of an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OwnershipDecision")]
pub struct Decision {
    /// The rule that counts.
    pub matched: Option<Matched>,
    /// Who gets it; nobody, when absent.
    pub choice: Option<Choice>,
    /// Who would have been before them, and why they were passed over.
    pub passed_over: Vec<String>,
}

/// Decides who gets an issue: an owner by the rule that counts, else whoever is on call, else whoever has least to do; the latter two as far
/// as the project wants that. Nobody gets it who is away or has reached their limit.
#[must_use]
pub fn decide(
    ownership: &Ownership,
    codeowners: &Codeowners,
    facts: &Facts,
    circumstances: &Circumstances,
) -> Decision {
    let mut search = Search { circumstances, passed_over: Vec::new() };
    let matched = bounded(ownership, codeowners, facts, STEPS).unwrap_or_else(|_| {
        search.pass_over("the rules take too long to try on this".to_owned());
        None
    });
    let mut choice = matched.as_ref().and_then(|matched| search.owner(matched));
    if choice.is_none() && ownership.otherwise.on_call {
        choice = search.on_call();
    }
    if choice.is_none() && ownership.otherwise.least_loaded {
        choice = search.least_loaded();
    }
    Decision { matched, choice, passed_over: search.passed_over }
}

struct Search<'a> {
    circumstances: &'a Circumstances,
    passed_over: Vec<String>,
}

impl Search<'_> {
    fn owner(&mut self, matched: &Matched) -> Option<Choice> {
        matched.owners.iter().find_map(|owner| match owner {
            Owner::Person { user } => self.person(*user, &format!("owner by {}", matched.says)),
            Owner::Schedule { schedule } => self.of_schedule(*schedule, &format!("by {}", matched.says)),
            Owner::Team { team } => {
                let name = self.circumstances.teams.get(team)?.clone();
                let reason = format!("owner by {}", matched.says);
                Some(Choice { assignee: Assignee::Team(*team), name, reason })
            }
        })
    }

    fn on_call(&mut self) -> Option<Choice> {
        let Route { policy, schedule } = self.circumstances.route.as_ref()?;
        self.of_schedule(*schedule, &format!("by the policy {policy}"))
    }

    fn of_schedule(&mut self, schedule: ScheduleId, by: &str) -> Option<Choice> {
        let OnCall { name, users } = self.circumstances.on_call.get(&schedule)?;
        if users.is_empty() {
            self.pass_over(format!("nobody is on call by {name}"));
        }
        users.iter().find_map(|user| self.person(*user, &format!("on call ({name}) {by}")))
    }

    fn least_loaded(&mut self) -> Option<Choice> {
        let mut workers: Vec<_> = self.circumstances.people.values().filter(|one| one.works).collect();
        // Among equals the oldest account: one has to be chosen, and twice the same.
        workers.sort_by(|one, other| {
            one.weight.sum.total_cmp(&other.weight.sum).then_with(|| one.open.cmp(&other.open))
        });
        workers.into_iter().find_map(|one| self.person(one.id, "least to do in the team"))
    }

    fn person(&mut self, user: UserId, reason: &str) -> Option<Choice> {
        // Whoever does not see the issue any more is no owner of it.
        let person = self.circumstances.people.get(&user)?;
        if let Some(excuse) = person.excuse() {
            self.pass_over(excuse);
            return None;
        }
        Some(Choice { assignee: Assignee::User(user), name: person.name.clone(), reason: reason.to_owned() })
    }

    fn pass_over(&mut self, why: String) {
        if !self.passed_over.contains(&why) {
            self.passed_over.push(why);
        }
    }
}
