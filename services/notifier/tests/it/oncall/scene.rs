//! A team on call, and what one can say about it: who is paged by what, when, and when nobody is.

use crate::world::{World, noon};
use bugle_model::{
    Channel, Clock, ContactMethodId, DestinationSettings, IncidentId, IncidentState, InstallationRole,
    IssueId, IssueSignal, Priority, ScheduleId, Signal, TeamId, TeamRole, UserId,
};
use bugle_notifier::policy::{ChannelLimits, channel_limits};
use bugle_notifier::{Escalator, Sender};
use bugle_schedule::{
    EscalationPolicy, EscalationStep, EscalationTarget, Layer, Override, OverrideKind, Rotation,
    RotationUnit, Schedule,
};
use bugle_store::oncall::{
    self, Acted, Incident, IncidentFilter, NewContactMethod, NewNotificationRule, NewRoutingRule, Page,
    Verified,
};
use bugle_store::users::{self, NewUser};
use bugle_store::{Scope, teams};
use bugle_testkit::http::{Answer, HttpFake, Recorded};
use bugle_testkit::smtp::SmtpFake;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub const MESSAGES: &str = "/2010-04-01/Accounts/AC1/Messages.json";
pub const CALLS: &str = "/2010-04-01/Accounts/AC1/Calls.json";

pub struct Scene {
    pub world: World,
    pub team: TeamId,
    pub mail: SmtpFake,
    pub twilio: HttpFake,
    /// Webhooks (`/webhook/ann`) and Slack (`/slack/ann`).
    pub hooks: HttpFake,
    sender: Sender,
    escalator: Escalator,
    numbers: BTreeMap<String, String>,
}

/// Somebody of the team.
#[derive(Clone)]
pub struct Somebody {
    pub id: UserId,
    pub name: &'static str,
}

