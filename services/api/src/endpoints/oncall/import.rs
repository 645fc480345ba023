//! `/api/v1/schedules/{id}/import`: the events of a calendar (RFC 5545) as overrides. An import replaces what the one before has made, so a calendar
//! that has changed is imported again.

use super::{only_of_team, schedules};
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::UserId;
use bugle_schedule::ical::{self, ImportRange, Imported, Occurrence, Problem as EventProblem};
use bugle_schedule::limits::MAX_OVERRIDES;
use bugle_schedule::{Override, Schedule};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, Colleague};
use bugle_web::{JsonBody, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// How far ahead events are taken when nothing else is said, in days.
const AHEAD: i64 = 180;
/// How far ahead they can be, in days.
const MAX_AHEAD: i64 = 366;
/// How many unknown names and left-out events the answer lists, of each.
const LISTED: usize = 100;

/// A calendar to be imported.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CalendarImport")]
pub(in super::super) struct Body {
    /// The text of the calendar. The whole body has 1 MiB at most.
    calendar: String,
    /// Whose events are, by an attendee's address or the title as the calendar writes it. Without an entry it is whoever of the team has that address, or
    /// that name.
    #[serde(default)]
    people: BTreeMap<String, UserId>,
    /// Until when events are taken; 366 days from now at most, 180 days when absent.
    until: Option<DateTime<Utc>>,
    /// Only tells what it would make.
    #[serde(default)]
    dry_run: bool,
}

/// Somebody whom the calendar names and nobody knows.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UnknownPerson")]
struct Unknown {
    /// The first attendee's address, or the title: a key for `people`.
    name: String,
    /// How often.
    occurrences: usize,
    /// When it begins for the first time.
    first: DateTime<Utc>,
}

/// What an import has made, or would make.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportedCalendar")]
pub(in super::super) struct View {
    /// Nothing was changed.
    dry_run: bool,
    /// The overrides, in order of their beginning.
    overrides: Vec<Override>,
    /// How many of an import before are gone for it.
    replaced: usize,
    /// What is left out because an override that somebody has made names the same person in that time.
    conflicts: Vec<Override>,
    /// Events of people whom nobody knows; they are left out. 100 at most.
    unknown: Vec<Unknown>,
    /// Events that cannot be read; they are left out. 100 at most.
    problems: Vec<EventProblem>,
}

/// `POST …/import`
pub(in super::super) async fn run(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let now = state.clock.now();
    let Body { calendar, people, until, dry_run } = body;
    let until = until.unwrap_or(now + TimeDelta::days(AHEAD));
    if until <= now || until - now > TimeDelta::days(MAX_AHEAD) {
        let message = format!("in the future, by {MAX_AHEAD} days at most");
        return Err(Problem::invalid_field("until", message).into());
    }
    let mut connection = state.store.conn().await?;
    let seen = schedules::of(&mut connection, &principal, &id, now).await?;
    let named = people.iter().map(|(name, who)| (format!("people.{name}"), *who)).collect();
    only_of_team(&mut connection, seen.team, named).await?;
    let colleagues = oncall::colleagues(&mut connection, seen.team).await?;
    let range = ImportRange { zone: seen.schedule.zone, from: now, to: until };
    let imported = tokio::task::spawn_blocking(move || ical::import(&calendar, range)).await;
    let imported = imported.map_err(|error| Problem::internal(&error))?;
    let imported = imported.map_err(|error| Problem::invalid_field("calendar", error.to_string()))?;
    let known = Known::of(people, colleagues);
    let view = connection
        .transaction(async |connection| {
            let stored = schedules::held(connection, &principal, &id, now).await?;
            let there = oncall::list_overrides(connection, stored.id, now).await?;
            let (imports, by_hand): (Vec<_>, Vec<_>) = there.into_iter().partition(|one| one.imported);
            let by_hand =
                by_hand.into_iter().map(|one| Override { from: one.from, to: one.to, kind: one.kind });
            let kept = Schedule { overrides: by_hand.collect(), ..stored.schedule.clone() };
            let mut view = preview(&kept, imported, |one| known.whose(one))?;
            (view.dry_run, view.replaced) = (dry_run, imports.len());
            if !dry_run {
                let maker = &principal.actor.name;
                oncall::replace_imported(connection, stored.id, &view.overrides, maker, now).await?;
                let target = Target::new("schedule", stored.id, &stored.name);
                let (before, after) =
                    (json!({ "imported": view.replaced }), json!({ "imported": view.overrides.len() }));
                let team = Some(stored.team);
                let entry = principal.changed("schedule.imported", target, team, Some(before), Some(after));
                audit::add(connection, &entry, now).await?;
            }
            Ok::<_, ApiError>(view)
        })
        .await?;
    Ok(Json(view))
}

/// What an import makes of a schedule that has the overrides that stay.
fn preview(
    kept: &Schedule,
    imported: Imported,
    whose: impl Fn(&Occurrence) -> Option<UserId>,
) -> Result<View, ApiError> {
    let (found, strangers) = imported.overrides(whose);
    let (conflicts, overrides): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| {
        let who = one.kind.comes_on();
        let overlapping = kept.overrides.iter().filter(|other| other.from < one.to && one.from < other.to);
        overlapping.flat_map(|other| other.kind.names()).any(|named| Some(named) == who)
    });
    let count = kept.overrides.len() + overrides.len();
    if count > MAX_OVERRIDES {
        let message =
            format!("earlier: the schedule would have {count} overrides, and can have {MAX_OVERRIDES}");
        return Err(Problem::invalid_field("until", message).into());
    }
    let unknown = unknown(&strangers);
    let mut problems = imported.problems;
    problems.truncate(LISTED);
    Ok(View { dry_run: true, overrides, replaced: 0, conflicts, unknown, problems })
}

/// Whose events can be. A calendar has thousands of events and a team hundreds of people.
struct Known {
    /// What the caller says.
    said: BTreeMap<String, UserId>,
    /// The team's accounts, by their addresses in lower case…
    by_address: BTreeMap<String, UserId>,
    /// … and by their names; of several with one name the first.
    by_name: BTreeMap<String, UserId>,
}

impl Known {
    fn of(said: BTreeMap<String, UserId>, colleagues: Vec<Colleague>) -> Self {
        let (mut by_address, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for one in colleagues {
            by_address.entry(one.email.to_ascii_lowercase()).or_insert(one.id);
            by_name.entry(one.name.to_lowercase()).or_insert(one.id);
        }
        Self { said, by_address, by_name }
    }

    /// Whose an event is: what the caller says comes before what the team's accounts say, attendees before the title.
    fn whose(&self, event: &Occurrence) -> Option<UserId> {
        let title = event.summary.trim();
        let mut names = event.attendees.iter().map(String::as_str).chain([title]);
        let by_address = |address: &String| self.by_address.get(&address.to_ascii_lowercase());
        let said = names.find_map(|name| self.said.get(name));
        let of_team = || event.attendees.iter().find_map(by_address);
        said.or_else(of_team).or_else(|| self.by_name.get(&title.to_lowercase())).copied()
    }
}

fn unknown(strangers: &[&Occurrence]) -> Vec<Unknown> {
    let mut by_name: BTreeMap<&str, Unknown> = BTreeMap::new();
    for event in strangers {
        let name = event.attendees.first().map_or(event.summary.trim(), String::as_str);
        // They come in order of their beginning.
        let new = || Unknown { name: name.to_owned(), occurrences: 0, first: event.start };
        by_name.entry(name).or_insert_with(new).occurrences += 1;
    }
    by_name.into_values().take(LISTED).collect()
}
