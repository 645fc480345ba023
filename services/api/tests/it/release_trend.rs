//! Events before and after a release came.

use crate::harness::App;
use crate::people::{person, team};
use bugle_model::{InstallationRole, ProjectId, TeamRole};
use chrono::TimeDelta;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/releases/shop:1.0/trend";

/// Events of a project that many hours before noon, of an error and of a warning.
async fn events(app: &App, project: ProjectId, hours: i64, errors: i64, warnings: i64) {
    let hour = (app.now() - TimeDelta::hours(hours)).to_rfc3339();
    app.database
        .execute(&format!(
            "INSERT INTO project_hours (project_id, hour, level, events)
             VALUES ({project}, '{hour}', 40, {errors}), ({project}, '{hour}', 30, {warnings})"
        ))
        .await
        .unwrap();
}

/// The release 1.0 of the project shop, whose first event was so many minutes before noon.
async fn release(app: &App, minutes: i64) -> ProjectId {
    let project = app.project("shop").await;
    app.post("/api/v1/releases", &json!({ "project": "shop", "version": "1.0" })).await.ok(201);
    let first = (app.now() - TimeDelta::minutes(minutes)).to_rfc3339();
    app.database
        .execute(&format!(
            "INSERT INTO release_counts (release_id, events, first_event, last_event)
             SELECT id, 1, '{first}', '{first}' FROM releases"
        ))
        .await
        .unwrap();
    project
}

/// The places that are not zero, with their numbers.
fn shown(counts: &Value) -> Vec<(usize, i64)> {
    let counts = counts.as_array().unwrap().iter().map(|count| count.as_i64().unwrap());
    counts.enumerate().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_before_and_since_the_first_event() {
    let app = App::start().await;
    // It is noon, and the release came at 9:30: in the hour that began three hours ago.
    let project = release(&app, 150).await;
    for (hours, errors, warnings) in [(28, 1000, 0), (27, 1, 1), (4, 5, 0), (3, 7, 1), (1, 20, 0), (0, 2, 1)]
    {
        events(&app, project, hours, errors, warnings).await;
    }
    let other = app.project("till").await;
    events(&app, other, 3, 500, 500).await;

    let trend = app.get(PATH).await.ok(200);
    assert_eq!(trend["came_at"], json!(app.now() - TimeDelta::minutes(150)));
    assert_eq!((&trend["came_by"], &trend["hours"]), (&json!("event"), &json!(1)));
    let buckets = trend["buckets"].as_array().unwrap();
    let (first, last) = (app.now() - TimeDelta::hours(27), app.now());
    assert_eq!((buckets.len(), &buckets[0], &buckets[27]), (28, &json!(first), &json!(last)));
    assert_eq!(trend["before"].as_array().unwrap().len(), 24);
    assert_eq!(shown(&trend["before"]), [(0, 2), (23, 5)], "from 27 hours to 4 hours ago");
    assert_eq!(trend["after"], json!([8, 0, 20, 3]), "none is still to come");

    // A day later the first 24 hours since are over.
    app.clock.advance(TimeDelta::days(1));
    let later = app.get(PATH).await.ok(200);
    assert_eq!(later["after"].as_array().unwrap().len(), 24);
    assert_eq!(shown(&later["after"]), [(0, 8), (2, 20), (3, 3)]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_before_and_since_are_counted_from_the_hour_in_which_it_came() {
    let app = App::start().await;
    let project = release(&app, 150).await;
    for (hours, errors) in [(4, 5), (27, 2), (28, 30), (3, 7), (0, 2), (3 + 14 * 24, 4), (4 + 14 * 24, 1000)]
    {
        events(&app, project, hours, errors, 0).await;
    }
    let trend = app.get(&format!("{PATH}?period=14d")).await.ok(200);
    assert_eq!((&trend["hours"], &trend["after"]), (&json!(24), &json!([9])));
    assert_eq!(trend["before"].as_array().unwrap().len(), 14);
    assert_eq!(shown(&trend["before"]), [(0, 4), (12, 30), (13, 7)]);
    assert_eq!(app.get(&format!("{PATH}?period=1y")).await.mistakes(), ["period: `1y` is not 24h or 14d"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_before_the_first_event_is_when_it_came() {
    let app = App::start().await;
    let project = release(&app, 150).await;
    let deploy = async |hours: i64| {
        let body = json!({ "environment": "production", "finished_at": app.now() - TimeDelta::hours(hours) });
        app.post("/api/v1/releases/shop:1.0/deploys", &body).await.ok(201);
    };
    deploy(1).await;
    assert_eq!(app.get(PATH).await.ok(200)["came_by"], "event", "the deploy was later");
    deploy(5).await;
    events(&app, project, 5, 3, 0).await;
    let trend = app.get(PATH).await.ok(200);
    assert_eq!(trend["came_at"], json!(app.now() - TimeDelta::hours(5)));
    assert_eq!((&trend["came_by"], &trend["after"]), (&json!("deploy"), &json!([3, 0, 0, 0, 0, 0])));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_come_has_no_trend_and_others_do_not_see_it() {
    let app = App::start().await;
    let project = app.project("shop").await;
    app.post("/api/v1/releases", &json!({ "project": "shop", "version": "1.0" })).await.ok(201);
    events(&app, project, 1, 3, 0).await;
    let nothing =
        json!({ "came_at": null, "came_by": null, "hours": 1, "buckets": [], "before": [], "after": [] });
    assert_eq!(app.get(PATH).await.ok(200), nothing);
    let planned = json!({ "environment": "production", "finished_at": app.now() + TimeDelta::hours(1) });
    app.post("/api/v1/releases/shop:1.0/deploys", &planned).await.ok(201);
    assert_eq!(app.get(PATH).await.ok(200), nothing, "it is still to come");

    let blue = team(&app, "blue").await;
    let (_, eve) = person(&app, "eve", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    assert_eq!(eve.get(&app, PATH).await.status, 404);
    app.stop().await;
}
