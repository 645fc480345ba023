//! What becomes of a due incident. Pure.
//!
//! At most one step pages anybody at a time, and the next one is due its delay later than that: after an outage one step is made up
//! for, and everything goes on from then. A step without anybody is left out at once. When the response time is over before the next
//! step comes by itself, it comes then.

mod paging;

use bugle_model::{IncidentEvent, IncidentOrigin, IncidentState, IssueStatus, Priority, UserId};
use bugle_schedule::{EscalationStep, EscalationTarget};
use bugle_store::oncall::{Decision, Directory, Due, NewLog, Pending, RESPONDER_STEP, Silencing, SilentBy};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
    Hours,
    Posted,
    NobodyOnCall,
    Unreachable(Vec<UserId>),
}

impl Skipped {
    fn told(self, number: i16) -> Value {
        let reason = match self {
            Self::Priority => "it is for a higher priority",
            Self::Hours => "it is for other hours",
            Self::Posted => "its destinations were told before, or are switched off",
            Self::NobodyOnCall => "nobody is on call",
            Self::Unreachable(people) => {
                let reason = "nobody in it can be reached at this priority";
                return json!({ "step": number, "reason": reason, "people": people });
            }
        };
        json!({ "step": number, "reason": reason })
    }
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
        self.decision.respond_by = None;
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
        self.decision.respond_by = self.respond_from_now();
        self.log(IncidentEvent::SilenceEnded, json!({}));
    }

    /// The acknowledgement is over.
    fn begin_again(&mut self) {
        let event = if self.due.snoozed {
            IncidentEvent::SnoozeEnded
        } else {
            IncidentEvent::AcknowledgementTimedOut
        };
        self.decision.respond_by = self.respond_from_now();
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
            if self.exclusion(step).is_none() && !due.fired.contains(&index) {
                self.post(index, step);
                let (chosen, _) = self.choose(index, step);
                let new = chosen.into_iter().filter(|user| !self.was_paged(*user)).collect();
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
        self.decision.next_at = self.decision.next_at.map(|at| self.in_time(at));
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
        self.wait(self.due.policy.steps.get(before));
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
        self.note_overdue();
        loop {
            let index = self.decision.step;
            let step = usize::try_from(index).ok().and_then(|index| policy.steps.get(index));
            match step {
                Some(step) => {
                    self.decision.step += 1;
                    if self.fire(index, step) {
                        return self.wait(Some(step));
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

    /// What follows in its time: the step has to be answered by then, the incident by its response time.
    fn wait(&mut self, step: Option<&EscalationStep>) {
        self.decision.next_at = Some(self.in_time(self.now + delay(step)));
    }

    /// The time of the next step, when it would come at `at`: no later than the response time allows, if there is a next one.
    fn in_time(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let steps = self.due.policy.steps.len();
        let has_next =
            usize::try_from(self.decision.step).is_ok_and(|next| next < steps) || self.may_repeat();
        let limit = self.decision.respond_by.filter(|by| has_next && *by > self.now);
        limit.map_or(at, |by| at.min(by))
    }

    fn respond_from_now(&self) -> Option<DateTime<Utc>> {
        self.due.response_time.map(|time| self.now + time)
    }

    /// Tells that the response time is what has a step come; the first one comes anyway.
    fn note_overdue(&mut self) {
        let begins = self.decision.pass == 0 && self.decision.step == 0;
        if let Some(by) = self.decision.respond_by.filter(|by| !begins && self.decision.next_at == Some(*by))
        {
            self.log(IncidentEvent::ResponseOverdue, json!({ "respond_by": by }));
        }
    }

    /// Whether a step pages anybody, or has told all that it is for.
    fn fire(&mut self, index: i16, step: &EscalationStep) -> bool {
        let skipped = match self.exclusion(step) {
            Some(reason) => reason,
            None => match self.reach(index, step) {
                Ok(()) => return true,
                Err(reason) => reason,
            },
        };
        self.log(IncidentEvent::StepSkipped, skipped.told(index + 1));
        false
    }

    /// Why a step is not for this incident, or not for now.
    fn exclusion(&self, step: &EscalationStep) -> Option<Skipped> {
        if step.min_priority.is_some_and(|least| least > self.due.priority) {
            return Some(Skipped::Priority);
        }
        let holds = step.hours.as_ref().is_none_or(|hours| hours.holds_until(self.now).is_some());
        (!holds).then_some(Skipped::Hours)
    }

    /// Tells the destinations of a step, and pages its people.
    fn reach(&mut self, index: i16, step: &EscalationStep) -> Result<(), Skipped> {
        let posted = self.post(index, step);
        if self.due.only_post.contains(&index) {
            if !posted {
                return Err(Skipped::Posted);
            }
            self.come(index, Vec::new());
            return Ok(());
        }
        let (chosen, mut unreachable) = self.choose(index, step);
        let nobody = chosen.is_empty() && unreachable.is_empty();
        let (paged, others) = self.page(index, chosen, None);
        unreachable.extend(others);
        if paged.is_empty() {
            return Err(if nobody { Skipped::NobodyOnCall } else { Skipped::Unreachable(unreachable) });
        }
        self.decision.pass_paged = true;
        let mut data = json!({
            "step": index + 1, "pass": self.decision.pass + 1, "people": self.named(&paged),
        });
        if let Some(data) = data.as_object_mut() {
            if step.round_robin {
                data.insert("round_robin".to_owned(), json!(true));
            }
            if !unreachable.is_empty() {
                data.insert("unreachable".to_owned(), json!(unreachable));
            }
        }
        self.log(IncidentEvent::Paged, data);
        Ok(())
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
            self.wait(last);
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
