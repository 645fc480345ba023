//! Searches that people come back to.

use crate::harness::{Answer, App};
use crate::people::{Browser, person, session, team};
use bugle_model::{InstallationRole, ProjectId, TeamId, TeamRole};
use serde_json::{Value, json};

const ALL: &str = "/api/v1/searches";

struct World {
    app: App,
    blue: TeamId,
    red: TeamId,
    shop: ProjectId,
    till: ProjectId,
}

/// Two teams with a project each: `shop` is the blue one's, `till` the red one's.
async fn world() -> World {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (shop, till) = (app.project("shop").await, app.project("till").await);
    app.database
        .execute(&format!(
            "UPDATE projects SET team_id = {blue} WHERE id = {shop}; UPDATE projects SET team_id = {red} WHERE id = {till}"
        ))
        .await
        .unwrap();
    World { app, blue, red, shop, till }
}

impl World {
    async fn somebody(&self, name: &str, teams: &[(TeamId, TeamRole)]) -> Browser {
        let id = person(&self.app, name, InstallationRole::Member, teams).await.0;
        session(&self.app, id, name).await
    }

    async fn save(&self, who: &Browser, body: Value) -> Answer {
        who.post(&self.app, ALL, &body).await
    }

    async fn names(&self, who: &Browser) -> Vec<String> {
        let page = who.get(&self.app, ALL).await.ok(200);
        page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_searches_are_nobody_elses() {
    let world = world().await;
    let ann = world.somebody("ann", &[(world.blue, TeamRole::Viewer)]).await;
    let bob = world.somebody("bob", &[(world.blue, TeamRole::Manager)]).await;
    let body = json!({ "name": " Mine ", "query": "is:unresolved assigned:me", "sort": "events", "project": "shop" });
    let made = world.save(&ann, body.clone()).await.ok(201);
    let expected = json!({
        "id": made["id"], "name": "Mine", "query": "is:unresolved assigned:me", "sort": "events",
        "project": world.shop, "project_name": "shop", "team": null, "team_name": null,
        "created_by": "ann", "created_at": "2027-01-15T12:00:00.000000Z",
    });
    assert_eq!(made["name"], expected["name"]);
    let path = format!("{ALL}/{}", made["id"]);
    let read = ann.get(&world.app, &path).await.ok(200);
    for field in ["id", "name", "query", "sort", "project", "project_name", "team", "team_name", "created_by"]
    {
        assert_eq!(read[field], expected[field], "{field}");
    }
    assert_eq!(world.save(&ann, body).await.ok(409)["code"], "conflict");
    // Somebody else may have the name, and does not see the other.
    world.save(&bob, json!({ "name": "Mine", "query": "" })).await.ok(201);
    assert_eq!(
        (world.names(&ann).await, world.names(&bob).await),
        (vec!["Mine".to_owned()], vec!["Mine".to_owned()])
    );
    bob.get(&world.app, &path).await.ok(404);
    bob.patch(&world.app, &path, &json!({ "name": "Theirs" })).await.ok(404);
    bob.delete(&world.app, &path).await.ok(404);

    let change = json!({ "name": "Urgent", "query": "priority:critical", "project": null });
    let changed = ann.patch(&world.app, &path, &change).await.ok(200);
    assert_eq!(
        (&changed["name"], &changed["query"], &changed["sort"], &changed["project"]),
        (&json!("Urgent"), &json!("priority:critical"), &json!("events"), &Value::Null)
    );
    ann.delete(&world.app, &path).await.ok(204);
    assert_eq!(world.names(&ann).await, Vec::<String>::new());
    let audited = "SELECT count(*) FROM audit_log WHERE action LIKE 'search.%'";
    assert_eq!(world.app.database.number(audited).await.unwrap(), 0);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_shares_searches_which_its_members_keep() {
    let world = world().await;
    let viewer = world.somebody("vera", &[(world.blue, TeamRole::Viewer)]).await;
    let member =
        world.somebody("mia", &[(world.blue, TeamRole::Member), (world.red, TeamRole::Viewer)]).await;
    let other = world.somebody("otto", &[(world.red, TeamRole::Manager)]).await;
    let shared = json!({ "name": "Payments", "query": "is:unresolved PayError", "team": world.blue });
    assert_eq!(world.save(&viewer, shared.clone()).await.ok(403)["code"], "forbidden");
    let none = [format!("team: there is no team {}", world.blue)];
    assert_eq!(world.save(&other, shared.clone()).await.mistakes(), none);
    let made = world.save(&member, shared.clone()).await.ok(201);
    assert_eq!((&made["team"], &made["team_name"]), (&json!(world.blue), &json!("blue")));
    assert_eq!(world.save(&member, shared).await.ok(409)["code"], "conflict");
    // A person and a team may have searches of one name.
    world.save(&member, json!({ "name": "Payments", "query": "" })).await.ok(201);
    let of = |name: &str, team| json!({ "name": name, "query": "", "team": team, "project": "till" });
    assert_eq!(
        world.save(&member, of("x", world.blue)).await.mistakes(),
        ["project: belongs to another team"]
    );
    world.save(&member, of("x", world.red)).await.ok(403);
    world.save(&other, of("Till", world.red)).await.ok(201);

    assert_eq!(world.names(&viewer).await, ["Payments"]);
    assert_eq!(world.names(&member).await, ["Payments", "Payments", "Till"]);
    assert_eq!(world.names(&other).await, ["Till"]);
    let path = format!("{ALL}/{}", made["id"]);
    viewer.get(&world.app, &path).await.ok(200);
    viewer.patch(&world.app, &path, &json!({ "name": "y" })).await.ok(403);
    viewer.delete(&world.app, &path).await.ok(403);
    other.delete(&world.app, &path).await.ok(404);
    let tag = member.get(&world.app, &path).await.header("etag").to_owned();
    let change = json!({ "query": "PayError level:fatal" });
    assert_eq!(member.patch(&world.app, &path, &change).await.ok(200)["query"], "PayError level:fatal");
    let late = world.app.client.patch(world.app.url(&path)).header("cookie", &member.cookie);
    let late =
        late.header("x-csrf-token", &member.csrf).header("if-match", tag).json(&json!({ "name": "z" }));
    world.app.send(late).await.ok(412);
    member.delete(&world.app, &path).await.ok(204);
    assert_eq!(world.names(&viewer).await, Vec::<String>::new());
    let rows = "SELECT action || ' ' || actor_name || ' ' || (team_id IS NOT NULL) FROM audit_log WHERE action LIKE 'search.%' ORDER BY id";
    assert_eq!(
        world.app.database.rows(rows).await.unwrap(),
        [
            "search.created mia true",
            "search.created otto true",
            "search.updated mia true",
            "search.deleted mia true"
        ]
    );
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched_for_is_not_saved() {
    let world = world().await;
    let ann = world.somebody("ann", &[(world.blue, TeamRole::Member)]).await;
    for (body, field, position) in [
        (json!({ "name": " ", "query": "" }), "name", Value::Null),
        (json!({ "name": "x".repeat(61), "query": "" }), "name", Value::Null),
        (json!({ "name": "x", "query": "pay level:wild" }), "query", json!(10)),
        (json!({ "name": "x", "query": "x".repeat(501) }), "query", json!(500)),
        (json!({ "name": "x", "query": "", "sort": "colour" }), "sort", Value::Null),
        (json!({ "name": "x", "query": "", "project": "till" }), "project", Value::Null),
        (json!({ "name": "x" }), "query", Value::Null),
    ] {
        let refused = world.save(&ann, body.clone()).await.ok(422);
        let error = &refused["errors"][0];
        assert!(error["field"] == field && error["position"] == position, "{body}: {refused}");
    }
    let kept = world.save(&ann, json!({ "name": "x", "query": "" })).await.ok(201);
    let path = format!("{ALL}/{}", kept["id"]);
    ann.patch(&world.app, &path, &json!({ "query": "level:wild" })).await.ok(422);
    for missing in ["0", "x", "99999999999"] {
        ann.get(&world.app, &format!("{ALL}/{missing}")).await.ok(404);
    }
    // Tokens have no searches.
    assert_eq!(world.app.get(ALL).await.ok(403)["code"], "forbidden");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_a_hundred_at_most_and_they_go_with_whose_they_are() {
    let world = world().await;
    let ann = world.somebody("ann", &[(world.blue, TeamRole::Member)]).await;
    world.save(&ann, json!({ "name": "of shop", "query": "", "project": "shop" })).await.ok(201);
    world
        .save(&ann, json!({ "name": "shared", "query": "", "team": world.blue, "project": "shop" }))
        .await
        .ok(201);
    world
        .app
        .database
        .execute(
            "INSERT INTO saved_searches (user_id, name, query, sort, created_by, created_at)
             SELECT user_id, 'n' || n, '', 'events', 'ann', created_at
             FROM saved_searches, generate_series(1, 99) AS n WHERE user_id IS NOT NULL",
        )
        .await
        .unwrap();
    assert_eq!(world.save(&ann, json!({ "name": "more", "query": "" })).await.ok(409)["code"], "conflict");
    world.save(&ann, json!({ "name": "more", "query": "", "team": world.blue })).await.ok(201);
    let page = ann.get(&world.app, &format!("{ALL}?limit=100")).await.ok(200);
    let next = format!("{ALL}?limit=100&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(ann.get(&world.app, &next).await.ok(200)["items"].as_array().unwrap().len(), 2);

    let count = "SELECT count(*) FROM saved_searches";
    let shop = world.shop;
    // Of a project that one sees no longer, one's own stays one's own; what is shared goes out of sight.
    world
        .app
        .database
        .execute(&format!("UPDATE projects SET team_id = {} WHERE id = {shop}", world.red))
        .await
        .unwrap();
    let page = ann.get(&world.app, &format!("{ALL}?limit=1")).await.ok(200);
    assert_eq!(
        (&page["items"][0]["name"], &page["items"][0]["project_name"]),
        (&json!("of shop"), &Value::Null)
    );
    assert!(!ann.get(&world.app, &format!("{ALL}?limit=100")).await.text.contains("shared"));
    world.app.database.execute(&format!("DELETE FROM projects WHERE id = {shop}")).await.unwrap();
    assert_eq!(world.app.database.number(count).await.unwrap(), 100);
    assert_ne!(world.till, shop);
    world.app.database.execute("DELETE FROM users").await.unwrap();
    assert_eq!(world.app.database.number(count).await.unwrap(), 1);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_are_saved_at_once_there_are_a_hundred_at_most() {
    let world = world().await;
    let ann = world.somebody("ann", &[(world.blue, TeamRole::Member)]).await;
    let of = |name: String, team: &Value| json!({ "name": name, "query": "", "team": team });
    let owners = [Value::Null, json!(world.blue)];
    for team in &owners {
        world.save(&ann, of("first".to_owned(), team)).await.ok(201);
    }
    world
        .app
        .database
        .execute(
            "INSERT INTO saved_searches (user_id, team_id, name, query, sort, created_by, created_at)
             SELECT user_id, team_id, 'n' || n, '', 'events', 'ann', created_at
             FROM saved_searches, generate_series(1, 97) AS n",
        )
        .await
        .unwrap();
    for team in &owners {
        let saving = (0..6).map(|number| world.save(&ann, of(format!("more {number}"), team)));
        let answers = futures_util::future::join_all(saving).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 409, 409, 409, 409], "{team}");
    }
    world.app.stop().await;
}
