//! A scripted HTTP server: a webhook's receiver, Slack or Twilio. It speaks over a real socket, keeps what it was
//! sent, and answers as told, also badly.

#![expect(clippy::expect_used, clippy::panic, reason = "a fake for tests: a surprise has to fail the test")]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long [`HttpFake::next`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body without its transfer encoding.
    pub body: Vec<u8>,
}

impl Recorded {
    /// The first header of this name (given in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics when it is not.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The body (or, without one, the query) as form fields.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        let query = self.target.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let text = if self.body.is_empty() { query } else { self.text() };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (percent_decoded(key), percent_decoded(value)))
            .collect()
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = [bytes.next().unwrap_or_default(), bytes.next().unwrap_or_default()];
                let hex = std::str::from_utf8(&hex).expect("ascii after %");
                out.push(u8::from_str_radix(hex, 16).expect("hex after %"));
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).expect("a form in UTF-8")
}

/// What the server does with one request.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Hang,
    Close,
    Cut,
}

impl Answer {
    /// An answer with this status and no body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), fault: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::status(status).header("content-type", "application/json").body(body.to_string())
    }

    /// Takes the request and never answers.
    #[must_use]
    pub fn hang() -> Self {
        Self { fault: Some(Fault::Hang), ..Self::status(200) }
    }

    /// Takes the request and closes the connection.
    #[must_use]
    pub fn close() -> Self {
        Self { fault: Some(Fault::Close), ..Self::status(200) }
    }

    /// Sends the head and the body, promises more, and closes.
    #[must_use]
    pub const fn cut(mut self) -> Self {
        self.fault = Some(Fault::Cut);
        self
    }
}

struct Route {
    method: String,
    prefix: String,
    answer: Answer,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Recorded>,
    script: VecDeque<Answer>,
    routes: Vec<Route>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server. Requests that no test took when it is dropped fail the test, and so does an unused script.
pub struct HttpFake {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl HttpFake {
    /// Starts one on a free port of 127.0.0.1. Answers 200 with an empty body until told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let for_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                for_task.state().connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&for_task)));
            }
        });
        Self { address, shared, task }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL on it; `path` starts with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The answer to the next request that no answer is planned for yet. Goes before routes.
    pub fn then(&self, answer: Answer) -> &Self {
        self.shared.state().script.push_back(answer);
        self
    }

    /// The answer to every request of this method whose target starts with `prefix`, unless scripted. A later
    /// route goes before an earlier one.
    pub fn route(&self, method: &str, prefix: &str, answer: Answer) -> &Self {
        let route = Route { method: method.to_owned(), prefix: prefix.to_owned(), answer };
        self.shared.state().routes.insert(0, route);
        self
    }

    /// The oldest request that was not taken yet; waits for it.
    pub async fn next(&self) -> Recorded {
        let waiting = async {
            loop {
                let arrived = self.shared.arrived.notified();
                if let Some(request) = self.shared.state().requests.pop_front() {
                    return request;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("a request in time")
    }

    /// All requests that were not taken yet, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Recorded> {
        self.shared.state().requests.drain(..).collect()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

impl Drop for HttpFake {
    fn drop(&mut self) {
        self.task.abort();
        let state = self.shared.state();
        let left_over = !state.requests.is_empty() || !state.script.is_empty();
        if left_over && !std::thread::panicking() {
            panic!(
                "left over: requests {:?}, {} scripted answers",
                state.requests.iter().map(|r| (&r.method, &r.target, r.text())).collect::<Vec<_>>(),
                state.script.len()
            );
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read_request(&mut stream).await {
        let answer = plan(&shared, request);
        match answer.fault {
            Some(Fault::Close) => return,
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Cut) | None => {}
        }
        let promised = answer.body.len() + if answer.fault.is_some() { 100 } else { 0 };
        let mut head = format!("HTTP/1.1 {} Scripted\r\ncontent-length: {promised}\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&answer.body);
        if stream.write_all(&bytes).await.is_err() || answer.fault.is_some() {
            return;
        }
    }
}

fn plan(shared: &Shared, request: Recorded) -> Answer {
    let mut state = shared.state();
    let routed = |state: &State| {
        let route = state
            .routes
            .iter()
            .find(|route| route.method == request.method && request.target.starts_with(&route.prefix));
        route.map(|route| route.answer.clone())
    };
    let answer = match state.script.pop_front() {
        Some(answer) => answer,
        None => routed(&state).unwrap_or_else(|| Answer::status(200)),
    };
    state.requests.push_back(request);
    shared.arrived.notify_waiters();
    answer
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Recorded>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Recorded { method, target, headers, body: Vec::new() };
    if request.header("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked")) {
        request.body = read_chunks(stream).await?;
    } else if let Some(length) = request.header("content-length").and_then(|text| text.parse().ok()) {
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).await?;
    }
    Ok(Some(request))
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk).await?;
        chunk.truncate(length);
        if length == 0 {
            return Ok(body);
        }
        body.append(&mut chunk);
    }
}
