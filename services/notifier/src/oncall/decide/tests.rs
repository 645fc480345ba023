//! Any policy, any people: somebody is paged whenever there is anybody, one step at a time, and it ends.

use super::*;
use bugle_model::{ContactMethodId, EscalationPolicyId, IncidentId, ScheduleId, TeamId};
use bugle_schedule::EscalationPolicy;
use bugle_store::oncall::{NewPage, Person, Rule};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_176_000, 0).unwrap()
}

fn any_priority() -> impl Strategy<Value = Priority> {
    proptest::sample::select(Priority::ALL)
}

fn any_target() -> impl Strategy<Value = EscalationTarget> {
    prop_oneof![
        (1..5_i32).prop_map(|id| EscalationTarget::Person { user: UserId(id) }),
        (1..4_i32).prop_map(|id| EscalationTarget::Schedule { schedule: ScheduleId(id) }),
    ]
}

fn any_policy() -> impl Strategy<Value = EscalationPolicy> {
    let least = prop_oneof![3 => Just(None), 1 => any_priority().prop_map(Some)];
    let step = (vec(any_target(), 1..4), 1..60_u32, least, any::<bool>()).prop_map(
        |(targets, delay_minutes, min_priority, round_robin)| EscalationStep {
            targets,
            delay_minutes,
            min_priority,
            hours: None,
            round_robin,
        },
    );
    (vec(step, 1..5), 0..4_u16, vec(any_target(), 0..3)).prop_map(|(steps, repeat, fallback)| {
        EscalationPolicy { steps, repeat, fallback, acknowledgement_timeout_minutes: None }
    })
}

/// Some of five people, who may have no way to be told; some of three schedules, which may have nobody.
fn any_directory() -> impl Strategy<Value = Directory> {
    let rule = (0..20_i64, 1..4_i32, any_priority()).prop_map(|(minutes, method, min_priority)| Rule {
        delay: TimeDelta::minutes(minutes),
        contact_method: ContactMethodId(method),
        min_priority,
        max_priority: None,
        digest: None,
    });
    let person = vec(rule, 0..3).prop_map(|rules| Person {
        name: "somebody".to_owned(),
        rules,
        zone: chrono_tz::UTC,
        quiet: None,
    });
    let people = btree_map((1..6_i32).prop_map(UserId), person, 0..5);
    let on_call = btree_map((1..4_i32).prop_map(ScheduleId), vec((1..6_i32).prop_map(UserId), 0..3), 0..3);
    let managers = vec((1..6_i32).prop_map(UserId), 0..2);
    (people, on_call, managers).prop_map(|(people, on_call, managers)| Directory {
        people,
        on_call,
        managers: BTreeMap::from([(TeamId(1), managers)]),
        ..Directory::default()
    })
}

fn new(policy: EscalationPolicy, priority: Priority) -> Due {
    Due {
        id: IncidentId(1),
        team: Some(TeamId(1)),
        origin: IncidentOrigin::Issue,
        issue: Some(IssueStatus::Unresolved),
        priority,
        raised_from: None,
        state: IncidentState::Triggered,
        generation: 1,
        pass: 0,
        step: 0,
        pass_paged: false,
        next_at: Some(noon()),
        snoozed: false,
        is_silenced: false,
        silenced_by: None,
        silencing: None,
        page_assignee: None,
        responders: BTreeSet::new(),
        respond_by: None,
        response_time: None,
        policy_id: Some(EscalationPolicyId(1)),
        policy,
        only_post: BTreeSet::new(),
        received_at: noon(),
        recipients: BTreeSet::new(),
        fired: BTreeSet::new(),
        posted: BTreeSet::new(),
    }
}

/// The incident as it is after a decision.
fn after(due: &Due, decision: &Decision) -> Due {
    let mut next = Due {
        state: decision.state,
        generation: decision.generation,
        pass: decision.pass,
        step: decision.step,
        pass_paged: decision.pass_paged,
        next_at: decision.next_at,
        raised_from: None,
        page_assignee: None,
        responders: BTreeSet::new(),
        ..due.clone()
    };
    if decision.pass != due.pass {
        next.fired.clear();
    }
    for step in &decision.steps {
        next.recipients.extend(&step.recipients);
        if step.pass == decision.pass {
            next.fired.insert(step.step);
        }
    }
    next
}

