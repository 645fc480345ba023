//! `POST /api/v1/slack/interactions`: somebody has pressed a button of a page at Slack. Slack proves by its signature that it is Slack, and
//! says who pressed; whose Slack id that is is known from a contact method which they have proven. The message itself is changed
//! by the notifier, as whenever an incident changes; only what the message does not tell is said to whoever pressed.

use super::replying::{self, Asked, Reply};
use crate::access::address_of;
use crate::accounts::links;
use crate::openapi::Answer;
use crate::signatures::is_slacks;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::Data;
use bugle_model::{Channel, IncidentAnswer, IncidentId};
use bugle_store::oncall;
use bugle_store::{Connection, Transactions};
use bugle_web::{Code, FormBody, Problem};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use url::Url;

const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
/// Where Slack takes what is to be said to somebody.
const HOOKS: &str = "hooks.slack.com";
/// Saying it may take this long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest id of Slack's that is looked up; theirs have 9 to 11 characters.
const MAX_ID: usize = 80;

/// What Slack tells (<https://api.slack.com/reference/interaction-payloads/block-actions>), as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    user: User,
    response_url: Option<String>,
    actions: Vec<Pressed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pressed {
    action_id: String,
    value: String,
}

impl Payload {
    /// The answer that was pressed; `None` of anything else: a button that is a link is told of as well.
    fn asked(&self) -> Option<Asked> {
        let [pressed] = self.actions.as_slice() else { return None };
        let answer: IncidentAnswer = pressed.action_id.parse().ok()?;
        let (incident, generation) = pressed.value.split_once(':')?;
        let incident = Some(IncidentId(incident.parse().ok()?));
        Some(Asked { answer, incident, generation: Some(generation.parse().ok()?) })
    }
}

/// `POST …` with `payload`.
pub(in super::super) async fn receive(
    state: Data<State>,
    request: HttpRequest,
    form: FormBody,
) -> Result<Answer<(), 200>, ApiError> {
    let now = state.clock.now();
    let signature = signed(&state, &request, &form, now)?;
    let payload: Payload = serde_json::from_str(form.field("payload"))
        .map_err(|_| Problem::invalid_field("payload", "expected Slack's JSON"))?;
    let Some(asked) = payload.asked() else { return Ok(Answer::empty()) };
    let press = Press {
        signature: &signature,
        user: &payload.user.id,
        asked,
        address: address_of(&state, &request),
        now,
    };
    let mut connection = state.store.conn().await?;
    let said = connection.transaction(async |connection| take(connection, &press, &state).await).await?;
    drop(connection);
    if let (Some(text), Some(url)) =
        (said, payload.response_url.as_deref().and_then(|url| place(&state, url)))
    {
        // Slack waits three seconds for the answer, and takes what is said for half an hour.
        actix_web::rt::spawn(say(url, text));
    }
    Ok(Answer::empty())
}

/// Refuses what Slack has not signed, or not within the last minutes. Its signature, which no other press has.
fn signed(
    state: &State,
    request: &HttpRequest,
    form: &FormBody,
    now: DateTime<Utc>,
) -> Result<String, Problem> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = header(SIGNATURE);
    let secret = state.config.slack_signing_secret.as_ref();
    let right =
        secret.is_some_and(|secret| is_slacks(secret.reveal(), header(TIMESTAMP), &form.raw, given, now));
    if right { Ok(given.to_owned()) } else { Err(Problem::new(Code::Forbidden)) }
}

/// A button that was pressed.
struct Press<'a> {
    signature: &'a str,
    user: &'a str,
    asked: Asked,
    address: String,
    now: DateTime<Utc>,
}

/// Does it, once. What is to be said to whoever pressed; nothing when the message tells it.
async fn take(
    connection: &mut Connection,
    press: &Press<'_>,
    state: &State,
) -> Result<Option<String>, ApiError> {
    let user = if press.user.chars().count() <= MAX_ID { press.user } else { "" };
    let owners = oncall::reply_owners(connection, Channel::Slack, user).await?;
    let contact_method = owners.first().map(|owner| owner.contact_method);
    let noted = oncall::Reply { channel: Channel::Slack, provider_id: press.signature, contact_method };
    if oncall::note_reply(connection, noted, press.now).await?.is_some() {
        return Ok(None);
    }
    let reply = if owners.is_empty() {
        Reply::of(connect(user, &state.config.public_url))
    } else {
        let people = replying::answerers(connection, &owners, &press.address).await?;
        replying::answer(connection, &people, press.asked, Channel::Slack, press.now).await?
    };
    oncall::answer_reply(connection, noted, &reply.text, reply.understood).await?;
    Ok((!reply.done).then_some(reply.text))
}

/// How somebody becomes known.
fn connect(user: &str, public_url: &Url) -> String {
    let page = links::page(public_url, "account");
    format!(
        "Bugle does not know who you are. Add a contact method at {page} (On call): channel Slack, your member id {user} and the token of \
         Bugle's bot; then enter the code that the bot sends you."
    )
}

/// The place to say something, when it is one of Slack's.
fn place(state: &State, url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_slacks = url.scheme() == "https" && url.host_str() == Some(HOOKS);
    (is_slacks || url.origin() == state.config.slack_base_url.origin()).then_some(url)
}

/// Says something to whoever pressed, and to nobody else. Once: it is a hint, and what it is about was done or not by then.
async fn say(url: Url, text: String) {
    let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": text }).to_string();
    let said = async {
        let redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(redirects).no_proxy().timeout(TIMEOUT).build()?;
        let request = client.post(url).header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        request.send().await?.error_for_status()
    };
    if let Err(error) = said.await {
        // Its text holds the address, which lets anybody write there.
        tracing::info!(error = %error.without_url(), "somebody at Slack could not be told why nothing was done");
    }
}
