//! Who can be paged at one moment: people with their rules, who is on call by which schedule, who is in which team and manages it; and
//! which destinations can be told.

use super::contact_methods::account_email;
use super::quiet_hours::QuietHours;
use super::turns::Turns;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    Channel, ContactMethodId, DestinationId, DigestInterval, Priority, ScheduleId, TeamId, TeamRole, UserId,
};
use bugle_schedule::{EscalationTarget, Schedule, next_full_hour, next_morning, quiet_until};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use diesel::sql_types::{Array, Int4, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One way to tell a person, after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// How long after the page.
    pub delay: TimeDelta,
    /// By what.
    pub contact_method: ContactMethodId,
    /// For incidents of this priority and of higher ones.
    pub min_priority: Priority,
    /// And of no higher ones than this.
    pub max_priority: Option<Priority>,
    /// How often what is due then is put together.
    pub digest: Option<DigestInterval>,
}

impl Rule {
    /// Whether it is for incidents of this priority.
    #[must_use]
    pub fn is_for(&self, priority: Priority) -> bool {
        self.min_priority <= priority && self.max_priority.is_none_or(|most| priority <= most)
    }
}

/// Somebody who can be paged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// What they want, or the default: at once, by every contact method that they have. Only verified contact methods
    /// that are enabled.
    pub rules: Vec<Rule>,
    /// The zone whose clock they live by.
    pub zone: Tz,
    /// When their pages wait.
    pub quiet: Option<QuietHours>,
}

impl Person {
    /// When what a rule of theirs tells is due, when it pages them at `now`; quiet hours apart.
    #[must_use]
    pub fn due_at(&self, rule: &Rule, now: DateTime<Utc>) -> DateTime<Utc> {
        let at = now + rule.delay;
        match rule.digest {
            None => at,
            Some(DigestInterval::Hourly) => next_full_hour(self.zone, at),
            Some(DigestInterval::Daily) => next_morning(self.zone, at),
        }
    }

    /// Until when a page of this priority that is due `at` waits for the end of their quiet hours; `None` when it does not.
    #[must_use]
    pub fn held_until(&self, priority: Priority, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let quiet = self.quiet.as_ref()?;
        if quiet.breaks_through.is_some_and(|least| least <= priority) {
            return None;
        }
        quiet_until(self.zone, &quiet.hours, at)
    }

    /// Whether pages that wait need not any more, now that the priority is not `from` but `to`.
    #[must_use]
    pub fn is_released(&self, from: Priority, to: Priority) -> bool {
        let least = self.quiet.as_ref().and_then(|quiet| quiet.breaks_through);
        least.is_some_and(|least| from < least && least <= to)
    }
}

/// A destination of a project that is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// How messages travel there.
    pub channel: Channel,
    /// Its project's name.
    pub project: String,
    /// Whose its project is now.
    pub team: Option<TeamId>,
}

/// What decisions are made by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Everybody who may be needed and is not shut out.
    pub people: BTreeMap<UserId, Person>,
    /// Who is on call at this moment; a schedule that is gone or cannot be read is not in it.
    pub on_call: BTreeMap<ScheduleId, Vec<UserId>>,
    /// The managers of each team.
    pub managers: BTreeMap<TeamId, Vec<UserId>>,
    /// Everybody of each team who may answer: its viewers may not.
    pub members: BTreeMap<TeamId, Vec<UserId>>,
    /// The destinations that can be told.
    pub rooms: BTreeMap<DestinationId, Room>,
    /// Who is next in steps in which people take turns.
    pub turns: Turns,
}

impl Directory {
    /// Who some targets are at this moment, each once, in the order of the targets. Destinations are nobody.
    #[must_use]
    pub fn resolve(&self, targets: &[EscalationTarget]) -> Vec<UserId> {
        let mut seen = BTreeSet::new();
        let everybody = targets.iter().flat_map(|target| match target {
            EscalationTarget::Person { user } => vec![*user],
            EscalationTarget::Schedule { schedule } => {
                self.on_call.get(schedule).cloned().unwrap_or_default()
            }
            EscalationTarget::Team { team } => self.members.get(team).cloned().unwrap_or_default(),
            EscalationTarget::Destination { .. } => Vec::new(),
        });
        everybody.filter(|user| seen.insert(*user)).collect()
    }
}

