//! Merging, parting, deleting and discarding, also while recorders are at work.

use super::support::{World, hash, hex, told};
use bugle_model::{IssueId, Outcome};
use bugle_store::issues::merge::{self, Gone, MergeError};
use bugle_store::issues::{self, moves};
use bugle_store::record::{Batch, Cache, NewEvent, record};
use bugle_store::{Connection, Scope, StoreError, Transactions, discards};
use chrono::{DateTime, TimeDelta, Utc};

/// An issue's counts in every place they are kept in, and its events.
const COUNTS: &str = "SELECT i.title, c.events,
        (SELECT count(*) FROM events e WHERE e.issue_id = i.id),
        (SELECT sum(m.events) FROM issue_minutes m WHERE m.issue_id = i.id),
        (SELECT sum(h.events) FROM issue_hours h WHERE h.issue_id = i.id),
        (SELECT sum(h.events) FROM issue_hashes h WHERE h.issue_id = i.id), c.users
     FROM issues i JOIN issue_counts c ON c.issue_id = i.id ORDER BY i.id";

/// A number all of whose bits are evenly distributed, as a user's hash is.
fn spread(user: i64) -> i64 {
    let [high, low] = [0, 1].map(|part| {
        let bytes = hash(&format!("user {user} {part}"));
        bytes.iter().fold(0_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    });
    let mixed = (high ^ (low >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 32)).cast_signed()
}

async fn merge_into(
    connection: &mut Connection,
    into: IssueId,
    others: &[IssueId],
    now: DateTime<Utc>,
) -> Result<Vec<Gone>, MergeError> {
    loop {
        let merged = connection
            .transaction(async |connection| {
                merge::merge(connection, &Scope::All, into, others, "ann", now).await
            })
            .await;
        match merged {
            Err(MergeError::Store(error)) if error.is_conflict() => {}
            other => return other,
        }
    }
}

async fn follow(connection: &mut Connection, now: DateTime<Utc>) {
    while moves::advance(connection, now).await.unwrap() {}
}

impl World {
    async fn issue_of(&self, group: &str) -> IssueId {
        let id = self
            .number(&format!("SELECT issue_id FROM issue_hashes WHERE hash = '\\x{}'", hex(&hash(group))))
            .await;
        IssueId(id)
    }

    pub(super) async fn merge(&self, into: &str, others: &[&str]) {
        let into = self.issue_of(into).await;
        let mut ids = Vec::new();
        for group in others {
            ids.push(self.issue_of(group).await);
        }
        let mut connection = self.store.conn().await.unwrap();
        let gone = merge_into(&mut connection, into, &ids, self.now).await.unwrap();
        assert_eq!(gone.len(), others.len());
        follow(&mut connection, self.now).await;
    }

    async fn delete(&self, group: &str, discard: Option<&str>) {
        let issue = self.issue_of(group).await;
        let mut connection = self.store.conn().await.unwrap();
        let now = self.now;
        let gone = connection
            .transaction(async |connection| merge::delete(connection, &Scope::All, issue, discard, now).await)
            .await
            .unwrap();
        assert!(gone.is_some());
        follow(&mut connection, now).await;
    }

    fn by(&self, group: &str, user: i64, page: &str) -> NewEvent {
        let mut event = NewEvent { user: Some(user), ..self.event(group) };
        event.tags.insert("page".to_owned(), page.to_owned());
        event
    }
}

#[tokio::test]
async fn everything_that_is_counted_is_kept() {
    let mut world = World::new().await;
    let first = world.by("a", 1, "/a");
    world.record(&[first.clone(), world.by("a", 2, "/a")]).await;
    world.later(TimeDelta::hours(1));
    world.record(&[world.by("b", 2, "/b"), world.by("b", 3, "/b"), world.by("c", 4, "/c")]).await;
    world.record(&[world.by("d", 4, "/c")]).await;
    let (b, number) = (world.issue_of("b").await, "SELECT number::bigint FROM issues WHERE title LIKE 'b:%'");
    let number = world.number(number).await;
    world.merge("a", &["b", "c"]).await;
    assert_eq!(world.rows(COUNTS).await, ["a: failed|5|5|5|5|5|4", "d: failed|1|1|1|1|1|1"]);
    let a = world.issue_of("a").await;
    let tags = format!("SELECT value FROM issue_tags WHERE issue_id = {a} ORDER BY 1");
    assert_eq!(world.rows(&tags).await, ["/a", "/b", "/c"]);
    assert_eq!(
        world.rows("SELECT kind, jsonb_array_length(data -> 'issues') FROM issue_activity").await,
        ["merged|2"]
    );
    for event in [&first] {
        assert_eq!(world.stored(event.event_id).await.issue, a);
    }
    // Their fingerprints lead to it from now on, also for a recorder that remembers them.
    world.record(&[world.by("b", 5, "/b"), world.by("c", 1, "/new")]).await;
    assert_eq!(world.rows(COUNTS).await, ["a: failed|7|7|7|7|7|5", "d: failed|1|1|1|1|1|1"]);
    // Their ids lead to it, also when it becomes part of another.
    let mut connection = world.store.conn().await.unwrap();
    assert_eq!(merge::merged_into(&mut connection, b).await.unwrap(), Some(a));
    world.merge("d", &["a"]).await;
    let d = world.issue_of("d").await;
    assert_eq!(merge::merged_into(&mut connection, b).await.unwrap(), Some(d));
    let found = issues::find(&mut connection, &Scope::All, &format!("SHOP-{number}")).await.unwrap();
    assert_eq!(found, Some(d));
    assert_eq!(world.rows(COUNTS).await, ["d: failed|8|8|8|8|8|5"]);
    assert_eq!(world.number("SELECT count(*) FROM issue_moves").await, 0);
}

#[tokio::test]
async fn many_users_are_estimated_together() {
    let mut world = World::new().await;
    let crowd = |world: &World, group: &str, users: std::ops::Range<i64>| -> Vec<NewEvent> {
        users.map(|user| NewEvent { user: Some(spread(user)), ..world.event(group) }).collect()
    };
    world.record(&crowd(&world, "a", 0..700)).await;
    world.record(&crowd(&world, "b", 500..1_200)).await;
    world.record(&crowd(&world, "c", 0..1_500)).await;
    world.merge("a", &["b"]).await;
    let users = "SELECT users::bigint FROM issue_counts ORDER BY issue_id LIMIT 1";
    let together = world.number(users).await;
    assert!((1_100..1_300).contains(&together), "{together}");
    world.merge("a", &["c"]).await;
    let together = world.number(users).await;
    assert!((1_400..1_600).contains(&together), "{together}");
    assert_eq!(world.number("SELECT count(*) FROM issue_users").await, 0);
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused() {
    let mut world = World::new().await;
    world.record(&[world.event("a")]).await;
    let a = world.issue_of("a").await;
    let mut connection = world.store.conn().await.unwrap();
    let other = bugle_store::projects::create(&mut connection, "blog", world.now).await.unwrap().id;
    world.record(&[NewEvent { project: other, ..world.event("b") }]).await;
    let b = world.issue_of("b").await;
    let refused = merge_into(&mut connection, a, &[b], world.now).await.unwrap_err();
    assert!(matches!(refused, MergeError::OtherProject(id) if id == b));
    let refused = merge_into(&mut connection, a, &[IssueId(4711)], world.now).await.unwrap_err();
    assert!(matches!(refused, MergeError::Missing(IssueId(4711))));
    assert!(merge_into(&mut connection, a, &[a], world.now).await.unwrap().is_empty());
    let nobody = merge::merge(&mut connection, &Scope::default(), a, &[b], "eve", world.now).await;
    assert!(matches!(nobody, Err(MergeError::Missing(_))));
}

/// Two recorders write while all issues are merged, pair by pair, into one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_it_is_recorded() {
    const GROUPS: usize = 8;
    const ROUNDS: usize = 40;
    let mut world = World::new().await;
    let groups: Vec<String> = (0..GROUPS).map(|number| format!("group-{number}")).collect();
    let opening: Vec<NewEvent> = groups.iter().map(|group| world.by(group, 0, "/")).collect();
    world.record(&opening).await;
    let mut recorders = Vec::new();
    let (started, mut waiting) = tokio::sync::mpsc::channel(64);
    for recorder in 0..2_i64 {
        let store = bugle_store::connect(world.database.url(), 1).unwrap();
        let batches: Vec<Vec<NewEvent>> = (0..ROUNDS)
            .map(|round| {
                let user = recorder * 1_000 + i64::try_from(round).unwrap();
                let mut events: Vec<NewEvent> =
                    groups.iter().map(|group| world.by(group, user, "/")).collect();
                for (event, next) in events.iter_mut().zip(groups.iter().skip(1)) {
                    // Further fingerprints are claimed on the way.
                    if round % 10 == 0 {
                        event.hashes.push(hash(&format!("{next} {recorder} {round}")));
                    }
                }
                events
            })
            .collect();
        let (now, started) = (world.now, started.clone());
        recorders.push(tokio::spawn(async move {
            let (mut cache, mut new) = (Cache::default(), 0);
            for events in batches {
                let batch = Batch { events, ..Batch::default() };
                new += record(&store, &mut cache, &batch, now).await.unwrap().events;
                started.send(()).await.unwrap();
            }
            new
        }));
    }
    drop(started);
    let into = world.issue_of("group-0").await;
    let mut connection = world.store.conn().await.unwrap();
    let mut recorded = 0;
    for group in &groups[1..] {
        // Each merge happens in the middle of the recorders' work.
        for _ in 0..4 {
            waiting.recv().await.unwrap();
            recorded += 1;
        }
        let other = world.issue_of(group).await;
        merge_into(&mut connection, into, &[other], world.now).await.unwrap();
        moves::advance(&mut connection, world.now).await.unwrap();
    }
    assert!(recorded < 2 * ROUNDS, "recorders were still at it");
    while waiting.recv().await.is_some() {}
    let mut new = 0;
    for recorder in recorders {
        new += recorder.await.unwrap();
    }
    follow(&mut connection, world.now).await;
    let all = GROUPS * ROUNDS * 2;
    assert_eq!(new, all);
    let all = all + GROUPS;
    assert_eq!(
        world.rows(COUNTS).await,
        [format!("group-0: failed|{all}|{all}|{all}|{all}|{all}|{}", 2 * ROUNDS)]
    );
    assert_eq!(world.number("SELECT count(*) FROM issue_moves").await, 0);
    assert_eq!(world.number("SELECT count(*) FROM issue_hashes h LEFT JOIN issues i ON i.id = h.issue_id WHERE i.id IS NULL").await, 0);
    for event in &opening {
        assert_eq!(world.stored(event.event_id).await.issue, into);
    }
}

#[tokio::test]
async fn a_fingerprint_gets_an_issue_of_its_own_for_what_comes() {
    let mut world = World::new().await;
    world.record(&[world.event("a"), world.event("b")]).await;
    world.merge("a", &["b"]).await;
    // The recorder remembers both.
    world.record(&[world.event("a"), world.event("b")]).await;
    let a = world.issue_of("a").await;
    let mut connection = world.store.conn().await.unwrap();
    let now = world.now;
    let part = async |connection: &mut Connection, hashes: Vec<[u8; 16]>| {
        connection
            .transaction(async |connection| {
                merge::unmerge(connection, &Scope::All, a, &hashes, None, "ann", now).await
            })
            .await
    };
    let refused = part(&mut connection, vec![hash("c")]).await.unwrap_err();
    assert!(matches!(refused, MergeError::NoFingerprint(text) if text == hex(&hash("c"))));
    let refused = part(&mut connection, vec![hash("a"), hash("b")]).await.unwrap_err();
    assert!(matches!(refused, MergeError::NothingLeft));
    let new = part(&mut connection, vec![hash("b")]).await.unwrap();
    let recorded = world.record(&[world.event("a"), world.event("b"), world.event("b")]).await;
    assert!(told(&recorded).is_empty(), "nobody is told of it as of a new one");
    let counts = "SELECT issue_id, events, (SELECT count(*) FROM events e WHERE e.issue_id = c.issue_id)
                  FROM issue_counts c ORDER BY 1";
    assert_eq!(world.rows(counts).await, [format!("{a}|5|5"), format!("{new}|2|2")]);
    // A recorder with another memory comes to the same.
    world.cache = Cache::default();
    world.record(&[world.event("b")]).await;
    assert_eq!(world.rows(counts).await, [format!("{a}|5|5"), format!("{new}|3|3")]);
    assert_eq!(world.rows("SELECT kind FROM issue_activity WHERE kind = 'unmerged'").await.len(), 2);
}

#[tokio::test]
async fn a_deleted_issue_is_gone_with_its_events_and_may_come_again() {
    let mut world = World::new().await;
    let one = world.by("a", 1, "/");
    world.record(&[one, world.by("a", 2, "/"), world.by("b", 1, "/")]).await;
    world.delete("a", None).await;
    assert_eq!(world.rows(COUNTS).await, ["b: failed|1|1|1|1|1|1"]);
    for table in ["events", "issue_minutes", "issue_hours", "issue_users", "issue_tags", "anchors"] {
        let left = world.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(left, 1, "{table}");
    }
    assert_eq!(told(&world.record(&[world.event("a")]).await), ["issue.opened 0 medium"]);
}

#[tokio::test]
async fn what_is_discarded_is_filtered_until_it_is_not() {
    let mut world = World::new().await;
    let mut two = world.event("a");
    two.hashes.push(hash("a, second"));
    world.record(&[two, world.event("b")]).await;
    world.delete("a", Some("ann")).await;
    let again = NewEvent { hashes: vec![hash("a, second")], ..world.event("c") };
    let delivered = [world.event("a"), world.event("b"), again, world.event("a")];
    assert_eq!(world.record(&delivered).await.events, 1);
    assert_eq!(world.record(&delivered).await.events, 0, "delivered again");
    assert_eq!(world.record(&[world.event("a")]).await.events, 0);
    let filtered =
        format!("SELECT reason, quantity FROM outcomes WHERE outcome = {}", Outcome::Filtered.code());
    assert_eq!(world.rows(&filtered).await, ["discarded|4"]);
    assert_eq!(world.rows("SELECT title FROM issues").await, ["b: failed"]);
    let mut connection = world.store.conn().await.unwrap();
    let listed = discards::list(&mut connection, world.project, None, 10).await.unwrap();
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((one.title.as_str(), one.fingerprints, one.created_by.as_str()), ("a: failed", 2, "ann"));
    assert!(discards::remove(&mut connection, world.project, one.id).await.unwrap().is_some());
    assert!(discards::remove(&mut connection, world.project, one.id).await.unwrap().is_none());
    assert_eq!(told(&world.record(&[world.event("a")]).await), ["issue.opened 0 medium"]);
}

/// A recorder that has looked up its issues waits for the lock of a merge, finds them gone and looks again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_waits_for_a_merge_follows_it() -> Result<(), StoreError> {
    let mut world = World::new().await;
    world.record(&[world.event("a"), world.event("b")]).await;
    let (a, b) = (world.issue_of("a").await, world.issue_of("b").await);
    let batch = Batch { events: world.events("b", 3), ..Batch::default() };
    let (store, now) = (bugle_store::connect(world.database.url(), 1)?, world.now);
    let mut cache = std::mem::take(&mut world.cache);
    let mut connection = world.store.conn().await?;
    let waiter = &world;
    let recorder = connection
        .transaction(async |connection| {
            merge::merge(connection, &Scope::All, a, &[b], "ann", now).await.unwrap();
            let recorder = tokio::spawn(async move { record(&store, &mut cache, &batch, now).await });
            waiter.somebody_waits().await;
            Ok::<_, StoreError>(recorder)
        })
        .await?;
    assert_eq!(recorder.await.unwrap()?.events, 3);
    follow(&mut connection, now).await;
    assert_eq!(world.rows(COUNTS).await, ["a: failed|5|5|5|5|5|0"]);
    Ok(())
}