/// Two messages to one person need no second between them here: what is looked at is who is told.
fn limits(channel: Channel) -> ChannelLimits {
    ChannelLimits { spacing: None, ..channel_limits(channel) }
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A scene whose world is prepared first.
    pub async fn with(prepare: impl FnOnce(&mut World)) -> Self {
        let (mail, twilio, hooks) =
            (SmtpFake::start().await, HttpFake::start().await, HttpFake::start().await);
        let queued = json!({"sid": "SM1", "status": "queued", "num_segments": "1", "error_code": null});
        twilio.route("POST", MESSAGES, Answer::json(201, &queued));
        twilio.route("POST", CALLS, Answer::json(201, &json!({"sid": "CA1", "status": "queued"})));
        let mut world = World::new().await;
        world.policy.per_channel = limits;
        world.config.smtp_url = Some(mail.url("").parse::<url::Url>().unwrap().into());
        world.config.twilio_base_url = twilio.url("").parse().unwrap();
        prepare(&mut world);
        let team = teams::create(&mut world.store.conn().await.unwrap(), "shop", noon()).await.unwrap();
        let sql = "UPDATE projects SET team_id = $2 WHERE id = $1";
        world.sql.execute(sql, &[&world.project.0, &team.0]).await.unwrap();
        let (sender, escalator) = (world.sender(), escalator(&world));
        Self { world, team, mail, twilio, hooks, sender, escalator, numbers: BTreeMap::new() }
    }

    /// Somebody of the team without contact methods: what pages them goes to their account's address.
    pub async fn person(&self, name: &'static str) -> Somebody {
        self.person_as(name, TeamRole::Member).await
    }

    pub async fn person_as(&self, name: &'static str, role: TeamRole) -> Somebody {
        let mut conn = self.world.store.conn().await.unwrap();
        let email = format!("{name}@example.com");
        let new = NewUser { email: &email, name, password_hash: None, role: InstallationRole::Member };
        let id = users::create(&mut conn, &new, noon()).await.unwrap();
        teams::put_member(&mut conn, self.team, id, role, noon()).await.unwrap();
        Somebody { id, name }
    }

    /// A contact method that is not proven yet.
    pub async fn unproven(&mut self, who: &Somebody, channel: Channel) -> ContactMethodId {
        let number = format!("+1500555{:04}", 1000 + self.numbers.len());
        let target = match channel {
            Channel::Email => format!("{}@pager.example.com", who.name),
            Channel::Sms | Channel::Voice => number.clone(),
            Channel::Slack | Channel::Webhook | Channel::WebPush => {
                self.hooks.url(&format!("/{channel}/{}", who.name))
            }
        };
        if matches!(channel, Channel::Sms | Channel::Voice) {
            self.numbers.insert(number, who.name.to_owned());
        }
        let settings = DestinationSettings::default();
        let name = format!("my {channel}");
        let new = NewContactMethod { user: who.id, name, channel, target, settings, verified: false };
        assert!(oncall::contact_method_mistakes(&new).is_empty());
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::create_contact_method(&mut conn, &new, self.world.clock.now()).await.unwrap().unwrap()
    }

    /// A proven contact method.
    pub async fn reach(&mut self, who: &Somebody, channel: Channel) -> ContactMethodId {
        let id = self.unproven(who, channel).await;
        let mut conn = self.world.store.conn().await.unwrap();
        let now = self.world.clock.now();
        oncall::send_code(&mut conn, id, "123456", Uuid::now_v7(), now).await.unwrap().unwrap();
        let verified = oncall::verify_contact_method(&mut conn, id, "123456", now).await.unwrap();
        assert_eq!(verified, Verified::Yes);
        let sql = "DELETE FROM notifications WHERE destination_id = $1";
        self.world.sql.execute(sql, &[&id.0]).await.unwrap();
        id
    }

    /// `who` wants to be told by a contact method, so many minutes after a page.
    pub async fn rule(&self, who: &Somebody, by: ContactMethodId, least: Priority, minutes: i32) {
        self.make_rule(who, &rule(by, least, minutes)).await;
    }

    pub async fn make_rule(&self, who: &Somebody, new: &NewNotificationRule) {
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::create_notification_rule(&mut conn, who.id, new, noon()).await.unwrap().unwrap();
    }

    /// Somebody who is told by these channels after so many minutes, whatever the priority.
    pub async fn person_with(&mut self, name: &'static str, rules: &[(Channel, i32)]) -> Somebody {
        let who = self.person(name).await;
        for (channel, minutes) in rules {
            let by = self.reach(&who, *channel).await;
            self.rule(&who, by, Priority::Low, *minutes).await;
        }
        who
    }

    /// Every signal opens an incident by this policy.
    pub async fn escalates_by(&self, policy: &EscalationPolicy) -> bugle_model::EscalationPolicyId {
        let policy = self.policy("everything", policy).await;
        self.routes(NewRoutingRule { ..everything(policy) }).await;
        policy
    }

    pub async fn policy(&self, name: &str, policy: &EscalationPolicy) -> bugle_model::EscalationPolicyId {
        assert_eq!(policy.mistakes(), []);
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::create_policy(&mut conn, self.team, name, policy, "tests", noon()).await.unwrap()
    }

    pub async fn routes(&self, rule: NewRoutingRule) -> bugle_model::RoutingRuleId {
        let mut conn = self.world.store.conn().await.unwrap();
        let made = oncall::create_routing_rule(&mut conn, self.team, &rule, noon()).await.unwrap();
        made.unwrap().id
    }

    /// A schedule of one layer: each is on call for a day, from noon to noon UTC; `None` is nobody.
    pub async fn schedule(&self, turns: &[Option<&Somebody>]) -> ScheduleId {
        let start = NaiveDateTime::parse_from_str("2026-11-20T12:00", "%Y-%m-%dT%H:%M").unwrap();
        let rotation =
            Rotation { unit: RotationUnit::Daily, every: 1, start, first: 0, count_only_allowed: false };
        let participants = turns.iter().map(|one| one.map(|who| who.id)).collect();
        let layer = Layer { rotation, participants, restrictions: Vec::new(), starts: None, ends: None };
        let schedule = Schedule { zone: chrono_tz::UTC, layers: vec![layer], overrides: Vec::new() };
        assert_eq!(schedule.check(), Ok(()));
        let mut conn = self.world.store.conn().await.unwrap();
        let name = Uuid::new_v4().to_string();
        oncall::create_schedule(&mut conn, self.team, &name, &schedule, noon()).await.unwrap()
    }

    pub async fn overrides(&self, schedule: ScheduleId, minutes: (i64, i64), kind: OverrideKind) {
        let at = |minutes| noon() + TimeDelta::minutes(minutes);
        let new = Override { from: at(minutes.0), to: at(minutes.1), kind };
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::create_override(&mut conn, schedule, &new, "tests", noon()).await.unwrap();
    }

    /// A new issue of this priority, and its signal.
    pub async fn error(&self, title: &str, priority: Priority) -> IssueId {
        let issue = self.world.issue_of(title, priority).await;
        self.tell(issue, priority, 0, Signal::IssueOpened).await;
        issue
    }

    /// A signal about an issue.
    pub async fn tell(
        &self,
        issue: IssueId,
        priority: Priority,
        generation: i32,
        signal: impl FnOnce(IssueSignal) -> Signal,
    ) {
        let about = IssueSignal { priority, generation, ..self.world.about(issue) };
        self.world.signal(vec![signal(about)]).await;
    }

    /// So many events within 24 hours.
    pub async fn threshold(&self, issue: IssueId, priority: Priority, events: i64) {
        self.tell(issue, priority, 0, |about| Signal::ThresholdReached { about, events }).await;
    }

    /// Everything that is due now is done; these messages go out and no others: `email ann`, `sms ann`, …
    #[track_caller]
    pub fn hears(&mut self, expected: &[&str]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let told = self.told().await;
            let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
            expected.sort();
            assert_eq!(told, expected, "at {place}, {}", self.world.clock.now());
        }
    }

    /// The same after some minutes, in which nothing goes out.
    pub async fn after(&mut self, minutes: i64, expected: &[&str]) {
        for minute in 1..minutes {
            self.world.advance(60);
            assert_eq!(self.told().await, Vec::<String>::new(), "after {minute} of {minutes} minutes");
        }
        self.world.advance(60);
        let told = self.told().await;
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        assert_eq!(told, expected, "after {minutes} minutes");
    }

    /// Nothing goes out for so many minutes.
    pub async fn quiet(&mut self, minutes: i64) {
        self.after(minutes, &[]).await;
    }

    /// Time passes while no notifier runs.
    pub fn outage(&self, minutes: i64) {
        self.world.advance(minutes * 60);
    }

    /// Does what is due, without sending.
    pub async fn escalate(&self) {
        self.escalator.run_once().await.unwrap();
    }

    /// Sends what is due.
    pub async fn send(&mut self) {
        self.sender.run_once().await.unwrap();
    }

    pub fn another_escalator(&self) -> Escalator {
        escalator(&self.world)
    }

    /// One whose connections are not those of the others.
    pub fn escalator_of_its_own(&self) -> Escalator {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        Escalator::new(self.world.another_store(), clock, Arc::clone(&self.world.wake), &self.world.metrics)
    }

    async fn told(&mut self) -> Vec<String> {
        self.escalate().await;
        self.send().await;
        let mut told: Vec<String> = self
            .mail
            .take()
            .iter()
            .map(|mail| {
                let (who, host) = mail.recipients[0].split_once('@').unwrap();
                let how = if host == "example.com" { "account" } else { "email" };
                format!("{how} {who}")
            })
            .collect();
        told.extend(self.twilio.take().iter().filter(|request| request.method == "POST").map(|request| {
            let number = &request.form()["To"];
            let how = if request.target == CALLS { "voice" } else { "sms" };
            format!("{how} {}", self.numbers[number])
        }));
        told.extend(self.hooks.take().iter().map(hook));
        told.sort();
        told
    }

    pub async fn incidents(&self) -> Vec<Incident> {
        let mut conn = self.world.store.conn().await.unwrap();
        let filter = IncidentFilter::default();
        let mut found = oncall::list_incidents(&mut conn, &Scope::All, filter, 100).await.unwrap();
        found.reverse();
        found
    }

    pub async fn incident(&self) -> Incident {
        let mut found = self.incidents().await;
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    pub async fn states(&self) -> Vec<IncidentState> {
        self.incidents().await.into_iter().map(|one| one.state).collect()
    }

    /// By the time at which they were due.
    pub async fn pages(&self, incident: IncidentId) -> Vec<Page> {
        let mut conn = self.world.store.conn().await.unwrap();
        let mut pages = oncall::pages_of(&mut conn, incident, 100).await.unwrap();
        pages.sort_by_key(|page| page.due_at);
        pages
    }

    /// What the timeline of the only incident tells, with who did it.
    pub async fn timeline(&self) -> Vec<String> {
        let incident = self.incident().await.id;
        let mut conn = self.world.store.conn().await.unwrap();
        let entries = oncall::timeline(&mut conn, incident, None, 1000).await.unwrap();
        entries
            .iter()
            .map(|entry| match &entry.actor {
                Some(actor) => format!("{} by {actor}", entry.event),
                None => entry.event.to_string(),
            })
            .collect()
    }

    /// `ann` acknowledges the newest incident.
    pub async fn acknowledge(&self, who: &Somebody) -> Acted {
        let incident = self.incidents().await.pop().unwrap().id;
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::acknowledge(&mut conn, incident, who.name, self.world.clock.now()).await.unwrap()
    }

    pub async fn resolve(&self, who: &Somebody) -> Acted {
        let incident = self.incidents().await.pop().unwrap().id;
        let mut conn = self.world.store.conn().await.unwrap();
        oncall::resolve(&mut conn, incident, who.name, self.world.clock.now()).await.unwrap()
    }
}

