//! Silences: what is opened while one matches pages nobody, before it ends.

use super::scene::{Scene, Somebody, at, everything, person, policy, step};
use super::tools::{alert, label, labelled, titled};
use bugle_model::{Alert, IncidentState, Priority, ProjectId, SignalKind, SilenceMatchers};
use bugle_schedule::Weekly;
use bugle_store::oncall::{self, AlertSource, NewSilence};
use serde_json::json;

/// Ann is paged for every issue of the project, and for what a tool tells.
async fn scene() -> (Scene, AlertSource, Somebody) {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 30)])).await;
    scene.routes(everything(policy)).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

#[tokio::test]
async fn a_silenced_alert_opens_an_incident_and_pages_at_the_end_of_the_silence() {
    let (mut scene, source, _) = scene().await;
    let silence = scene.silence(label("instance", "db1"), 20).await;
    scene.fires(&source, &labelled("disk", &[("instance", "db1")])).await;
    scene.hears(&[]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.state, incident.silence), (IncidentState::Triggered, Some(silence)));
    assert_eq!((incident.silenced_until, incident.next_at), (Some(at(20)), Some(at(20))));
    scene.after(20, &["account ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.silence, incident.silenced_until, incident.next_step), (None, None, 2));
    assert_eq!(scene.timeline().await, ["triggered", "silenced", "silence_ended", "paged"]);
}

#[tokio::test]
async fn the_timeline_names_the_silence() {
    let (scene, source, _) = scene().await;
    let silence = scene.silence(titled("disk*"), 20).await;
    scene.fires(&source, &alert("disk full")).await;
    let id = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    let entries = oncall::timeline(&mut conn, id, None, 10).await.unwrap();
    let expected = json!({ "silence": silence, "until": at(20), "comment": "maintenance", "author": "ann" });
    assert_eq!(entries[1].data, expected);
}

#[tokio::test]
async fn what_is_over_before_the_silence_ends_pages_nobody() {
    let (mut scene, source, _) = scene().await;
    scene.silence(titled("*"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.ends(&source, "disk").await;
    scene.world.set_status(issue, 1).await;
    scene.quiet(30).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved, IncidentState::Resolved]);
}

#[tokio::test]
async fn a_signal_is_silenced_by_its_title_environment_kind_and_project() {
    let (mut scene, _, _) = scene().await;
    let project = scene.world.project;
    let fits = SilenceMatchers {
        project: Some(project),
        environments: vec!["production".to_owned()],
        kinds: vec![SignalKind::New],
        title: Some("Time*".to_owned()),
        ..SilenceMatchers::default()
    };
    scene.silence(fits, 60).await;
    scene.error("Timeout", Priority::High).await;
    scene.hears(&[]).await;
    scene.error("Overtime", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let another_kind = scene.world.issue("Time is over").await;
    scene.threshold(another_kind, Priority::High, 10).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_silence_of_another_project_or_another_team_is_none() {
    let (mut scene, source, _) = scene().await;
    let other = SilenceMatchers { project: Some(ProjectId(4711)), ..SilenceMatchers::default() };
    let new = NewSilence { matchers: other, ..until(at(60)) };
    let mut conn = scene.world.store.conn().await.unwrap();
    let made = oncall::create_silence(&mut conn, scene.team, &new, "ann", at(0)).await.unwrap();
    assert_eq!(made, None, "the project is not the team's");
    let team = bugle_store::teams::create(&mut conn, "other", at(0)).await.unwrap();
    let new = NewSilence { matchers: titled("*"), ..until(at(60)) };
    oncall::create_silence(&mut conn, team, &new, "eve", at(0)).await.unwrap().unwrap();
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
}

fn until(ends_at: chrono::DateTime<chrono::Utc>) -> NewSilence {
    NewSilence {
        matchers: titled("*"),
        starts_at: at(0),
        ends_at,
        recurrence: None,
        comment: "maintenance".to_owned(),
    }
}

#[tokio::test]
async fn a_silence_that_has_not_begun_or_has_ended_is_none() {
    let (mut scene, source, _) = scene().await;
    scene.make_silence(NewSilence { starts_at: at(10), ..until(at(20)) }).await;
    scene.fires(&source, &alert("before")).await;
    scene.hears(&["account ann"]).await;
    scene.outage(20);
    scene.fires(&source, &alert("after")).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_silence_that_is_removed_has_its_incidents_page_at_once() {
    let (mut scene, source, _) = scene().await;
    let silence = scene.silence(titled("*"), 600).await;
    scene.fires(&source, &alert("disk")).await;
    scene.quiet(5).await;
    scene.end_silence(silence).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "silenced", "silence_ended", "paged"]);
}

#[tokio::test]
async fn of_several_silences_the_longest_counts_and_another_one_takes_over() {
    let (mut scene, source, _) = scene().await;
    scene.silence(titled("d*"), 10).await;
    let longer = scene.silence(titled("*k"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    assert_eq!(scene.incident().await.silence, Some(longer));
    scene.quiet(15).await;
    let last = scene.silence(titled("disk"), 15).await;
    scene.quiet(5).await;
    let incident = scene.incident().await;
    assert_eq!((incident.silence, incident.silenced_until), (Some(last), Some(at(30))));
    scene.after(10, &["account ann"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "silenced", "silenced", "silence_ended", "paged"]);
}

#[tokio::test]
async fn what_becomes_more_urgent_than_the_silence_pages() {
    let (mut scene, source, _) = scene().await;
    let up_to_high = SilenceMatchers { max_priority: Some(Priority::High), ..SilenceMatchers::default() };
    scene.silence(up_to_high, 60).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&[]).await;
    scene.fires(&source, &Alert { priority: Some(Priority::Critical), ..alert("disk") }).await;
    scene.hears(&["account ann"]).await;
    let expected = ["triggered", "silenced", "priority_raised", "silence_ended", "paged"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn what_becomes_more_urgent_within_the_silence_stays_silent() {
    let (mut scene, _, _) = scene().await;
    scene.silence(titled("*"), 60).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.quiet(30).await;
    scene.after(30, &["account ann"]).await;
    assert_eq!(scene.incident().await.priority, Priority::Critical);
}

#[tokio::test]
async fn an_incident_that_is_open_already_goes_on() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let source = scene.source("prometheus", policy).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    scene.silence(titled("*"), 60).await;
    scene.fires(&source, &alert("disk")).await;
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn a_silenced_incident_can_be_answered_and_given_to_somebody() {
    let (mut scene, source, ann) = scene().await;
    scene.silence(titled("*"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    scene.acknowledge(&ann).await;
    scene.quiet(30).await;
    let incident = scene.incident().await;
    assert_eq!((incident.state, incident.silence), (IncidentState::Acknowledged, None));
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::reassign(&mut conn, incident.id, (ann.id, ann.name), "ann", at(30)).await.unwrap();
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn whoever_escalates_a_silenced_incident_pages() {
    let (mut scene, source, _) = scene().await;
    scene.silence(titled("*"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&[]).await;
    let id = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::escalate(&mut conn, id, "ann", at(0)).await.unwrap();
    scene.hears(&["account ann"]).await;
    scene.quiet(25).await;
}

#[tokio::test]
async fn maintenance_that_comes_back_every_week_is_silent_in_its_hours() {
    let (mut scene, source, _) = scene().await;
    // The tests' day is a Friday; noon UTC is one o'clock in Vienna.
    let windows =
        serde_json::from_value(json!([{ "weekdays": ["fri"], "from": "13:10", "to": "13:20" }])).unwrap();
    let recurrence = Some(Weekly { zone: chrono_tz::Europe::Vienna, windows });
    scene.make_silence(NewSilence { recurrence, ..until(at(60 * 24 * 30)) }).await;
    scene.fires(&source, &alert("before")).await;
    scene.hears(&["account ann"]).await;
    scene.quiet(10).await;
    scene.fires(&source, &alert("within")).await;
    scene.after(10, &["account ann"]).await;
    scene.outage(7 * 24 * 60 - 5);
    scene.fires(&source, &alert("the week after")).await;
    scene.hears(&[]).await;
    scene.after(5, &["account ann"]).await;
}

#[tokio::test]
async fn an_escalator_that_was_away_at_the_end_pages_once_when_it_is_back() {
    let (mut scene, source, _) = scene().await;
    scene.silence(titled("*"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    scene.outage(120);
    scene.hears(&["account ann"]).await;
    scene.quiet(5).await;
}
