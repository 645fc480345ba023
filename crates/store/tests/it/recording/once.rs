//! Batches are stored once, and read back as they were.

use super::support::{World, hash, hex, signals};
use bugle_model::{KeyId, Level, Outcome, OutcomeCount, Priority, RetentionClass, Signal};
use bugle_store::record::{Batch, Cache, Ended, NewAttachment, NewEvent, NewFeedback, record};
use bugle_store::{issues, partitions};
use chrono::TimeDelta;
use uuid::Uuid;

#[tokio::test]
async fn an_event_is_read_back_as_it_was() {
    let mut world = World::new().await;
    let mut event = NewEvent {
        release: Some("shop@1.2.0".to_owned()),
        environment: Some("production".to_owned()),
        ..world.event("KeyError")
    };
    event.hashes.push(hash("second"));
    let recorded = world.record(std::slice::from_ref(&event)).await;
    assert_eq!((recorded.events, recorded.duplicates), (1, 0));

    let stored = world.stored(event.event_id).await;
    assert_eq!(stored.title, "KeyError: failed");
    assert_eq!(stored.culprit.as_deref(), Some("app.views.checkout"));
    assert_eq!(stored.hashes, [hex(&hash("KeyError"))]);
    assert_eq!(stored.event.exceptions[0].kind.as_deref(), Some("KeyError"));
    assert_eq!(stored.received_at, world.now);
    assert_eq!(stored.event.release.as_deref(), Some("shop@1.2.0"));
    assert_eq!(stored.event.environment.as_deref(), Some("production"));

    let issue = issues::get(&mut world.store.conn().await.unwrap(), &bugle_store::Scope::All, stored.issue)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(issue.short_id(), "SHOP-1");
    assert_eq!((issue.title.as_str(), issue.count, issue.level), ("KeyError: failed", 1, Level::Error));
    assert_eq!(issue.first_release.as_deref(), Some("shop@1.2.0"));
    assert_eq!((issue.first_seen, issue.last_seen, issue.active_at), (world.now, world.now, world.now));
    let hashes =
        world.rows("SELECT encode(hash, 'hex'), events FROM issue_hashes ORDER BY events DESC").await;
    assert_eq!(hashes, [format!("{}|1", hex(&hash("KeyError"))), format!("{}|0", hex(&hash("second")))]);
}

#[tokio::test]
async fn the_same_batch_twice_changes_nothing_but_the_duplicates() {
    let mut world = World::new().await;
    let mut batch = world.events("KeyError", 5);
    batch.push(NewEvent { key: Some(KeyId(7)), ..batch[0].clone() });
    let first = world.record(&batch).await;
    assert_eq!((first.events, first.duplicates), (5, 1), "one of the batch is there twice");
    let second = world.record(&batch).await;
    assert_eq!((second.events, second.duplicates, second.signals.len()), (0, 6, 0));
    // Another recorder, which knows nothing, says the same.
    world.cache = Cache::default();
    assert_eq!(world.record(&batch).await.duplicates, 6);

    assert_eq!(world.rows("SELECT events FROM issue_counts").await, ["5"]);
    assert_eq!(world.number("SELECT count(*) FROM events").await, 5);
    assert_eq!(world.rows("SELECT sum(events) FROM issue_minutes").await, ["5"]);
    assert_eq!(world.rows("SELECT sum(events) FROM issue_hours").await, ["5"]);
    assert_eq!(world.rows("SELECT sum(events) FROM issue_hashes").await, ["5"]);
    let outcomes = world.rows("SELECT key_id, outcome, quantity FROM outcomes ORDER BY 1, 2").await;
    let (recorded, duplicate) = (Outcome::Recorded.code(), Outcome::Duplicate.code());
    assert_eq!(
        outcomes,
        [format!("0|{recorded}|5"), format!("0|{duplicate}|10"), format!("7|{duplicate}|3")]
    );
}

#[tokio::test]
async fn an_event_sent_again_on_the_next_day_is_a_duplicate() {
    let mut world = World::new().await;
    let event = world.event("KeyError");
    world.record(std::slice::from_ref(&event)).await;
    world.later(TimeDelta::days(1));
    let again = NewEvent { received_at: world.now, ..event.clone() };
    let recorded = world.record(&[again, world.event("KeyError")]).await;
    assert_eq!((recorded.events, recorded.duplicates), (1, 1));
    assert_eq!(world.number("SELECT count(*) FROM events").await, 2);
    assert_eq!(world.number("SELECT events FROM issue_counts").await, 2);
}

#[tokio::test]
async fn an_event_sent_again_after_the_retention_was_changed_is_a_duplicate() {
    let mut world = World::new().await;
    let event = world.event("KeyError");
    world.record(std::slice::from_ref(&event)).await;
    world.later(TimeDelta::minutes(10));
    let again = NewEvent { received_at: world.now, retention: RetentionClass::Days30, ..event };
    let recorded = world.record(&[again]).await;
    assert_eq!((recorded.events, recorded.duplicates), (0, 1));
}