fn escalator(world: &World) -> Escalator {
    Escalator::new(world.store.clone(), world.clock.clone(), Arc::clone(&world.wake), &world.metrics)
}

fn hook(request: &Recorded) -> String {
    request.target.trim_start_matches('/').replace('/', " ")
}

pub fn person(who: &Somebody) -> EscalationTarget {
    EscalationTarget::Person { user: who.id }
}

pub fn on_call(schedule: ScheduleId) -> EscalationTarget {
    EscalationTarget::Schedule { schedule }
}

pub fn step(targets: &[EscalationTarget], delay_minutes: u32) -> EscalationStep {
    EscalationStep {
        targets: targets.to_vec(),
        delay_minutes,
        min_priority: None,
        hours: None,
        round_robin: false,
    }
}

pub fn policy(steps: Vec<EscalationStep>) -> EscalationPolicy {
    EscalationPolicy { steps, ..EscalationPolicy::default() }
}

pub fn rule(contact_method: ContactMethodId, least: Priority, delay_minutes: i32) -> NewNotificationRule {
    NewNotificationRule {
        contact_method,
        min_priority: least,
        max_priority: None,
        delay_minutes,
        digest: None,
    }
}

/// A rule that takes everything.
pub fn everything(policy: bugle_model::EscalationPolicyId) -> NewRoutingRule {
    NewRoutingRule {
        place: 0,
        project: None,
        environments: Vec::new(),
        kinds: Vec::new(),
        tags: Vec::new(),
        min_priority: Priority::Low,
        policy,
        enabled: true,
    }
}

/// Minutes after noon of the day of the tests.
pub fn at(minutes: i64) -> DateTime<Utc> {
    noon() + TimeDelta::minutes(minutes)
}
