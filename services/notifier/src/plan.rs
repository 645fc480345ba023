//! What becomes of the notifications that are due at one destination. Pure.

use crate::policy::{ChannelLimits, Policy, room};
use bugle_model::{IncidentOrigin, IncidentState, IssueStatus, NotificationId, Priority, SignalKind};
use bugle_store::destinations::Destination;
use bugle_store::notifications::{Candidate, Digest, PageOf, Plan};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How much may be sent now.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Messages on their way altogether.
    pub in_flight: usize,
    /// Those to this destination.
    pub to_destination: usize,
}

/// Decides. `digest_id` is the id of a digest, should one be needed.
#[must_use]
pub fn plan(
    policy: &Policy,
    destination: &Destination,
    candidates: &[Candidate],
    capacity: Capacity,
    now: DateTime<Utc>,
    digest_id: Uuid,
) -> Plan {
    let mut plan = Plan::default();
    let mut wanted: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        match unwanted(destination, candidate) {
            Some(reason) => plan.cancel.push((candidate.id, reason)),
            None => wanted.push(candidate),
        }
    }
    same_incident(&mut wanted, &mut plan);
    wanted.retain(|candidate| match used_up(policy, candidate, now) {
        Some(error) => {
            plan.fail.push((candidate.id, error));
            false
        }
        None => true,
    });
    plan.digest = stale(policy, &mut wanted, now, digest_id);
    let limits = (policy.per_channel)(destination.channel);
    let crowded_until = crowded_until(limits, candidates, now);
    if crowded_until.is_some() {
        wanted.retain(|candidate| !is_fresh(candidate, SignalKind::Page));
    }
    plan.bundle = bundle(limits.bundle_over, &mut wanted, |one| is_fresh(one, SignalKind::New))
        .or_else(|| bundle(limits.pages_over, &mut wanted, |one| is_fresh(one, SignalKind::Page)))
        .or_else(|| bundle(1, &mut wanted, is_of_digest));
    plan.send = sendable(policy, limits, destination, &wanted, capacity);
    if !plan.send.is_empty() {
        plan.open_until = if is_probe(policy, destination) {
            // Until the probe has answered, or is lost, nothing else goes there.
            Some(now + policy.lease)
        } else {
            limits.spacing.map(|spacing| now + spacing)
        };
    } else if wanted.is_empty() {
        plan.open_until = crowded_until;
    }
    plan
}

/// Until when pages wait here, because there were too many lately.
fn crowded_until(
    limits: ChannelLimits,
    candidates: &[Candidate],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let since = candidates.iter().find_map(|candidate| candidate.crowded_since)?;
    Some(since + TimeDelta::minutes(1)).filter(|until| limits.is_metered && *until > now)
}

/// Whether it is of this kind, and no attempt and no other message has told of it.
fn is_fresh(candidate: &Candidate, kind: SignalKind) -> bool {
    candidate.kind == kind && candidate.attempts == 0 && candidate.bundled == 0
}

/// Whether it is a page that was to wait for others.
fn is_of_digest(candidate: &Candidate) -> bool {
    is_fresh(candidate, SignalKind::Page) && candidate.incident.is_some_and(|page| page.is_digest)
}

/// Why nobody needs to hear of it any more.
fn unwanted(destination: &Destination, candidate: &Candidate) -> Option<&'static str> {
    if !destination.enabled {
        return Some("the destination is switched off");
    }
    // A bundle goes out as long as anything in it is wanted.
    if candidate.bundled > 0 {
        return None;
    }
    if candidate.kind == SignalKind::Page {
        return unwanted_page(candidate.incident);
    }
    match candidate.issue {
        Some(IssueStatus::Resolved) => Some("the issue was resolved"),
        Some(IssueStatus::Ignored) => Some("the issue is ignored"),
        Some(IssueStatus::Unresolved) if candidate.told_again => {
            Some("the issue has come back since, which is told by itself")
        }
        Some(IssueStatus::Unresolved) => None,
        None if matches!(candidate.kind, SignalKind::Test | SignalKind::Verification) => None,
        None if candidate.kind == SignalKind::Digest => Some("every issue in it was dealt with"),
        None => Some("the issue is gone"),
    }
}

