//! What becomes of a due incident. Pure.
//!
//! At most one step pages anybody at a time, and the next one is due its delay later than that: after an outage one step is made up
//! for, and everything goes on from then. A step without anybody is left out at once.

use bugle_model::{
    EscalationStep, EscalationTarget, IncidentEvent, IncidentOrigin, IncidentState, IssueStatus, Priority,
    UserId,
};
use bugle_store::oncall::{
    Decision, Directory, Due, FiredStep, NewLog, NewPage, Pending, RESPONDER_STEP, Rule, Silencing, SilentBy,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The number of a step that is none of the policy's.
const FALLBACK: i16 = -1;
const ASSIGNEE: i16 = -2;
/// When an incident that has nobody looks again: somebody may have come on call.
const NOBODY_RETRY: TimeDelta = TimeDelta::minutes(15);
/// How long the fallback of a policy without steps has to answer.
const DEFAULT_DELAY: TimeDelta = TimeDelta::minutes(5);

/// Decides.
#[must_use]
pub fn decide(due: &Due, directory: &Directory, now: DateTime<Utc>) -> Decision {
    let mut run = Run::new(due, directory, now);
    match due.issue {
        Some(IssueStatus::Resolved | IssueStatus::Ignored) => {
            return run.ended("the issue was resolved or ignored");
        }
        None if due.origin == IncidentOrigin::Issue => return run.ended("the issue was deleted"),
        Some(IssueStatus::Unresolved) | None => {}
    }
    run.page_responders();
    if let Some(silencing) = &due.silencing {
        return run.silent(silencing);
    }
    if due.is_silenced {
        run.silence_ended();
    }
    if due.state == IncidentState::Acknowledged {
        if !run.is_due() {
            return run.decision;
        }
        run.begin_again();
    }
    if let Some(from) = due.raised_from {
        run.raise(from);
    }
    if due.page_assignee.is_some_and(|user| run.page_assignee(user)) {
        return run.decision;
    }
    if run.is_due() {
        run.advance();
    }
    run.decision
}

/// Why a step paged nobody.
enum Skipped {
    Priority,
    NobodyOnCall,
    Unreachable(Vec<UserId>),
}

struct Run<'a> {
    due: &'a Due,
    directory: &'a Directory,
    now: DateTime<Utc>,
    decision: Decision,
    /// Who was paged in this run: by a higher priority nobody is paged twice.
    paged_now: BTreeSet<UserId>,
    /// Whose pages wait for the end of quiet hours: until when the first of them does.
    held: BTreeMap<UserId, DateTime<Utc>>,
}

impl<'a> Run<'a> {
    fn new(due: &'a Due, directory: &'a Directory, now: DateTime<Utc>) -> Self {
        let decision = Decision::unchanged(due);
        Self { due, directory, now, decision, paged_now: BTreeSet::new(), held: BTreeMap::new() }
    }

    /// Whether the time of the next step, or of the end of what holds it, has come.
    fn is_due(&self) -> bool {
        self.decision.next_at.is_some_and(|at| at <= self.now)
    }

    fn ended(mut self, reason: &'static str) -> Decision {
        self.decision.state = IncidentState::Resolved;
        self.decision.next_at = None;
        self.decision.pending = Pending::Cancel(reason);
        self.log(IncidentEvent::Resolved, json!({ "reason": reason }));
        self.decision
    }

    /// Something keeps it silent still, or something else does.
    fn silent(mut self, silencing: &Silencing) -> Decision {
        let Silencing { by, until, told } = silencing;
        self.decision.next_at = Some(*until);
        self.decision.silenced_by = Some(*by);
        // An incident keeps others silent as long as it is open, however often that is looked at.
        let lasts_longer = !matches!(by, SilentBy::Incident(_)) && self.due.next_at != Some(*until);
        if self.due.silenced_by != Some(*by) || lasts_longer {
            self.log(silencing.event(), told.clone());
        }
        self.decision
    }

    /// Nothing keeps it silent any more: it begins as if it were opened now.
    fn silence_ended(&mut self) {
        self.decision.next_at = Some(self.now);
        self.log(IncidentEvent::SilenceEnded, json!({}));
    }

