//! The channels: each gives a message its form, sends it, and says what the answer means.

mod email;
pub(crate) mod slack;
mod sms;
mod template;
mod twilio;
mod voice;
mod web_push;
mod webhook;

pub use email::Email;
pub use slack::Slack;
pub use sms::{Segments, Sms, segments};
pub use voice::Voice;
pub use web_push::WebPush;
pub use webhook::Webhook;

use crate::answers::Offered;
use crate::client::{self, ClientError, Timeouts};
use crate::content::{Content, Links};
use crate::guard::{Guard, Lookup};
use crate::outcome::{Outcome, Verdict};
use bugle_model::Channel;
use bugle_runtime::Config;
use bugle_store::destinations::Destination;
use bugle_store::notifications::Claimed;
use bugle_store::web_push::PushKeys;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// One message on its way to one destination.
#[derive(Debug, Clone, Copy)]
pub struct Dispatch<'a> {
    /// The notification as claimed.
    pub claimed: &'a Claimed,
    /// What it says.
    pub content: &'a Content,
    /// Where it goes.
    pub destination: &'a Destination,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What is looked up for a message before it is sent.
#[derive(Default)]
pub struct Prepared {
    /// Of a mail: the links that answer its pages.
    pub offered: Offered,
    /// Of web push: the keys by which this installation is known.
    pub keys: Option<PushKeys>,
}

/// The channels could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The mail settings.
    #[error("BUGLE_SMTP_URL or BUGLE_SMTP_FROM: {0}")]
    Mail(String),
    /// A template of ours: a bug.
    #[error("template: {0}")]
    Template(#[from] minijinja::Error),
}

/// All channels.
pub struct Channels {
    links: Links,
    email: Email,
    slack: Slack,
    sms: Sms,
    voice: Voice,
    web_push: WebPush,
    webhook: Webhook,
}

impl Channels {
    /// Channels as the operator configured them.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(config: &Config, lookup: Arc<dyn Lookup>, timeouts: Timeouts) -> Result<Self, SetupError> {
        let guard = Guard::new(config.allow_private_nets.clone(), lookup);
        let guarded = client::guarded(&guard, timeouts)?;
        let trusted = client::trusted(timeouts)?;
        let links = Links::new(config.public_url.clone());
        Ok(Self {
            email: Email::new(config, links.host(), timeouts)?,
            slack: Slack::new(guard.clone(), guarded.clone(), trusted.clone(), config),
            sms: Sms::new(&trusted, config),
            voice: Voice::new(&trusted, config),
            web_push: WebPush::new(guard.clone(), guarded.clone(), config),
            webhook: Webhook::new(guard, guarded),
            links,
        })
    }

    /// Where links lead.
    #[must_use]
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// Whether a message to a destination has buttons that answer incidents.
    #[must_use]
    pub const fn has_buttons(&self, destination: &Destination) -> bool {
        self.slack.has_buttons(destination)
    }

    /// Sends a claimed notification, with what was looked up for it. `lookup_pause` is how long an SMS or a call that may have arrived waits before Twilio is
    /// asked about it.
    pub async fn send(
        &self,
        claimed: &Claimed,
        destination: &Destination,
        prepared: &Prepared,
        now: DateTime<Utc>,
        lookup_pause: TimeDelta,
    ) -> Outcome {
        let Some(mut content) = Content::new(claimed, &self.links) else {
            return Outcome::bare(Verdict::Moot { reason: "every issue in it was dealt with".to_owned() });
        };
        content.offer(&prepared.offered);
        let dispatch = Dispatch { claimed, content: &content, destination, now };
        match destination.channel {
            Channel::Email => self.email.send(dispatch).await,
            Channel::Slack => self.slack.send(dispatch).await,
            Channel::Sms => self.sms.send(dispatch, lookup_pause).await,
            Channel::Voice => self.voice.send(dispatch, lookup_pause).await,
            Channel::WebPush => self.web_push.send(dispatch, prepared.keys.as_ref()).await,
            Channel::Webhook => self.webhook.send(dispatch).await,
        }
    }
}
