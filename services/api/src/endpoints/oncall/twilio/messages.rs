//! `POST /api/v1/twilio/messages`: what somebody sends to our number. Their own number proves who they are: it has to be that of a contact
//! method which they have proven. Answered as TwiML, which Twilio sends back to them.

use super::super::replying::{self, Asked, Reply};
use super::said::{self, Said};
use super::{MAX_SID, Twiml, escaped, signed, twiml};
use crate::access::address_of;
use crate::openapi::Raw;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::Data;
use bugle_model::{ActorKind, Channel};
use bugle_store::audit::{self, Actor, Entry, Target};
use bugle_store::oncall::{self, ReplyOwner};
use bugle_store::{Connection, Transactions};
use bugle_web::{FormBody, Problem};
use chrono::{DateTime, TimeDelta, Utc};

/// So many replies within an hour that are no answers are told so; further ones are let be, which ends a talk between two machines.
const MAX_MISUNDERSTOOD: i64 = 5;
const HOW: &str =
    "Reply with the number of an incident and a: acknowledge, r: resolve, e: escalate. For example: ack 14";

/// What was sent, by whom, from where.
struct Message<'a> {
    sid: &'a str,
    from: &'a str,
    said: Said,
    address: String,
    now: DateTime<Utc>,
}

/// `POST …` with `MessageSid`, `From` and `Body`.
pub(in super::super::super) async fn receive(
    state: Data<State>,
    request: HttpRequest,
    form: FormBody,
) -> Result<Raw<Twiml>, ApiError> {
    signed(&state, &request, &form)?;
    let sid = form.field("MessageSid");
    if !(1..=MAX_SID).contains(&sid.chars().count()) {
        return Err(Problem::invalid_field("MessageSid", format!("1 to {MAX_SID} characters")).into());
    }
    let message = Message {
        sid,
        from: form.field("From"),
        said: said::read(form.field("Body"), form.field("OptOutType")),
        address: address_of(&state, &request),
        now: state.clock.now(),
    };
    let mut connection = state.store.conn().await?;
    let text = connection.transaction(async |connection| take(connection, &message).await).await?;
    Ok(Raw::new("text/xml", reply(&text)))
}

/// Does what it says, once; what is to be said to it, if anything.
async fn take(connection: &mut Connection, message: &Message<'_>) -> Result<String, ApiError> {
    let owners = oncall::reply_owners(connection, Channel::Sms, message.from).await?;
    let contact_method = owners.first().map(|owner| owner.contact_method);
    let noted = oncall::Reply { channel: Channel::Sms, provider_id: message.sid, contact_method };
    if let Some(before) = oncall::note_reply(connection, noted, message.now).await? {
        return Ok(before);
    }
    let mut reply = match message.said {
        // Twilio has answered these itself, and after STOP nothing can be sent there.
        Said::Stop => {
            let stopped = oncall::stop_number(connection, message.from).await?;
            log(connection, "contact_method.stopped", stopped, message).await?;
            Reply::to("")
        }
        Said::Start => {
            let started = oncall::start_number(connection, message.from).await?;
            log(connection, "contact_method.started", started, message).await?;
            Reply::to("")
        }
        Said::Help => Reply::to(""),
        Said::Answer(..) | Said::Nothing => answered(connection, &owners, message).await?,
    };
    if let Some(id) = contact_method.filter(|_| !reply.understood) {
        let since = message.now - TimeDelta::hours(1);
        if oncall::count_misunderstood(connection, id, since).await? > MAX_MISUNDERSTOOD {
            reply.text.clear();
        }
    }
    oncall::answer_reply(connection, noted, &reply.text, reply.understood).await?;
    Ok(reply.text)
}

async fn answered(
    connection: &mut Connection,
    owners: &[ReplyOwner],
    message: &Message<'_>,
) -> Result<Reply, ApiError> {
    if owners.is_empty() {
        tracing::info!("an SMS from a number that nobody has proven to be theirs is let be");
        return Ok(Reply::of(""));
    }
    let Said::Answer(answer, incident) = message.said else {
        return Ok(Reply::of(HOW));
    };
    let people = replying::answerers(connection, owners, &message.address).await?;
    let asked = Asked { answer, incident, generation: None };
    replying::answer(connection, &people, asked, Channel::Sms, message.now).await
}

/// Into the audit log of each whose contact method it was, without the number.
async fn log(
    connection: &mut Connection,
    action: &'static str,
    changed: Vec<ReplyOwner>,
    message: &Message<'_>,
) -> Result<(), ApiError> {
    for owner in changed {
        let ReplyOwner { user, user_name, contact_method, name } = owner;
        let entry = Entry {
            actor: Actor { kind: ActorKind::User, id: Some(user.0), name: user_name },
            address: message.address.clone(),
            action,
            target: Target::new("contact_method", contact_method, &name),
            team: None,
            before: None,
            after: None,
        };
        audit::add(connection, &entry, message.now).await?;
    }
    Ok(())
}

/// An answer to Twilio; without a text nothing is sent back (<https://www.twilio.com/docs/messaging/twiml>).
fn reply(text: &str) -> String {
    match text {
        "" => twiml(""),
        text => twiml(&format!("<Message>{}</Message>", escaped(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn what_people_call_themselves_stays_text() {
        let said = reply("SHOP-1 was resolved already by </Message><Redirect>http://evil</Redirect> & co.");
        let text = "SHOP-1 was resolved already by &lt;/Message&gt;&lt;Redirect&gt;http://evil&lt;/Redirect&gt; &amp; co.";
        assert_eq!(
            said,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Message>{text}</Message></Response>\n"
            )
        );
        assert!(reply("").ends_with("<Response></Response>\n"));
    }
}
