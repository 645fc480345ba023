//! Who gets the issue.

use crate::matching::rules;
use bugle_model::{
    Availability, Codeowners, Otherwise, Owner, Ownership, Priority, ScheduleId, TeamId, UserId,
};
use bugle_ownership::{Candidate, Circumstances, Decision, Facts, OnCall, Route, Weight, decide};
use std::collections::BTreeMap;

fn candidate(id: i32, name: &str, issues: i64) -> (UserId, Candidate) {
    let candidate = Candidate {
        id: UserId(id),
        name: name.to_owned(),
        availability: Availability::default(),
        open: issues,
        weight: Weight::of([(Priority::Low, issues)], 0, 0.0),
        works: true,
    };
    (UserId(id), candidate)
}

/// Ann (1) has 3 issues, Ben (2) has 1 and Eve (3), who only looks, none. Ben is on call.
fn team() -> Circumstances {
    let mut people = BTreeMap::from([candidate(1, "ann", 3), candidate(2, "ben", 1), candidate(3, "eve", 0)]);
    people.get_mut(&UserId(3)).unwrap().works = false;
    let primary = OnCall { name: "Primary".to_owned(), users: vec![UserId(2)] };
    Circumstances {
        people,
        on_call: BTreeMap::from([(ScheduleId(7), primary)]),
        teams: BTreeMap::from([(TeamId(5), "shop".to_owned())]),
        route: Some(Route { policy: "Shop".to_owned(), schedule: ScheduleId(7) }),
    }
}

fn given(ownership: &Ownership, team: &Circumstances) -> Decision {
    decide(ownership, &Codeowners::default(), &Facts::of_path("src/cart.py"), team)
}

fn told(decision: &Decision) -> String {
    match &decision.choice {
        Some(choice) => format!("{}: {}", choice.name, choice.reason),
        None => "nobody".to_owned(),
    }
}

fn with_owners(owners: &[Owner]) -> Ownership {
    let mut ownership = rules(&["path src/**"]);
    for rule in &mut ownership.rules {
        rule.owners = owners.to_vec();
    }
    ownership
}

#[test]
fn an_owner_a_schedule_or_a_team() {
    let told = |owner| told(&given(&with_owners(&[owner]), &team()));
    assert_eq!(told(Owner::Person { user: UserId(1) }), "ann: owner by rule 1: path src/**");
    let on_call = told(Owner::Schedule { schedule: ScheduleId(7) });
    assert_eq!(on_call, "ben: on call (Primary) by rule 1: path src/**");
    assert_eq!(told(Owner::Team { team: TeamId(5) }), "shop: owner by rule 1: path src/**");
    assert_eq!(told(Owner::Person { user: UserId(9) }), "nobody", "who has left");
}

#[test]
fn whoever_is_away_or_has_enough_is_passed_over() {
    let mut team = team();
    let ownership = with_owners(&[1, 2].map(|id| Owner::Person { user: UserId(id) }));
    team.people.get_mut(&UserId(1)).unwrap().availability.available = false;
    let decision = given(&ownership, &team);
    assert_eq!(told(&decision), "ben: owner by rule 1: path src/**");
    assert_eq!(decision.passed_over, ["ann is away"]);
    team.people.get_mut(&UserId(2)).unwrap().availability.max_open_issues = Some(1);
    let decision = given(&ownership, &team);
    assert_eq!(told(&decision), "nobody");
    assert_eq!(decision.passed_over, ["ann is away", "ben has as many open issues as they take"]);
}

#[test]
fn otherwise_on_call_otherwise_least_to_do_if_the_project_wants() {
    let none = Ownership::default();
    let mut team = team();
    assert_eq!(told(&given(&none, &team)), "nobody");
    let both = Ownership { otherwise: Otherwise { on_call: true, least_loaded: true }, ..none.clone() };
    assert_eq!(told(&given(&both, &team)), "ben: on call (Primary) by the policy Shop");
    let least = Ownership { otherwise: Otherwise { on_call: false, least_loaded: true }, ..none };
    assert_eq!(told(&given(&least, &team)), "ben: least to do in the team");
    team.on_call.get_mut(&ScheduleId(7)).unwrap().users.clear();
    team.people.get_mut(&UserId(2)).unwrap().weight.sum = 3.5;
    let decision = given(&both, &team);
    assert_eq!(told(&decision), "ann: least to do in the team");
    assert_eq!(decision.passed_over, ["nobody is on call by Primary"]);
}

#[test]
fn a_rule_without_owners_leaves_it_to_what_is_otherwise() {
    let mut ownership = with_owners(&[]);
    assert_eq!(told(&given(&ownership, &team())), "nobody");
    ownership.otherwise.on_call = true;
    assert_eq!(told(&given(&ownership, &team())), "ben: on call (Primary) by the policy Shop");
}