/// Why nobody needs to be paged any more. A page that has not left stays wanted as long as nobody has answered, however old it is.
fn unwanted_page(incident: Option<PageOf>) -> Option<&'static str> {
    let Some(incident) = incident else { return Some("the incident is gone") };
    match (incident.state, incident.issue) {
        (IncidentState::Acknowledged, _) if incident.is_asked => None,
        (IncidentState::Acknowledged, _) => Some("the incident was acknowledged"),
        (IncidentState::Resolved, _) => Some("the incident was resolved"),
        (IncidentState::Triggered, Some(IssueStatus::Resolved)) => Some("the issue was resolved"),
        (IncidentState::Triggered, Some(IssueStatus::Ignored)) => Some("the issue is ignored"),
        (IncidentState::Triggered, None) if incident.origin == IncidentOrigin::Issue => {
            Some("the issue is gone")
        }
        (IncidentState::Triggered, None | Some(IssueStatus::Unresolved)) => {
            // Who was asked to help is not paged again by the policy.
            (!incident.is_current && !incident.is_asked)
                .then_some("the incident began again, which is told by itself")
        }
    }
}

/// Of several pages of one incident that are due here at the same time one is enough: after an outage, and where rules and steps
/// meet. One whose sender was lost stays: what became of it is found out first.
fn same_incident(wanted: &mut Vec<&Candidate>, plan: &mut Plan) {
    let mut seen = BTreeSet::new();
    wanted.retain(|candidate| {
        let Some(incident) = candidate.incident else { return true };
        // One that tells of others too is wanted for them.
        if seen.insert(incident.id) || candidate.lost || candidate.bundled > 0 {
            return true;
        }
        plan.cancel.push((candidate.id, "another page of the incident goes there at the same time"));
        false
    });
}

/// Why one whose sender was lost is not tried again. Nobody was there to give it up when its attempt ended.
fn used_up(policy: &Policy, candidate: &Candidate, now: DateTime<Utc>) -> Option<String> {
    if !candidate.lost {
        return None;
    }
    let lost = "the sender was lost before it could record the answer";
    if candidate.attempts >= policy.max_attempts {
        return Some(format!("given up after {} attempts: {lost}", candidate.attempts));
    }
    let hours = policy.max_age.num_hours();
    (now - candidate.created_at.max(candidate.received_at) > policy.max_age)
        .then(|| format!("given up after {hours} hours: {lost}"))
}

/// Takes what is too old out of `wanted`. One whose sender was lost stays: what became of it is found out first.
fn stale(policy: &Policy, wanted: &mut Vec<&Candidate>, now: DateTime<Utc>, id: Uuid) -> Option<Digest> {
    let is_stale = |candidate: &&Candidate| {
        now - candidate.received_at > policy.stale_after && candidate.issue.is_some() && !candidate.lost
    };
    let old: Vec<&Candidate> = wanted.extract_if(.., |candidate| is_stale(candidate)).collect();
    Some(Digest {
        message_id: id,
        of: old.iter().map(|candidate| candidate.id).collect(),
        priority: old.iter().map(|candidate| candidate.priority).max()?,
        received_at: old.iter().map(|candidate| candidate.received_at).min()?,
    })
}

/// Takes those that `fits` says out of `wanted`, for the first of them to tell of them, when there are more than `most`.
fn bundle(
    most: usize,
    wanted: &mut Vec<&Candidate>,
    fits: impl Fn(&Candidate) -> bool,
) -> Option<(NotificationId, Vec<NotificationId>)> {
    if wanted.iter().filter(|candidate| fits(candidate)).count() <= most {
        return None;
    }
    let lead = wanted.iter().find(|candidate| fits(candidate))?.id;
    let others = wanted.extract_if(.., |candidate| fits(candidate) && candidate.id != lead);
    Some((lead, others.map(|candidate| candidate.id).collect()))
}

/// The breaker was open: one message shows whether the destination works again.
const fn is_probe(policy: &Policy, destination: &Destination) -> bool {
    destination.failures >= policy.breaker_failures
}

