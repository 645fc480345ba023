//! Email by SMTP: HTML and text, one recipient per message.

mod server;

use super::{Dispatch, SetupError};
use crate::client::Timeouts;
use crate::content::{Content, cut, one_line};
use crate::outcome::{Blame, Outcome, Verdict};
use bugle_runtime::Config;
use bugle_store::account_mails::{Due, Kind};
use chrono::{DateTime, Utc};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use minijinja::Environment;
use serde_json::json;
use std::error::Error;
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 200;
/// Issues that a list shows; the rest is counted.
const MAX_LISTED: usize = 50;

/// Mails on their way at the same time; many servers take no more than 50 connections from one client.
const CONNECTIONS: usize = 32;

/// The channel.
pub struct Email {
    connections: Semaphore,
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
    host: String,
    templates: Environment<'static>,
}

/// Tells mail servers and holiday responders not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Email {
    /// Mails through the operator's server; `host` makes their ids unique in the world.
    ///
    /// # Errors
    /// When the server's URL or the sender's address cannot be used.
    pub fn new(config: &Config, host: &str, timeouts: Timeouts) -> Result<Self, SetupError> {
        let from = config.smtp_from.parse().map_err(|error| SetupError::Mail(format!("sender: {error}")))?;
        let transport = match &config.smtp_url {
            None => None,
            Some(url) => {
                let url = server::spelled_out(url).map_err(SetupError::Mail)?;
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
                let builder = builder.map_err(|error| SetupError::Mail(error.to_string()))?;
                Some(builder.timeout(Some(timeouts.total)).build())
            }
        };
        let mut templates = Environment::new();
        for (name, source) in [
            ("one.html", include_str!("../templates/one.html")),
            ("one.txt", include_str!("../templates/one.txt")),
            ("list.html", include_str!("../templates/list.html")),
            ("list.txt", include_str!("../templates/list.txt")),
            ("account.html", include_str!("../templates/account.html")),
            ("account.txt", include_str!("../templates/account.txt")),
        ] {
            templates.add_template(name, source)?;
        }
        let connections = Semaphore::new(CONNECTIONS);
        Ok(Self { connections, transport, from, host: host.to_owned(), templates })
    }

    /// Sends. At-least-once: the `Message-ID` is the same for every attempt.
    pub async fn send(&self, dispatch: Dispatch<'_>) -> Outcome {
        match self.compose(dispatch) {
            Ok(message) => self.deliver(message).await,
            Err(error) => Outcome::failed(error),
        }
    }

    /// Sends a mail about an account. At-least-once: the `Message-ID` is the same for every attempt.
    pub async fn send_account(&self, mail: &Due, now: DateTime<Utc>) -> Outcome {
        match self.compose_account(mail, now) {
            Ok(message) => self.deliver(message).await,
            Err(error) => Outcome::failed(error),
        }
    }

    async fn deliver(&self, message: Message) -> Outcome {
        let Some(transport) = &self.transport else {
            return Outcome::operator("BUGLE_SMTP_URL is not set".to_owned());
        };
        // Never closed: there is always a permit in the end.
        let _connection = self.connections.acquire().await;
        match transport.send(message).await {
            Ok(response) => Outcome {
                verdict: Verdict::Accepted { provider_id: None },
                status: response.code().to_string().parse().ok(),
                answer: Some(response.message().collect::<Vec<_>>().join("\n")),
            },
            Err(error) => judge(&error),
        }
    }

    fn compose(&self, dispatch: Dispatch<'_>) -> Result<Message, String> {
        let Dispatch { content, destination, now, .. } = dispatch;
        let to: Address =
            destination.target.parse().map_err(|error| format!("the target is not an address: {error}"))?;
        let template = if content.items.len() == 1 && !content.is_list { "one" } else { "list" };
        let html = self.render(&format!("{template}.html"), content)?;
        let text = self.render(&format!("{template}.txt"), content)?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(cut(&content.subject, MAX_SUBJECT))
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{}>", content.message_id, self.host)))
            .header(AutoSubmitted);
        if let Some(item) = content.items.first().filter(|_| !content.is_list) {
            // All mails about one issue or incident refer to the same id, which makes them one thread.
            let thread = format!("<{}@{}>", item.thread, self.host);
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        builder.multipart(MultiPart::alternative_plain_html(text, html)).map_err(|error| error.to_string())
    }

    fn compose_account(&self, mail: &Due, now: DateTime<Utc>) -> Result<Message, String> {
        let to: Address = mail.recipient.parse().map_err(|error| format!("not an address: {error}"))?;
        let about = one_line(&mail.about);
        let subject = match mail.kind {
            Kind::Invitation => format!("{about} invites you to Bugle"),
            Kind::PasswordReset => "Set a new password for Bugle".to_owned(),
            Kind::Mention | Kind::Schedule => about.clone(),
        };
        let values = json!({
            "subject": subject, "kind": mail.kind.as_str(), "about": about, "link": mail.link, "host": self.host,
        });
        let render = |name: &str| {
            let template = self.templates.get_template(name).map_err(|error| error.to_string())?;
            template.render(&values).map_err(|error| error.to_string())
        };
        let (text, html) = (render("account.txt")?, render("account.html")?);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(cut(&subject, MAX_SUBJECT))
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{}>", mail.message_id, self.host)))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| error.to_string())
    }

    fn render(&self, name: &str, content: &Content) -> Result<String, String> {
        let shown: Vec<_> = content.items.iter().take(MAX_LISTED).collect();
        let more = content.items.len() - shown.len();
        let values = json!({
            "headline": content.headline, "project": content.project, "item": shown.first(), "items": shown, "more": more,
        });
        let template = self.templates.get_template(name).map_err(|error| error.to_string())?;
        template.render(values).map_err(|error| error.to_string())
    }
}

/// What an error of SMTP means (RFC 5321, RFC 3463): 4yz may succeed later, 5yz cannot.
fn judge(error: &smtp::Error) -> Outcome {
    let status: Option<i32> = error.status().and_then(|code| code.to_string().parse().ok());
    let answer = error.source().map(ToString::to_string).filter(|_| status.is_some());
    let enhanced = |code: &str| answer.as_deref().is_some_and(|text| text.starts_with(code));
    let again = |error: String, blame| Verdict::Again { error, after: None, ambiguous: false, blame };
    let verdict = match status {
        // Log-in: no mailbox is at fault.
        Some(code @ (530 | 534 | 535 | 538 | 454)) => {
            again(format!("the mail server answered {code}: authentication"), Blame::Operator)
        }
        // 5.4.4 is a name that could not be resolved.
        Some(code @ 500..=599) if !enhanced("5.4.4") => Verdict::Failed {
            error: format!("the mail server answered {code}"),
            // No such mailbox; it has moved.
            disable: enhanced("5.1.1") || enhanced("5.1.6"),
        },
        // The mail server serves all destinations: none of them is at fault.
        Some(code) if matches!(code, 421) => again(format!("the mail server answered {code}"), Blame::Nobody),
        Some(code) => again(format!("the mail server answered {code}"), Blame::Destination),
        None if error.is_client() => {
            again(format!("the mail settings cannot be used: {}", shown(error)), Blame::Operator)
        }
        None => again(format!("the connection to the mail server failed: {}", shown(error)), Blame::Nobody),
    };
    Outcome { verdict, status, answer }
}

fn shown(error: &smtp::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