#[tokio::test]
async fn one_id_in_two_projects_is_two_events() {
    let mut world = World::new().await;
    let other = bugle_store::projects::create(&mut world.store.conn().await.unwrap(), "other", world.now)
        .await
        .unwrap();
    let event = world.event("KeyError");
    let twin = NewEvent { project: other.id, ..event.clone() };
    assert_eq!(world.record(&[event, twin]).await.events, 2);
    assert_eq!(world.rows("SELECT project_id, number FROM issues ORDER BY 1").await.len(), 2);
}

#[tokio::test]
async fn a_second_hash_is_attached_and_the_first_known_one_wins() {
    let mut world = World::new().await;
    world.record(&[world.event("old"), world.event("other")]).await;
    let both = NewEvent { hashes: vec![hash("new"), hash("old"), hash("other")], ..world.event("new") };
    world.record(std::slice::from_ref(&both)).await;
    assert_eq!(world.number("SELECT count(*) FROM issues").await, 2);
    // Now the new hash alone leads to the same issue, for whoever asks.
    let alone = world.event("new");
    world.cache = Cache::default();
    world.record(std::slice::from_ref(&alone)).await;
    let old = world.stored(both.event_id).await.issue;
    assert_eq!(world.stored(alone.event_id).await.issue, old);
    let owner = format!("SELECT events FROM issue_counts WHERE issue_id = {}", old.0);
    assert_eq!(world.number(&owner).await, 3);
}

#[tokio::test]
async fn groups_of_one_batch_meet_by_any_hash() {
    let mut world = World::new().await;
    let batch = [
        NewEvent { hashes: vec![hash("a"), hash("b")], ..world.event("a") },
        NewEvent { hashes: vec![hash("c")], ..world.event("c") },
        NewEvent { hashes: vec![hash("b"), hash("c")], ..world.event("b") },
        NewEvent { hashes: vec![hash("c")], ..world.event("c") },
    ];
    world.record(&batch).await;
    // Each hash leads where the events with it have gone.
    let mut issues = Vec::new();
    for event in &batch {
        issues.push(world.stored(event.event_id).await.issue.0);
    }
    assert_eq!(issues[0], issues[2]);
    assert_eq!(issues[1], issues[3]);
    assert_ne!(issues[0], issues[1]);
    let owners = world.rows("SELECT issue_id, encode(hash, 'hex') FROM issue_hashes").await;
    for (issue, name) in [(issues[0], "a"), (issues[0], "b"), (issues[1], "c")] {
        assert!(owners.contains(&format!("{issue}|{}", hex(&hash(name)))), "{name}");
    }
}

#[tokio::test]
async fn a_deleted_issue_loses_no_event() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError"), world.event("stays")]).await;
    let numbers = world.rows("SELECT number FROM issues WHERE title LIKE 'KeyError%'").await;
    world.execute("DELETE FROM issues WHERE title LIKE 'KeyError%'").await;
    let event = world.event("KeyError");
    let recorded = world.record(&[event.clone(), world.event("stays")]).await;
    assert_eq!(recorded.events, 2);
    let Signal::IssueOpened(about) = &signals(&recorded)[0] else { panic!("no issue was opened") };
    assert_eq!(about.event_id, event.event_id);
    assert_eq!(world.stored(event.event_id).await.issue, about.issue);
    assert_ne!(world.rows("SELECT number FROM issues WHERE title LIKE 'KeyError%'").await, numbers);
}

#[tokio::test]
async fn a_deleted_issue_that_gets_another_hash_loses_no_event() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError")]).await;
    world.execute("DELETE FROM issues").await;
    let event = NewEvent { hashes: vec![hash("new"), hash("KeyError")], ..world.event("new") };
    let recorded = world.record(std::slice::from_ref(&event)).await;
    assert_eq!(recorded.events, 1);
    assert_eq!(world.stored(event.event_id).await.issue, world.issue().await);
    assert_eq!(world.number("SELECT count(*) FROM issue_hashes").await, 2);
}

#[tokio::test]
async fn duplicates_of_a_deleted_issue_do_not_open_it_again() {
    let mut world = World::new().await;
    let batch = world.events("KeyError", 3);
    world.record(&batch).await;
    world.execute("DELETE FROM issues").await;
    world.cache = Cache::default();
    let again = world.record(&batch).await;
    assert_eq!((again.events, again.duplicates, again.signals.len()), (0, 3, 0));
    assert_eq!(world.number("SELECT count(*) FROM issues").await, 0);
    assert_eq!(world.number("SELECT count(*) FROM issue_hashes").await, 0);
    // What was seen of the issue that was not kept must not be remembered.
    assert_eq!(world.record(&[world.event("KeyError")]).await.events, 1);
}

