//! Whom a step pages, by what and when; and what it posts where.

use super::Run;
use bugle_model::{DestinationId, IncidentEvent, Priority, UserId};
use bugle_schedule::EscalationStep;
use bugle_store::oncall::{FiredStep, NewPage, Rule};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Run<'_> {
    /// Who of a step is to be paged, and who is passed over because their turn came and they cannot be.
    pub(super) fn choose(&mut self, index: i16, step: &EscalationStep) -> (Vec<UserId>, Vec<UserId>) {
        let mut people = self.directory.resolve(&step.targets);
        if !step.round_robin || people.is_empty() {
            return (people, Vec::new());
        }
        let key = self.due.policy_id.map(|policy| (policy, index));
        let turn = key.and_then(|key| self.directory.turns.get(&key)).copied().unwrap_or_default();
        let count = people.len();
        let first = usize::try_from(turn).unwrap_or_default() % count;
        people.rotate_left(first);
        let Some(place) = people.iter().position(|user| !self.rules(*user, None).is_empty()) else {
            return (Vec::new(), people);
        };
        let next = i32::try_from((first + place + 1) % count).unwrap_or_default();
        self.decision.turns.extend(key.map(|key| (key, next)));
        people.truncate(place + 1);
        (people.pop().into_iter().collect(), people)
    }

    /// Makes the pages of some people: who is paged, and who cannot be. Those who know of it already are paged only by what is for
    /// more than the priority `above`.
    pub(super) fn page(
        &mut self,
        step: i16,
        people: Vec<UserId>,
        above: Option<Priority>,
    ) -> (Vec<UserId>, Vec<UserId>) {
        let (mut paged, mut unreachable) = (Vec::new(), Vec::new());
        for user in people {
            let rules = self.rules(user, above);
            if rules.is_empty() {
                unreachable.push(user);
                continue;
            }
            for rule in rules {
                self.add_page(step, user, rule);
            }
            self.paged_now.insert(user);
            paged.push(user);
        }
        if !paged.is_empty() {
            self.come(step, paged.clone());
        }
        (paged, unreachable)
    }

    /// A step may come twice in one decision: when its incident has become more urgent, and by itself.
    pub(super) fn come(&mut self, step: i16, recipients: Vec<UserId>) {
        let pass = self.decision.pass;
        match self.decision.steps.iter_mut().find(|one| one.pass == pass && one.step == step) {
            Some(one) => one.recipients.extend(recipients),
            None => self.decision.steps.push(FiredStep { pass, step, recipients }),
        }
    }

    /// Tells the destinations of a step, each once in an incident's life. Whether there was one to be told.
    pub(super) fn post(&mut self, index: i16, step: &EscalationStep) -> bool {
        let mut told = Vec::new();
        for destination in step.targets.iter().filter_map(|target| target.destination()) {
            // A project that has moved to another team takes its rooms along.
            let room = self.directory.rooms.get(&destination).filter(|room| room.team == self.due.team);
            let Some(room) = room else { continue };
            if !self.due.posted.contains(&(index, destination)) {
                told.push(
                    json!({ "destination": destination, "channel": room.channel, "project": room.project }),
                );
                self.push(index, None, destination, self.now, None);
            }
        }
        if told.is_empty() {
            return false;
        }
        self.log(IncidentEvent::Posted, json!({ "step": index + 1, "destinations": told }));
        true
    }

    fn rules(&self, user: UserId, above: Option<Priority>) -> BTreeSet<Rule> {
        let Some(person) = self.directory.people.get(&user) else { return BTreeSet::new() };
        let known = above.filter(|_| self.due.recipients.contains(&user));
        let fits = |rule: &&Rule| {
            rule.is_for(self.due.priority) && known.is_none_or(|from| rule.min_priority > from)
        };
        person.rules.iter().filter(fits).copied().collect()
    }

    fn add_page(&mut self, step: i16, user: UserId, rule: Rule) {
        let person = self.directory.people.get(&user);
        let wanted_at = person.map_or(self.now, |person| person.due_at(&rule, self.now));
        let held = person.and_then(|person| person.held_until(self.due.priority, wanted_at));
        if let Some(until) = held {
            let first = self.held.entry(user).or_insert(until);
            *first = until.min(*first);
        }
        // A contact method is a destination of a person.
        let destination = DestinationId(rule.contact_method.0);
        let held_from = held.map(|_| wanted_at);
        self.push(step, Some((user, rule)), destination, held.unwrap_or(wanted_at), held_from);
    }

    fn push(
        &mut self,
        step: i16,
        to: Option<(UserId, Rule)>,
        destination: DestinationId,
        due_at: DateTime<Utc>,
        held_from: Option<DateTime<Utc>>,
    ) {
        let is_first = self.due.generation == 1
            && self.due.recipients.is_empty()
            && due_at == self.now
            && !self.due.is_silenced;
        self.decision.pages.push(NewPage {
            message_id: Uuid::now_v7(),
            pass: self.decision.pass,
            step,
            user: to.map(|(user, _)| user),
            destination,
            due_at,
            is_digest: to.is_some_and(|(_, rule)| rule.digest.is_some()),
            held_from,
            // What counts is how long after the event the first page arrives; of later ones, how long after their time.
            received_at: if is_first { self.due.received_at } else { due_at },
        });
    }

    pub(super) fn named(&self, people: &[UserId]) -> Value {
        let name = |user: &UserId| self.directory.people.get(user).map(|person| person.name.as_str());
        let named = |user: &UserId| {
            let mut entry = json!({ "user": user, "name": name(user) });
            if let (Some(until), Some(entry)) = (self.held.get(user), entry.as_object_mut()) {
                entry.insert("held_until".to_owned(), json!(until));
            }
            entry
        };
        people.iter().map(named).collect()
    }
}
