//! One open socket.

use super::feed::{Tick, hello, reload};
use super::{Live, lock};
use crate::access::Proof;
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use bugle_runtime::Shutdown;
use bugle_store::Scope;
use bugle_web::{Code, Problem};
use bytestring::ByteString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, timeout};

/// The server pings this often.
const PING: Duration = Duration::from_secs(25);
/// Whoever says nothing for this long, not even that they are there, is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Whoever does not take a message for this long is cut off. Up to 32 wait per socket meanwhile, which readers of the same
/// teams share.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clients have nothing to say: pongs and closing fit.
const LONGEST_FRAME: usize = 4 * 1024;
/// Sockets of one session or token: nobody takes the places of all.
const MOST_OF_ONE: usize = 50;
/// The session, token or account has ended: no use in coming back with the same.
const ENDED: u16 = 4401;

/// A place among the sockets. Dropping it gives it back.
pub(crate) struct Seat {
    live: Live,
    proof: Proof,
    sees: watch::Receiver<Option<Scope>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.live.0.numbers.sockets.add(-1.0);
        lock(&self.live.0.rights).leave(self.proof);
    }
}

impl Live {
    /// Takes a place for somebody who was just let in, and waits until changes are seen.
    ///
    /// # Errors
    /// When there are too many already, or the store cannot be looked at.
    pub(crate) async fn seat(
        &self,
        proof: Proof,
        scope: Scope,
        shutdown: &Shutdown,
    ) -> Result<Seat, Problem> {
        let sees = {
            let mut rights = lock(&self.0.rights);
            if rights.sockets_of(proof) >= MOST_OF_ONE {
                self.0.numbers.refused.inc();
                let detail = format!("a session or token opens {MOST_OF_ONE} live sockets at most");
                return Err(Problem::with_detail(Code::RateLimited, detail).retry_after(30));
            }
            if rights.sockets() >= self.0.most_sockets {
                self.0.numbers.refused.inc();
                return Err(Problem::unavailable(&"too many live sockets").retry_after(30));
            }
            rights.enter(proof, scope, self.0.clock.now())
        };
        self.0.numbers.sockets.add(1.0);
        let seat = Seat { live: self.clone(), proof, sees };
        if timeout(PATIENCE, self.watched(shutdown)).await.is_err() {
            return Err(Problem::unavailable(&"live updates: the store cannot be looked at"));
        }
        Ok(seat)
    }
}

/// Why a socket ends.
enum End {
    /// The other side has gone, or does not listen.
    Gone,
    /// With a code and a reason.
    Said(CloseCode, &'static str),
}

impl Seat {
    /// Tells everything from `after` on, until one of both sides ends it.
    pub(crate) async fn serve(
        mut self,
        after: Option<String>,
        mut session: Session,
        messages: MessageStream,
        shutdown: Shutdown,
    ) {
        let mut messages = messages.max_frame_size(LONGEST_FRAME);
        let ended = tokio::select! {
            ended = self.tell(after.as_deref(), &mut session, &mut messages) => ended,
            () = shutdown.soft.cancelled() => End::Said(CloseCode::Restart, "stopping"),
        };
        if let End::Said(code, reason) = ended {
            let reason = CloseReason { code, description: Some(reason.to_owned()) };
            // It may be gone all the same.
            let _ = timeout(PATIENCE, session.close(Some(reason))).await;
        }
    }