    /// The acknowledgement is over.
    fn begin_again(&mut self) {
        let event = if self.due.snoozed {
            IncidentEvent::SnoozeEnded
        } else {
            IncidentEvent::AcknowledgementTimedOut
        };
        let decision = &mut self.decision;
        decision.state = IncidentState::Triggered;
        decision.generation += 1;
        decision.restarts = true;
        (decision.pass, decision.step, decision.pass_paged) = (0, 0, false);
        decision.pending = Pending::Cancel("the incident began again");
        self.log(event, json!({}));
    }

    /// Pages by the rules and steps that are for the higher priority only, of what has been so far. Nothing is repeated.
    fn raise(&mut self, from: Priority) {
        self.decision.generation += 1;
        if self.decision.pending == Pending::Keep {
            self.decision.pending = Pending::CarryOver;
        }
        let due = self.due;
        let steps = due.policy.steps.iter().zip(0_i16..);
        for (step, index) in steps.take_while(|(_, index)| *index < due.step) {
            let fits = step.min_priority.is_none_or(|least| least <= due.priority);
            if fits && !due.fired.contains(&index) {
                let everybody = self.directory.resolve(&step.targets);
                let new = everybody.into_iter().filter(|user| !self.was_paged(*user)).collect();
                self.page_raised(index, new, from);
            }
        }
        // Those who know of it already, by what they want to be told by only now.
        let paged = due.recipients.iter().copied().collect();
        self.page_raised(due.step.max(1) - 1, paged, from);
        self.release(from);
        // Nobody knows of it yet: there may be somebody now.
        if due.recipients.is_empty() && self.paged_now.is_empty() {
            self.decision.next_at = Some(self.now);
        }
    }

    /// The higher priority breaks through quiet hours that hold pages.
    fn release(&mut self, from: Priority) {
        let is_released = |user: &&UserId| {
            self.directory.people.get(user).is_some_and(|person| person.is_released(from, self.due.priority))
        };
        self.decision.released = self.due.recipients.iter().filter(is_released).copied().collect();
    }

    fn page_raised(&mut self, step: i16, people: Vec<UserId>, from: Priority) {
        let (paged, _) = self.page(step, people, Some(from));
        if !paged.is_empty() {
            self.decision.pass_paged = true;
            let data = json!({ "step": step + 1, "people": self.named(&paged), "raised_from": from });
            self.log(IncidentEvent::Paged, data);
        }
    }

    /// Pages whom it was given to. Whether they could be.
    fn page_assignee(&mut self, user: UserId) -> bool {
        let (paged, _) = self.page(ASSIGNEE, vec![user], None);
        if paged.is_empty() {
            let data = json!({ "reason": "whom it was given to cannot be reached", "people": [user] });
            self.log(IncidentEvent::StepSkipped, data);
            return false;
        }
        self.log(IncidentEvent::Paged, json!({ "assigned": true, "people": self.named(&paged) }));
        self.decision.pass_paged = true;
        let before = usize::try_from(self.decision.step - 1).unwrap_or_default();
        self.decision.next_at = Some(self.now + delay(self.due.policy.steps.get(before)));
        true
    }

    /// Pages who was asked to help; the policy goes on as if they had not been.
    fn page_responders(&mut self) {
        let asked: Vec<UserId> = self.due.responders.iter().copied().collect();
        if asked.is_empty() {
            return;
        }
        let (paged, unreachable) = self.page(RESPONDER_STEP, asked, None);
        if !paged.is_empty() {
            self.log(IncidentEvent::Paged, json!({ "asked": true, "people": self.named(&paged) }));
        }
        if !unreachable.is_empty() {
            let data = json!({ "reason": "who was asked to help cannot be reached", "people": unreachable });
            self.log(IncidentEvent::StepSkipped, data);
        }
    }

    /// On to the next step that pages anybody.
    fn advance(&mut self) {
        let due = self.due;
        let policy = &due.policy;
        loop {
            let index = self.decision.step;
            let step = usize::try_from(index).ok().and_then(|index| policy.steps.get(index));
            match step {
                Some(step) => {
                    self.decision.step += 1;
                    if self.fire(index, step) {
                        self.decision.next_at = Some(self.now + delay(Some(step)));
                        return;
                    }
                }
                None if !self.decision.pass_paged => return self.nobody(),
                None if self.may_repeat() => {
                    self.repeat();
                    let data = json!({ "pass": self.decision.pass + 1 });
                    self.log(IncidentEvent::Repeated, data);
                }
                None => {
                    self.decision.next_at = None;
                    return self.log(IncidentEvent::Exhausted, json!({}));
                }
            }
        }
    }