/// Loads what targets, teams and people need; a handful of statements whatever their number.
pub(super) async fn load(
    conn: &mut Connection,
    targets: &BTreeSet<EscalationTarget>,
    teams: &BTreeSet<TeamId>,
    people: BTreeSet<UserId>,
    now: DateTime<Utc>,
) -> Result<Directory, StoreError> {
    let on_call = on_call(conn, targets, now).await?;
    let (managers, members) = teams_of(conn, targets, teams).await?;
    let rooms = rooms(conn, targets).await?;
    let mut needed = people;
    needed.extend(targets.iter().filter_map(|target| match target {
        EscalationTarget::Person { user } => Some(*user),
        _ => None,
    }));
    needed.extend(on_call.values().chain(managers.values()).chain(members.values()).flatten());
    let people = load_people(conn, &needed, now).await?;
    Ok(Directory { people, on_call, managers, members, rooms, turns: Turns::new() })
}

#[derive(Deserialize)]
struct ScheduleRow {
    id: ScheduleId,
    schedule: Value,
    /// Whoever has left the team is not on call for it any more.
    members: BTreeSet<UserId>,
}

async fn on_call(
    conn: &mut Connection,
    targets: &BTreeSet<EscalationTarget>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<ScheduleId, Vec<UserId>>, StoreError> {
    let ids: Vec<i32> = targets
        .iter()
        .filter_map(|target| match target {
            EscalationTarget::Schedule { schedule } => Some(schedule.0),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', s.id, 'members', ARRAY(SELECT m.user_id FROM memberships m WHERE m.team_id = s.team_id),
            'schedule', jsonb_build_object('zone', s.zone, 'layers', s.layers,
            'overrides', COALESCE((SELECT jsonb_agg(jsonb_build_object('from', o.starts_at, 'to', o.ends_at) || o.kind ORDER BY o.id)
                FROM schedule_overrides o WHERE o.schedule_id = s.id AND o.starts_at <= $2 AND o.ends_at > $2), '[]'))) AS row
         FROM schedules s WHERE s.id = ANY($1)",
    )
    .bind::<Array<Int4>, _>(ids)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let readable = |row: ScheduleRow| match serde_json::from_value::<Schedule>(row.schedule) {
        Ok(schedule) => {
            let on_call = schedule.on_call_at(now).into_iter().map(|one| one.who);
            Some((row.id, on_call.filter(|who| row.members.contains(who)).collect()))
        }
        Err(error) => {
            // Made by a newer version, or by hand: whoever else there is must be paged all the same.
            tracing::error!(schedule = %row.id, %error, "a schedule cannot be read: nobody is on call by it");
            None
        }
    };
    Ok(row::all::<ScheduleRow>(rows)?.into_iter().filter_map(readable).collect())
}

type ByTeam = BTreeMap<TeamId, Vec<UserId>>;

/// The managers of each team, and everybody who may answer of those that are targets.
async fn teams_of(
    conn: &mut Connection,
    targets: &BTreeSet<EscalationTarget>,
    teams: &BTreeSet<TeamId>,
) -> Result<(ByTeam, ByTeam), StoreError> {
    #[derive(Deserialize)]
    struct Row {
        team: TeamId,
        user: UserId,
        role: TeamRole,
    }
    let wanted: BTreeSet<TeamId> = targets
        .iter()
        .filter_map(|target| match target {
            EscalationTarget::Team { team } => Some(*team),
            _ => None,
        })
        .collect();
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('team', m.team_id, 'user', u.id, 'role', m.role) AS row
         FROM memberships m JOIN users u ON u.id = m.user_id AND NOT u.disabled
         WHERE (m.team_id = ANY($1) AND m.role = 'manager') OR (m.team_id = ANY($2) AND m.role <> 'viewer')
         ORDER BY m.team_id, u.id",
    )
    .bind::<Array<Int4>, _>(teams.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(wanted.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let (mut managers, mut members) = (ByTeam::new(), ByTeam::new());
    for row in row::all::<Row>(rows)? {
        if row.role == TeamRole::Manager {
            managers.entry(row.team).or_default().push(row.user);
        }
        if wanted.contains(&row.team) {
            members.entry(row.team).or_default().push(row.user);
        }
    }
    Ok((managers, members))
}

async fn rooms(
    conn: &mut Connection,
    targets: &BTreeSet<EscalationTarget>,
) -> Result<BTreeMap<DestinationId, Room>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: DestinationId,
        channel: i16,
        project: String,
        team: Option<TeamId>,
    }
    let ids: Vec<i32> = targets.iter().filter_map(|target| Some(target.destination()?.0)).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', d.id, 'channel', d.channel, 'project', p.name, 'team', p.team_id) AS row
         FROM destinations d JOIN projects p ON p.id = d.project_id WHERE d.id = ANY($1) AND d.enabled",
    )
    .bind::<Array<Int4>, _>(ids)
    .load(conn)
    .await?;
    let room = |row: Row| {
        let channel = Channel::from_code(row.channel)?;
        Some((row.id, Room { channel, project: row.project, team: row.team }))
    };
    Ok(row::all::<Row>(rows)?.into_iter().filter_map(room).collect())
}

