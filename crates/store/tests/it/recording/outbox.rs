//! Signals wait in the outbox until they are confirmed.

use super::support::World;
use bugle_store::outbox;
use chrono::TimeDelta;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

async fn fill(world: &mut World, count: usize) {
    for number in 0..count {
        world.record(&[world.event(&format!("group-{number}"))]).await;
    }
}

#[tokio::test]
async fn what_is_not_confirmed_stays() {
    let mut world = World::new().await;
    fill(&mut world, 4).await;
    let later = world.now + TimeDelta::seconds(1);
    let none =
        outbox::sweep(&world.store, world.now, async |rows| rows.iter().map(|row| row.id).collect()).await;
    assert_eq!(none.unwrap(), 0, "they are too young");
    assert_eq!(outbox::sweep(&world.store, later, async |_| Vec::new()).await.unwrap(), 0);
    assert_eq!(outbox::depth(&mut world.store.conn().await.unwrap()).await.unwrap(), 4);
    let some =
        outbox::sweep(&world.store, later, async |rows| rows.iter().skip(3).map(|row| row.id).collect())
            .await;
    assert_eq!(some.unwrap(), 1);
    let seen = Mutex::new(Vec::new());
    let all = outbox::sweep(&world.store, later, async |rows| {
        seen.lock().unwrap().extend(rows.iter().map(|row| row.message_id));
        rows.iter().map(|row| row.id).collect()
    });
    assert_eq!(all.await.unwrap(), 3);
    assert_eq!(seen.lock().unwrap().len(), 3);
    assert_eq!(outbox::depth(&mut world.store.conn().await.unwrap()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweepers_do_not_publish_the_same_row_at_once() {
    let mut world = World::new().await;
    fill(&mut world, 5).await;
    let later = world.now + TimeDelta::seconds(1);
    let (published, entered) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Notify::new()));
    let release = Arc::new(tokio::sync::Notify::new());
    let first = {
        let (store, published, entered, release) =
            (world.store.clone(), published.clone(), entered.clone(), release.clone());
        tokio::spawn(async move {
            let publish = |rows: Vec<outbox::OutboxRow>| {
                let (published, entered, release) = (published.clone(), entered.clone(), release.clone());
                async move {
                    published.fetch_add(rows.len(), Ordering::SeqCst);
                    entered.notify_one();
                    release.notified().await;
                    rows.iter().map(|row| row.id).collect()
                }
            };
            outbox::sweep(&store, later, publish).await.unwrap()
        })
    };
    entered.notified().await;
    let second = outbox::sweep(&world.store, later, async |rows| {
        published.fetch_add(rows.len(), Ordering::SeqCst);
        rows.iter().map(|row| row.id).collect()
    });
    assert_eq!(second.await.unwrap(), 0);
    release.notify_one();
    assert_eq!(first.await.unwrap(), 5);
    assert_eq!(published.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn confirmed_rows_are_gone() {
    let mut world = World::new().await;
    let recorded = world.record(&[world.event("KeyError")]).await;
    let mut connection = world.store.conn().await.unwrap();
    let ids: Vec<i64> = recorded.signals.iter().map(|row| row.id).collect();
    outbox::confirm(&mut connection, &ids).await.unwrap();
    assert_eq!(outbox::depth(&mut connection).await.unwrap(), 0);
}
