//! `/api/v1/schedules/{id}/swaps`: shifts that change hands by consent. Whoever has shifts within a time asks who takes them; a colleague takes
//! them, and an override says so from then on.

use super::super::named;
use super::swap_mails::{Told, tell};
use super::{only_of_team, overrides, schedules};
use crate::access::Principal;
use crate::openapi::Created;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{SwapState, UserId};
use bugle_schedule::limits::MAX_OVERRIDE_DAYS;
use bugle_schedule::{CannotGive, EscalationTarget, Giving, Override, OverrideKind, Schedule};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, NewSwap, SWAPS_A_DAY, StoredSchedule, Swap};
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, FieldError, JsonBody, Page, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Longest note, in characters.
const MAX_NOTE: usize = 500;
/// How long requests are listed after their time has ended.
const LISTED: TimeDelta = TimeDelta::days(30);

/// A time in which somebody else is to have one's shifts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSwap")]
pub(in super::super) struct Body {
    /// When it begins. What is over already stays as it was.
    start: DateTime<Utc>,
    /// When it ends; after `start`, by 366 days at most, and not in the past.
    end: DateTime<Utc>,
    /// Why; up to 500 characters, for one's colleagues.
    #[serde(default)]
    note: String,
    /// The only one who is asked, and is of the team; else the whole team is.
    with: Option<UserId>,
}

impl Body {
    /// What it asks, when the caller has shifts in that time that can be given away.
    fn read(self, me: UserId, stored: &StoredSchedule, now: DateTime<Utc>) -> Result<NewSwap, ApiError> {
        let Self { start, end, note, with } = self;
        let note = note.trim().to_owned();
        let mut mistakes = Vec::new();
        let mut unless = |good: bool, field: &str, message: String| {
            if !good {
                mistakes.push(FieldError::new(field, message));
            }
        };
        let in_order = start < end && end - start <= TimeDelta::days(MAX_OVERRIDE_DAYS);
        unless(in_order, "end", format!("later than start, by {MAX_OVERRIDE_DAYS} days at most"));
        unless(end > now, "end", "has passed already".to_owned());
        unless(note.chars().count() <= MAX_NOTE, "note", format!("expected up to {MAX_NOTE} characters"));
        unless(with != Some(me), "with", "somebody else than oneself".to_owned());
        named::refuse(mistakes)?;
        let way = stored.schedule.giving(me, start.max(now), end, now);
        way.map_err(|why| {
            Problem::invalid_field("start", match why {
                CannotGive::NotOnCall => "you are not on call in that time",
                CannotGive::Named => "an override of that time names you: what it gave you can be passed on as a whole, and without other shifts",
            })
        })?;
        Ok(NewSwap { schedule: stored.id, asked_by: me, with, start, end, note })
    }
}

/// `GET …/swaps`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Json<Page<Swap>>, ApiError> {
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let schedule = schedules::of(&mut connection, &principal, &id, now).await?;
    Ok(Json(Page::whole(oncall::list_swaps(&mut connection, schedule.id, now - LISTED, now).await?)))
}

