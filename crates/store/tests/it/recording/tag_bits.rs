//! Events of an issue, found by their tags. What cannot have a tag is left out before its payload is undone, and nothing else is.

use super::support::{World, from_model};
use bugle_model::{Event, User, parse_event_id};
use bugle_store::events::{EventFilter, MOST_SEARCHED, search};
use bugle_store::issues::TagFilter;
use bugle_store::record::NewEvent;
use uuid::Uuid;

const TRACE: &str = "771a43a4192642f0b136d5159a501700";

/// As the recorder makes it; its tag `name` tells which it is.
fn named(world: &World, name: &str, change: impl FnOnce(&mut Event)) -> NewEvent {
    let mut model = Event::new(Uuid::new_v4(), world.now);
    model.tags.insert("name".to_owned(), name.to_owned());
    change(&mut model);
    let mut tags = model.tags.clone();
    for (key, value) in [
        ("release", &model.release),
        ("environment", &model.environment),
        ("transaction", &model.transaction),
    ] {
        if let Some(value) = value {
            tags.insert(key.to_owned(), value.clone());
        }
    }
    if model.trace_id.is_some() {
        tags.entry("trace".to_owned()).or_default();
    }
    if model.user.is_some() {
        tags.entry("user".to_owned()).or_default();
    }
    let tags = tags.into_iter().map(|(key, value)| (key, value.chars().take(200).collect())).collect();
    NewEvent {
        release: model.release.clone(),
        environment: model.environment.clone(),
        user: model.user.as_ref().and_then(User::identity_hash),
        trace: model.trace_id.as_deref().and_then(parse_event_id),
        tags,
        ..from_model(world.project, &model, "KeyError", world.now)
    }
}

fn tagged(world: &World, name: &str, key: &str, value: &str) -> NewEvent {
    named(world, name, |event| {
        event.tags.insert(key.to_owned(), value.to_owned());
    })
}

fn events(world: &World) -> Vec<NewEvent> {
    vec![
        named(world, "firefox", |event| {
            event.tags.insert("browser".to_owned(), "Firefox".to_owned());
            event.release = Some("1.4.2".to_owned());
            event.environment = Some("production".to_owned());
        }),
        named(world, "chrome", |event| {
            event.tags.insert("browser".to_owned(), "Chrome".to_owned());
            event.release = Some("1.5.0".to_owned());
            event.environment = Some("staging".to_owned());
        }),
        named(world, "request", |event| event.transaction = Some("GET /cart".to_owned())),
        tagged(world, "job", "transaction", "job"),
        named(world, "both", |event| {
            event.transaction = Some("GET /order".to_owned());
            event.tags.insert("transaction".to_owned(), "overridden".to_owned());
        }),
        named(world, "ann", |event| {
            event.user = Some(User { id: Some("ann".to_owned()), ..User::default() });
        }),
        tagged(world, "ben", "user", "ben"),
        named(world, "traced", |event| event.trace_id = Some(TRACE.to_owned())),
        tagged(world, "trace tag", "trace", "mine"),
        tagged(world, "199", "note", &"a".repeat(199)),
        tagged(world, "200", "note", &"b".repeat(200)),
        tagged(world, "300", "note", &"c".repeat(300)),
    ]
}

/// The names of the events that a filter by one tag finds.
async fn found(world: &World, key: &str, values: &[&str], negated: bool) -> Vec<String> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    let tags = vec![TagFilter { key: key.to_owned(), values, negated }];
    let filter = EventFilter { tags, ..EventFilter::default() };
    let issue = world.issue().await;
    let mut connection = world.store.conn().await.unwrap();
    let found = search(&mut connection, issue, &filter, None, false, 100, MOST_SEARCHED).await.unwrap();
    let mut names: Vec<String> =
        found.events.into_iter().map(|mut stored| stored.event.tags.remove("name").unwrap()).collect();
    names.sort();
    names
}

/// What the events of [`events`] are found by.
async fn all_are_found(world: &World) {
    let [short, whole, long, cut] =
        [("a", 199), ("b", 200), ("c", 300), ("c", 200)].map(|(c, n)| c.repeat(n));
    let cases: [(&str, &[&str], &[&str]); 22] = [
        ("browser", &["Firefox"], &["firefox"]),
        ("browser", &["Safari"], &[]),
        ("browser", &["Firefox", "Chrome"], &["chrome", "firefox"]),
        ("browser", &["Fire*"], &["firefox"]),
        ("browser", &[], &["chrome", "firefox"]),
        ("engine", &[], &[]),
        ("release", &["1.4.2"], &["firefox"]),
        ("release", &["1.4.3"], &[]),
        ("environment", &["staging"], &["chrome"]),
        ("transaction", &["GET /cart"], &["request"]),
        ("transaction", &["job"], &["job"]),
        ("transaction", &["GET /order"], &["both"]),
        ("transaction", &["overridden"], &[]),
        ("user", &[], &["ann", "ben"]),
        ("user", &["ben"], &["ben"]),
        ("trace", &[], &["trace tag", "traced"]),
        ("trace", &[TRACE], &["traced"]),
        ("trace", &["mine"], &["trace tag"]),
        ("note", &[short.as_str()], &["199"]),
        ("note", &[whole.as_str()], &["200"]),
        ("note", &[long.as_str()], &["300"]),
        ("note", &[cut.as_str()], &[]),
    ];
    for (key, values, expected) in cases {
        assert_eq!(found(world, key, values, false).await, expected, "{key} {values:?}");
    }
    let others = found(world, "browser", &["Firefox"], true).await;
    assert_eq!((others.len(), others.contains(&"firefox".to_owned())), (11, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_their_tags_also_those_of_whose_tags_nothing_is_known() {
    let mut world = World::new().await;
    let new = events(&world);
    world.record(&new).await;
    assert_eq!(world.number("SELECT count(*) FROM events WHERE tag_bits IS NOT NULL").await, 12);
    all_are_found(&world).await;
    // As they were before there were any.
    world.execute("UPDATE events SET tag_bits = NULL").await;
    all_are_found(&world).await;
    // It is these that leave events out.
    world.execute("UPDATE events SET tag_bits = 0").await;
    assert_eq!(found(&world, "browser", &["Firefox"], false).await, [] as [&str; 0]);
    assert_eq!(found(&world, "browser", &[], false).await, ["chrome", "firefox"]);
}