    async fn tell(
        &mut self,
        after: Option<&str>,
        session: &mut Session,
        messages: &mut MessageStream,
    ) -> End {
        let mut ticks = match self.begin(after, session).await {
            Ok(ticks) => ticks,
            Err(end) => return end,
        };
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        let mut heard_at = Instant::now();
        loop {
            let outcome = tokio::select! {
                tick = ticks.recv() => self.on_tick(tick, session).await,
                changed = self.sees.changed() => match changed {
                    Ok(()) if self.scope().is_some() => Ok(()),
                    _ => Err(End::Said(CloseCode::Other(ENDED), "the session or token has ended")),
                },
                message = messages.recv() => match message {
                    Some(Ok(Message::Ping(bytes))) => {
                        heard_at = Instant::now();
                        self.sent(&timeout(PATIENCE, session.pong(&bytes)).await)
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Said(CloseCode::Normal, "")),
                    Some(Ok(_)) => { heard_at = Instant::now(); Ok(()) }
                },
                _ = ping.tick() => match heard_at.elapsed() {
                    silence if silence > SILENCE => Err(End::Gone),
                    _ => self.sent(&timeout(PATIENCE, session.ping(b"")).await),
                },
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// Greets, and tells what was missed.
    async fn begin(
        &self,
        after: Option<&str>,
        session: &mut Session,
    ) -> Result<broadcast::Receiver<Arc<Tick>>, End> {
        let beginning = lock(&self.live.0.feed).join(after, self.live.0.clock.now());
        match (after, beginning.missed) {
            (None, _) => self.send(hello(&beginning.id), session).await?,
            (Some(_), None) => self.send_reload(&beginning.id, session).await?,
            (Some(after), Some(missed)) => {
                self.send(hello(after), session).await?;
                for tick in missed {
                    self.send_tick(&tick, session).await?;
                }
            }
        }
        Ok(beginning.ticks)
    }

    async fn on_tick(&self, tick: Result<Arc<Tick>, RecvError>, session: &mut Session) -> Result<(), End> {
        match tick {
            Ok(tick) => self.send_tick(&tick, session).await,
            Err(RecvError::Lagged(_)) => {
                let id = lock(&self.live.0.feed).last_id();
                self.send_reload(&id, session).await
            }
            // The sender is in the feed.
            Err(RecvError::Closed) => Err(End::Gone),
        }
    }

    fn scope(&self) -> Option<Scope> {
        self.sees.borrow().clone()
    }

    async fn send_tick(&self, tick: &Tick, session: &mut Session) -> Result<(), End> {
        match self.scope().and_then(|scope| tick.message(&scope)) {
            Some(text) => self.send(text, session).await,
            None => Ok(()),
        }
    }

    async fn send_reload(&self, id: &str, session: &mut Session) -> Result<(), End> {
        self.live.0.numbers.reloads.inc();
        self.send(reload(id), session).await
    }

    async fn send(&self, text: ByteString, session: &mut Session) -> Result<(), End> {
        self.live.0.numbers.messages.inc();
        self.sent(&timeout(PATIENCE, session.text(text)).await)
    }

    fn sent<E, T>(&self, outcome: &Result<Result<(), T>, E>) -> Result<(), End> {
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                self.live.0.numbers.cut_off.inc();
                Err(End::Gone)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::item::Item;
    use actix_web::test::TestRequest;
    use actix_web::web::{Bytes, Payload};
    use actix_web::{FromRequest, HttpResponse, dev, rt};
    use bugle_model::ManualClock;
    use bugle_runtime::Metrics;
    use chrono::DateTime;
    use futures_util::stream;
    use std::pin::Pin;

    /// An open socket whose client says nothing: the answer is what the client reads.
    async fn opened() -> (HttpResponse, Session, MessageStream) {
        let request = TestRequest::default()
            .insert_header(("connection", "upgrade"))
            .insert_header(("upgrade", "websocket"))
            .insert_header(("sec-websocket-version", "13"))
            .insert_header(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))
            .to_http_request();
        let silence: Pin<Box<dyn stream::Stream<Item = _>>> = Box::pin(stream::pending());
        let payload = Payload::from_request(&request, &mut dev::Payload::from(silence)).await.unwrap();
        actix_ws::handle(&request, payload).unwrap()
    }

    fn seat(live: &Live, number: u8) -> Seat {
        let proof = Proof::Token([number; 32]);
        let sees = lock(&live.0.rights).enter(proof, Scope::All, live.0.clock.now());
        Seat { live: live.clone(), proof, sees }
    }

    async fn read(body: &mut (impl actix_web::body::MessageBody<Error: std::fmt::Debug> + Unpin)) -> Bytes {
        std::future::poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await.unwrap().unwrap()
    }

    #[actix_web::test]
    async fn whoever_does_not_read_is_cut_off_and_keeps_nobody_waiting() {
        let noon = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        let store = bugle_store::connect("postgres://nobody@127.0.0.1:1/none", 1).unwrap();
        let live = Live::new(store, Arc::new(ManualClock::new(noon)), 10, &Metrics::new());
        let (slow_answer, slow_session, slow_messages) = opened().await;
        let (fast_answer, fast_session, fast_messages) = opened().await;
        let shutdown = Shutdown::new();
        let slow = rt::spawn(seat(&live, 1).serve(None, slow_session, slow_messages, shutdown.clone()));
        let fast = rt::spawn(seat(&live, 2).serve(None, fast_session, fast_messages, shutdown.clone()));
        let mut fast_body = fast_answer.into_body();
        assert!(read(&mut fast_body).await.ends_with(b"}"), "the greeting");

        let began = Instant::now();
        for number in 0..300 {
            let text = format!("\"{number} {}\"", "x".repeat(64 * 1024)).into();
            let item = Item { team: None, subject: None, text };
            lock(&live.0.feed).push(Some(vec![item]), noon);
            let told = read(&mut fast_body).await;
            let head = String::from_utf8_lossy(told.get(..100).unwrap()).into_owned();
            assert!(head.contains(&format!("[\"{number} ")), "{head}");
        }
        assert!(began.elapsed() < PATIENCE, "nobody waited for the slow one");
        // It holds what waits for it, and of the rest hears nothing.
        assert!(lock(&live.0.feed).kept_bytes() <= 16 * 1024 * 1024);
        timeout(PATIENCE * 2, slow).await.unwrap().unwrap();
        assert_eq!(lock(&live.0.rights).sockets(), 1, "its place is free");
        shutdown.stop();
        assert!(!read(&mut fast_body).await.is_empty(), "the end");
        timeout(PATIENCE, fast).await.unwrap().unwrap();
        drop(slow_answer);
    }
}
