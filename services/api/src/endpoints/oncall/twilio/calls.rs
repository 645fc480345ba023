//! `POST /api/v1/twilio/calls/{id}` and `…/key`: how a call goes, and what somebody presses during it. The path has our id of the message, which
//! says whose contact method is called about which incident; the number that was called has to be that one's.

use super::super::replying::{self, Asked};
use super::{MAX_SID, Twiml, escaped, signed, twiml};
use crate::access::address_of;
use crate::openapi::{NoContent, Raw};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use bugle_model::{Channel, DeliveryStatus, IncidentAnswer, takes_no_calls};
use bugle_store::notifications::{self, Delivery};
use bugle_store::oncall::{self, Call};
use bugle_store::{Connection, Transactions};
use bugle_web::{FormBody, Problem};
use chrono::{DateTime, Utc};
use uuid::Uuid;

const KEYS: &str = "Press 4 to acknowledge, 6 to resolve, 8 to have the next step come at once.";

/// `POST …` with `CallSid` and `CallStatus`: comes in any order, and may come twice. What is no news, or about nothing of ours, is answered as
/// well as the rest.
pub(in super::super::super) async fn status(
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
    form: FormBody,
) -> Result<NoContent, ApiError> {
    signed(&state, &request, &form)?;
    let (sid, word) = (form.field("CallSid"), form.field("CallStatus"));
    let (Ok(message_id), Some(status)) = (id.parse::<Uuid>(), DeliveryStatus::of_call(word)) else {
        return Ok(NoContent::new());
    };
    if !(1..=MAX_SID).contains(&sid.chars().count()) {
        return Ok(NoContent::new());
    }
    let code = form.field("ErrorCode").parse::<i32>().ok().filter(|code| *code != 0);
    let delivery = Delivery { message_id, channel: Channel::Voice, provider_id: sid, status, word, code };
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let Some(about) = notifications::deliver(connection, &delivery, now).await? else {
                return Ok(());
            };
            if !status.is_failure() {
                return Ok(());
            }
            let (notification, again) = (about.notification, about.again);
            tracing::info!(%notification, word, code, again, "a call was not taken");
            oncall::page_failed(connection, &about, Channel::Voice, (status, code), now).await?;
            if let Some(code) = code.filter(|code| takes_no_calls((*code).into())) {
                let reason = format!("Twilio's code {code}: the number cannot be called");
                oncall::switch_off(connection, about.destination, &reason).await?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// A key that was pressed, during which call.
struct Pressed<'a> {
    sid: &'a str,
    key: &'a str,
    address: String,
    now: DateTime<Utc>,
}

/// `POST …/key` with `CallSid`, `To` and `Digits`. What is said to it is read aloud.
pub(in super::super::super) async fn key(
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
    form: FormBody,
) -> Result<Raw<Twiml>, ApiError> {
    signed(&state, &request, &form)?;
    let sid = form.field("CallSid");
    if !(1..=MAX_SID).contains(&sid.chars().count()) {
        return Err(Problem::invalid_field("CallSid", format!("1 to {MAX_SID} characters")).into());
    }
    let address = address_of(&state, &request);
    let pressed = Pressed { sid, key: form.field("Digits"), address, now: state.clock.now() };
    let mut connection = state.store.conn().await?;
    let call = match id.parse::<Uuid>() {
        Ok(message_id) => oncall::find_call(&mut connection, message_id, pressed.now).await?,
        Err(_) => None,
    };
    let said = match call.filter(|call| call.number == form.field("To")) {
        Some(call) => {
            connection.transaction(async |connection| take(connection, &call, &pressed).await).await?
        }
        None => told("This is over."),
    };
    Ok(Raw::new("text/xml", twiml(&said)))
}

/// Does what a key says, once; what is to be said to it.
async fn take(connection: &mut Connection, call: &Call, pressed: &Pressed<'_>) -> Result<String, ApiError> {
    let Some((incident, generation)) = call.about else { return Ok(told("This was a test.")) };
    let answer = match pressed.key {
        "4" => IncidentAnswer::Acknowledge,
        "6" => IncidentAnswer::Resolve,
        "8" => IncidentAnswer::Escalate,
        // Without an address of its own it asks here again.
        _ => return Ok(format!("<Gather numDigits=\"1\" timeout=\"10\"><Say>{KEYS}</Say></Gather>")),
    };
    let id = format!("{}/{}", pressed.sid, pressed.key);
    let contact_method = Some(call.owner.contact_method);
    let noted = oncall::Reply { channel: Channel::Voice, provider_id: &id, contact_method };
    if let Some(before) = oncall::note_reply(connection, noted, pressed.now).await? {
        return Ok(told(&before));
    }
    let people = replying::answerers(connection, std::slice::from_ref(&call.owner), &pressed.address).await?;
    let asked = Asked { answer, incident: Some(incident), generation: Some(generation) };
    let reply = replying::answer(connection, &people, asked, Channel::Voice, pressed.now).await?;
    oncall::answer_reply(connection, noted, &reply.text, reply.understood).await?;
    Ok(told(&reply.text))
}

fn told(text: &str) -> String {
    format!("<Say>{} Goodbye.</Say>", escaped(text))
}
