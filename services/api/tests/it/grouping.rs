//! Grouping rules, tried before they are saved.

use crate::events::sample;
use crate::harness::App;
use crate::people::{person, session, team};
use bugle_model::{Event, Frame, InstallationRole, IssueId, ProjectId, Stacktrace, TeamRole};
use serde_json::{Value, json};
use uuid::Uuid;

const TRY: &str = "/api/v1/projects/shop/grouping/try";
const RULE: &str = "# money\ntype:PayError -> money {{ environment }} title=\"No money\"";

/// Has an issue open with the hash.
async fn known(app: &App, project: ProjectId, issue: IssueId, hash: &Value) {
    let hash = hash.as_str().unwrap();
    app.database
        .execute(&format!(
            "INSERT INTO issue_hashes (project_id, hash, issue_id, algorithm)
             VALUES ({project}, decode('{hash}', 'hex'), {issue}, 1)"
        ))
        .await
        .unwrap();
}

fn hash<'a>(trial: &'a Value, whose: &str) -> &'a Value {
    &trial[whose]["grouping"]["hashes"][0]["hash"]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_project_is_grouped_by_rules_that_are_not_saved() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "PayError: no money", 1).await;
    app.event(project, issue, &sample(), 1).await;
    let id = sample().event_id;

    let same = app.post(TRY, &json!({ "rules": "", "event_id": id })).await.ok(200);
    assert_eq!((&same["changed"], hash(&same, "proposed")), (&json!(false), hash(&same, "current")));
    assert_eq!(same["proposed"]["grouping"]["method"], "value");
    known(&app, project, issue, hash(&same, "current")).await;

    let tried = app.post(TRY, &json!({ "rules": RULE, "event_id": id.simple().to_string() })).await.ok(200);
    assert_eq!(tried["changed"], true);
    let proposed = &tried["proposed"]["grouping"];
    assert_eq!((&proposed["method"], &proposed["rule_line"]), (&json!("rule"), &json!(2)));
    assert_eq!(proposed["rule"], RULE.lines().last().unwrap());
    assert_eq!(proposed["title"], "No money");
    assert_eq!(proposed["components"][0]["children"][1]["value"], "production");
    let name = json!({ "id": issue, "short_id": "SHOP-1", "title": "PayError: no money" });
    assert_eq!(tried["proposed"]["leads_to"], "new");
    assert_eq!(tried["current"]["leads_to"], json!({ "issue": name }));
    assert_eq!((&tried["event"]["issue"], &tried["event"]["event_id"]), (&name, &json!(id)));

    // The answer is what saving brings.
    let other = app.issue(project, 2, "No money", 1).await;
    known(&app, project, other, hash(&tried, "proposed")).await;
    app.patch("/api/v1/projects/shop", &json!({ "settings": { "grouping_rules": RULE } })).await.ok(200);
    let saved = app.post(TRY, &json!({ "rules": RULE })).await.ok(200);
    assert_eq!((&saved["changed"], hash(&saved, "current")), (&json!(false), hash(&tried, "proposed")));
    assert_eq!(saved["current"]["leads_to"]["issue"]["short_id"], "SHOP-2");
    let why = app.get(&format!("/api/v1/issues/{issue}/grouping")).await.ok(200);
    assert_eq!(why, saved["proposed"]["grouping"]);

    app.database
        .execute(
            "INSERT INTO discards (id, project_id, title, created_by, created_at)
                 VALUES (1, 1, 'x', 'Ann', '2027-01-01T00:00:00Z');
             INSERT INTO discard_hashes (project_id, hash, discard_id)
                 SELECT project_id, hash, 1 FROM issue_hashes",
        )
        .await
        .unwrap();
    assert_eq!(app.post(TRY, &json!({ "rules": RULE })).await.ok(200)["proposed"]["leads_to"], "discarded");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_pasted_goes_the_recorders_way_and_leaves_nothing() {
    let app = App::start().await;
    app.project("shop").await;
    let settings =
        json!({ "filters": { "environments": ["dev*"] }, "grouping_rules": "level:fatal -> worst" });
    app.patch("/api/v1/projects/shop", &json!({ "settings": settings })).await.ok(200);
    let audited = app.database.number("SELECT count(*) FROM audit_log").await.unwrap();
    // As SDKs may send it: one exception instead of a list of them, and with a secret.
    let event = json!({
        "platform": "python", "environment": "dev-7", "level": "error",
        "exception": { "type": "PayError", "value": "password=hunter2 for order 4711" },
    });
    let rules = "type:PayError -> {{ type }} {{ value }}";
    let tried = app.post(TRY, &json!({ "rules": rules, "payload": event })).await;
    assert!(!tried.text.contains("hunter2"), "{}", tried.text);
    let tried = tried.ok(200);
    assert_eq!((&tried["changed"], &tried["event"]), (&json!(true), &json!(null)));
    assert_eq!(tried["filtered"], "environment");
    assert_eq!(tried["proposed"]["grouping"]["rule_line"], 1);
    assert_eq!(tried["current"]["grouping"]["method"], "value");
    let as_text = json!({ "rules": rules, "payload": event.to_string() });
    assert_eq!(app.post(TRY, &as_text).await.ok(200), tried);

    let mistake = app.post(TRY, &json!({ "rules": rules, "payload": "{\"level\": " })).await.mistakes();
    assert!(mistake[0].starts_with("payload: body: not JSON"), "{mistake:?}");
    let mistake = app.post(TRY, &json!({ "rules": rules, "payload": [1] })).await.mistakes();
    assert_eq!(mistake, ["payload: expected an event, or its JSON as a text"]);
    for table in ["events", "issues", "outcomes"] {
        assert_eq!(
            app.database.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(),
            0,
            "{table}"
        );
    }
    assert_eq!(app.database.number("SELECT count(*) FROM audit_log").await.unwrap(), audited);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_rules_is_told_with_its_line_and_place() {
    let app = App::start().await;
    app.project("shop").await;
    let rules = "type:A -> a\nlevel:error +apps";
    let refused = app.post(TRY, &json!({ "rules": rules, "payload": {} })).await.ok(422);
    let message =
        "grouping rules, line 2, column 13: expected `+app`, `-app`, `+group` or `-group`, found `+apps`";
    assert_eq!(refused["errors"], json!([{ "field": "rules", "message": message, "position": 24 }]));
    let settings = json!({ "settings": { "grouping_rules": rules } });
    let refused = app.patch("/api/v1/projects/shop", &settings).await.ok(422);
    assert_eq!(refused["errors"][0]["position"], 24);
    let long = app.post(TRY, &json!({ "rules": "#".repeat(70_000), "payload": {} })).await.mistakes();
    assert_eq!(
        long,
        ["rules: grouping rules, line 1, column 1: the rules have 70000 bytes, expected at most 65536"]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_of_the_project_and_only_its_team() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (shop, till) = (app.project("shop").await, app.project("till").await);
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {blue} WHERE id = {shop}; UPDATE projects SET team_id = {red} WHERE id = {till}"
        ))
        .await
        .unwrap();
    let issue = app.issue(till, 1, "x", 1).await;
    app.event(till, issue, &sample(), 1).await;
    let viewer = person(&app, "viewer", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await.0;
    let viewer = session(&app, viewer, "viewer").await;
    let unknown = ["event_id: the project has no such event"];
    for id in [sample().event_id.to_string(), Uuid::from_u128(7).to_string(), "latest".to_owned()] {
        let body = json!({ "rules": "", "event_id": id });
        assert_eq!(viewer.post(&app, TRY, &body).await.mistakes(), unknown, "{id}");
        assert_eq!(app.post(TRY, &body).await.mistakes(), unknown, "{id}");
    }
    assert_eq!(viewer.post(&app, TRY, &json!({ "rules": "" })).await.mistakes(), unknown);
    viewer.post(&app, TRY, &json!({ "rules": "", "payload": {} })).await.ok(200);
    let theirs = "/api/v1/projects/till/grouping/try";
    viewer.post(&app, theirs, &json!({ "rules": "", "payload": {} })).await.ok(404);
    let both = json!({ "rules": "", "payload": {}, "event_id": sample().event_id });
    assert_eq!(app.post(theirs, &both).await.mistakes(), ["payload: does not go with `event_id`"]);
    app.stop().await;
}

/// An event as the recorder keeps it: whose each frame is has been decided.
fn with_frames() -> Event {
    let mut event = sample();
    let frame = |module: &str, in_app| Frame {
        module: Some(module.to_owned()),
        function: Some("run".to_owned()),
        in_app: Some(in_app),
        ..Frame::default()
    };
    let frames = vec![frame("shop.cart", true), frame("libshop.retry", false)];
    event.exceptions[0].stacktrace = Some(Stacktrace { frames, ..Stacktrace::default() });
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_taken_away_no_longer_says_whose_a_frame_is() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    app.event(project, issue, &with_frames(), 1).await;
    let rule = "module:libshop.* -app";
    app.patch("/api/v1/projects/shop", &json!({ "settings": { "grouping_rules": rule } })).await.ok(200);
    let kept = app.post(TRY, &json!({ "rules": format!("# as before\n{rule}") })).await.ok(200);
    assert_eq!((&kept["changed"], &kept["uncertain_frames"]), (&json!(false), &json!(0)));
    let without = app.post(TRY, &json!({ "rules": "" })).await.ok(200);
    assert_eq!((&without["changed"], &without["uncertain_frames"]), (&json!(true), &json!(1)));
    assert!(without["proposed"]["grouping"].to_string().contains("the app's as nothing says otherwise"));
    app.stop().await;
}
