//! Who owns what of a project, who can take issues, and who has how much to do.

use crate::harness::{Answer, App};
use crate::oncall::{Crew, crew};
use crate::people::{Browser, person, team};
use bugle_model::{Event, Exception, Frame, InstallationRole, IssueId, ProjectId, Stacktrace, TeamRole};
use bugle_store::teams;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn path(project: ProjectId) -> String {
    format!("/api/v1/projects/{project}/ownership")
}

fn rule(pattern: &str, owners: &Value) -> Value {
    json!({ "match": "path", "pattern": pattern, "owners": owners })
}

async fn crash_in(app: &App, project: ProjectId, issue: IssueId, file: &str) {
    let mut event = Event::new(Uuid::from_u128(9), app.now());
    let frame = Frame { filename: Some(file.to_owned()), in_app: Some(true), ..Frame::default() };
    let stacktrace = Some(Stacktrace { frames: vec![frame], ..Stacktrace::default() });
    event.exceptions = vec![Exception { stacktrace, ..Exception::default() }];
    app.event(project, issue, &event, 1).await;
}

async fn known(app: &App, who: &Browser, path: &str, tag: &str, body: &Value) -> Answer {
    let request = app.client.request(Method::PUT, app.url(path)).header("cookie", &who.cookie);
    app.send(request.header("x-csrf-token", &who.csrf).header("if-match", tag).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_set_as_one_document_of_a_version() {
    let Crew { app, project, ann, boss, viewer, .. } = crew().await;
    let path = path(project);
    let none = viewer.get(&app, &path).await;
    let tag = none.header("etag").to_owned();
    let nothing = json!({ "on_call": false, "least_loaded": false });
    let none = none.ok(200);
    assert_eq!(
        (&none["rules"], &none["otherwise"], &none["codeowners"]),
        (&json!([]), &nothing, &Value::Null)
    );

    let owner = json!([{ "type": "person", "user": ann }]);
    let tagged = json!({ "match": "tag", "tag": "area", "pattern": "pay*", "owners": owner });
    let body = json!({ "rules": [rule("src/**", &owner), tagged], "otherwise": { "on_call": true } });
    let set = known(&app, &boss, &path, &tag, &body).await.ok(200);
    assert_eq!(set["rules"], body["rules"]);
    assert_eq!(set["otherwise"], json!({ "on_call": true, "least_loaded": false }));
    assert_eq!(known(&app, &boss, &path, &tag, &json!({})).await.status, 412, "changed meanwhile");
    assert_eq!(viewer.get(&app, &path).await.ok(200), set);
    assert_eq!(viewer.put(&app, &path, &json!({})).await.status, 403);
    let log = app.get("/api/v1/audit?action=ownership.updated").await.ok(200);
    assert_eq!(log["items"][0]["after"]["rules"], body["rules"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_name_the_rule() {
    let Crew { app, project, boss, team, .. } = crew().await;
    let strangers = json!([
        { "type": "team", "team": team }, { "type": "person", "user": 4711 },
        { "type": "schedule", "schedule": 4711 }, { "type": "team", "team": 4711 },
    ]);
    let body = json!({ "rules": [rule("", &json!([])), rule("a", &strangers)] });
    assert_eq!(
        boss.put(&app, &path(project), &body).await.mistakes(),
        [
            "rules[0].pattern: rule 1: 1 to 512 visible characters",
            "rules[1].owners[1]: rule 2: nobody who sees the project has the id 4711",
            "rules[1].owners[2]: rule 2: the project's team has no schedule 4711",
            "rules[1].owners[3]: rule 2: there is no team 4711",
        ]
    );
    let body = json!({ "rules": vec![rule("a", &json!([])); 201] });
    assert_eq!(boss.put(&app, &path(project), &body).await.mistakes(), ["rules: at most 200 rules"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_codeowners_file_loses_nothing_silently() {
    let Crew { app, project, ann, boss, team, viewer, .. } = crew().await;
    let (path, import) = (path(project), format!("{}/codeowners", path(project)));
    let text = "# who\n* @octo/shop\n/src/ ANN@example.com @eve\n!docs @eve\n/docs/ @eve";
    let shop = json!({ "type": "team", "team": team });
    let body = json!({ "text": text, "names": { "@Octo/Shop": shop } });
    let done = boss.post(&app, &import, &body).await.ok(200);
    assert_eq!(
        done,
        json!({
            "rules": 3, "unknown": { "@eve": [3, 5] },
            "problems": [{ "line": 4, "message": "a pattern cannot be negated" }],
        })
    );
    let kept = viewer.get(&app, &path).await.ok(200)["codeowners"].clone();
    assert_eq!(kept["imported_by"], json!("boss"));
    assert_eq!(
        kept["rules"],
        json!([
            { "line": 2, "pattern": "*", "owners": [shop], "unknown": [] },
            { "line": 3, "pattern": "/src/", "owners": [{ "type": "person", "user": ann }], "unknown": ["@eve"] },
            { "line": 5, "pattern": "/docs/", "owners": [], "unknown": ["@eve"] },
        ])
    );

    let again = boss.post(&app, &import, &json!({ "text": "a @OCTO/shop" })).await.ok(200);
    assert_eq!(again, json!({ "rules": 1, "unknown": {}, "problems": [] }), "names are kept");
    let strange = json!({ "text": "", "names": { "@eve": { "type": "person", "user": 4711 } } });
    let mistakes = boss.post(&app, &import, &strange).await.mistakes();
    assert_eq!(mistakes, ["names.@eve: nobody who sees the project has the id 4711"]);
    let long = boss.post(&app, &import, &json!({ "text": "x".repeat(256 * 1024 + 1) })).await.mistakes();
    assert_eq!(long, ["text: is over 262144 bytes"]);
    boss.post(&app, &import, &json!({ "text": "" })).await.ok(200);
    assert_eq!(viewer.get(&app, &path).await.ok(200)["codeowners"], Value::Null);
    assert_eq!(viewer.post(&app, &import, &body).await.status, 403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_name_of_somebody_who_has_left_is_nobodys() {
    let Crew { app, project, ann, boss, team, .. } = crew().await;
    let import = format!("{}/codeowners", path(project));
    let names =
        json!({ "@ann": { "type": "person", "user": ann }, "@shop": { "type": "team", "team": team } });
    let text = "/src/ @ann @shop";
    let done = boss.post(&app, &import, &json!({ "text": text, "names": names })).await.ok(200);
    assert_eq!(done["unknown"], json!({}));
    let member = format!("/api/v1/teams/{team}/members/{ann}");
    boss.delete(&app, &member).await.ok(204);
    let again = boss.post(&app, &import, &json!({ "text": text })).await.ok(200);
    assert_eq!(again, json!({ "rules": 1, "unknown": { "@ann": [1] }, "problems": [] }));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_can_be_tried_before_they_are_kept() {
    let Crew { app, project, ann, boss, member, viewer, .. } = crew().await;
    let attempt = format!("{}/try", path(project));
    let anns = json!([{ "type": "person", "user": ann }]);
    let draft = json!({ "rules": [rule("src/**", &anns), rule("src/cart/**", &anns)] });
    let question = json!({ "ownership": draft, "path": "src/cart/a.py" });
    let tried = viewer.post(&app, &attempt, &question).await.ok(200);
    let decision = &tried["decision"];
    assert_eq!(decision["matched"]["rule"], json!(2));
    assert_eq!(
        decision["choice"],
        json!({ "assignee": { "user": ann }, "name": "ann", "reason": "owner by rule 2: path src/cart/**" })
    );

    let issue = app.issue(project, 1, "Bad", 1).await;
    crash_in(&app, project, issue, "src/b.py").await;
    let away = json!({ "available": false });
    member.put(&app, "/api/v1/account/availability", &away).await.ok(200);
    let question = json!({ "ownership": draft, "issue": "SHOP-1" });
    let tried = viewer.post(&app, &attempt, &question).await.ok(200);
    assert_eq!(tried["issue"]["short_id"], json!("SHOP-1"));
    assert_eq!(tried["decision"]["matched"]["rule"], json!(1));
    assert_eq!(
        (&tried["decision"]["choice"], &tried["decision"]["passed_over"]),
        (&Value::Null, &json!(["ann is away"]))
    );

    let kept = boss.post(&app, &attempt, &json!({ "path": "src/b.py" })).await.ok(200);
    assert_eq!(kept["decision"]["matched"], Value::Null, "nothing was kept");
    for (question, mistake) in [
        (json!({}), "path: give either `path` or `issue`"),
        (json!({ "path": "" }), "path: 1 to 1024 characters"),
        (json!({ "issue": "SHOP-4711" }), "issue: the project has no such issue"),
    ] {
        assert_eq!(boss.post(&app, &attempt, &question).await.mistakes(), [mistake]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn availability_is_ones_own_and_the_managers() {
    let Crew { app, ann, boss, member, viewer, team, .. } = crew().await;
    let path = "/api/v1/account/availability";
    let default = json!({ "available": true, "away_until": null, "max_open_issues": null });
    assert_eq!(member.get(&app, path).await.ok(200), default);
    let until = "2027-01-15T18:00:00Z";
    let away = json!({ "available": false, "away_until": until, "max_open_issues": 3 });
    member.put(&app, path, &away).await.ok(200);
    assert_eq!(member.get(&app, path).await.ok(200), away);
    app.clock.advance(chrono::TimeDelta::hours(12));
    let back = json!({ "available": true, "away_until": null, "max_open_issues": 3 });
    assert_eq!(member.get(&app, path).await.ok(200), back);
    for (body, mistake) in [
        (
            json!({ "available": true, "away_until": "2028-01-01T00:00:00Z" }),
            "away_until: goes with `available` false only",
        ),
        (json!({ "available": false, "away_until": until }), "away_until: has to be in the future"),
        (
            json!({ "available": true, "max_open_issues": 0 }),
            "max_open_issues: 1 to 10000, or null for no limit",
        ),
    ] {
        assert_eq!(member.put(&app, path, &body).await.mistakes(), [mistake]);
    }
    let of_ann = format!("/api/v1/teams/{team}/members/{ann}/availability");
    assert_eq!(viewer.put(&app, &of_ann, &json!({ "available": true })).await.status, 403);
    boss.put(&app, &of_ann, &json!({ "available": false })).await.ok(200);
    assert_eq!(member.get(&app, path).await.ok(200)["available"], json!(false));
    let log = app.get("/api/v1/audit?action=availability.changed").await.ok(200);
    assert_eq!(log["items"][0]["actor"]["name"], json!("boss"), "{log}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_availability_is_told_in_each_team_of_the_person() {
    let Crew { app, ann, boss, team: shop, .. } = crew().await;
    let red = team(&app, "red").await;
    let role = InstallationRole::Member;
    let (_, eve) = person(&app, "eve", role, &[(red, TeamRole::Manager)]).await;
    let now = app.now();
    teams::put_member(&mut *app.connection().await, red, ann, TeamRole::Member, now).await.unwrap();
    let of_ann = format!("/api/v1/teams/{shop}/members/{ann}/availability");
    boss.put(&app, &of_ann, &json!({ "available": false })).await.ok(200);
    for (manager, team) in [(&boss, shop), (&eve, red)] {
        let log = manager.get(&app, "/api/v1/audit?action=availability.changed").await.ok(200);
        let items = log["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{log}");
        assert_eq!((&items[0]["actor"]["name"], &items[0]["team"]), (&json!("boss"), &json!(team)));
        assert_eq!(items[0]["after"]["available"], json!(false));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_do_not_change_the_availability_of_admins() {
    let Crew { app, boss, team, .. } = crew().await;
    let away = json!({ "available": false });
    let in_team = [(team, TeamRole::Member)];
    let (root, admin) = person(&app, "root", InstallationRole::Admin, &in_team).await;
    let (top, owner) = person(&app, "top", InstallationRole::Owner, &in_team).await;
    for (who, themselves) in [(root, &admin), (top, &owner)] {
        let path = format!("/api/v1/teams/{team}/members/{who}/availability");
        let refused = boss.put(&app, &path, &away).await.ok(403);
        assert_eq!(
            refused["detail"],
            json!("only admins and owners of the installation change the availability of one of them")
        );
        let own = themselves.get(&app, "/api/v1/account/availability").await.ok(200);
        assert_eq!(own["available"], json!(true));
        admin.put(&app, &path, &away).await.ok(200);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workload_says_what_it_is_made_of() {
    let crew = crew().await;
    let (issue, incident) = crew.incident().await;
    let Crew { app, ann, boss, .. } = crew;
    let give = json!({ "assigned_to": { "user": ann } });
    boss.patch(&app, &format!("/api/v1/issues/{issue}"), &give).await.ok(200);
    let user = json!({ "user": ann });
    boss.post(&app, &format!("/api/v1/incidents/{incident}/reassign"), &user).await.ok(200);
    let answered = boss.post(&app, &format!("/api/v1/incidents/{incident}/acknowledge"), &json!({})).await;
    assert_eq!(answered.ok(200)["acknowledged_by"], json!("boss"), "whose name counts for nothing");
    let starts = app.now() - chrono::TimeDelta::hours(20);
    let rotation =
        json!({ "unit": "daily", "every": 30, "start": starts.format("%Y-%m-%dT%H:%M").to_string() });
    let layer = json!({ "rotation": rotation, "participants": [ann], "starts": starts });
    let schedule = json!({ "name": "Primary", "zone": "UTC", "layers": [layer] });
    boss.post(&app, "/api/v1/schedules", &schedule).await.ok(201);

    let load = boss.get(&app, "/api/error-logging/developers/workload").await.ok(200);
    let ann_has = &load["items"][0];
    assert_eq!(
        (&ann_has["developer"], &ann_has["user"], &ann_has["open"]),
        (&json!("ann"), &json!(ann), &json!(1))
    );
    assert_eq!((&ann_has["open_incidents"], &ann_has["on_call_hours"]), (&json!(1), &json!(20.0)));
    assert_eq!(ann_has["weight"], json!({ "issues": 4.0, "incidents": 8.0, "on_call": 2.5, "sum": 14.5 }));
    let items = load["items"].as_array().unwrap();
    assert!(items.iter().skip(1).all(|one| one["open_incidents"] == json!(0)), "{load}");
    let others: Vec<_> = items.iter().skip(1).map(|one| &one["developer"]).collect();
    assert_eq!(others, [&json!("boss"), &json!("vic")], "who has nothing stands there too");
    app.stop().await;
}