    fn may_repeat(&self) -> bool {
        u16::try_from(self.decision.pass).is_ok_and(|pass| pass < self.due.policy.repeat)
    }

    fn repeat(&mut self) {
        self.decision.pass += 1;
        (self.decision.step, self.decision.pass_paged) = (0, false);
    }

    /// Whether a step pages anybody.
    fn fire(&mut self, index: i16, step: &EscalationStep) -> bool {
        let number = index + 1;
        let skipped = if step.min_priority.is_some_and(|least| least > self.due.priority) {
            Skipped::Priority
        } else {
            let everybody = self.directory.resolve(&step.targets);
            let nobody = everybody.is_empty();
            let (paged, unreachable) = self.page(index, everybody, None);
            if !paged.is_empty() {
                self.decision.pass_paged = true;
                let mut data = json!({
                    "step": number, "pass": self.decision.pass + 1, "people": self.named(&paged),
                });
                if let (false, Some(data)) = (unreachable.is_empty(), data.as_object_mut()) {
                    data.insert("unreachable".to_owned(), json!(unreachable));
                }
                self.log(IncidentEvent::Paged, data);
                return true;
            }
            if nobody { Skipped::NobodyOnCall } else { Skipped::Unreachable(unreachable) }
        };
        let data = match skipped {
            Skipped::Priority => json!({ "step": number, "reason": "it is for a higher priority" }),
            Skipped::NobodyOnCall => json!({ "step": number, "reason": "nobody is on call" }),
            Skipped::Unreachable(people) => json!({
                "step": number, "reason": "nobody in it can be reached at this priority", "people": people,
            }),
        };
        self.log(IncidentEvent::StepSkipped, data);
        false
    }

    /// No step of this pass has anybody.
    fn nobody(&mut self) {
        let managers = self.due.team.and_then(|team| self.directory.managers.get(&team));
        let managers = managers.cloned().unwrap_or_default();
        let fallback: &[EscalationTarget] = &self.due.policy.fallback;
        for (whom, people) in [("fallback", self.directory.resolve(fallback)), ("managers", managers)] {
            let (paged, _) = self.page(FALLBACK, people, None);
            if paged.is_empty() {
                continue;
            }
            let data = json!({ "whom": whom, "people": self.named(&paged) });
            self.log(IncidentEvent::Fallback, data);
            let last = self.due.policy.steps.last();
            self.decision.next_at = Some(self.now + delay(last));
            // What follows is the next pass, or the end.
            self.decision.pass_paged = true;
            return;
        }
        self.log(IncidentEvent::NoRecipient, json!({}));
        self.decision.step = 0;
        self.decision.next_at = Some(self.now + NOBODY_RETRY);
    }

    fn was_paged(&self, user: UserId) -> bool {
        self.due.recipients.contains(&user) || self.paged_now.contains(&user)
    }

    /// Makes the pages of some people: who is paged, and who cannot be. Those who know of it already are paged only by what is for
    /// more than the priority `above`.
    fn page(
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
            let fired = FiredStep { pass: self.decision.pass, step, recipients: paged.clone() };
            self.decision.steps.push(fired);
        }
        (paged, unreachable)
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
        let due_at = held.unwrap_or(wanted_at);
        let is_first = self.due.generation == 1
            && self.due.recipients.is_empty()
            && due_at == self.now
            && !self.due.is_silenced;
        self.decision.pages.push(NewPage {
            message_id: Uuid::now_v7(),
            pass: self.decision.pass,
            step,
            user,
            contact_method: rule.contact_method,
            due_at,
            is_digest: rule.digest.is_some(),
            held_from: held.map(|_| wanted_at),
            // What counts is how long after the event the first page arrives; of later ones, how long after their time.
            received_at: if is_first { self.due.received_at } else { due_at },
        });
    }

    fn named(&self, people: &[UserId]) -> Value {
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

    fn log(&mut self, event: IncidentEvent, data: Value) {
        self.decision.log.push(NewLog { event, data });
    }
}

/// How long a step has to be answered.
fn delay(step: Option<&EscalationStep>) -> TimeDelta {
    step.map_or(DEFAULT_DELAY, |step| TimeDelta::minutes(step.delay_minutes.into()))
}

#[cfg(test)]
mod tests;