#[tokio::test]
async fn a_refused_event_takes_its_batch_along_and_leaves_nothing() {
    let mut world = World::new().await;
    world.record(&[world.event("KeyError")]).await;
    let bad = NewEvent { error_type: Some("x".repeat(300)), ..world.event("bad") };
    let error = world.try_record(&[world.event("KeyError"), bad, world.event("new")]).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    assert_eq!(world.number("SELECT count(*) FROM events").await, 1);
    let good = [world.event("KeyError"), world.event("new")];
    assert_eq!(world.record(&good).await.events, 2);
    for event in &good {
        assert_eq!(world.stored(event.event_id).await.event.event_id, event.event_id);
    }
}

#[tokio::test]
async fn without_a_partition_the_batch_is_refused() {
    let mut world = World::new().await;
    world.later(TimeDelta::days(100));
    let event = world.event("KeyError");
    assert!(world.try_record(std::slice::from_ref(&event)).await.unwrap_err().is_refused());
    partitions::make(&mut world.store.conn().await.unwrap(), world.now).await.unwrap();
    assert_eq!(world.record(&[event]).await.events, 1);
}

#[tokio::test]
async fn retention_decides_the_partition() {
    let mut world = World::new().await;
    let batch: Vec<NewEvent> = RetentionClass::ALL
        .into_iter()
        .map(|retention| NewEvent { retention, ..world.event("KeyError") })
        .collect();
    world.record(&batch).await;
    let leaves = world.rows("SELECT tableoid::regclass FROM events ORDER BY retention").await;
    assert_eq!(
        leaves,
        ["events_7_20260310", "events_30_20260310", "events_90_20260310", "events_365_20260310"]
    );
    for event in &batch {
        assert_eq!(world.stored(event.event_id).await.event.event_id, event.event_id);
    }
}

#[tokio::test]
async fn attachments_feedback_and_outcomes_are_written_once() {
    let world = World::new().await;
    let attachment = NewAttachment {
        item: Uuid::now_v7(),
        project: world.project,
        event_id: Uuid::new_v4(),
        sha256: vec![7; 32],
        size: 12,
        filename: "log.txt".to_owned(),
        content_type: None,
        attachment_type: None,
        received_at: world.now,
        retention: RetentionClass::Days30,
    };
    let feedback = NewFeedback {
        item: Uuid::now_v7(),
        project: world.project,
        event_id: None,
        name: Some("Ann".to_owned()),
        email: None,
        message: "it broke".to_owned(),
        url: None,
        received_at: world.now,
        retention: RetentionClass::Days30,
    };
    let outcome = OutcomeCount {
        project: Some(world.project),
        key: None,
        outcome: Outcome::Filtered,
        reason: "release".to_owned(),
        category: "error".to_owned(),
        quantity: 3,
    };
    let batch = Batch {
        attachments: vec![attachment],
        feedback: vec![feedback],
        outcomes: vec![Ended { message: Uuid::now_v7(), count: outcome }],
        ..Batch::default()
    };
    let mut cache = Cache::default();
    record(&world.store, &mut cache, &batch, world.now).await.unwrap();
    record(&world.store, &mut cache, &batch, world.now).await.unwrap();
    // Delivered again together with another message.
    let mut more = batch.clone();
    let next = batch.outcomes[0].count.clone();
    more.outcomes.push(Ended { message: Uuid::now_v7(), count: OutcomeCount { quantity: 1, ..next } });
    (more.attachments, more.feedback) = (Vec::new(), Vec::new());
    record(&world.store, &mut Cache::default(), &more, world.now).await.unwrap();
    assert_eq!(world.rows("SELECT filename, expires_on FROM attachments").await, ["log.txt|2026-04-09"]);
    assert_eq!(
        world.rows("SELECT name, message, expires_on FROM feedback").await,
        ["Ann|it broke|2026-04-09"]
    );
    let outcomes =
        world.rows("SELECT outcome, reason, category, quantity FROM outcomes ORDER BY 1, 2, 3").await;
    let (recorded, duplicate) = (Outcome::Recorded.code(), Outcome::Duplicate.code());
    assert_eq!(
        outcomes,
        [
            format!("{recorded}||attachment|1"),
            format!("{recorded}||feedback|1"),
            format!("{}|release|error|4", Outcome::Filtered.code()),
            format!("{duplicate}||attachment|1"),
            format!("{duplicate}||feedback|1"),
        ]
    );
}

#[tokio::test]
async fn a_client_that_chose_a_priority_gets_it() {
    let mut world = World::new().await;
    let event = NewEvent { priority: Some(Priority::Low), handled: false, ..world.event("KeyError") };
    world.record(&[event]).await;
    world.record(&[NewEvent { level: Level::Fatal, ..world.event("KeyError") }]).await;
    let low = Priority::Low.code();
    assert_eq!(
        world.rows("SELECT priority, priority_chosen, level FROM issues").await,
        [format!("{low}|t|50")]
    );
}
