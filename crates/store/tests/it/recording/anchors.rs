//! Payloads against anchors: small, and always readable.

use super::support::{World, from_model};
use bugle_model::{Event, Exception, Frame, RetentionClass, Stacktrace};
use bugle_store::record::{Cache, NewEvent};
use chrono::TimeDelta;
use uuid::Uuid;

/// An event of several KB that differs from its kin in a few places. `kind` changes all of its text.
fn large(world: &World, kind: u64, number: u64) -> NewEvent {
    let mut model = Event::new(Uuid::new_v4(), world.now);
    let word =
        |i: u64| format!("{:016x}", (kind + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(i + 1));
    let frame = |i: u64| Frame {
        function: Some(format!("call_{}", word(i))),
        filename: Some(format!("app/{}.py", word(i + 100))),
        context_line: Some(format!("return {}({})", word(i + 200), word(i + 300))),
        ..Frame::default()
    };
    let frames = (0..40).map(frame).collect();
    model.exceptions = vec![Exception {
        kind: Some("KeyError".to_owned()),
        value: Some(format!("no such order: {number}")),
        stacktrace: Some(Stacktrace { frames, ..Stacktrace::default() }),
        ..Exception::default()
    }];
    from_model(world.project, &model, "KeyError", world.now)
}

fn many(world: &World, kind: u64, count: u64) -> Vec<NewEvent> {
    (0..count).map(|number| large(world, kind, number)).collect()
}

async fn readable(world: &World, events: &[NewEvent]) {
    for event in events {
        let stored = world.stored(event.event_id).await;
        let document: bugle_store::payload::Document = serde_json::from_slice(&event.document).unwrap();
        assert_eq!(stored.event, document.event);
    }
}

#[tokio::test]
async fn events_of_an_issue_are_small() {
    let mut world = World::new().await;
    let (first, second) = (many(&world, 0, 20), many(&world, 0, 20));
    world.record(&first).await;
    world.record(&second).await;
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 1);
    let largest = world.number("SELECT max(length(payload))::bigint FROM events").await;
    let anchor = world.number("SELECT length(payload)::bigint FROM anchors").await;
    assert!(largest < 200 && anchor > 1_000, "{largest} of {anchor}");
    readable(&world, &first).await;
    readable(&world, &second).await;
}

#[tokio::test]
async fn a_cold_memory_takes_the_anchor_from_the_database() {
    let mut world = World::new().await;
    world.record(&many(&world, 0, 3)).await;
    world.cache = Cache::default();
    let batch = many(&world, 0, 3);
    world.record(&batch).await;
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 1);
    readable(&world, &batch).await;
}

#[tokio::test]
async fn another_kind_of_event_gets_another_anchor() {
    let mut world = World::new().await;
    let (one, other) = (many(&world, 0, 5), many(&world, 1, 5));
    world.record(&one).await;
    world.record(&other).await;
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 2);
    let largest = world.number("SELECT max(length(payload))::bigint FROM events").await;
    assert!(largest < 200, "{largest}");
    readable(&world, &one).await;
    readable(&world, &other).await;
}

#[tokio::test]
async fn two_kinds_that_alternate_need_no_anchor_each_time() {
    let mut world = World::new().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        let batch: Vec<NewEvent> = (0..20).map(|number| large(&world, number % 2, number)).collect();
        world.record(&batch).await;
        all.extend(batch);
    }
    readable(&world, &all).await;
    let anchors = world.number("SELECT count(*) FROM anchors").await;
    let mean = world.number("SELECT avg(length(payload))::bigint FROM events").await;
    assert!(anchors <= 4 && mean < 300, "{anchors} anchors, {mean} bytes an event");
}

#[tokio::test]
async fn a_month_later_there_is_another_anchor() {
    let mut world = World::new().await;
    let before = many(&world, 0, 2);
    world.record(&before).await;
    world.later(TimeDelta::days(32));
    bugle_store::partitions::make(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    let after = many(&world, 0, 2);
    world.record(&after).await;
    assert_eq!(
        world.rows("SELECT sealed_on, expires_on FROM anchors ORDER BY sealed_on").await,
        ["2026-04-10|2026-07-12", "2026-05-12|2026-08-13"]
    );
    readable(&world, &before).await;
    readable(&world, &after).await;
}

#[tokio::test]
async fn an_anchor_serves_its_retention_class_only() {
    let mut world = World::new().await;
    let week = |event: NewEvent| NewEvent { retention: RetentionClass::Days7, ..event };
    let mut batch = many(&world, 0, 4);
    batch.extend(many(&world, 0, 4).into_iter().map(week));
    world.record(&batch).await;
    let wrong =
        "SELECT count(*) FROM events e JOIN anchors a ON a.id = e.anchor_id WHERE a.retention <> e.retention";
    assert_eq!(world.number(wrong).await, 0);
    assert_eq!(world.rows("SELECT retention FROM anchors ORDER BY 1").await, ["7", "90"]);
    readable(&world, &batch).await;
}

#[tokio::test]
async fn an_anchor_that_was_rolled_back_is_never_referred_to() {
    let mut world = World::new().await;
    world.record(&many(&world, 0, 2)).await;
    // A new kind makes an anchor, and the batch fails.
    let mut batch = many(&world, 1, 3);
    batch.push(NewEvent {
        platform: "x".to_owned(),
        title: "x".repeat(300),
        hashes: vec![[9; 16]],
        ..world.event("bad")
    });
    world.try_record(&batch).await.unwrap_err();
    batch.pop();
    world.record(&batch).await;
    let dangling =
        "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM anchors a WHERE a.id = e.anchor_id)";
    assert_eq!(world.number(dangling).await, 0);
    readable(&world, &batch).await;
}

#[tokio::test]
async fn an_anchor_made_by_a_duplicate_is_kept_when_another_event_needs_it() {
    let mut world = World::new().await;
    let first = many(&world, 0, 1);
    world.record(&first).await;
    world.cache = Cache::default();
    world.execute("DELETE FROM anchors").await;
    // The duplicate comes first and makes the anchor that the new one refers to.
    let fresh = large(&world, 0, 7);
    world.record(&[first[0].clone(), fresh.clone()]).await;
    readable(&world, &[fresh]).await;
    let more = many(&world, 0, 2);
    world.record(&more).await;
    readable(&world, &more).await;
    assert_eq!(world.number("SELECT count(*) FROM anchors").await, 1);
}
