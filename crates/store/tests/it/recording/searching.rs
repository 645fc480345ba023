//! What recording leaves for those who search.

use super::support::*;
use bugle_model::{Event, Exception, Frame, LogMessage, Stacktrace, User, UserKey};
use bugle_store::Scope;
use bugle_store::issues::{Filter, PersonFilter, Sort, TagFilter, search};
use bugle_store::record::NewEvent;
use uuid::Uuid;

async fn found(world: &World, filter: Filter) -> Vec<String> {
    let mut connection = world.store.conn().await.unwrap();
    let filter = Filter { scope: Scope::All, ..filter };
    let found = search(&mut connection, &filter, Sort::LastSeen, None, 10).await.unwrap();
    found.into_iter().map(|found| found.issue.title).collect()
}

async fn by_text(world: &World, text: &str) -> Vec<String> {
    found(world, Filter { texts: vec![text.to_owned()], ..Filter::default() }).await
}

fn raised(world: &World, group: &str, value: &str, function: &str) -> NewEvent {
    let mut model = Event::new(Uuid::new_v4(), world.now);
    let frame = |function: &str, own| Frame {
        function: Some(function.to_owned()),
        module: Some("billing.gateway".to_owned()),
        filename: Some("src/billing/gateway.py".to_owned()),
        in_app: Some(own),
        ..Frame::default()
    };
    model.exceptions = vec![Exception {
        kind: Some(group.to_owned()),
        value: Some(value.to_owned()),
        stacktrace: Some(Stacktrace {
            frames: vec![frame("run_forever", false), frame(function, true)],
            ..Stacktrace::default()
        }),
        ..Exception::default()
    }];
    from_model(world.project, &model, group, world.now)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_functions_and_files_are_found() {
    let mut world = World::new().await;
    let event = raised(&world, "PayError", "card declined", "chargeCard");
    world.record(&[event, world.event("Other")]).await;
    let title = ["PayError: failed"];
    for text in
        ["declined", "chargeCard", "charge card", "gateway.py", "billing.gate", "run_forever", "payerror"]
    {
        assert_eq!(by_text(&world, text).await, title, "{text}");
    }
    assert_eq!(by_text(&world, "declined card").await, [] as [&str; 0]);

    // Another kind of event of the same issue adds its words; one like those before adds nothing.
    let mut other = raised(&world, "PayError", &"x1 y2 z3 ".repeat(400), "refund");
    other.document = {
        let mut model = Event::new(other.event_id, world.now);
        model.message =
            Some(LogMessage { formatted: Some("voucher expired".to_owned()), ..LogMessage::default() });
        model.extra = (0..400).map(|n| (format!("{n}"), Uuid::new_v4().to_string().into())).collect();
        from_model(world.project, &model, "PayError", world.now).document
    };
    world.record(&[other]).await;
    assert_eq!(by_text(&world, "voucher").await, title);
    assert_eq!(by_text(&world, "declined").await, title);
    assert_eq!(world.number("SELECT count(*) FROM issue_texts").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_bounded() {
    let mut world = World::new().await;
    let endless = (0..20_000).map(|n| format!("w{n} ")).collect::<String>();
    let mut event = raised(&world, "PayError", &endless, &"f".repeat(5_000));
    event.title = "x".repeat(256);
    let another = raised(&world, "Nul", "a\0b 'quoted' & | ! <-> :*", "g");
    world.record(&[event, another]).await;
    assert!(world.number("SELECT max(length(words))::bigint FROM issue_texts").await < 2_000);
    assert_eq!(by_text(&world, "quoted").await, ["Nul: failed"]);
    assert_eq!(by_text(&world, "' | ! & quoted").await, ["Nul: failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_users_of_an_issue_are_found() {
    let mut world = World::new().await;
    let of = |world: &World, number: i64| {
        let user = User {
            id: Some(number.to_string()),
            email: Some(format!("U{number}@example.com")),
            ..User::default()
        };
        NewEvent { user: user.identity_hash(), user_keys: user.key_hashes(), ..world.event("KeyError") }
    };
    let first: Vec<NewEvent> = (0..150).map(|number| of(&world, number)).collect();
    world.record(&first).await;
    world.record(&first[..10]).await;
    let more: Vec<NewEvent> = (150..300).map(|number| of(&world, number)).collect();
    world.record(&more).await;
    world.record(&[of(&world, 400)]).await;
    assert_eq!(world.number("SELECT count(*) FROM issue_user_keys").await, 400);
    let by = async |world: &World, key: UserKey, value: &str| {
        let people = vec![PersonFilter { keys: vec![key.hash(value)], negated: false }];
        found(world, Filter { people, ..Filter::default() }).await.len()
    };
    assert_eq!(by(&world, UserKey::Email, "u7@EXAMPLE.com").await, 1);
    assert_eq!(by(&world, UserKey::Id, "160").await, 1);
    assert_eq!(by(&world, UserKey::Id, "400").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranks_and_names_of_tags_follow() {
    let mut world = World::new().await;
    let tagged = |world: &World, value: &str| {
        let mut event = world.event("KeyError");
        event.tags.insert("browser".to_owned(), value.to_owned());
        event
    };
    world
        .record(&[tagged(&world, "Chrome 120"), tagged(&world, "Chrome 121"), tagged(&world, "Firefox")])
        .await;
    let ranks = "SELECT events || ' ' || users || ' ' || status || ' ' || priority FROM issue_ranks";
    assert_eq!(world.rows(ranks).await, ["3 0 0 2"]);
    let events = world.events("KeyError", 60);
    world.record(&events).await;
    assert_eq!(world.rows(ranks).await, ["47 0 0 2"]);
    world.execute("UPDATE issues SET status = 2, priority = 4").await;
    assert_eq!(world.rows(ranks).await, ["47 0 2 4"]);
    assert_eq!(
        world.rows("SELECT value FROM project_tags WHERE key = 'browser' ORDER BY value").await,
        ["Chrome 120", "Chrome 121", "Firefox"]
    );
    for (value, expected) in [("Chrome*", 1), ("*fox", 1), ("Safari*", 0), ("*", 1)] {
        let tags =
            vec![TagFilter { key: "browser".to_owned(), values: vec![value.to_owned()], negated: false }];
        assert_eq!(found(&world, Filter { tags, ..Filter::default() }).await.len(), expected, "{value}");
    }
    // A tag with ever new values: some of them are known by name, and a wildcard still finds all.
    let many: Vec<NewEvent> = (0..1_100)
        .map(|n| {
            let mut event = world.event(&format!("Group{}", n / 150));
            event.tags.insert("request".to_owned(), format!("r{n}"));
            event
        })
        .collect();
    world.record(&many).await;
    assert!(world.number("SELECT count(*) FROM project_tags WHERE key = 'request'").await >= 1_000);
    let tags =
        vec![TagFilter { key: "request".to_owned(), values: vec!["r109*".to_owned()], negated: false }];
    assert_eq!(
        found(&world, Filter { tags, ..Filter::default() }).await,
        ["Group7: failed", "Group0: failed"],
        "r1090 to r1099, and r109"
    );
    world.execute("DELETE FROM issues").await;
    assert_eq!(world.number("SELECT count(*) FROM issue_ranks").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_issue_is_found_by_what_the_others_were_found_by() {
    let mut world = World::new().await;
    let mut event = raised(&world, "PayError", "card declined", "chargeCard");
    let ann = User { email: Some("ann@example.com".to_owned()), ..User::default() };
    (event.user, event.user_keys) = (ann.identity_hash(), ann.key_hashes());
    world.record(&[event, world.event("Other")]).await;
    world.merge("Other", &["PayError"]).await;
    for text in ["declined", "chargeCard", "other"] {
        assert_eq!(by_text(&world, text).await, ["Other: failed"], "{text}");
    }
    let ann = PersonFilter { keys: vec![UserKey::Email.hash("ann@example.com")], negated: false };
    assert_eq!(found(&world, Filter { people: vec![ann], ..Filter::default() }).await, ["Other: failed"]);
}
