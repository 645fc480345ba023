//! Searching for events: those of one issue, its neighbours, and those of a trace across projects.

use crate::harness::{App, ids, noon};
use crate::people::{person, session, team};
use crate::search::ask;
use bugle_model::{Event, Exception, Frame, InstallationRole, ProjectId, Stacktrace, TeamRole, User};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

const TRACE: &str = "4f1d6c2a9b3e4d5f8a7b6c5d4e3f2a1b";

fn event(number: u128, browser: &str) -> Event {
    let mut event = Event::new(Uuid::from_u128(number), noon());
    event.tags.insert("browser".to_owned(), browser.to_owned());
    event.user = Some(User { email: Some(format!("u{number}@example.com")), ..User::default() });
    event
}

fn events_of(page: &Value) -> Vec<u128> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| Uuid::parse_str(item["event_id"].as_str().unwrap()).unwrap().as_u128()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_issue_are_searched_and_walked() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    for number in 1..=6 {
        let browser = if number % 2 == 0 { "Chrome 120" } else { "Firefox" };
        app.event(project, issue, &event(number, browser), 60 - i64::try_from(number).unwrap()).await;
    }
    app.database
        .execute(&format!(
            "UPDATE events SET level = 50, trace_id = '{TRACE}' WHERE event_id = '{}'",
            Uuid::from_u128(4)
        ))
        .await
        .unwrap();
    let path = format!("/api/v1/issues/{issue}/events");
    let since = (noon() - TimeDelta::minutes(57)).to_rfc3339();
    for (query, expected) in [
        ("", vec![6, 5, 4, 3, 2, 1]),
        ("browser:Chrome*", vec![6, 4, 2]),
        ("!browser:Firefox level:fatal", vec![4]),
        ("has:trace", vec![]),
        ("has:user !has:browser", vec![]),
        ("user.email:U3@example.com", vec![3]),
        ("age:-57m", vec![6, 5, 4, 3]),
        ("!level:fatal level:fatal level:error", vec![6, 5, 3, 2, 1]),
        ("level:error !level:error", vec![]),
        ("!level:error level:error", vec![]),
    ] {
        let page = ask(&app, &path, &[("query", query)]).await.ok(200);
        assert_eq!(events_of(&page), expected, "{query}");
        assert_eq!(page["next"], Value::Null, "{query}");
    }
    let traced = ask(&app, &path, &[("query", &format!("trace:{TRACE}"))]).await.ok(200);
    assert_eq!(events_of(&traced), [4]);
    let page =
        ask(&app, &path, &[("since", &since), ("limit", "2"), ("query", "browser:Chrome*")]).await.ok(200);
    assert_eq!((events_of(&page), page["searched"].as_u64()), (vec![6, 4], Some(4)));
    let next = page["next"].as_str().unwrap_or_default();
    let rest = ask(&app, &path, &[("since", &since), ("cursor", next), ("query", "browser:Chrome*")]).await;
    assert_eq!(events_of(&rest.ok(200)), [] as [u128; 0]);

    let walk = async |which: &str, query: &str| {
        let answer = ask(&app, &format!("{path}/{which}"), &[("query", query)]).await.ok(200);
        ["first", "previous", "next", "last"]
            .map(|way| answer[way].as_str().map(|id| Uuid::parse_str(id).unwrap().as_u128()))
    };
    assert_eq!(walk("last", "").await, [Some(1), Some(5), None, Some(6)]);
    assert_eq!(walk("first", "").await, [Some(1), None, Some(2), Some(6)]);
    let middle = Uuid::from_u128(3).simple().to_string();
    assert_eq!(walk(&middle, "").await, [Some(1), Some(2), Some(4), Some(6)]);
    assert_eq!(walk(&middle, "browser:Firefox").await, [Some(1), Some(1), Some(5), Some(5)]);
    assert_eq!(app.get(&format!("{path}/{}", Uuid::from_u128(99))).await.status, 404);
    let wrong = ask(&app, &path, &[("query", "x is:resolved"), ("since", "noon")]).await.mistakes();
    assert_eq!(
        wrong,
        [
            "query: `is:` is about issues, not about one of their events",
            "since: `noon` is not a time such as 2026-11-28T09:00:00Z"
        ]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_what_they_say_and_where_they_happened() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let raised = |number: u128, kind: &str, value: &str, function: &str, file: &str| {
        let frame = |function: &str, file: &str| Frame {
            function: Some(function.to_owned()),
            filename: Some(file.to_owned()),
            ..Frame::default()
        };
        let frames = vec![frame("main", "app.py"), frame(function, file)];
        let mut event = event(number, "Firefox");
        event.exceptions = vec![Exception {
            kind: Some(kind.to_owned()),
            value: Some(value.to_owned()),
            stacktrace: Some(Stacktrace { frames, ..Stacktrace::default() }),
            ..Exception::default()
        }];
        event
    };
    let events = [
        raised(1, "Declined", "card of \"ann\"", "charge_card", "shop/pay.py"),
        raised(2, "Declined", "card of ben", "refund", "shop/pay.py"),
        raised(3, "Größe", "zu groß", "prüfe", "laden\\größe.py"),
    ];
    for (number, event) in (1..).zip(&events) {
        app.event(project, issue, event, 60 - number).await;
    }
    let path = format!("/api/v1/issues/{issue}/events");
    for (query, expected) in [
        ("Charge_Card", vec![1]),
        ("shop/pay.py", vec![2, 1]),
        ("declined refund", vec![2]),
        ("\"card of \\\"ANN\\\"\"", vec![1]),
        ("GRÖSSE", vec![]),
        ("GRÖßE.PY", vec![3]),
        ("laden\\größe", vec![3]),
        ("charge_card refund", vec![]),
        ("firefox", vec![]),
    ] {
        let page = ask(&app, &path, &[("query", query)]).await.ok(200);
        assert_eq!(events_of(&page), expected, "{query}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_neighbours_has_an_end() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    app.event(project, issue, &event(1, "Chrome 120"), 60).await;
    app.event(project, issue, &event(2, "Firefox"), 59).await;
    app.database
        .execute(
            "INSERT INTO events (received_at, issue_id, project_id, level, retention, event_id, payload)
             SELECT e.received_at + n * interval '1 second', e.issue_id, e.project_id, 40, 90, gen_random_uuid(), e.payload
             FROM events e, generate_series(1, 500) n WHERE e.event_id = '00000000-0000-0000-0000-000000000002'",
        )
        .await
        .unwrap();
    let path = format!("/api/v1/issues/{issue}/events");
    let chrome = [("query", "browser:Chrome*")];
    assert_eq!(events_of(&ask(&app, &path, &chrome).await.ok(200)), [1]);
    let found = ask(&app, &format!("{path}/first"), &chrome).await.ok(200);
    assert_eq!(found["first"], json!(Uuid::from_u128(1).simple().to_string()));
    assert_eq!([&found["previous"], &found["next"], &found["last"]], [&Value::Null; 3]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_across_projects_and_hides_those_of_others() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let mut of_shop = None;
    for (name, team, number) in [("shop", blue, 1), ("secret", red, 2)] {
        let project: ProjectId = app.project(name).await;
        app.database
            .execute(&format!("UPDATE projects SET team_id = {team} WHERE id = {project}"))
            .await
            .unwrap();
        let issue = app.issue(project, 1, name, 1).await;
        app.event(project, issue, &event(number, "Firefox"), 5).await;
        of_shop = of_shop.or(Some(issue.0));
    }
    app.database.execute(&format!("UPDATE events SET trace_id = '{TRACE}'")).await.unwrap();
    let path = format!("/api/v1/events?trace={TRACE}");
    let all = app.get(&path).await.ok(200);
    assert_eq!((events_of(&all), &all["hidden"], &all["more"]), (vec![2, 1], &json!(0), &json!(false)));
    let (id, _) = person(&app, "bea", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let browser = session(&app, id, "bea").await;
    let seen = app.send(app.client.get(app.url(&path)).header("cookie", &browser.cookie)).await.ok(200);
    assert_eq!((events_of(&seen), &seen["hidden"]), (vec![1], &json!(1)));
    assert!(!seen.to_string().contains("secret"), "{seen}");
    let by_trace = app
        .send(
            app.client
                .get(app.url("/api/v1/issues"))
                .query(&[("query", format!("trace:{TRACE}"))])
                .header("cookie", &browser.cookie),
        )
        .await;
    assert_eq!(ids(&by_trace.ok(200)), [of_shop.unwrap()]);
    assert_eq!(app.get("/api/v1/events?trace=xyz").await.mistakes().len(), 1);
    assert_eq!(app.get("/api/v1/events").await.mistakes().len(), 1);
    app.stop().await;
}
