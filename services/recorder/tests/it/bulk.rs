//! What an event weighs once it is recorded: captured traffic of one app each, event after event.

use crate::world::World;
use bugle_model::{ItemKind, RawItem};
use bugle_protocol::{encoding, envelope};

const EVENTS: usize = 200;
/// What an event may take on average: its payload, and its share of the anchors.
const TARGET: i64 = 600;

/// The events of a captured set, in their order.
fn captured(world: &World, set: &str) -> Vec<RawItem> {
    let path = format!("{}/../../tests/fixtures/bulk/bulk-{set}.tar.zst", env!("CARGO_MANIFEST_DIR"));
    let archive = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let mut items = Vec::new();
    for (_, body) in files(&archive).into_iter().filter(|(name, _)| name.ends_with(".body")) {
        let encoded = body.starts_with(&[0x1f, 0x8b]).then_some("gzip");
        let body = encoding::inflate(encoded, body, 4 << 20).unwrap();
        let envelope = envelope::parse(&body).unwrap();
        for item in envelope.items.iter().filter(|item| item.header.kind == "event") {
            items.push(world.item(ItemKind::Event, item.payload));
        }
    }
    items.truncate(EVENTS);
    items
}

/// The regular files of a tar archive.
fn files(mut archive: &[u8]) -> Vec<(String, &[u8])> {
    let text = |field: &[u8]| String::from_utf8_lossy(field).trim_matches(['\0', ' ']).to_owned();
    let mut files = Vec::new();
    while let Some((header, rest)) = archive.split_at_checked(512) {
        let (name, size) = (text(&header[..100]), text(&header[124..136]));
        let size = usize::from_str_radix(&size, 8).unwrap_or(0);
        files.push((name, &rest[..size]));
        archive = &rest[size.next_multiple_of(512)..];
    }
    files.retain(|(name, body)| !name.is_empty() && !body.is_empty());
    files
}

/// Bytes per event, with the events coming in batches of ten.
async fn weigh(set: &str) -> i64 {
    let world = World::new().await;
    let items = captured(&world, set);
    assert_eq!(items.len(), EVENTS);
    let mut recorded = 0;
    for part in items.chunks(10) {
        world.publish(part).await;
        recorded += i64::try_from(part.len()).unwrap();
        world.recorded(recorded).await;
    }
    let payloads = world.number("SELECT sum(length(payload))::bigint FROM events").await;
    let anchors = world.number("SELECT sum(length(payload))::bigint FROM anchors").await;
    let issues = world.number("SELECT count(*) FROM issues").await;
    let made = world.number("SELECT count(*) FROM anchors").await;
    let raw: usize = items.iter().map(|item| item.body.len()).sum();
    println!(
        "{set}: {} bytes sent, {} kept and {} of anchors per event; {issues} issues, {made} anchors",
        raw / EVENTS,
        payloads / 200,
        anchors / 200
    );
    world.stop().await;
    (payloads + anchors) / i64::try_from(EVENTS).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_django_app_stays_within_the_target() {
    assert!(weigh("django").await <= TARGET);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_express_app_stays_within_the_target() {
    assert!(weigh("express").await <= TARGET);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_app_stays_within_the_target() {
    assert!(weigh("browser").await <= TARGET);
}
