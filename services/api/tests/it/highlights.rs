//! What the overview says is worth a look.

use crate::harness::App;
use crate::people::{person, session, team};
use bugle_model::{InstallationRole, IssueId, TeamRole};
use bugle_store::heartbeats::{self, Heartbeat};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// So many events of an issue within the hour of noon, and within the same hour a day before.
async fn events(app: &App, issue: IssueId, now: i64, before: i64) {
    app.database
        .execute(&format!(
            "INSERT INTO issue_hours (issue_id, hour, events)
             VALUES ({issue}, '2027-01-15T12:00:00Z', {now}), ({issue}, '2027-01-14T12:00:00Z', {before})"
        ))
        .await
        .unwrap();
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

fn worse(answer: &Value) -> Vec<(i64, i64, i64)> {
    let number = |value: &Value| value.as_i64().unwrap();
    let items = answer["worsening"].as_array().unwrap().iter();
    items.map(|item| (number(&item["issue"]["id"]), number(&item["now"]), number(&item["before"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_issues_those_that_came_back_and_those_that_get_worse_are_told() {
    let app = App::start().await;
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    let mut issues = Vec::new();
    for number in 1..=8 {
        issues.push(app.issue(shop, number, "x", 1).await);
    }
    let elsewhere = app.issue(blog, 1, "x", 1).await;
    let [new, newer, back, resolved, twice, tenfold, less, few] = issues[..] else { panic!("eight") };
    app.database
        .execute(&format!(
            "UPDATE issues SET first_seen = '2027-01-15T09:00:00Z' WHERE id = {new};
             UPDATE issues SET first_seen = '2027-01-15T10:00:00Z' WHERE id = {newer};
             UPDATE issues SET reopened_at = '2027-01-15T11:00:00Z' WHERE id IN ({back}, {resolved});
             UPDATE issues SET status = 1, resolved_at = now() WHERE id = {resolved};"
        ))
        .await
        .unwrap();
    for (issue, now, before) in [
        (newer, 900, 1),
        (resolved, 900, 1),
        (twice, 40, 20),
        (tenfold, 100, 10),
        (less, 39, 20),
        (few, 9, 0),
    ] {
        events(&app, issue, now, before).await;
    }
    events(&app, elsewhere, 50, 1).await;

    let all = app.get("/api/v1/stats/highlights").await.ok(200);
    assert_eq!(ids(&all["new"]), [newer.0, new.0]);
    assert_eq!(ids(&all["regressed"]), [back.0]);
    assert_eq!(worse(&all), [(tenfold.0, 100, 10), (elsewhere.0, 50, 1), (twice.0, 40, 20)]);
    assert_eq!(all["new"][0]["sparkline"][23], 900);
    let of_shop = app.get("/api/v1/stats/highlights?project=shop").await.ok(200);
    assert_eq!(worse(&of_shop), [(tenfold.0, 100, 10), (twice.0, 40, 20)]);
    // A month, in which both days are.
    let month = app.get("/api/v1/stats/highlights?period=30d&project=shop").await.ok(200);
    assert_eq!(month["worsening"], json!([]), "all were first seen within it");
    assert_eq!(ids(&month["new"]).len(), 5);
    let wrong = app.get("/api/v1/stats/highlights?period=1y").await.mistakes();
    assert_eq!(wrong, ["period: `1y` is not 24h, 14d or 30d"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_another_teams_issues() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (shop, secret) = (app.project("shop").await, app.project("secret").await);
    for (project, team) in [(shop, blue), (secret, red)] {
        app.database
            .execute(&format!("UPDATE projects SET team_id = {team} WHERE id = {project}"))
            .await
            .unwrap();
    }
    let (own, hidden) = (app.issue(shop, 1, "a", 1).await, app.issue(secret, 1, "b", 1).await);
    for issue in [own, hidden] {
        events(&app, issue, 50, 1).await;
    }
    let (id, _) = person(&app, "bea", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let browser = session(&app, id, "bea").await;
    let path = app.url("/api/v1/stats/highlights");
    let seen = app.send(app.client.get(path).header("cookie", &browser.cookie)).await.ok(200);
    assert_eq!(worse(&seen), [(own.0, 50, 1)]);
    app.stop().await;
}

async fn beat(app: &App, service: &str, started_at: DateTime<Utc>, seen_at: DateTime<Utc>) {
    let beat = Heartbeat {
        service: service.to_owned(),
        instance: Uuid::new_v4(),
        started_at,
        seen_at,
        version: "1".to_owned(),
        state: json!({}),
    };
    heartbeats::beat(&mut *app.connection().await, &beat).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_went_without_a_word_is_missed_until_another_has_started() {
    let app = App::start().await;
    let ago = |minutes: i64| app.now() - TimeDelta::minutes(minutes);
    beat(&app, "ingest", ago(90), ago(0)).await;
    beat(&app, "recorder", ago(90), ago(5)).await;
    beat(&app, "notifier", ago(90), ago(5)).await;
    let told = async || {
        let list = app.get("/api/v1/services").await.ok(200);
        let items = list["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|one| (one["service"].as_str().unwrap().to_owned(), one["alive"].as_bool().unwrap()))
            .collect()
    };
    let of = |all: &[(&str, bool)]| -> Vec<(String, bool)> {
        all.iter().map(|(name, alive)| ((*name).to_owned(), *alive)).collect()
    };
    let found: Vec<(String, bool)> = told().await;
    assert_eq!(found, of(&[("ingest", true), ("notifier", false), ("recorder", false)]));
    beat(&app, "recorder", ago(1), ago(0)).await;
    let found: Vec<(String, bool)> = told().await;
    assert_eq!(found, of(&[("ingest", true), ("notifier", false), ("recorder", true)]));
    app.clock.advance(TimeDelta::hours(25));
    let found: Vec<(String, bool)> = told().await;
    assert_eq!(found, of(&[]));
    app.stop().await;
}
