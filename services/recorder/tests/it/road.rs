//! What becomes of items of every kind.

use crate::world::World;
use bugle_bus::Queue;
use bugle_model::{AttachmentRef, InboundFilters, ItemKind, ProjectSettings, ScrubSettings, SignalBatch};
use bugle_store::events;
use serde_json::json;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_recorded_told_of_and_read_back() {
    let world = World::new().await;
    let mut heard = world.bus.consume(Queue::NotifierSignals, 10).await.unwrap();
    let event_id = Uuid::new_v4();
    let item = world.event_with(
        "checkout",
        json!({
            "event_id": event_id.simple().to_string(),
            "release": "shop@1.2.3",
            "environment": "production",
            "level": "fatal",
            "tags": { "host": "web-1" },
            "user": { "id": "7" },
            "extra": { "password": "hunter2", "note": "kept" },
        }),
    );
    let received_at = item.received_at;
    world.publish(&[item]).await;

    let delivery = heard.next().await.unwrap();
    let batch: SignalBatch = serde_json::from_slice(delivery.body()).unwrap();
    let (_, about) = batch.signals[0].notifies().unwrap();
    assert_eq!((about.event_id, about.environment.as_deref()), (event_id, Some("production")));
    delivery.ack().await.unwrap();

    let found = events::find(
        &mut world.store.conn().await.unwrap(),
        &bugle_store::Scope::All,
        event_id,
        Some(world.project),
    )
    .await
    .unwrap();
    let stored = &found[0];
    assert_eq!(stored.title, "KeyError: no checkout");
    assert_eq!(stored.event.release.as_deref(), Some("shop@1.2.3"));
    assert_eq!(stored.event.extra["note"], "kept");
    assert_ne!(stored.event.extra["password"], "hunter2", "scrubbed before it is stored");
    // PostgreSQL keeps microseconds.
    assert_eq!(stored.received_at.timestamp_micros(), received_at.timestamp_micros());
    let tags = world.rows("SELECT key, value FROM issue_tags ORDER BY 1").await;
    assert_eq!(tags, ["environment|production", "host|web-1", "release|shop@1.2.3", "user|"]);
    assert_eq!(world.rows("SELECT events, users FROM issue_counts").await, ["1|1"]);
    assert_eq!(world.outcomes(1).await, ["0||error|1"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_item_that_cannot_be_read_costs_its_neighbours_nothing() {
    let world = World::new().await;
    let items = [
        world.event("one"),
        world.item(ItemKind::Event, "{not json"),
        world.item(ItemKind::Feedback, "[]"),
        world.event("two"),
        world.item(
            ItemKind::ClientReport,
            r#"{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":5}]}"#,
        ),
    ];
    world.publish(&items).await;
    world.recorded(2).await;
    let outcomes = world.outcomes(9).await;
    assert!(outcomes.contains(&"0||error|2".to_owned()), "{outcomes:?}");
    assert!(outcomes.contains(&"11|sample_rate|error|5".to_owned()), "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|row| row.starts_with("3|")).count(), 2, "{outcomes:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_project_are_applied() {
    let world = World::idle().await;
    let settings = ProjectSettings {
        filters: InboundFilters { environments: vec!["test*".to_owned()], ..InboundFilters::default() },
        scrub: ScrubSettings { fields: vec!["shoe_size".to_owned()], ..ScrubSettings::default() },
        ..ProjectSettings::default()
    };
    world
        .execute(&format!("UPDATE projects SET settings = '{}'", serde_json::to_string(&settings).unwrap()))
        .await;
    let mut world = world;
    world.start().await;
    let event_id = Uuid::new_v4();
    world
        .publish(&[
            world.event_with("a", json!({ "environment": "testing" })),
            world
                .event_with("a", json!({ "event_id": event_id.to_string(), "extra": { "shoe_size": "43" } })),
        ])
        .await;
    world.recorded(1).await;
    assert_eq!(world.outcomes(2).await, ["0||error|1", "1|environment|error|1"]);
    let found =
        events::find(&mut world.store.conn().await.unwrap(), &bugle_store::Scope::All, event_id, None)
            .await
            .unwrap();
    assert_ne!(found[0].event.extra["shoe_size"], "43");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_and_feedback_find_their_place() {
    let world = World::new().await;
    let event_id = Uuid::new_v4();
    let mut attachment = world.item(ItemKind::Attachment, "");
    attachment.event_id = Some(event_id);
    attachment.attachment = Some(AttachmentRef {
        sha256: "ab".repeat(32),
        size: 3,
        filename: "log.txt".to_owned(),
        content_type: Some("text/plain".to_owned()),
        attachment_type: None,
    });
    let report = json!({ "event_id": event_id.simple().to_string(), "name": "Ada", "email": "ada@example.org", "comments": "it broke" });
    let report = world.item(ItemKind::UserReport, report.to_string());
    world.publish(&[attachment, report]).await;
    crate::world::until("both are there", async || {
        world.number("SELECT (SELECT count(*) FROM attachments) + (SELECT count(*) FROM feedback)").await == 2
    })
    .await;
    assert_eq!(
        world.rows("SELECT event_id, size, filename FROM attachments").await,
        [format!("{event_id}|3|log.txt")]
    );
    assert_eq!(
        world.rows("SELECT event_id, name, message FROM feedback").await,
        [format!("{event_id}|Ada|it broke")]
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_with_an_event_is_scrubbed_too() {
    let world = World::new().await;
    let mut attachment = world.item(ItemKind::Attachment, "");
    attachment.event_id = Some(Uuid::new_v4());
    attachment.attachment = Some(AttachmentRef {
        sha256: "ab".repeat(32),
        size: 3,
        filename: "dump?token=hunter2&a=1".to_owned(),
        content_type: None,
        attachment_type: None,
    });
    let named = json!({ "contexts": { "feedback": { "message": "password=hunter2", "url": "https://a:hunter2@x.example/?token=hunter2" } } });
    let surrounding = json!({ "contexts": { "feedback": { "message": "it broke" } }, "request": { "url": "https://x.example/cart?token=hunter2" } });
    let feedback = [named, surrounding].map(|body| world.item(ItemKind::Feedback, body.to_string()));
    world.publish(&[attachment]).await;
    world.publish(&feedback).await;
    crate::world::until("all are there", async || {
        world.number("SELECT (SELECT count(*) FROM attachments) + (SELECT count(*) FROM feedback)").await == 3
    })
    .await;
    assert_eq!(world.rows("SELECT filename FROM attachments").await, ["dump?token=[Filtered]&a=1"]);
    assert_eq!(
        world.rows("SELECT message, url FROM feedback ORDER BY message").await,
        [
            "it broke|https://x.example/cart?token=[Filtered]",
            "password=[Filtered]|https://[Filtered]@x.example/?token=[Filtered]"
        ]
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_was_made_a_moment_ago_is_known() {
    let world = World::new().await;
    world.publish(&[world.event("first")]).await;
    world.recorded(1).await;
    for number in 0..3i64 {
        let name = format!("app-{number}");
        let now = world.event("x").received_at;
        let project =
            bugle_store::projects::create(&mut world.store.conn().await.unwrap(), &name, now).await.unwrap();
        let mut item = world.event("first");
        item.project = project.id;
        world.publish(&[item]).await;
        world.recorded(2 + number).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_door_could_not_check_is_checked_here() {
    let world = World::new().await;
    let key = "0123456789abcdef0123456789abcdef";
    world
        .execute(&format!(
            "INSERT INTO project_keys (project_id, public_key, created_at) VALUES ({}, '{key}', '2026-01-01')",
            world.project
        ))
        .await;
    let unverified = |key: &str| {
        let mut item = world.event("a");
        (item.key, item.unverified_key) = (None, Some(key.to_owned()));
        item
    };
    world
        .publish(&[unverified(key), unverified("ffffffffffffffffffffffffffffffff"), unverified("nonsense")])
        .await;
    assert_eq!(world.outcomes(3).await, ["0||error|1", "6|unknown_key|error|2"]);
    world.execute("UPDATE project_keys SET enabled = false").await;
    world.publish(&[unverified(key)]).await;
    assert_eq!(world.outcomes(4).await, ["0||error|1", "6|unknown_key|error|3"]);
    world.stop().await;
}
