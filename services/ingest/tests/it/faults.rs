use crate::fake_bus::Mood;
use crate::harness::{KEY, Setup, eventually};
use crate::http::{parse, request};
use bugle_bus::{BusConfig, Queue};
use bugle_model::IntakeBatch;
use bugle_runtime::health::Scope;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EVENT: &str = "{}\n{\"type\":\"event\"}\n{\"live\":1}";

fn with_spool() -> Setup {
    let mut setup = Setup::new();
    setup.settings.spool = true;
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_takes_over_and_its_late_entries_are_drained_apart_from_live_traffic() {
    for mood in [Mood::Refuses, Mood::Hangs, Mood::Blocked, Mood::Away] {
        let door = with_spool().start().await;
        door.bus.set(mood);
        for n in 0..5 {
            let started = Instant::now();
            let answer = door.envelope(format!("{{}}\n{{\"type\":\"event\"}}\n{{\"n\":{n}}}")).await;
            assert_eq!(answer.status, 200, "{mood:?}");
            assert!(started.elapsed() < Duration::from_secs(2), "{mood:?}");
        }
        assert_eq!(door.items().len(), 0);
        door.clock.advance(TimeDelta::seconds(11));
        door.bus.set(Mood::Fine);
        assert_eq!(door.envelope(EVENT).await.status, 200);
        assert_eq!(door.bodies(), ["{\"live\":1}"]);
        let bus = door.bus.clone();
        eventually("drained", Duration::from_secs(15), || bus.items(Queue::IntakeBacklog).len() == 5).await;
        let drained: BTreeSet<_> =
            bus.items(Queue::IntakeBacklog).into_iter().map(|item| item.body).collect();
        let expected: BTreeSet<_> = (0..5).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect();
        assert_eq!(drained, expected, "{mood:?}");
        door.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spooled_just_now_is_live_traffic() {
    let door = with_spool().start().await;
    door.bus.set(Mood::Away);
    assert_eq!(door.envelope("{}\n{\"type\":\"event\"}\n{\"late\":1}").await.status, 200);
    door.clock.advance(TimeDelta::seconds(11));
    assert_eq!(door.envelope(EVENT).await.status, 200);
    door.bus.set(Mood::Fine);
    let bus = door.bus.clone();
    eventually("drained", Duration::from_secs(10), || {
        bus.items(Queue::Intake).len() + bus.items(Queue::IntakeBacklog).len() == 2
    })
    .await;
    assert_eq!(door.bodies(), ["{\"live\":1}"]);
    assert_eq!(door.bus.items(Queue::IntakeBacklog)[0].body, b"{\"late\":1}");
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spooled_survives_a_restart() {
    let setup = with_spool();
    setup.bus.set(Mood::Away);
    let door = setup.start().await;
    assert_eq!(door.envelope(EVENT).await.status, 200);
    let mut setup = Setup::in_dir(door.stop().await);
    setup.settings.spool = true;
    setup.clock.advance(TimeDelta::seconds(11));
    let door = setup.start().await;
    let bus = door.bus.clone();
    eventually("drained", Duration::from_secs(10), || bus.items(Queue::IntakeBacklog).len() == 1).await;
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_spool_what_the_bus_does_not_take_is_not_accepted() {
    let mut setup = Setup::new();
    setup.snapshot.as_mut().unwrap().keys[0].quota.per_minute = Some(1);
    let door = setup.start().await;
    door.bus.set(Mood::Refuses);
    let answer = door.envelope(EVENT).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    // Its place in the quota was given back.
    door.bus.set(Mood::Fine);
    assert_eq!(door.envelope(EVENT).await.status, 200);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_disk_is_full_nothing_is_written_to_it() {
    let mut setup = with_spool();
    setup.settings.min_free_disk = u64::MAX;
    let door = setup.start().await;
    // A broker that confirms needs no disk here.
    assert_eq!(door.envelope(EVENT).await.status, 200);
    let attachment = "{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\"}\n{\"type\":\"attachment\"}\nx";
    assert_eq!(door.envelope(attachment).await.status, 503);
    door.bus.set(Mood::Away);
    let answer = door.envelope(EVENT).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let health = door.send("GET", "/api/error-logging/webhook/health/", &[], b"").await;
    assert_eq!((health.status, health.json()["healthy"].as_bool()), (503, Some(false)));
    assert!(!door.health.run(Scope::Ready).await.is_healthy());
    door.bus.set(Mood::Fine);
    assert!(door.health.run(Scope::Ready).await.is_healthy());
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_bus_keeps_what_was_accepted() {
    let mut setup = Setup::new();
    let config = BusConfig::new(setup.dir.path().to_path_buf(), setup.clock.clone());
    let bus = bugle_bus::connect(config).await.unwrap();
    setup.real_bus = Some(bus.clone());
    let door = setup.start().await;
    assert_eq!(door.envelope(EVENT).await.status, 200);
    let mut consumer = bus.consume(Queue::Intake, 1).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    let items = IntakeBatch::decode(delivery.body()).unwrap();
    assert_eq!(items[0].body, b"{\"live\":1}");
    delivery.ack().await.unwrap();
    drop(consumer);
    door.stop().await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_and_hold_nobody_up() {
    let mut setup = Setup::new();
    setup.settings.body_grace = Duration::from_millis(300);
    let door = setup.start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let mut slow = TcpStream::connect(door.addr).await.unwrap();
    let head = request("POST", &path, &[("Content-Length", "1000000")], b"{}\n");
    slow.write_all(&head).await.unwrap();
    assert_eq!(door.envelope(EVENT).await.status, 200);
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert_eq!(parse(&answer).status, 408);
    assert_eq!(door.outcome("invalid"), 1);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_socket_costs_nobody_anything() {
    let door = Setup::new().start().await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    for cut in [1, 40, 200] {
        let bytes = request("POST", &path, &[("Content-Length", "500")], EVENT.as_bytes());
        let mut socket = TcpStream::connect(door.addr).await.unwrap();
        socket.write_all(&bytes[..cut.min(bytes.len())]).await.unwrap();
        drop(socket);
    }
    assert_eq!(door.envelope(EVENT).await.status, 200);
    assert_eq!(door.items().len(), 1);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_stop_answers_what_is_under_way() {
    let door = with_spool().start().await;
    door.bus.set(Mood::Hangs);
    let (addr, path) = (door.addr, format!("/api/1/envelope/?sentry_key={KEY}"));
    let sending = tokio::spawn(async move {
        crate::http::exchange(addr, &request("POST", &path, &[], EVENT.as_bytes())).await
    });
    door.bus.hangs().await;
    door.stop().await;
    assert_eq!(sending.await.unwrap().status, 200);
}
