//! A scripted mail server. It speaks SMTP over a real socket, keeps the mails, and fails as told at any step.

#![expect(clippy::expect_used, clippy::panic, reason = "a fake for tests: a surprise has to fail the test")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long [`SmtpFake::next`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// Head and body, without the transport's dots; lines end in `\n`.
    pub data: String,
    /// What followed `AUTH PLAIN` on this connection, in base64.
    pub auth: Option<String>,
}

impl Mail {
    /// The first header of this name, unfolded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\n\n").next()?.replace("\n ", " ").replace("\n\t", " ");
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    }
}

/// A point in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The greeting.
    Connect,
    /// `EHLO`.
    Ehlo,
    /// `AUTH PLAIN`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`.
    Data,
    /// While the mail is under way: before its final dot. Only closing makes sense here.
    Body,
    /// After the final dot. Closing here has taken the mail.
    Dot,
}

#[derive(Debug, Clone)]
enum Failure {
    Reply(String),
    Close,
}

#[derive(Default)]
struct State {
    mails: VecDeque<Mail>,
    script: Vec<(Step, Failure)>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
    login: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self, step: Step) -> Option<Failure> {
        let mut state = self.state();
        let at = state.script.iter().position(|(own, _)| *own == step)?;
        Some(state.script.remove(at).1)
    }
}

/// The server. Mails that no test took when it is dropped fail the test, and so does an unused script.
pub struct SmtpFake {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl SmtpFake {
    /// Starts one on a free port of 127.0.0.1 that takes every mail.
    pub async fn start() -> Self {
        Self::with(Shared::default()).await
    }

    /// Starts one that wants `AUTH PLAIN` before it takes a mail.
    pub async fn with_login() -> Self {
        Self::with(Shared { login: true, ..Shared::default() }).await
    }

    async fn with(shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(shared);
        let for_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                for_task.state().connections += 1;
                let session = Session::new(stream, Arc::clone(&for_task));
                // A client that goes away in the middle is not the server's trouble.
                tokio::spawn(async move { drop(session.run().await) });
            }
        });
        Self { address, shared, task }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL for clients, without TLS. `user` is `name:password@` or empty.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        format!("smtp://{user}{}", self.address)
    }

    /// Answers the next conversation that comes to this step with this line, such as `450 4.2.1 busy`.
    pub fn reply(&self, step: Step, line: &str) -> &Self {
        self.shared.state().script.push((step, Failure::Reply(line.to_owned())));
        self
    }

    /// Closes the next conversation that comes to this step.
    pub fn close(&self, step: Step) -> &Self {
        self.shared.state().script.push((step, Failure::Close));
        self
    }

    /// The oldest mail that was not taken yet; waits for it.
    pub async fn next(&self) -> Mail {
        let waiting = async {
            loop {
                let arrived = self.shared.arrived.notified();
                if let Some(mail) = self.shared.state().mails.pop_front() {
                    return mail;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("a mail in time")
    }

    /// All mails that were not taken yet, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Mail> {
        self.shared.state().mails.drain(..).collect()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

impl Drop for SmtpFake {
    fn drop(&mut self) {
        self.task.abort();
        let state = self.shared.state();
        let left_over = !state.mails.is_empty() || !state.script.is_empty();
        if left_over && !std::thread::panicking() {
            panic!("left over: mails {:?}, script {:?}", state.mails, state.script);
        }
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    shared: Arc<Shared>,
    mail: Mail,
}

/// The connection ends here.
struct Closed;

impl From<std::io::Error> for Closed {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Session {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let mail = Mail { from: String::new(), recipients: Vec::new(), data: String::new(), auth: None };
        Self { stream: BufReader::new(stream), shared, mail }
    }

    async fn run(mut self) -> Result<(), Closed> {
        self.answer(Step::Connect, "220 fake ESMTP").await?;
        loop {
            let line = self.line().await?;
            let upper = line.to_ascii_uppercase();
            match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" | "HELO" => self.ehlo().await?,
                "AUTH" => {
                    self.mail.auth = line.split_whitespace().nth(2).map(str::to_owned);
                    self.answer(Step::Auth, "235 2.7.0 welcome").await?;
                }
                "MAIL" if self.shared.login && self.mail.auth.is_none() => {
                    self.say("530 5.7.0 authentication required").await?;
                }
                "MAIL" => {
                    self.mail.from = address(&line);
                    self.mail.recipients.clear();
                    self.answer(Step::Mail, "250 2.1.0 ok").await?;
                }
                "RCPT" => {
                    if self.answer(Step::Rcpt, "250 2.1.5 ok").await? {
                        self.mail.recipients.push(address(&line));
                    }
                }
                "DATA" => self.data().await?,
                "RSET" | "NOOP" => self.say("250 ok").await?,
                "QUIT" => {
                    self.say("221 bye").await?;
                    return Err(Closed);
                }
                _ => self.say("502 5.5.1 unknown").await?,
            }
        }
    }

    async fn ehlo(&mut self) -> Result<(), Closed> {
        let offer = if self.shared.login { "250-fake\r\n250 AUTH PLAIN" } else { "250-fake\r\n250 8BITMIME" };
        self.answer(Step::Ehlo, offer).await.map(drop)
    }

    async fn data(&mut self) -> Result<(), Closed> {
        if !self.answer(Step::Data, "354 go on").await? {
            return Ok(());
        }
        if self.shared.failure(Step::Body).is_some() {
            return Err(Closed);
        }
        self.mail.data.clear();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            self.mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
            self.mail.data.push('\n');
        }
        match self.shared.failure(Step::Dot) {
            Some(Failure::Reply(reply)) => self.say(&reply).await,
            Some(Failure::Close) => {
                self.take();
                Err(Closed)
            }
            None => {
                self.take();
                self.say("250 2.0.0 queued as 4711").await
            }
        }
    }

    fn take(&self) {
        self.shared.state().mails.push_back(self.mail.clone());
        self.shared.arrived.notify_waiters();
    }

    /// Answers as scripted, else `fine`; whether it was fine.
    async fn answer(&mut self, step: Step, fine: &str) -> Result<bool, Closed> {
        match self.shared.failure(step) {
            None => self.say(fine).await.map(|()| true),
            Some(Failure::Reply(line)) => self.say(&line).await.map(|()| false),
            Some(Failure::Close) => Err(Closed),
        }
    }

    async fn say(&mut self, line: &str) -> Result<(), Closed> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(())
    }

    async fn line(&mut self) -> Result<String, Closed> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(Closed);
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}
