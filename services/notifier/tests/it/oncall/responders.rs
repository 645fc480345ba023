//! Responders: who is asked to help is paged at once, and the policy goes on.

use super::scene::{Scene, Somebody, person, policy, step};
use super::tools::{alert, titled};
use bugle_model::{Channel, Clock, IncidentState, Priority};
use bugle_store::oncall::{self, Acted};
use bugle_store::teams;

/// Ann is paged and after five minutes ben; eve is told by mail, and after three minutes by SMS.
async fn scene() -> (Scene, Somebody, Somebody) {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let eve = scene.person_with("eve", &[(Channel::Email, 0), (Channel::Sms, 3)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    (scene, ann, eve)
}

async fn ask(scene: &Scene, who: &Somebody) -> Acted {
    let incident = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = scene.world.clock.now();
    oncall::add_responder(&mut conn, incident, (who.id, who.name), "ann", now).await.unwrap()
}

async fn join(scene: &Scene, who: &Somebody) -> bool {
    let incident = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = scene.world.clock.now();
    oncall::join_as_responder(&mut conn, incident, who.id, who.name, now).await.unwrap()
}

#[tokio::test]
async fn who_is_asked_to_help_is_paged_at_once_and_the_policy_goes_on() {
    let (mut scene, _, eve) = scene().await;
    scene.quiet(1).await;
    assert_eq!(ask(&scene, &eve).await, Acted::Done);
    scene.hears(&["email eve"]).await;
    scene.after(3, &["sms eve"]).await;
    scene.after(1, &["account ben"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.generation, incident.assigned_user), (1, None));
    let [responder] = incident.responders.as_slice() else { panic!("{:?}", incident.responders) };
    assert_eq!((responder.user, responder.requested_by.as_str(), responder.joined_at), (eve.id, "ann", None));
    assert_eq!(scene.timeline().await, ["triggered", "paged", "responder_added by ann", "paged", "paged"]);
}

#[tokio::test]
async fn who_is_asked_while_somebody_deals_with_it_is_paged_until_they_help() {
    let (mut scene, ann, eve) = scene().await;
    scene.acknowledge(&ann).await;
    ask(&scene, &eve).await;
    scene.hears(&["email eve"]).await;
    let incident = scene.incident().await;
    assert_eq!(
        (incident.state, incident.acknowledged_by.as_deref()),
        (IncidentState::Acknowledged, Some("ann"))
    );
    assert!(join(&scene, &eve).await && !join(&scene, &eve).await, "once");
    scene.quiet(6).await;
    assert!(scene.incident().await.responders[0].joined_at.is_some());
    let expected = [
        "triggered",
        "paged",
        "acknowledged by ann",
        "responder_added by ann",
        "paged",
        "responder_joined by eve",
    ];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn an_answer_right_after_the_question_does_not_take_it_back() {
    let (mut scene, ann, eve) = scene().await;
    ask(&scene, &eve).await;
    scene.acknowledge(&ann).await;
    scene.hears(&["email eve"]).await;
    scene.after(3, &["sms eve"]).await;
    scene.quiet(3).await;
}

#[tokio::test]
async fn the_end_of_the_incident_ends_what_waits_for_those_who_were_asked() {
    let (mut scene, ann, eve) = scene().await;
    ask(&scene, &eve).await;
    scene.hears(&["email eve"]).await;
    scene.resolve(&ann).await;
    scene.quiet(5).await;
    assert_eq!(ask(&scene, &eve).await, Acted::Not(IncidentState::Resolved));
    assert!(!join(&scene, &eve).await);
    scene.hears(&[]).await;
}

#[tokio::test]
async fn who_is_asked_again_is_paged_again() {
    let (mut scene, ann, eve) = scene().await;
    scene.acknowledge(&ann).await;
    ask(&scene, &eve).await;
    scene.hears(&["email eve"]).await;
    join(&scene, &eve).await;
    ask(&scene, &eve).await;
    scene.hears(&["email eve"]).await;
    let responders = scene.incident().await.responders;
    assert_eq!((responders.len(), responders[0].joined_at), (1, None));
}

#[tokio::test]
async fn a_silence_does_not_keep_a_question_quiet_and_goes_on() {
    let mut scene = Scene::new().await;
    let (ann, eve) = (scene.person("ann").await, scene.person("eve").await);
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let source = scene.source("prometheus", policy).await;
    scene.silence(titled("*"), 20).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&[]).await;
    ask(&scene, &eve).await;
    scene.hears(&["account eve"]).await;
    scene.after(20, &["account ann"]).await;
    let expected = ["triggered", "silenced", "responder_added by ann", "paged", "silence_ended", "paged"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn who_has_left_the_team_or_cannot_be_reached_is_not_paged() {
    let (mut scene, _, eve) = scene().await;
    let mut conn = scene.world.store.conn().await.unwrap();
    ask(&scene, &eve).await;
    teams::remove_member(&mut conn, scene.team, eve.id).await.unwrap();
    scene.hears(&[]).await;
    let off = scene.person("off").await;
    scene.world.sql.execute("UPDATE users SET disabled = true WHERE id = $1", &[&off.id.0]).await.unwrap();
    ask(&scene, &off).await;
    scene.hears(&[]).await;
    let expected = ["triggered", "paged", "responder_added by ann", "responder_added by ann", "step_skipped"];
    assert_eq!(scene.timeline().await, expected);
    scene.after(5, &["account ben"]).await;
}