#[derive(Deserialize)]
struct RuleRow {
    contact_method: ContactMethodId,
    min_priority: i16,
    max_priority: Option<i16>,
    delay_minutes: i64,
    digest: Option<i16>,
}

#[derive(Deserialize)]
struct PersonRow {
    id: UserId,
    name: String,
    methods: Vec<ContactMethodId>,
    rules: Vec<RuleRow>,
    zone: String,
    quiet: Option<Value>,
}

async fn load_people(
    conn: &mut Connection,
    ids: &BTreeSet<UserId>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, Person>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        // From key to key, and no WITH for both: that would be read whole for each person.
        "SELECT jsonb_build_object('id', u.id, 'name', u.name,
            'methods', COALESCE((SELECT jsonb_agg(d.id ORDER BY d.id)
                FROM destinations d JOIN contact_methods m ON m.destination_id = d.id
                WHERE d.user_id = u.id AND d.enabled AND m.verified_at IS NOT NULL), '[]'),
            'rules', COALESCE((SELECT jsonb_agg(jsonb_build_object('contact_method', r.contact_method_id,
                    'min_priority', r.min_priority, 'max_priority', r.max_priority, 'delay_minutes', r.delay_minutes,
                    'digest', r.digest) ORDER BY r.delay_minutes, r.id)
                FROM notification_rules r JOIN contact_methods m ON m.destination_id = r.contact_method_id
                    JOIN destinations d ON d.id = m.destination_id
                WHERE r.user_id = u.id AND d.user_id = u.id AND d.enabled AND m.verified_at IS NOT NULL), '[]'),
            'zone', u.time_zone, 'quiet', to_jsonb(q)) AS row
         FROM users u LEFT JOIN quiet_hours q ON q.user_id = u.id WHERE u.id = ANY($1) AND NOT u.disabled",
    )
    .bind::<Array<Int4>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let mut rows: Vec<PersonRow> = row::all(rows)?;
    let unreachable: Vec<UserId> =
        rows.iter().filter(|row| row.methods.is_empty()).map(|row| row.id).collect();
    let mut addresses = account_email(conn, &unreachable, now).await?;
    for row in &mut rows {
        row.methods.extend(addresses.remove(&row.id));
    }
    Ok(rows.into_iter().map(|row| (row.id, row.read())).collect())
}

impl PersonRow {
    fn read(self) -> Person {
        let at_once = |contact_method| Rule {
            delay: TimeDelta::zero(),
            contact_method,
            min_priority: Priority::Low,
            max_priority: None,
            digest: None,
        };
        let wanted = |row: &RuleRow| {
            Some(Rule {
                delay: TimeDelta::minutes(row.delay_minutes),
                contact_method: row.contact_method,
                min_priority: Priority::from_code(row.min_priority)?,
                max_priority: row.max_priority.and_then(Priority::from_code),
                digest: row.digest.and_then(DigestInterval::from_code),
            })
        };
        let mut rules: Vec<Rule> = self.rules.iter().filter_map(wanted).collect();
        // Who has chosen nothing, or only what does not work any more, is told by everything that does.
        if rules.is_empty() {
            rules = self.methods.into_iter().map(at_once).collect();
        }
        let quiet = self.quiet.and_then(|row| match QuietHours::read(row) {
            Ok(quiet) => Some(quiet),
            Err(error) => {
                // Made by a newer version, or by hand: better woken than not told.
                tracing::error!(user = %self.id, %error, "quiet hours cannot be read, and hold nothing");
                None
            }
        });
        Person { name: self.name, rules, zone: self.zone.parse().unwrap_or(Tz::UTC), quiet }
    }
}