fn sendable(
    policy: &Policy,
    limits: ChannelLimits,
    destination: &Destination,
    wanted: &[&Candidate],
    capacity: Capacity,
) -> Vec<NotificationId> {
    let one_by_one = limits.spacing.is_some() || is_probe(policy, destination);
    let mut send = Vec::new();
    for candidate in wanted {
        let critical = candidate.priority == Priority::Critical;
        let reserved = limits.in_flight / 4;
        let fits = room(capacity.in_flight + send.len(), policy.concurrency, policy.reserved, critical) > 0
            && room(capacity.to_destination + send.len(), limits.in_flight, reserved, critical) > 0;
        if !fits || (one_by_one && !send.is_empty()) {
            break;
        }
        send.push(candidate.id);
    }
    send
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::{Channel, DestinationId, DestinationSettings, ProjectId};
    use proptest::prelude::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_176_000, 0).unwrap()
    }

    fn destination(channel: Channel, enabled: bool, failures: i32) -> Destination {
        Destination {
            id: DestinationId(1),
            project: Some(ProjectId(1)),
            channel,
            target: String::new(),
            min_priority: Priority::Low,
            settings: DestinationSettings::default(),
            enabled,
            disabled_reason: None,
            failures,
            open_until: None,
            created_at: noon(),
        }
    }

    fn any_candidate() -> impl Strategy<Value = Candidate> {
        let issue = prop_oneof![
            4 => Just((Some(IssueStatus::Unresolved), false)),
            1 => Just((Some(IssueStatus::Unresolved), true)),
            1 => Just((Some(IssueStatus::Resolved), false)),
            1 => Just((Some(IssueStatus::Ignored), false)),
            1 => Just((None, false)),
        ];
        let kind = prop_oneof![4 => Just(SignalKind::New), 1 => proptest::sample::select(SignalKind::ALL)];
        let priority = proptest::sample::select(Priority::ALL);
        (kind, priority, 0..3_i32, 0..20_000_i64, any::<bool>(), issue, 0..3_i64).prop_map(
            |(kind, priority, attempts, age, lost, (issue, told_again), bundled)| Candidate {
                id: NotificationId(0),
                kind,
                priority,
                attempts,
                received_at: noon() - TimeDelta::seconds(age),
                created_at: noon(),
                lost,
                issue,
                told_again,
                bundled,
                crowded_since: None,
                incident: None,
            },
        )
    }

    fn any_destination() -> impl Strategy<Value = Destination> {
        let enabled = prop_oneof![9 => Just(true), 1 => Just(false)];
        (proptest::sample::select(Channel::ALL), enabled, 0..8_i32)
            .prop_map(|(channel, enabled, failures)| destination(channel, enabled, failures))
    }

    proptest! {
        #[test]
        fn each_notification_meets_one_fate_and_only_the_wanted_are_sent(
            mut candidates in proptest::collection::vec(any_candidate(), 0..150),
            destination in any_destination(),
            in_flight in 0..40_usize,
            to_destination in 0..10_usize,
        ) {
            for (id, candidate) in (1..).zip(&mut candidates) {
                candidate.id = NotificationId(id);
            }
            let policy = Policy::default();
            let capacity = Capacity { in_flight, to_destination };
            let plan = plan(&policy, &destination, &candidates, capacity, noon(), Uuid::nil());

            let mut fates: Vec<NotificationId> = plan.cancel.iter().map(|(id, _)| *id).collect();
            fates.extend(plan.fail.iter().map(|(id, _)| *id));
            fates.extend(plan.digest.iter().flat_map(|digest| &digest.of));
            fates.extend(plan.bundle.iter().flat_map(|(_, others)| others));
            fates.extend(&plan.send);
            let different: BTreeSet<_> = fates.iter().collect();
            prop_assert_eq!(different.len(), fates.len(), "two fates for one");

            let limits = (policy.per_channel)(destination.channel);
            prop_assert!(plan.send.is_empty() || in_flight + plan.send.len() <= policy.concurrency);
            prop_assert!(plan.send.is_empty() || to_destination + plan.send.len() <= limits.in_flight);
            if limits.spacing.is_some() || destination.failures >= policy.breaker_failures {
                prop_assert!(plan.send.len() <= 1);
            }
            for candidate in candidates.iter().filter(|candidate| plan.send.contains(&candidate.id)) {
                prop_assert!(destination.enabled);
                let live = candidate.issue.is_none_or(|status| status == IssueStatus::Unresolved)
                    && !candidate.told_again;
                prop_assert!(live || candidate.bundled > 0);
            }
            if let Some((lead, others)) = &plan.bundle {
                let most = limits.bundle_over.min(limits.pages_over);
                prop_assert!(others.len() >= most && !others.contains(lead));
            }
            // Nothing that is wanted is lost: it has no fate yet only because there is no room for it.
            let idle = in_flight == 0 && to_destination == 0;
            prop_assert!(!idle || candidates.is_empty() || !fates.is_empty());
        }
    }
}
