//! How items and recorders end.

use crate::world::{World, until};
use bugle_model::{AttachmentRef, Clock, IssueId, ItemKind, ManualClock, RawItem, Signal};
use bugle_runtime::SystemClock;
use bugle_store::outbox;
use std::sync::Arc;
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
    assert!(world.dead_letters().await.is_empty());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_that_somebody_else_has_written_does_not_wait() {
    let mut world = World::idle().await;
    let now = SystemClock.now();
    let signal = Signal::IssueChanged { issue: IssueId(1), project: world.project };
    outbox::add(&mut world.store.conn().await.unwrap(), vec![signal], now).await.unwrap();
    // The clock stands still: nothing grows old enough to have been left behind.
    world.start_at(Arc::new(ManualClock::new(now))).await;
    until("it is published", async || {
        outbox::depth(&mut world.store.conn().await.unwrap()).await.unwrap() == 0
    })
    .await;
    world.stop().await;
}