/// Whether an incident of this priority could page anybody at all.
fn is_there_anybody(due: &Due, directory: &Directory) -> bool {
    let reachable = |user: &UserId| {
        let person = directory.people.get(user);
        person.is_some_and(|person| person.rules.iter().any(|rule| rule.min_priority <= due.priority))
    };
    let steps = due.policy.steps.iter();
    let fits = |step: &&EscalationStep| step.min_priority.is_none_or(|least| least <= due.priority);
    let targets = steps.filter(fits).flat_map(|step| &step.targets).chain(&due.policy.fallback);
    let targets: Vec<_> = targets.copied().collect();
    directory.resolve(&targets).iter().any(reachable)
        || directory.managers[&due.team.unwrap()].iter().any(reachable)
}

proptest! {
    #[test]
    fn whoever_there_is_is_paged_one_step_at_a_time_until_it_ends(
        policy in any_policy(),
        directory in any_directory(),
        priority in any_priority(),
        response in proptest::option::of(0..120_i64),
    ) {
        let mut due = new(policy, priority);
        due.respond_by = response.map(|minutes| noon() + TimeDelta::minutes(minutes));
        let anybody = is_there_anybody(&due, &directory);
        let most = (usize::from(due.policy.repeat) + 1) * (due.policy.steps.len() + 1) + 1;
        let mut times: BTreeMap<i16, usize> = BTreeMap::new();
        for tick in 0..most {
            let Some(now) = due.next_at else { break };
            let decision = decide(&due, &directory, now);
            prop_assert!(decision.steps.len() <= 1, "one step at a time");
            prop_assert!(tick > 0 || decision.pages.is_empty() != anybody, "the first tick pages whoever there is");
            prop_assert!(decision.next_at.is_none_or(|at| at > now), "no tick is due again at once");
            let in_time = due.respond_by.is_none_or(|by| by <= now || decision.next_at.is_none_or(|at| at <= by));
            let is_last = usize::try_from(decision.step).unwrap() >= due.policy.steps.len();
            prop_assert!(in_time || is_last || !anybody, "the next step comes within the response time");
            for step in &decision.steps {
                *times.entry(step.step).or_default() += 1;
            }
            for page in &decision.pages {
                prop_assert!(page.due_at >= now && decision.steps[0].recipients.contains(&page.user.unwrap()));
            }
            due = after(&due, &decision);
            if !anybody {
                prop_assert!(due.next_at.is_some(), "it looks again");
                return Ok(());
            }
        }
        prop_assert_eq!(due.next_at, None, "it ends");
        let passes = usize::from(due.policy.repeat) + 1;
        prop_assert!(times.values().all(|count| *count <= passes), "{:?}", times);
    }

    #[test]
    fn a_higher_priority_repeats_nothing(
        policy in any_policy(),
        directory in any_directory(),
        (from, to) in (any_priority(), any_priority()),
        ticks in 1..6_usize,
    ) {
        prop_assume!(from < to);
        let mut due = new(policy, from);
        let mut told: BTreeSet<(UserId, Rule)> = BTreeSet::new();
        let mut now = noon();
        let rule_of = |user: UserId, page: &NewPage, now: DateTime<Utc>| {
            let rules = directory.people[&user].rules.iter();
            rules.filter(move |rule| rule.contact_method.0 == page.destination.0 && now + rule.delay == page.due_at)
                .copied().collect::<Vec<_>>()
        };
        for _ in 0..ticks {
            let Some(at) = due.next_at else { break };
            now = at;
            let decision = decide(&due, &directory, now);
            for page in &decision.pages {
                let user = page.user.unwrap();
                told.extend(rule_of(user, page, now).into_iter()
                    .filter(|rule| rule.min_priority <= from).map(|rule| (user, rule)));
            }
            due = after(&due, &decision);
        }
        (due.priority, due.raised_from) = (to, Some(from));
        // Between two steps, so that only the raise has something to do.
        let decision = decide(&due, &directory, now);
        for page in &decision.pages {
            let user = page.user.unwrap();
            let again = rule_of(user, page, now).iter().all(|rule| told.contains(&(user, *rule)));
            prop_assert!(!again, "{:?} was told before", page);
        }
        let is_known = !due.recipients.is_empty();
        prop_assert!(!is_known || decision.next_at == due.next_at, "the next step comes when it would have");
    }
}
