//! Issues and keys whose incidents end and are opened again, again and again.

use super::scene::{Scene, Somebody, everything, person, policy, step};
use super::tools::alert;
use bugle_model::{Alert, Clock, IncidentId, Priority, Signal};
use bugle_store::oncall::{self, AlertSource};
use chrono::TimeDelta;

/// Ann is paged for every issue of the project, and for what a tool tells.
async fn scene() -> (Scene, AlertSource, Somebody) {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 600)])).await;
    scene.routes(everything(policy)).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

/// The disk fails and recovers so many times, two minutes apart; each time ann is paged.
async fn fails(scene: &mut Scene, source: &AlertSource, times: usize) {
    for _ in 0..times {
        scene.fires(source, &alert("disk")).await;
        scene.hears(&["account ann"]).await;
        scene.ends(source, "disk").await;
        scene.quiet(2).await;
    }
}

async fn timeline(scene: &Scene, id: IncidentId) -> Vec<String> {
    let mut conn = scene.world.store.conn().await.unwrap();
    let entries = oncall::timeline(&mut conn, id, None, 100).await.unwrap();
    entries.iter().map(|entry| entry.event.to_string()).collect()
}

#[tokio::test]
async fn the_sixth_incident_within_an_hour_pages_as_flapping_and_those_after_it_are_silent() {
    let (mut scene, source, _) = scene().await;
    fails(&mut scene, &source, 6).await;
    let found = scene.incidents().await;
    assert_eq!(timeline(&scene, found[4].id).await, ["triggered", "paged", "resolved"]);
    assert_eq!(timeline(&scene, found[5].id).await, ["triggered", "flapping", "paged", "resolved"]);
    let flapping: Vec<bool> = found.iter().map(|one| one.flapping).collect();
    assert_eq!(flapping, [false, false, false, false, false, true]);
    for _ in 0..3 {
        scene.fires(&source, &alert("disk")).await;
        scene.quiet(20).await;
        scene.ends(&source, "disk").await;
    }
    let last = scene.incidents().await.pop().unwrap();
    assert_eq!(timeline(&scene, last.id).await, ["triggered", "flapping", "resolved"]);
    scene.fires(&source, &alert("memory")).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn the_page_says_that_it_flaps() {
    let (mut scene, source, _) = scene().await;
    fails(&mut scene, &source, 5).await;
    scene.fires(&source, &alert("disk")).await;
    scene.escalate().await;
    scene.send().await;
    let mail = scene.mail.take().remove(0).data;
    assert!(mail.contains("Alert from prometheus, flapping in shop"), "{mail}");
}

#[tokio::test]
async fn what_flaps_and_stays_open_pages_after_half_an_hour() {
    let (mut scene, source, _) = scene().await;
    fails(&mut scene, &source, 6).await;
    scene.fires(&source, &alert("disk")).await;
    let incident = scene.incidents().await.pop().unwrap();
    let until = scene.world.clock.now() + TimeDelta::minutes(30);
    assert_eq!((incident.flapping, incident.silenced_until), (true, Some(until)));
    scene.fires(&source, &alert("disk")).await;
    scene.after(30, &["account ann"]).await;
    let expected = ["triggered", "flapping", "signal", "silence_ended", "paged"];
    assert_eq!(timeline(&scene, incident.id).await, expected);
}

#[tokio::test]
async fn after_half_an_hour_of_calm_it_pages_again() {
    let (mut scene, source, _) = scene().await;
    fails(&mut scene, &source, 6).await;
    scene.fires(&source, &alert("disk")).await;
    scene.ends(&source, "disk").await;
    scene.quiet(60).await;
    fails(&mut scene, &source, 2).await;
}

#[tokio::test]
async fn five_an_hour_are_not_flapping() {
    let (mut scene, source, _) = scene().await;
    for _ in 0..2 {
        fails(&mut scene, &source, 5).await;
        scene.quiet(50).await;
    }
    assert!(scene.incidents().await.iter().all(|one| !one.flapping));
}

#[tokio::test]
async fn what_flaps_and_becomes_more_urgent_pages() {
    let (mut scene, source, _) = scene().await;
    fails(&mut scene, &source, 6).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&[]).await;
    scene.fires(&source, &Alert { priority: Some(Priority::Critical), ..alert("disk") }).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_issue_that_comes_back_again_and_again_flaps() {
    let (mut scene, _, ann) = scene().await;
    let issue = scene.error("Bad", Priority::High).await;
    for generation in 1..6 {
        scene.hears(&["account ann"]).await;
        scene.resolve(&ann).await;
        scene.tell(issue, Priority::High, generation, Signal::IssueRegressed).await;
    }
    scene.hears(&["account ann"]).await;
    assert!(scene.incidents().await.pop().unwrap().flapping);
    scene.resolve(&ann).await;
    scene.tell(issue, Priority::High, 6, Signal::IssueRegressed).await;
    scene.quiet(5).await;
}
