//! Outgoing requests reach no private address, whatever a URL looks like.

use crate::world::World;
use bugle_model::{Channel, DestinationSettings, NotificationState};
use bugle_notifier::guard::Lookup;
use bugle_testkit::http::{Answer, HttpFake};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers each question with the next list, and the last one for ever.
struct Scripted(Vec<Vec<IpAddr>>, Arc<AtomicUsize>);

impl Lookup for Scripted {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        let answer = self.0[asked.min(self.0.len() - 1)].clone();
        async move { Ok(answer) }.boxed()
    }
}

async fn assert_blocked(world: &World, what: &str) {
    world.open("Bad").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let one = world.only().await;
    assert_eq!(one.state, NotificationState::Failed, "{what}: {one:?}");
    assert!(one.error.as_deref().unwrap().contains("is not a public address"), "{what}: {one:?}");
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn literals_in_every_spelling_are_refused() {
    let receiver = HttpFake::start().await;
    let port = receiver.address().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
    ] {
        let mut world = World::new().await;
        world.config.allow_private_nets = Vec::new();
        world.webhook(&format!("http://{host}:{port}/")).await;
        assert_blocked(&world, host).await;
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn names_are_judged_by_their_addresses() {
    let receiver = HttpFake::start().await;
    let url = format!("http://localhost:{}/", receiver.address().port());
    let mut world = World::new().await;
    world.config.allow_private_nets = Vec::new();
    world.webhook(&url).await;
    assert_blocked(&world, "localhost").await;
    assert_eq!(receiver.connections(), 0);

    let asked = Arc::new(AtomicUsize::new(0));
    let private = vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
    let mut world = World::new().await.resolving(Scripted(vec![private], Arc::clone(&asked)));
    world.config.allow_private_nets = Vec::new();
    world.webhook("http://rebound.example.com/").await;
    assert_blocked(&world, "a private answer").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "asked once, for the connection itself");
}

#[tokio::test]
async fn an_answer_with_both_kinds_uses_the_allowed_one_only() {
    let receiver = HttpFake::start().await;
    let mixed = vec!["10.0.0.1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    let world = World::new().await.resolving(Scripted(vec![mixed], Arc::default()));
    world.webhook(&format!("http://mixed.example.com:{}/", receiver.address().port())).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn redirects_lead_nowhere() {
    let (receiver, inside) = (HttpFake::start().await, HttpFake::start().await);
    let world = World::new().await;
    receiver.then(Answer::status(302).header("location", &inside.url("/secret")));
    world.webhook(&receiver.url("/")).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    assert_eq!(world.only().await.error.as_deref(), Some("answered 302; redirects are not followed"));
    assert_eq!((receiver.take().len(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn slacks_incoming_webhooks_are_guarded_too() {
    let receiver = HttpFake::start().await;
    let mut world = World::new().await;
    world.config.allow_private_nets = Vec::new();
    let target = receiver.url("/services/x");
    world.destination(Channel::Slack, &target, DestinationSettings::default()).await;
    assert_blocked(&world, "slack").await;
    assert_eq!(receiver.connections(), 0);
}
