//! Searching for issues: words of frames, users, orders, facets, completion.

use crate::harness::{Answer, App, TOKEN, ids};
use crate::people::{person, session, team};
use bugle_model::{InstallationRole, IssueId, TeamRole, UserKey};
use serde_json::json;

pub async fn ask(app: &App, path: &str, parameters: &[(&str, &str)]) -> Answer {
    app.send(app.client.get(app.url(path)).query(parameters).bearer_auth(TOKEN)).await
}

pub async fn found(app: &App, query: &str) -> Vec<i64> {
    ids(&ask(app, "/api/v1/issues", &[("query", query)]).await.ok(200))
}

async fn say(app: &App, issue: IssueId, text: &str) {
    let sql =
        format!("UPDATE issue_texts SET words = words || bugle_words('{text}') WHERE issue_id = {issue}");
    app.database.execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_by_their_beginning_and_phrases_in_order() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let (one, two) =
        (app.issue(project, 1, "Card declined", 1).await, app.issue(project, 2, "Other", 2).await);
    say(&app, one, "billing.gateway chargeCard src/billing/gateway.py").await;
    say(&app, two, "charge_all card_store gateway").await;
    let (one, two) = (one.0, two.0);
    for (query, expected) in [
        ("decl", vec![one]),
        ("chargecard", vec![one]),
        ("chargeC", vec![one]),
        ("charge card", vec![one, two]),
        ("\"charge card\"", vec![one]),
        ("charge_all", vec![two]),
        ("billing/gateway.py", vec![one]),
        ("gate", vec![one, two]),
        ("ga", vec![]),
        ("\"declined card\"", vec![]),
        ("gateway !is:resolved level:error declined", vec![one]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
    let answer = ask(&app, "/api/v1/issues", &[("query", "declined %")]).await.ok(422);
    assert_eq!(answer["errors"][0]["position"], 9);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_call_their_tags_is_not_told() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (_, ann) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let (_, ben) = person(&app, "ben", InstallationRole::Member, &[(red, TeamRole::Manager)]).await;
    ben.post(&app, "/api/v1/projects", &json!({ "name": "till" })).await.ok(201);
    app.database.execute("INSERT INTO project_tags VALUES (1, 'merger', 'secret')").await.unwrap();
    let path = "/api/v1/issues?query=merger:secret";
    assert_eq!(ben.get(&app, path).await.status, 200);
    assert_eq!(app.get(path).await.status, 200);
    let (theirs, nobodys) =
        (ann.get(&app, path).await, ann.get(&app, "/api/v1/issues?query=murger:secret").await);
    assert_eq!(theirs.mistakes(), ["query: no event has a tag `merger`; quote it to search for the text"]);
    assert_eq!(nobodys.mistakes(), ["query: no event has a tag `murger`; quote it to search for the text"]);
    let bulk = json!({ "query": "merger:secret", "status": "resolved" });
    assert_eq!(ann.post(&app, "/api/v1/issues/bulk", &bulk).await.status, 422);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_any_of_their_keys() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let (one, two) = (app.issue(project, 1, "a", 1).await.0, app.issue(project, 2, "b", 2).await.0);
    let (email, ip) = (UserKey::Email.hash("Ann@Example.com"), UserKey::Ip.hash("192.0.2.7"));
    app.database
        .execute(&format!(
            "INSERT INTO issue_user_keys (issue_id, key_hash) VALUES ({one}, {email}), ({one}, {ip}), ({two}, {ip});
             INSERT INTO issue_tags (issue_id, key, value) VALUES ({one}, 'user', '')"
        ))
        .await
        .unwrap();
    for (query, expected) in [
        ("user.email:ann@example.com", vec![one]),
        ("user.ip:192.0.2.7", vec![one, two]),
        ("user.ip:192.0.2.7 !user.email:ann@example.com", vec![two]),
        ("user.id:ann@example.com", vec![]),
        ("has:user", vec![one]),
        ("!has:user", vec![two]),
        ("has:trace", vec![]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_order_has_its_pages() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let mut all = Vec::new();
    for number in [3, 1, 70, 2, 5, 71] {
        all.push((number, app.issue(project, number, "x", i64::from(number)).await.0));
    }
    // 700 and 710 are the same to five percent: the newer one is first.
    let by_count = [71, 70, 5, 3, 2, 1].map(|number| all.iter().find(|(n, _)| *n == number).unwrap().1);
    app.database
        .execute(&format!("UPDATE issues SET priority = 4 WHERE id IN ({}, {})", by_count[5], by_count[0]))
        .await
        .unwrap();
    app.database.execute("UPDATE issues SET first_seen = active_at - interval '1 day'").await.unwrap();
    let mut newest: Vec<i64> = all.iter().map(|(_, id)| *id).collect();
    newest.reverse();
    let by_priority: Vec<i64> = {
        let (critical, rest): (Vec<i64>, Vec<i64>) =
            newest.iter().partition(|id| [by_count[5], by_count[0]].contains(*id));
        critical.into_iter().chain(rest).collect()
    };
    let by_time: Vec<i64> = by_count.iter().rev().copied().collect();
    for (sort, expected) in [
        ("events", by_count.to_vec()),
        ("users", by_count.to_vec()),
        ("priority", by_priority),
        ("first_seen", by_time.clone()),
        ("last_seen", by_time),
    ] {
        for query in ["", "times_seen:>0", "x", "x times_seen:<9000"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let parameters =
                    [("sort", sort), ("limit", "4"), ("query", query), ("cursor", cursor.as_str())];
                let page = ask(&app, "/api/v1/issues", &parameters).await.ok(200);
                seen.extend(ids(&page));
                match page["next"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{sort} {query}");
        }
    }
    let other = ask(&app, "/api/v1/issues", &[("sort", "events"), ("limit", "1")]).await.ok(200);
    let wrong = [("sort", "users"), ("cursor", other["next"].as_str().unwrap())];
    let mistakes = ask(&app, "/api/v1/issues", &wrong).await.mistakes();
    assert_eq!(mistakes, ["cursor: is of a list in another order"]);
    let mistakes = ask(&app, "/api/v1/issues", &[("sort", "title")]).await.mistakes();
    assert_eq!(mistakes, ["sort: `title` is not last_seen, first_seen, events, users or priority"]);
    app.stop().await;
}

/// With thousands of issues all ways of searching are taken; each answers as counting one by one does.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_does_not_depend_on_how() {
    let app = App::start().await;
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    app.database
        .execute(&format!(
            "INSERT INTO issues (project_id, number, title, platform, level, priority, status, assigned_to, first_seen, active_at)
                 SELECT CASE WHEN n % 5 = 0 THEN {blog} ELSE {shop} END, n, 'word' || n % 3 || ' ' || CASE WHEN n > 11990 THEN 'rare' ELSE 'common' END || ' no ' || n % 4,
                     'python', 40, CASE WHEN n % 1000 = 7 THEN 4 ELSE 2 END, CASE WHEN n % 400 = 3 THEN 2 ELSE 0 END,
                     CASE WHEN n % 900 = 2 THEN 'ann' WHEN n % 9 = 2 THEN '#ann' WHEN n % 9 = 4 THEN 'bob' END,
                     '2027-01-01Z'::timestamptz + n * interval '1 second', '2027-01-02Z'::timestamptz + (n * 7919 % 12000) * interval '1 second'
                 FROM generate_series(1, 12000) n;
             INSERT INTO issue_counts (issue_id, events, last_seen, users) SELECT id, number, active_at, number % 10 FROM issues WHERE number <> 4320;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'release', 'shop@' || number / 3500 FROM issues;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'browser', CASE WHEN number % 7 = 0 THEN 'Firefox' ELSE 'Chrome' END FROM issues;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'host', CASE WHEN number % 5 = 0 THEN 'blog-' ELSE 'shop-' END || number % 3 FROM issues;
             INSERT INTO project_tags (project_id, key, value) SELECT {shop}, 'page', 'p' || n FROM generate_series(1, 1000) n;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'page', 'q' FROM issues WHERE number % 1001 = 5;
             ANALYZE"
        ))
        .await
        .unwrap();
    for (query, condition) in [
        ("common", "title LIKE '%common%'"),
        ("rare", "number > 11990"),
        ("is:ignored", "status = 2"),
        ("priority:critical", "priority = 4"),
        ("release:shop@0", "number < 3500"),
        ("release:shop@0 browser:Firefox", "number < 3500 AND number % 7 = 0"),
        ("release:shop@* !release:shop@1 word2", "number / 3500 <> 1 AND number % 3 = 2"),
        ("!browser:Chrome times_seen:>11000", "number % 7 = 0 AND number > 11000"),
        ("times_seen:7000", "number = 7000"),
        // One was never counted.
        ("times_seen:0", "number = 4320"),
        ("word0 times_seen:<7", "number IN (3, 6, 4320)"),
        ("common times_seen:>=0 users:<1 release:shop@0", "number % 10 = 0 AND number < 3500"),
        ("word0 users:<1 browser:Firefox", "number % 30 = 0 AND number % 7 = 0"),
        ("word0 browser:Firefox users:9", "number % 3 = 0 AND number % 7 = 0 AND number % 10 = 9"),
        ("!browser:Firefox !browser:Chrome", "false"),
        ("has:browser is:unassigned release:*@3", "number / 3500 = 3 AND number % 9 NOT IN (2, 4)"),
        ("assigned:ann", "number % 9 = 2"),
        ("!assigned:#ann assigned:ann", "number % 900 = 2"),
        ("!assigned:ann word1", "number % 9 <> 2 AND number % 3 = 1"),
        ("!assigned:none !assigned:bob common", "number % 9 = 2 AND number <= 11990"),
        ("assigned:none assigned:bob word2 rare", "number % 9 <> 2 AND number % 3 = 2 AND number > 11990"),
        (
            "common has:browser !browser:Chrome !release:shop@0 !release:shop@1 !release:shop@2",
            "number BETWEEN 10500 AND 11990 AND number % 7 = 0",
        ),
        ("\"word1 rare\"", "number > 11990 AND number % 3 = 1"),
        ("\"word1 rar\"", "number > 11990 AND number % 3 = 1"),
        ("\"Rare no 2\"", "number > 11990 AND number % 4 = 2"),
        (
            "\"word2 common no 3\" priority:critical",
            "number % 1000 = 7 AND number % 3 = 2 AND number % 4 = 3",
        ),
        ("\"common no 1\" rare", "false"),
        ("\"common word1\"", "false"),
        ("host:shop-* times_seen:>11000", "number % 5 <> 0 AND number > 11000"),
        (
            "host:shop-* browser:Chrome !release:shop@0 !release:shop@1 !release:shop@2",
            "number >= 10500 AND number % 5 <> 0 AND number % 7 <> 0",
        ),
        ("!host:shop-* word1", "number % 5 = 0 AND number % 3 = 1"),
        // Its project has too many pages for all to be known.
        ("page:q*", "number % 1001 = 5"),
    ] {
        for (project, also) in [("", ""), ("blog", " AND number % 5 = 0")] {
            let expected: Vec<i64> = app
                .database
                .rows(&format!(
                    "SELECT id FROM issues WHERE {condition}{also} ORDER BY active_at DESC, id DESC LIMIT 60"
                ))
                .await
                .unwrap()
                .iter()
                .map(|id| id.parse().unwrap())
                .collect();
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            for _ in 0..2 {
                let parameters =
                    [("project", project), ("limit", "30"), ("query", query), ("cursor", cursor.as_str())];
                let page = ask(&app, "/api/v1/issues", &parameters).await.ok(200);
                seen.extend(ids(&page));
                let Some(next) = page["next"].as_str() else { break };
                cursor = next.to_owned();
            }
            assert_eq!(seen, expected, "{query} in {project}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facets_count_and_names_are_completed_within_what_is_seen() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (shop, secret) = (app.project("shop").await, app.project("secret").await);
    for (project, team) in [(shop, blue), (secret, red)] {
        app.database
            .execute(&format!("UPDATE projects SET team_id = {team} WHERE id = {project}"))
            .await
            .unwrap();
    }
    let (one, two, hidden) = (
        app.issue(shop, 1, "a", 1).await.0,
        app.issue(shop, 2, "b", 2).await.0,
        app.issue(secret, 1, "c", 3).await.0,
    );
    app.database
        .execute(&format!(
            "INSERT INTO issue_tags (issue_id, key, value) VALUES ({one}, 'release', 'shop@1'), ({two}, 'release', 'shop@1'),
                 ({two}, 'release', 'shop@2'), ({one}, 'environment', 'production'), ({hidden}, 'release', 'secret@1'),
                 ({hidden}, 'relay', 'x'), ({two}, 'user', '');
             UPDATE issues SET assigned_to = 'ann', status = 2 WHERE id = {two}"
        ))
        .await
        .unwrap();
    let (id, _) = person(&app, "bea", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let browser = session(&app, id, "bea").await;
    let get = async |path: &str| {
        app.send(app.client.get(app.url(path)).header("cookie", &browser.cookie)).await.ok(200)
    };
    let facets = get("/api/v1/issues/facets").await;
    insta::assert_json_snapshot!("facets", facets);
    let narrowed = get("/api/v1/issues/facets?query=is:ignored&project=shop").await;
    assert_eq!((&narrowed["issues"], &narrowed["sample"]), (&json!(1), &json!(false)));
    assert_eq!(get("/api/v1/tags/keys").await["items"], json!(["environment", "release", "user"]));
    assert_eq!(get("/api/v1/tags/keys?prefix=rel").await["items"], json!(["release"]));
    assert_eq!(get("/api/v1/tags/values?key=release").await["items"], json!(["shop@1", "shop@2"]));
    assert_eq!(get("/api/v1/tags/values?key=release&prefix=shop@2").await["items"], json!(["shop@2"]));
    assert_eq!(get("/api/v1/tags/values?key=user").await["items"], json!([]));
    let all = app.get("/api/v1/tags/keys?project=secret&prefix=rel").await.ok(200);
    assert_eq!(all["items"], json!(["relay", "release"]));
    let missing = app.get("/api/v1/tags/values").await.mistakes();
    assert_eq!(missing, ["key: is missing; expected a tag's name"]);
    app.stop().await;
}
