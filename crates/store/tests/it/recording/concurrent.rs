//! Several recorders at once, each with its own memory, and the same batches in another order.

use super::support::{World, hash};
use bugle_store::record::{Batch, Cache, NewEvent, record};
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, HashSet};

const RECORDERS: usize = 4;
const ROUNDS: usize = 12;
const EVENTS: usize = 40;

/// A sequence without a pattern, the same at each run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.next(i + 1));
        }
    }
}

/// Rounds of events, each of which opens new issues; some events have a second hash.
fn rounds(world: &World) -> Vec<Vec<NewEvent>> {
    let mut dice = Dice(42);
    let round = |round: usize, dice: &mut Dice| {
        (0..EVENTS)
            .map(|_| {
                let group = format!("group-{}", round * 3 + dice.next(8));
                let mut event = NewEvent {
                    user: Some(dice.next(50) as i64),
                    release: Some(format!("1.{}.0", dice.next(4))),
                    environment: Some(["production", "staging"][dice.next(2)].to_owned()),
                    ..world.event(&group)
                };
                event.tags.insert("page".to_owned(), format!("/{}", dice.next(20)));
                if dice.next(4) == 0 {
                    event.hashes.push(hash(&format!("{group}, second")));
                }
                event
            })
            .collect()
    };
    (0..ROUNDS).map(|number| round(number, &mut dice)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_counted_twice() {
    let world = World::new().await;
    let rounds = rounds(&world);
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(RECORDERS));
    let mut recorders = Vec::new();
    for number in 0..RECORDERS {
        let store = bugle_store::connect(world.database.url(), 1).unwrap();
        let (rounds, barrier, now) = (rounds.clone(), barrier.clone(), world.now);
        recorders.push(tokio::spawn(async move {
            let (mut cache, mut dice, mut total) = (Cache::default(), Dice(number as u64 + 1), 0);
            for mut events in rounds {
                dice.shuffle(&mut events);
                barrier.wait().await;
                for part in events.chunks(15) {
                    let batch = Batch { events: part.to_vec(), ..Batch::default() };
                    total += record(&store, &mut cache, &batch, now).await.unwrap().events;
                }
            }
            total
        }));
    }
    // All at once: one that fails leaves the others at the barrier.
    let new: usize = try_join_all(recorders).await.unwrap().into_iter().sum();
    let all: Vec<&NewEvent> = rounds.iter().flatten().collect();
    assert_eq!(new, all.len());
    check(&world, &all).await;
}

async fn check(world: &World, all: &[&NewEvent]) {
    let groups: HashSet<&str> = all.iter().map(|event| event.title.as_str()).collect();
    assert_eq!(
        world.number("SELECT count(*) FROM issues").await,
        groups.len() as i64,
        "one issue for each group"
    );
    assert_eq!(world.number("SELECT count(DISTINCT title) FROM issues").await, groups.len() as i64);
    let hashes: HashSet<[u8; 16]> = all.iter().flat_map(|event| event.hashes.clone()).collect();
    assert_eq!(world.number("SELECT count(*) FROM issue_hashes").await, hashes.len() as i64);

    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    for event in all {
        *expected.entry(event.title.as_str()).or_default() += 1;
    }
    let expected: Vec<String> = expected
        .iter()
        .map(|(title, count)| format!("{title}|{count}|{count}|{count}|{count}|{count}"))
        .collect();
    let counted = world
        .rows(
            "SELECT i.title, c.events,
                 (SELECT count(*) FROM events e WHERE e.issue_id = i.id),
                 (SELECT sum(m.events) FROM issue_minutes m WHERE m.issue_id = i.id),
                 (SELECT sum(h.events) FROM issue_hours h WHERE h.issue_id = i.id),
                 (SELECT sum(h.events) FROM issue_hashes h WHERE h.issue_id = i.id)
             FROM issues i JOIN issue_counts c ON c.issue_id = i.id ORDER BY i.title COLLATE \"C\"",
        )
        .await;
    assert_eq!(counted, expected);
    assert_eq!(
        world.number("SELECT count(*) FROM issue_counts c WHERE c.users <> (SELECT count(DISTINCT user_hash) FROM events e WHERE e.issue_id = c.issue_id)").await,
        0
    );
    assert_eq!(
        world.number("SELECT sum(quantity)::bigint FROM outcomes WHERE outcome = 0").await,
        all.len() as i64
    );
    assert_eq!(
        world.number("SELECT sum(quantity)::bigint FROM outcomes WHERE outcome = 4").await,
        (all.len() * (RECORDERS - 1)) as i64
    );
    // Each issue was told of once.
    let opened: i64 = world.number("SELECT sum(jsonb_array_length(convert_from(body, 'UTF8')::jsonb -> 'signals'))::bigint FROM outbox WHERE routing_key = 'issue.opened'").await;
    assert_eq!(opened, groups.len() as i64);
    for event in all {
        assert_eq!(world.stored(event.event_id).await.title, event.title);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loser_of_a_race_leaves_no_hash_without_an_issue() {
    // Each round, one recorder opens by the primary hash alone and the other by both.
    let world = World::new().await;
    let stores = [0, 1].map(|_| bugle_store::connect(world.database.url(), 1).unwrap());
    let mut caches = [Cache::default(), Cache::default()];
    for round in 0..30 {
        let group = format!("group-{round}");
        let one = world.event(&group);
        let mut two = world.event(&group);
        two.hashes.push(hash(&format!("{group}, second")));
        let three = NewEvent { hashes: vec![hash(&format!("{group}, second"))], ..world.event(&group) };
        let batches = [
            Batch { events: vec![one], ..Batch::default() },
            Batch { events: vec![two, three], ..Batch::default() },
        ];
        let [cache_a, cache_b] = &mut caches;
        let (a, b) = tokio::join!(
            record(&stores[0], cache_a, &batches[0], world.now),
            record(&stores[1], cache_b, &batches[1], world.now)
        );
        assert_eq!((a.unwrap().events, b.unwrap().events), (1, 2));
    }
    assert_eq!(world.number("SELECT count(*) FROM issues").await, 30);
    assert_eq!(world.number("SELECT count(*) FROM issue_hashes").await, 60);
    assert_eq!(world.number("SELECT count(*) FROM issue_counts WHERE events <> 3").await, 0);
    assert_eq!(world.number("SELECT sum(events)::bigint FROM issue_hashes").await, 90);
}
