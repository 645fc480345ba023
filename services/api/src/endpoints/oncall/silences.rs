//! `/api/v1/silences`: times in which incidents are opened without paging anybody.

use super::super::named;
use super::{full, team};
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{SilenceMatchers, TeamId};
use bugle_schedule::Weekly;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, NewSilence, Silence};
use bugle_store::{Connection, Transactions};
use bugle_web::{FieldError, JsonBody, Page, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// How far from now a silence may end.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// Characters of a comment.
const MAX_COMMENT: usize = 1000;

/// What a silence is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSilence")]
pub(in super::super) struct Body {
    /// Whose; may be left out by whoever is in one team.
    team: Option<TeamId>,
    /// What it is about.
    matchers: SilenceMatchers,
    /// From when on; now, when absent.
    starts_at: Option<DateTime<Utc>>,
    /// Until when: 366 days from now at the latest.
    ends_at: DateTime<Utc>,
    /// Only at these times of the week: maintenance that comes back.
    recurrence: Option<Weekly>,
    /// Why: 1 to 1,000 characters.
    comment: String,
}

impl Body {
    fn checked(self, now: DateTime<Utc>) -> Result<NewSilence, ApiError> {
        let Self { matchers, starts_at, ends_at, recurrence, comment, .. } = self;
        let starts_at = starts_at.unwrap_or(now);
        let comment = comment.trim().to_owned();
        let matched = oncall::silence_mistakes(&matchers).into_iter();
        let mut mistakes: Vec<_> = matched.map(|(field, message)| FieldError::new(field, message)).collect();
        if ends_at <= starts_at.max(now) || ends_at > now + LONGEST {
            let message = "expected a time after `starts_at` and now, within 366 days";
            mistakes.push(FieldError::new("ends_at", message));
        }
        let weekly = recurrence.iter().flat_map(Weekly::mistakes);
        mistakes.extend(weekly.map(|one| FieldError::new(format!("recurrence.{}", one.path), one.message)));
        if !(1..=MAX_COMMENT).contains(&comment.chars().count()) {
            mistakes.push(FieldError::new("comment", format!("1 to {MAX_COMMENT} characters")));
        }
        named::refuse(mistakes)?;
        Ok(NewSilence { matchers, starts_at, ends_at, recurrence, comment })
    }
}

/// `GET /api/v1/silences`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<Silence>>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_silences(&mut connection, &principal.scope(), None, now).await?)))
}

/// `POST /api/v1/silences`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Silence>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let team = team(&mut connection, &principal, body.team).await?;
    let new = body.checked(now)?;
    let made = connection
        .transaction(async |connection| {
            if !oncall::has_room_for_silence(connection, team, now).await? {
                return Err(full("silences that have not ended"));
            }
            let made = oncall::create_silence(connection, team, &new, &principal.actor.name, now).await?;
            let made = made.ok_or_else(|| {
                Problem::invalid_field("matchers.project", "is none of the team's projects")
            })?;
            let target = Target::new("silence", made.id, &new.comment);
            let after = Some(json!(new));
            let entry = principal.changed("silence.created", target, Some(team), None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}

/// `DELETE /api/v1/silences/{id}`: what it keeps silent pages at once.
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let silence = of(&mut connection, &principal, &id, now).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_silence(connection, silence.id).await?;
            let target = Target::new("silence", silence.id, &silence.silence.comment);
            let before = Some(json!(silence.silence));
            let entry = principal.changed("silence.deleted", target, Some(silence.team), before, None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// The silence in a path, when the caller sees it and may do with it what the route does.
async fn of(
    connection: &mut Connection,
    principal: &Principal,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Silence, ApiError> {
    let found = match id.parse() {
        Ok(id) => oncall::list_silences(connection, &principal.visible(), Some(id), now).await?,
        Err(_) => Vec::new(),
    };
    let found = found.into_iter().next().ok_or_else(|| named::missing("silence", id))?;
    principal.allowed(Some(found.team))?;
    Ok(found)
}
