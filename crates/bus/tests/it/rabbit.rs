//! What only the bus over RabbitMQ can show, with the shared broker and a proxy before it.

use crate::support::{Backend, World, body, consume, expect_all, id, next, publish, soon, until};
use bugle_bus::{BusConfig, BusError, BusState, PublishError, Queue};
use bugle_model::ManualClock;
use bugle_testkit::{Proxy, rabbit};
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// A proxy before the shared broker, and the URL through it.
async fn proxied() -> (Proxy, Url) {
    let mut url: Url = rabbit::shared_url().await.unwrap().parse().unwrap();
    let host = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let target: SocketAddr = host.to_socket_addrs().unwrap().next().unwrap();
    let proxy = Proxy::start(target).await.unwrap();
    url.set_ip_host(proxy.address().ip()).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    (proxy, url)
}

async fn delete_queue(world: &World) {
    let url = rabbit::shared_url().await.unwrap();
    let connection = lapin::Connection::connect(&url, Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let name = world.queue_name(Queue::Intake);
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    connection.close(200, "done".into()).await.unwrap();
}

/// How many messages the broker has in the queue.
async fn waiting(world: &World) -> u32 {
    let url = rabbit::shared_url().await.unwrap();
    let connection = lapin::Connection::connect(&url, Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let name = world.queue_name(Queue::Intake);
    let queue = channel.queue_declare(name.into(), passive, FieldTable::default()).await.unwrap();
    connection.close(200, "done".into()).await.unwrap();
    queue.message_count()
}

#[tokio::test]
async fn unroutable_is_an_error_and_heals() {
    let world = World::new(Backend::Rabbit).await;
    delete_queue(&world).await;
    let refused = world.bus.publish(Queue::Intake, id(1), body(1)).await;
    assert!(matches!(refused, Err(PublishError::Unroutable)), "{refused:?}");
    until(|| async { world.bus.publish(Queue::Intake, id(2), body(2)).await.is_ok() }).await;
    expect_all(&world.bus, [2]).await;
    world.finish().await;
}

#[tokio::test]
async fn a_consumer_outlives_its_queue() {
    let world = World::new(Backend::Rabbit).await;
    let mut consumer = consume(&world.bus, 1).await;
    publish(&world.bus, [1]).await;
    next(&mut consumer).await.ack().await.unwrap();
    delete_queue(&world).await;
    until(|| async { world.bus.publish(Queue::Intake, id(2), body(2)).await.is_ok() }).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.id(), id(2));
    delivery.ack().await.unwrap();
    world.finish().await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_found_when_it_is_there() {
    let (proxy, url) = proxied().await;
    proxy.refuse();
    let world = World::with(Some(url), Duration::from_secs(20)).await;
    let refused = world.bus.publish(Queue::Intake, id(1), body(1)).await;
    assert!(matches!(refused, Err(PublishError::Away)));
    assert_eq!(world.bus.state(), BusState::Away);
    assert!(matches!(world.bus.depth(Queue::Intake).await, Err(BusError::Away(_))));
    let mut consumer = consume(&world.bus, 1).await;
    proxy.resume();
    soon(world.bus.connected()).await;
    publish(&world.bus, [2]).await;
    next(&mut consumer).await.ack().await.unwrap();
    assert_eq!(world.bus.metrics().failed, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_lost_confirm_is_an_error_and_never_a_loss() {
    let (proxy, url) = proxied().await;
    let world = World::with(Some(url), Duration::from_secs(20)).await;
    soon(world.bus.connected()).await;
    publish(&world.bus, [1]).await;
    proxy.stall_answers();
    let bus = Arc::clone(&world.bus);
    let publishing = tokio::spawn(async move { bus.publish(Queue::Intake, id(2), body(2)).await });
    // It is there, and nobody has heard of it.
    until(|| async { waiting(&world).await == 2 }).await;
    assert!(!publishing.is_finished());
    proxy.refuse();
    let lost = soon(publishing).await.unwrap();
    assert!(matches!(lost, Err(PublishError::Lost(_))), "{lost:?}");
    proxy.resume();
    soon(world.bus.connected()).await;
    publish(&world.bus, [2]).await;
    expect_all(&world.bus, 1..=2).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_at_random_lose_nothing() {
    let (proxy, url) = proxied().await;
    let world = World::with(Some(url), Duration::from_secs(20)).await;
    soon(world.bus.connected()).await;
    let publishers: Vec<_> = (0..6_u128)
        .map(|publisher| {
            let bus = Arc::clone(&world.bus);
            tokio::spawn(async move {
                for number in (publisher * 100)..(publisher * 100 + 50) {
                    until(|| async { bus.publish(Queue::Intake, id(number), body(number)).await.is_ok() })
                        .await;
                }
            })
        })
        .collect();
    let mut consumer = consume(&world.bus, 10).await;
    let mut seen = BTreeSet::new();
    let mut cut_at: BTreeSet<usize> = (1..6).map(|cut| cut * 50).collect();
    while seen.len() < 300 {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.id());
        if cut_at.remove(&seen.len()) {
            proxy.cut();
        }
        // An ack that is lost means that the message comes again.
        drop(delivery.ack().await);
    }
    for publisher in publishers {
        soon(publisher).await.unwrap();
    }
    assert!(world.bus.metrics().connects > 4, "{:?}", world.bus.metrics());
    world.finish().await;
}

#[tokio::test]
async fn a_broker_that_does_not_confirm_counts_as_away() {
    let (proxy, url) = proxied().await;
    let world = World::with(Some(url), Duration::from_millis(200)).await;
    soon(world.bus.connected()).await;
    until(|| async { world.bus.publish(Queue::Intake, id(1), body(1)).await.is_ok() }).await;
    proxy.stall();
    let started = Instant::now();
    let late = world.bus.publish(Queue::Intake, id(2), body(2)).await;
    assert!(matches!(late, Err(PublishError::Timeout)), "{late:?}");
    assert!(started.elapsed() >= Duration::from_millis(200));
    until(|| async { world.bus.state() == BusState::Away }).await;
    let started = Instant::now();
    let refused = world.bus.publish(Queue::Intake, id(3), body(3)).await;
    assert!(matches!(refused, Err(PublishError::Timeout)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_millis(200), "it waited for a broker that has stopped");
    proxy.resume();
    until(|| async { world.bus.state() == BusState::Connected }).await;
    until(|| async { world.bus.publish(Queue::Intake, id(4), body(4)).await.is_ok() }).await;
    // The one that was late has arrived after all; consumers are idempotent.
    expect_all(&world.bus, [1, 2, 4]).await;
    world.finish().await;
}

#[tokio::test]
async fn what_cannot_be_configured_is_named() {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let mut config = BusConfig::new(std::env::temp_dir(), clock);
    config.amqp_url = Some("http://127.0.0.1/".parse().unwrap());
    let refused = bugle_bus::connect(config.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("the AMQP URL"), "{refused}");
    config.amqp_url = Some("amqps://127.0.0.1/".parse().unwrap());
    config.amqp_ca_file = Some("/nowhere/ca.pem".into());
    let refused = bugle_bus::connect(config).await.err().unwrap().to_string();
    assert!(refused.contains("/nowhere/ca.pem"), "{refused}");
}
