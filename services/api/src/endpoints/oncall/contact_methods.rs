//! `/api/v1/account/contact-methods`: how one is reached. A code that is sent there proves that it is one's own; the address of the account
//! and a browser that subscribes need none.

use super::super::named;
use super::name;
use crate::access::Principal;
use crate::openapi::{Accepted, Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{Channel, ContactMethodId, DestinationSettings, NotificationId};
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{
    self, ContactMethod, MAX_METHODS, MESSAGES_A_DAY, MESSAGES_AN_HOUR, NewContactMethod, Verified,
};
use bugle_store::users::User;
use bugle_store::{Connection, Transactions, destinations, notifications};
use bugle_web::{Code, FieldError, JsonBody, Page, Problem};
use chrono::{DateTime, Utc};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// A contact method to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewContactMethod")]
pub(in super::super) struct Body {
    /// What to call it; 1 to 64 characters.
    name: String,
    /// How messages travel.
    channel: Channel,
    /// An address, a number in E.164, a URL, or with a bot token the id of a Slack user. Web push: the `endpoint` of the browser's subscription.
    target: String,
    /// Slack: a bot token (`xoxb-…`), for messages to oneself.
    bot_token: Option<String>,
    /// Web push: the public key of the browser's subscription, in base64url.
    p256dh: Option<String>,
    /// Web push: the secret of the browser's subscription, in base64url.
    auth: Option<String>,
}

/// A message that is on its way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ContactMethodMessage")]
pub(in super::super) struct OnItsWay {
    notification: NotificationId,
}

/// A code that came by the contact method.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "VerificationCode")]
pub(in super::super) struct Proof {
    /// Six digits.
    code: String,
}

/// `GET …/contact-methods`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<ContactMethod>>, ApiError> {
    let user = &principal.session()?.active.user;
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_contact_methods(&mut connection, user.id).await?)))
}

/// `POST …/contact-methods`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<ContactMethod>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let (new, mistakes) = checked(user, body);
    named::refuse(mistakes)?;
    let mut connection = state.store.conn().await?;
    let made = connection
        .transaction(async |connection| {
            let id = oncall::create_contact_method(connection, &new, now).await?;
            let id = id.ok_or_else(|| {
                let detail = format!("there are {MAX_METHODS} contact methods already, which is the limit");
                Problem::with_detail(Code::Conflict, detail)
            })?;
            let target = Target::new("contact_method", id, &new.name);
            let after = json!({ "channel": new.channel });
            let entry = principal.changed("contact_method.created", target, None, None, Some(after));
            audit::add(connection, &entry, now).await?;
            own(connection, user, &id.to_string()).await
        })
        .await?;
    Ok(Created::of(made))
}

fn checked(user: &User, body: Body) -> (NewContactMethod, Vec<FieldError>) {
    let Body { name: given, channel, target, bot_token, p256dh, auth } = body;
    let mut mistakes = Vec::new();
    let name = name(&given).unwrap_or_else(|error| {
        mistakes.push(error);
        String::new()
    });
    let mut settings = DestinationSettings { bot_token, p256dh, auth, ..DestinationSettings::default() };
    if channel == Channel::Webhook {
        settings.secret = Some(destinations::secret_from(rand::random()));
    }
    let is_own_address = channel == Channel::Email && target.trim().eq_ignore_ascii_case(&user.email);
    // What goes there can be read by the browser alone that has made the subscription.
    let verified = is_own_address || channel == Channel::WebPush;
    let new = NewContactMethod { user: user.id, name, channel, target, settings, verified };
    let found = oncall::contact_method_mistakes(&new);
    mistakes.extend(
        found.into_iter().map(|one| FieldError::new(one.field.trim_start_matches("settings."), one.reason)),
    );
    (new, mistakes)
}

