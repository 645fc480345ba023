//! `/api/v1/answers/{token}`: a link of a mail that answers a page, without signing in. A GET shows a page and does nothing:
//! programs that look for malware follow every link of a mail. What that page posts does it, once, in the name of the person whom
//! the mail was for, and only what they may do at that moment.

use super::super::named;
use super::acting::{Action, Performed, perform};
use super::answer_page::{self, Page};
use super::incidents::of;
use crate::access::{Need, Principal, address_of};
use crate::accounts::links;
use crate::openapi::Shown;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use bugle_model::{Channel, IncidentAnswer, IncidentState};
use bugle_store::oncall::{self, AnswerLink, Incident};
use bugle_store::users::User;
use bugle_store::{Connection, Scope, Transactions, users};
use bugle_web::auth::{self, same};
use bugle_web::{Code, FormBody, Problem};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// A link of somebody who may follow it, and the incident as it is now.
struct Followed {
    link: AnswerLink,
    user: User,
    principal: Principal,
    incident: Incident,
}

/// What a link leads to.
enum Led {
    To(Box<Followed>),
    /// Nowhere, which this page says.
    Nowhere(Page, StatusCode),
}

/// `GET …`: what it is about, and a button; or why there is none.
pub(in super::super) async fn show(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
) -> Result<Shown, ApiError> {
    let mut connection = state.store.conn().await?;
    let link = oncall::get_answer_link(&mut connection, &auth::hash(&token)).await?;
    let followed = match follow(&mut connection, link, address_of(&state, &request)).await? {
        Led::To(followed) => followed,
        Led::Nowhere(page, status) => return Ok(page.shown(status)),
    };
    if let Some((page, status)) = over(&followed, state.clock.now()) {
        return Ok(with_link(page, &state, &followed.incident).shown(status));
    }
    let mut page = described(&followed);
    if applies(followed.link.answer, followed.incident.state) {
        let answer = followed.link.answer;
        page.title = format!("{} {}?", answer_page::label(answer), name_of(&followed.incident));
        page.lines.push(format!("{} This is done as {}.", answer_page::meaning(answer), followed.user.name));
        page.form = Some((answer_page::label(answer), proof(&token)));
    }
    Ok(with_link(page, &state, &followed.incident).shown(StatusCode::OK))
}

/// `POST …` with the `proof` of that page.
pub(in super::super) async fn confirm(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
    form: FormBody,
) -> Result<Shown, ApiError> {
    if !same(&auth::hash(form.field("proof")), &auth::hash(&proof(&token))) {
        let detail = "open the link of the mail, and press the button of its page";
        return Err(Problem::with_detail(Code::Csrf, detail).into());
    }
    let (now, address, hash) = (state.clock.now(), address_of(&state, &request), auth::hash(&token));
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let link = oncall::lock_answer_link(connection, &hash).await?;
            let followed = match follow(connection, link, address).await? {
                Led::To(followed) => followed,
                Led::Nowhere(page, status) => return Ok(page.shown(status)),
            };
            if let Some((page, status)) = over(&followed, now) {
                return Ok(with_link(page, &state, &followed.incident).shown(status));
            }
            let page = answered(connection, *followed, &hash, &state, now).await?;
            Ok(page.shown(StatusCode::OK))
        })
        .await
}

async fn answered(
    connection: &mut Connection,
    followed: Followed,
    hash: &[u8; 32],
    state: &State,
    now: DateTime<Utc>,
) -> Result<Page, ApiError> {
    let answer = followed.link.answer;
    let Followed { principal, incident, .. } = &followed;
    let action = Action::from(answer);
    let performed = perform(connection, principal, incident, &action, Some(Channel::Email), now).await?;
    let (incident, was_done) = match performed {
        Performed::Done(incident) => (incident, true),
        Performed::Before(incident) | Performed::Refused(incident) => (incident, false),
    };
    let mut page = described(&Followed { incident: incident.clone(), ..followed });
    if was_done {
        oncall::use_answer_link(connection, hash, now).await?;
        page.title = answer_page::done(answer, &name_of(&incident));
    }
    Ok(with_link(page, state, &incident))
}

