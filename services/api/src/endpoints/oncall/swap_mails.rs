//! What colleagues are told of shifts that change hands, each on the clock of their own zone.

use crate::accounts::links::page;
use crate::{ApiError, State};
use bugle_model::UserId;
use bugle_schedule::range_in_words;
use bugle_store::Connection;
use bugle_store::account_mails::{self, Kind, MAX_ABOUT, NewMail};
use bugle_store::oncall::{self, Colleague, StoredSchedule, Swap};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// What has happened to a request.
pub(super) enum Told<'a> {
    /// It was asked.
    Asked,
    /// Somebody has taken it.
    Taken { by: &'a str },
    /// Nobody is left who could.
    Declined,
}

impl Told<'_> {
    fn concerns(&self, swap: &Swap, who: UserId) -> bool {
        let is_asked = swap.with.map_or(who != swap.asked_by, |with| with == who);
        match self {
            Self::Asked => is_asked,
            Self::Taken { .. } => {
                let waits = is_asked && swap.taken_by != Some(who) && !swap.declined_by.contains(&who);
                who == swap.asked_by || waits
            }
            Self::Declined => who == swap.asked_by,
        }
    }

    /// The whole of it in a line.
    fn line(&self, swap: &Swap, asker: &str, shifts: &str, is_asker: bool) -> String {
        match (self, swap.with) {
            (Self::Asked, with) => {
                let question = match with {
                    None => "asks who takes",
                    Some(_) => "asks you to take",
                };
                let why = if swap.note.is_empty() { String::new() } else { format!(": {}", swap.note) };
                format!("{asker} {question} their shift for {shifts}{why}")
            }
            (Self::Taken { by }, _) if is_asker => format!("{by} takes your shift for {shifts}"),
            (Self::Taken { by }, _) => format!("{by} takes the shift of {asker} for {shifts}"),
            (Self::Declined, _) => {
                format!("Nobody takes your shift for {shifts}: all who were asked have declined")
            }
        }
    }
}

/// Puts mails on their way to those whom it concerns, in the transaction that makes it so.
pub(super) async fn tell(
    connection: &mut Connection,
    state: &State,
    stored: &StoredSchedule,
    swap: &Swap,
    told: &Told<'_>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    if state.config.smtp_url.is_none() {
        return Ok(());
    }
    let colleagues = oncall::colleagues(connection, stored.team).await?;
    let asker = colleagues.iter().find(|one| one.id == swap.asked_by);
    let asker = asker.map_or("Somebody", |one| one.name.as_str());
    let link = page(&state.config.public_url, &format!("on-call/schedules/{}", stored.id));
    for one in colleagues.iter().filter(|one| told.concerns(swap, one.id)) {
        let shifts = format!("{} {}", stored.name, range_in_words(swap.start, swap.end, zone_of(one)));
        let line = told.line(swap, asker, &shifts, one.id == swap.asked_by);
        let mail = NewMail {
            kind: Kind::Schedule,
            recipient: &one.email,
            about: &line.chars().take(MAX_ABOUT).collect::<String>(),
            link: &link,
            expires_at: swap.end,
        };
        account_mails::add(connection, &mail, Uuid::now_v7(), now).await?;
    }
    Ok(())
}

fn zone_of(one: &Colleague) -> Tz {
    one.time_zone.parse().unwrap_or(Tz::UTC)
}
