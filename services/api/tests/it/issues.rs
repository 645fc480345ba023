//! Issues: lists, filters, changes.

use crate::harness::{App, ids};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_has_what_the_contract_says() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 42, "PayError: no money", 5).await;
    let one = app.get(&format!("/api/v1/issues/{issue}")).await.ok(200);
    insta::assert_json_snapshot!("issue", one);
    assert_eq!(app.get("/api/v1/issues/SHOP-42").await.ok(200), one);
    let page = app.get("/api/v1/issues").await.ok(200);
    insta::assert_json_snapshot!("issues", page);
    for missing in ["4711", "SHOP-43", "SHOP", "99999999999999999999"] {
        assert_eq!(app.get(&format!("/api/v1/issues/{missing}")).await.status, 404, "{missing}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_and_go_together() {
    let app = App::start().await;
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    let timeout = app.issue(shop, 1, "Timeout: 100% of _slow_ calls", 1).await.0;
    let login = app.issue(shop, 2, "Login failed", 2).await.0;
    let other = app.issue(blog, 1, "Timeout elsewhere", 3).await.0;
    app.database
        .execute(&format!("UPDATE issues SET level = 30, status = 2 WHERE id = {login}"))
        .await
        .unwrap();
    let cases = [
        ("", vec![timeout, login, other]),
        ("?project=shop", vec![timeout, login]),
        ("?project=2", vec![other]),
        ("?status=ignored", vec![login]),
        ("?query=is:unresolved", vec![timeout, other]),
        ("?query=is:unresolved+is:ignored&status=ignored", vec![login]),
        ("?query=is:resolved&status=ignored", vec![]),
        ("?query=level:warning", vec![login]),
        ("?query=timeout", vec![timeout, other]),
        ("?query=TIMEOUT+slow&project=shop", vec![timeout]),
        ("?query=%22login+failed%22", vec![login]),
        ("?query=100%25", vec![timeout]),
        ("?query=_slow_", vec![timeout]),
        ("?query=imeout", vec![]),
        ("?query=payerror", vec![timeout, login, other]),
    ];
    for (parameters, expected) in cases {
        let page = app.get(&format!("/api/v1/issues{parameters}")).await.ok(200);
        assert_eq!(ids(&page), expected, "{parameters}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_parameters_are_named_with_their_place() {
    let app = App::start().await;
    let answer =
        app.get("/api/v1/issues?query=timeout+Release:1.0&status=open&limit=0&stauts=x").await.ok(422);
    insta::assert_json_snapshot!("wrong_parameters", answer);
    let unknown = app.get("/api/v1/issues?project=nothing").await.mistakes();
    assert_eq!(unknown, ["project: there is no project `nothing`"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_miss_when_issues_are_added() {
    let app = App::start().await;
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    let mut expected = Vec::new();
    for number in 1..=5 {
        // Two in the same minute: the id decides.
        expected.push(app.issue(shop, number, "x", i64::from(number)).await.0);
        expected.push(app.issue(blog, number, "x", i64::from(number)).await.0);
    }
    expected.sort_by_key(|id| ((id - 1) / 2, -id));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for page_number in 0..4 {
        let page = app.get(&format!("/api/v1/issues?limit=3{cursor}")).await.ok(200);
        seen.extend(ids(&page));
        // Newer ones come in front of what was read.
        app.issue(shop, 100 + page_number, "new", -1).await;
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_and_told_once() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let path = format!("/api/v1/issues/{issue}");
    let body = json!({ "status": "resolved", "priority": "low", "assigned_to": " ann " });
    let changed = app.patch(&path, &body).await.ok(200);
    assert_eq!(changed["status"], "resolved");
    assert_eq!(changed["priority"], "low");
    assert_eq!(changed["assigned_to"], "ann");
    assert_eq!(changed["resolved_at"], json!(app.now()));
    let told = app.database.rows("SELECT routing_key, convert_from(body, 'UTF8') FROM outbox").await.unwrap();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("issue.changed|") && told[0].contains(&format!("\"issue\":{issue}")),
        "{told:?}"
    );
    let chosen = app.database.rows("SELECT priority_chosen FROM issues").await.unwrap();
    assert_eq!(chosen, ["t"]);

    // The same again changes nothing and tells nobody.
    app.patch(&path, &body).await.ok(200);
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), 1);

    let reopened =
        app.patch("/api/v1/issues/shop-1", &json!({ "status": "unresolved", "assigned_to": null })).await;
    let reopened = reopened.ok(200);
    assert_eq!((&reopened["resolved_at"], &reopened["assigned_to"]), (&json!(null), &json!(null)));
    assert_eq!(reopened["priority"], "low");
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resolving_remembers_the_newest_release() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    app.database
        .execute(&format!(
            "INSERT INTO releases (project_id, version, created_at)
             VALUES ({project}, '2', '2027-01-02Z'), ({project}, '1', '2027-01-01Z')"
        ))
        .await
        .unwrap();
    app.patch(&format!("/api/v1/issues/{issue}"), &json!({ "status": "resolved" })).await.ok(200);
    let known = "SELECT r.version FROM issues i JOIN releases r ON r.id = i.resolved_release_id";
    assert_eq!(app.database.rows(known).await.unwrap(), ["2"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_change_is_refused_whole() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let path = format!("/api/v1/issues/{issue}");
    let wrong_word = app.patch(&path, &json!({ "status": "closed", "priority": "low" })).await.mistakes();
    assert_eq!(
        wrong_word,
        ["status: unknown variant `closed`, expected one of `unresolved`, `resolved`, `ignored`"]
    );
    let unknown = app.patch(&path, &json!({ "state": "resolved" })).await.mistakes();
    assert!(unknown[0].starts_with("state: unknown field `state`"), "{unknown:?}");
    let long = app.patch(&path, &json!({ "assigned_to": "x".repeat(129) })).await.mistakes();
    assert_eq!(long, ["assigned_to: is over 128 characters"]);
    let text =
        app.client.patch(app.url(&path)).bearer_auth(crate::harness::TOKEN).body("{").send().await.unwrap();
    assert_eq!(text.status().as_u16(), 400);
    assert_eq!(app.patch("/api/v1/issues/4711", &json!({ "status": "resolved" })).await.status, 404);
    assert_eq!(app.get(&path).await.ok(200)["priority"], "high");
    assert_eq!(app.database.number("SELECT count(*) FROM outbox").await.unwrap(), 0);
    app.stop().await;
}