/// Whose link it is, and what of. An account that may not answer any more is no error of the request: the page says so.
async fn follow(
    connection: &mut Connection,
    link: Option<AnswerLink>,
    address: String,
) -> Result<Led, ApiError> {
    let Some(link) = link else {
        let line = "It may be incomplete, or too old. Open the mail again, or sign in to Bugle.";
        return Ok(nowhere("There is no such link", line.to_owned(), StatusCode::NOT_FOUND));
    };
    let user = users::get(connection, &Scope::All, link.user).await?;
    let user = user.ok_or_else(|| named::missing("user", &link.user.to_string()))?;
    let found = match Principal::of_person(&user, address, Need::TRIAGE) {
        Ok(principal) => {
            of(connection, &principal, &link.incident.to_string()).await.map(|incident| (principal, incident))
        }
        Err(problem) => Err(problem.into()),
    };
    match found {
        Ok((principal, incident)) => Ok(Led::To(Box::new(Followed { link, user, principal, incident }))),
        Err(ApiError::Problem(problem)) if matches!(problem.code, Code::Forbidden | Code::NotFound) => {
            let line = format!("{} may not answer this incident (any more).", user.name);
            Ok(nowhere("This is not allowed", line, StatusCode::FORBIDDEN))
        }
        Err(error) => Err(error),
    }
}

fn nowhere(title: &str, line: String, status: StatusCode) -> Led {
    Led::Nowhere(Page { title: title.to_owned(), lines: vec![line], ..Page::default() }, status)
}

/// Of a link that was used or has ended: the page that says so, and how the incident stands.
fn over(followed: &Followed, now: DateTime<Utc>) -> Option<(Page, StatusCode)> {
    let (what, at) = match followed.link {
        AnswerLink { used_at: Some(used_at), .. } => ("was used", used_at),
        AnswerLink { expires_at, .. } if expires_at <= now => ("ended", expires_at),
        _ => return None,
    };
    let at = at.with_timezone(&zone_of(&followed.user)).format("%Y-%m-%d %H:%M %Z");
    let mut page = described(followed);
    page.title = format!("This link {what} at {at}");
    Some((page, StatusCode::GONE))
}

/// What the incident is, and how it stands.
fn described(followed: &Followed) -> Page {
    let Followed { incident, user, .. } = followed;
    let title = match incident.state {
        IncidentState::Triggered => format!("{} is triggered", name_of(incident)),
        IncidentState::Acknowledged => format!("{} is acknowledged already", name_of(incident)),
        IncidentState::Resolved => format!("{} is resolved already", name_of(incident)),
    };
    let about = format!("{}: {}, {}", name_of(incident), incident.title, incident.priority);
    let lines = vec![about, answer_page::stands(incident, zone_of(user))];
    Page { title, lines, ..Page::default() }
}

fn with_link(page: Page, state: &State, incident: &Incident) -> Page {
    let place = match incident.issue {
        Some(issue) => (format!("issues/{issue}"), "Open the issue"),
        None => (format!("incidents/{}", incident.id), "Open the incident"),
    };
    Page { more: Some((links::page(&state.config.public_url, &place.0), place.1)), ..page }
}

/// What people call it.
pub(super) fn name_of(incident: &Incident) -> String {
    incident.short_id.clone().unwrap_or_else(|| format!("Incident {}", incident.id))
}

fn zone_of(user: &User) -> Tz {
    user.time_zone.parse().unwrap_or(Tz::UTC)
}

/// Whether an answer would change something.
pub(super) const fn applies(answer: IncidentAnswer, state: IncidentState) -> bool {
    match answer {
        IncidentAnswer::Acknowledge => matches!(state, IncidentState::Triggered),
        IncidentAnswer::Escalate | IncidentAnswer::Resolve => !matches!(state, IncidentState::Resolved),
    }
}

/// What the page has and the link has not: whoever posts it has seen the page.
fn proof(token: &str) -> String {
    let hash = auth::hash(&format!("confirm {token}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
