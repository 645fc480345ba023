//! `POST /api/v1/twilio/status/{id}`: what became of an SMS that Twilio had taken. Comes in any order, and may come twice; what is no
//! news, or about nothing of ours, is answered as well as the rest: else Twilio would only send it again.

use super::{MAX_SID, signed};
use crate::openapi::NoContent;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use bugle_model::{Channel, DeliveryStatus, takes_no_sms};
use bugle_store::notifications::{self, Delivered, Delivery};
use bugle_store::{Connection, Transactions, oncall};
use bugle_web::FormBody;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `POST …` with `MessageSid`, `MessageStatus` and `ErrorCode`. The path has our id of the message.
pub(in super::super::super) async fn receive(
    state: Data<State>,
    request: HttpRequest,
    id: Path<String>,
    form: FormBody,
) -> Result<NoContent, ApiError> {
    signed(&state, &request, &form)?;
    let (sid, status) = (form.field("MessageSid"), form.field("MessageStatus").parse::<DeliveryStatus>());
    // Statuses that are not known tell of other kinds of messages.
    let (Ok(message_id), Ok(status)) = (id.parse::<Uuid>(), status) else { return Ok(NoContent::new()) };
    if !(1..=MAX_SID).contains(&sid.chars().count()) {
        return Ok(NoContent::new());
    }
    let code = form.field("ErrorCode").parse::<i32>().ok().filter(|code| *code != 0);
    let word = status.as_str();
    let delivery = Delivery { message_id, channel: Channel::Sms, provider_id: sid, status, word, code };
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let Some(about) = notifications::deliver(connection, &delivery, now).await? else {
                return Ok(());
            };
            if status.is_failure() { failed(connection, &about, &delivery, now).await } else { Ok(()) }
        })
        .await?;
    Ok(NoContent::new())
}

/// Somebody should know: the operator by the log, whoever looks at the incident by its timeline, its owner by why the contact method is off.
async fn failed(
    connection: &mut Connection,
    about: &Delivered,
    delivery: &Delivery<'_>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let Delivery { status, code, .. } = *delivery;
    let (notification, destination) = (about.notification, about.destination);
    tracing::warn!(%notification, %destination, %status, code, "an SMS was not delivered");
    oncall::page_failed(connection, about, Channel::Sms, (status, code), now).await?;
    if let Some(code) = code.filter(|code| takes_no_sms((*code).into())) {
        let reason = format!("Twilio's code {code}: the number takes no SMS");
        oncall::switch_off(connection, destination, &reason).await?;
    }
    Ok(())
}