/// `DELETE …/contact-methods/{id}`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let method = own(&mut connection, user, &id).await?;
    connection
        .transaction(async |connection| {
            oncall::delete_contact_method(connection, user.id, method.id).await?;
            let target = Target::new("contact_method", method.id, &method.name);
            let before = json!({ "channel": method.channel });
            let entry = principal.changed("contact_method.deleted", target, None, Some(before), None);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(NoContent::new())
}

/// `POST …/contact-methods/{id}/code`: 202; one a minute to each, and no more than [`room_for_a_message`] has.
pub(in super::super) async fn send_code(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Accepted<OnItsWay>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000_u32));
    let mut connection = state.store.conn().await?;
    let method = own(&mut connection, user, &id).await?;
    let notification = connection
        .transaction(async |connection| {
            room_for_a_message(connection, user, now).await?;
            let sent = oncall::send_code(connection, method.id, &code, Uuid::now_v7(), now).await?;
            let sent = sent.ok_or_else(|| {
                let detail = "a code was sent within the last minute";
                Problem::with_detail(Code::RateLimited, detail).retry_after(60)
            })?;
            told(connection, &principal, "contact_method.code_sent", &method, now).await?;
            Ok::<_, ApiError>(sent)
        })
        .await?;
    Ok(Accepted::of(OnItsWay { notification }))
}

/// `POST …/contact-methods/{id}/verify` with `code`.
pub(in super::super) async fn verify(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
    JsonBody(body): JsonBody<Proof>,
) -> Result<Json<ContactMethod>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let method = own(&mut connection, user, &id).await?;
    // A try that was wrong counts: it must not end the transaction.
    let verified = connection
        .transaction(async |connection| {
            let verified =
                oncall::verify_contact_method(connection, method.id, body.code.trim(), now).await?;
            if verified == Verified::Yes {
                told(connection, &principal, "contact_method.verified", &method, now).await?;
            }
            Ok::<_, ApiError>(verified)
        })
        .await?;
    match verified {
        Verified::Yes => Ok(Json(own(&mut connection, user, &id).await?)),
        Verified::Wrong => Err(Problem::invalid_field("code", "is not the code that was sent").into()),
        Verified::NoCode => {
            let detail = "there is no code to try: none was sent, it has ended, or was tried too often";
            Err(Problem::with_detail(Code::Conflict, detail).into())
        }
    }
}

/// `POST …/contact-methods/{id}/test`: 202; one at a time, to what is proven only.
pub(in super::super) async fn test(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<Accepted<OnItsWay>, ApiError> {
    let user = &principal.session()?.active.user;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let method = own(&mut connection, user, &id).await?;
    if method.verified_at.is_none() {
        return Err(Problem::with_detail(Code::Conflict, "prove first that it is yours, by a code").into());
    }
    let notification = connection
        .transaction(async |connection| {
            room_for_a_message(connection, user, now).await?;
            let destination = bugle_model::DestinationId(method.id.0);
            if notifications::test_is_pending(connection, destination).await? {
                let detail = "a test is on its way there; wait until it has arrived or failed";
                return Err(ApiError::from(Problem::with_detail(Code::Conflict, detail)));
            }
            let made = oncall::send_test(connection, method.id, Uuid::now_v7(), now).await?;
            let made = made.ok_or_else(|| named::missing("contact method", &id))?;
            told(connection, &principal, "contact_method.tested", &method, now).await?;
            Ok(made)
        })
        .await?;
    Ok(Accepted::of(OnItsWay { notification }))
}

/// 429 when the person has had so many codes and tests sent that no more are allowed for now, wherever they went.
async fn room_for_a_message(
    connection: &mut Connection,
    user: &User,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let Some(at) = oncall::next_message_at(connection, user.id, now).await? else { return Ok(()) };
    let detail = format!("codes and tests: at most {MESSAGES_AN_HOUR} an hour and {MESSAGES_A_DAY} a day");
    let seconds = u32::try_from((at - now).num_seconds()).unwrap_or(u32::MAX);
    Err(Problem::with_detail(Code::RateLimited, detail).retry_after(seconds.max(1)).into())
}

/// Writes into the audit log what was done with a contact method; its target stays out.
async fn told(
    connection: &mut Connection,
    principal: &Principal,
    action: &'static str,
    method: &ContactMethod,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let target = Target::new("contact_method", method.id, &method.name);
    let after = Some(json!({ "channel": method.channel }));
    Ok(audit::add(connection, &principal.changed(action, target, None, None, after), now).await?)
}

/// A contact method of the caller's.
async fn own(connection: &mut Connection, user: &User, id: &str) -> Result<ContactMethod, ApiError> {
    let number: Option<ContactMethodId> = id.parse().ok();
    let all = oncall::list_contact_methods(connection, user.id).await?;
    let found = all.into_iter().find(|one| Some(one.id) == number);
    found.ok_or_else(|| named::missing("contact method", id).into())
}
