//! A TCP proxy on the loopback interface that can be told to misbehave: in front of PostgreSQL or RabbitMQ.

use anyhow::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with bytes and connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Passes everything.
    Pass,
    /// Keeps connections and passes nothing, in neither direction.
    Stall,
    /// Passes what clients send, and nothing back: requests are carried out, answers are lost.
    StallAnswers,
    /// Passes each answer this much later.
    SlowAnswers(Duration),
    /// Closes connections as soon as they are made.
    Refuse,
}

#[derive(Debug)]
struct Shared {
    mode: watch::Sender<Mode>,
    /// Counts the cuts: a connection ends when it changes.
    cuts: watch::Sender<u64>,
    answers: AtomicU64,
    accepted: AtomicU64,
}

/// See the module. Everything ends with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl Proxy {
    /// A proxy to `target` on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
            answers: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        });
        let listener = tokio::spawn(accept(listener, target, Arc::clone(&shared)));
        Ok(Self { address, shared, listener })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections; new ones are served.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Passes nothing from now on, as when a cable is pulled.
    pub fn stall(&self) {
        self.shared.mode.send_replace(Mode::Stall);
    }

    /// Passes what clients send and holds back every answer.
    pub fn stall_answers(&self) {
        self.shared.mode.send_replace(Mode::StallAnswers);
    }

    /// Passes each answer `by` later: a statement of PostgreSQL takes so much longer.
    pub fn slow_answers(&self, by: Duration) {
        self.shared.mode.send_replace(Mode::SlowAnswers(by));
    }

    /// Closes all connections, and new ones at once.
    pub fn refuse(&self) {
        self.shared.mode.send_replace(Mode::Refuse);
        self.cut();
    }

    /// Serves again; what was held back is passed.
    pub fn resume(&self) {
        self.shared.mode.send_replace(Mode::Pass);
    }

    /// Connections taken so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Bytes passed back to clients so far.
    #[must_use]
    pub fn answered_bytes(&self) -> u64 {
        self.shared.answers.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        if *shared.mode.borrow() == Mode::Refuse {
            continue;
        }
        tokio::spawn(serve(client, target, Arc::clone(&shared)));
    }
}

async fn serve(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = copy(from_client, to_server, &shared, Way::There);
    let back = copy(from_server, to_client, &shared, Way::Back);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = cuts.changed() => {}
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

impl Way {
    fn is_held(self, mode: Mode) -> bool {
        match mode {
            Mode::Pass | Mode::SlowAnswers(_) => false,
            Mode::StallAnswers => self == Self::Back,
            Mode::Stall | Mode::Refuse => true,
        }
    }
}

/// Copies until one side ends; holds bytes back as the mode says.
async fn copy<R, W>(mut from: R, mut to: W, shared: &Shared, way: Way)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut mode = shared.mode.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let now = *mode.borrow_and_update();
        if let (Way::Back, Mode::SlowAnswers(by)) = (way, now) {
            // Time out: the delay is over.
            let _ = tokio::time::timeout(by, mode.changed()).await;
        }
        if mode.wait_for(|mode| !way.is_held(*mode)).await.is_err() {
            return;
        }
        let Some(bytes) = buffer.get(..read) else { return };
        if to.write_all(bytes).await.is_err() {
            return;
        }
        if way == Way::Back {
            shared.answers.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
}
