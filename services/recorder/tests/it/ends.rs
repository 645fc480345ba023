//! How items and recorders end.

use crate::world::World;
use bugle_model::{AttachmentRef, ItemKind, RawItem};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attachment_that_the_database_refuses_costs_no_event() {
    let world = World::idle().await;
    let attachment = |size: u64, name: &str| RawItem {
        event_id: Some(Uuid::new_v4()),
        attachment: Some(AttachmentRef {
            sha256: "ab".repeat(32),
            size,
            filename: name.to_owned(),
            content_type: None,
            attachment_type: None,
        }),
        ..world.item(ItemKind::Attachment, Vec::new())
    };
    let too_large = attachment(u64::MAX, "too-large.bin");
    let items = [world.event("a"), too_large, world.event("b"), attachment(12, "fine.txt"), world.event("a")];
    world.publish(&items).await;
    let mut world = world;
    world.start().await;
    world.recorded(3).await;
    let outcomes = world.outcomes(5).await;
    assert_eq!(outcomes, ["0||attachment|1", "0||error|3", "10|database|attachment|1"]);
    assert_eq!(world.rows("SELECT filename FROM attachments").await, ["fine.txt"]);
    assert_eq!(world.bus.depth(bugle_bus::Queue::Intake).await.unwrap().dead, 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_leaves_no_signal_behind() {
    for _ in 0..5 {
        let mut world = World::idle().await;
        for group in 0..10 {
            world.publish(&[world.event(&format!("group {group}"))]).await;
        }
        world.start().await;
        // Once the queue is empty, some signals are still on their way.
        let database = world.stop_keeping_the_database().await;
        assert_eq!(database.number("SELECT count(*) FROM events").await.unwrap(), 10);
        assert_eq!(database.number("SELECT count(*) FROM outbox").await.unwrap(), 0);
    }
}