/// `POST …/swaps`
pub(in super::super) async fn ask(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<Swap>, ApiError> {
    let now = state.clock.now();
    let me = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let stored = schedules::of(&mut connection, &principal, &id, now).await?;
    let new = body.read(me, &stored, now)?;
    let of_team = [("start", Some(me)), ("with", new.with)];
    let of_team = of_team.into_iter().filter_map(|(field, who)| Some((field.to_owned(), who?)));
    only_of_team(&mut connection, stored.team, of_team.collect()).await?;
    let asked = connection
        .transaction(async |connection| {
            if let Some(at) = oncall::next_swap_at(connection, me, now).await? {
                let detail = format!("at most {SWAPS_A_DAY} requests a day");
                let seconds = u32::try_from((at - now).num_seconds()).unwrap_or(u32::MAX).max(1);
                return Err(Problem::with_detail(Code::RateLimited, detail).retry_after(seconds).into());
            }
            let asked = oncall::create_swap(connection, &new, now).await?;
            note(connection, &principal, "swap.asked", &stored, &asked, now).await?;
            tell(connection, &state, &stored, &asked, &Told::Asked, now).await?;
            Ok::<_, ApiError>(asked)
        })
        .await?;
    Ok(Created::of(asked))
}

/// What is said to an open request.
#[derive(Clone, Copy)]
enum Said {
    Take,
    Decline,
    Withdraw,
}

/// `POST …/swaps/{swap_id}/take`
pub(in super::super) async fn take(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<Swap>, ApiError> {
    answer(&principal, &state, &path, Said::Take).await
}

/// `POST …/swaps/{swap_id}/decline`
pub(in super::super) async fn decline(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<Swap>, ApiError> {
    answer(&principal, &state, &path, Said::Decline).await
}

/// `POST …/swaps/{swap_id}/withdraw`
pub(in super::super) async fn withdraw(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
) -> Result<Json<Swap>, ApiError> {
    answer(&principal, &state, &path, Said::Withdraw).await
}

async fn answer(
    principal: &Principal,
    state: &State,
    path: &(String, String),
    said: Said,
) -> Result<Json<Swap>, ApiError> {
    let now = state.clock.now();
    let me = principal.session()?.active.user.id;
    let mut connection = state.store.conn().await?;
    let answered = connection
        .transaction(async |connection| {
            let (stored, open) = open(connection, principal, path, now).await?;
            let (answered, action, told) = match said {
                Said::Take => {
                    may_answer(connection, principal, &stored, &open, me).await?;
                    give(connection, principal, &stored, &open, me, now).await?;
                    let (id, taken) = (open.id, SwapState::Taken);
                    let settled = oncall::settle_swap(connection, id, taken, Some(me), now).await?;
                    (settled, "swap.taken", Some(Told::Taken { by: &principal.actor.name }))
                }
                Said::Decline => {
                    may_answer(connection, principal, &stored, &open, me).await?;
                    let declined = oncall::decline_swap(connection, open.id, me, now).await?;
                    let by_all = declined.state == SwapState::Declined;
                    (declined, "swap.declined", by_all.then_some(Told::Declined))
                }
                Said::Withdraw if open.asked_by == me => {
                    let (id, withdrawn) = (open.id, SwapState::Withdrawn);
                    let settled = oncall::settle_swap(connection, id, withdrawn, None, now).await?;
                    (settled, "swap.withdrawn", None)
                }
                Said::Withdraw => return Err(conflict("only whoever asked can take it back")),
            };
            note(connection, principal, action, &stored, &answered, now).await?;
            if let Some(told) = told {
                tell(connection, state, &stored, &answered, &told, now).await?;
            }
            Ok::<_, ApiError>(answered)
        })
        .await?;
    Ok(Json(answered))
}

/// Gives the shifts of whoever asked to somebody else.
async fn give(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredSchedule,
    open: &Swap,
    me: UserId,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let (from, to) = (open.start.max(now), open.end);
    let way = stored.schedule.giving(open.asked_by, from, to, now);
    let way = way.map_err(|_| conflict("whoever asked does not have these shifts any more"))?;
    match way {
        Giving::Replace => replace(connection, principal, stored, open, me, now).await,
        Giving::Pass(places) => pass(connection, principal, stored, &places, me, now).await,
    }
}

/// Puts somebody in the place of whoever asked, by an override.
async fn replace(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredSchedule,
    open: &Swap,
    me: UserId,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let kind = OverrideKind::Replace { who: me, replaced: open.asked_by };
    let new = Override { from: open.start.max(now), to: open.end, kind };
    let mut with = stored.schedule.clone();
    with.overrides.push(new.clone());
    refuse_conflicts(&with)?;
    overrides::put(connection, principal, stored, &new, now).await?;
    Ok(())
}

/// Puts somebody in the place of whoever asked, in the overrides that gave that one the shifts.
async fn pass(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredSchedule,
    places: &[usize],
    me: UserId,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let there = oncall::list_overrides(connection, stored.id, now).await?;
    let mut with = stored.schedule.clone();
    for (place, one) in there.iter().enumerate().filter(|(place, _)| places.contains(place)).rev() {
        let kind = one.kind.passed_to(me);
        match kind {
            Some(kind) => {
                if let Some(changed) = with.overrides.get_mut(place) {
                    changed.kind = kind;
                }
                let maker = &principal.actor.name;
                oncall::pass_override(connection, stored.id, one.id, kind, maker, now).await?;
            }
            None => {
                // From the back: those before it keep their places.
                with.overrides.remove(place);
                oncall::end_override(connection, stored.id, one.id, now).await?;
            }
        }
        let target = Target::new("schedule", stored.id, &stored.name);
        let kept = |kind| json!(Override { from: one.from, to: one.to, kind });
        let (before, after) = (Some(kept(one.kind)), kind.map(kept));
        let entry = principal.changed("override.passed_on", target, Some(stored.team), before, after);
        audit::add(connection, &entry, now).await?;
    }
    refuse_conflicts(&with)
}

fn refuse_conflicts(with: &Schedule) -> Result<(), ApiError> {
    if with.override_conflicts().is_empty() {
        return Ok(());
    }
    Err(conflict("an override of that time names you already"))
}

/// The schedule and the open request that a path names, both held until the end of the transaction: of two who answer at once the second finds it
/// settled.
async fn open(
    connection: &mut Connection,
    principal: &Principal,
    (id, number): &(String, String),
    now: DateTime<Utc>,
) -> Result<(StoredSchedule, Swap), ApiError> {
    let stored = schedules::held(connection, principal, id, now).await?;
    let found = match number.parse() {
        Ok(number) => oncall::lock_swap(connection, stored.id, number, now).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| named::missing("swap", number))?;
    match found.state {
        SwapState::Open => Ok((stored, found)),
        SwapState::PastDue => Err(conflict("its time has passed")),
        state => Err(conflict(&format!("it is {state} already"))),
    }
}

async fn may_answer(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredSchedule,
    open: &Swap,
    me: UserId,
) -> Result<(), ApiError> {
    if open.asked_by == me {
        return Err(conflict("these are your own shifts"));
    }
    if open.with.is_some_and(|with| with != me) {
        return Err(conflict("somebody else was asked"));
    }
    if principal.may_triage(stored.team).is_err() {
        return Err(conflict("viewers cannot be on call: they could not answer"));
    }
    let target = EscalationTarget::Person { user: me };
    if !oncall::unknown_targets(connection, stored.team, &[target]).await?.is_empty() {
        return Err(conflict("only people of the team can be on call"));
    }
    Ok(())
}

fn conflict(detail: &str) -> ApiError {
    Problem::with_detail(Code::Conflict, detail).into()
}

async fn note(
    connection: &mut Connection,
    principal: &Principal,
    action: &'static str,
    stored: &StoredSchedule,
    swap: &Swap,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let target = Target::new("schedule", stored.id, &stored.name);
    let entry = principal.changed(action, target, Some(stored.team), None, Some(json!(swap)));
    Ok(audit::add(connection, &entry, now).await?)
}
