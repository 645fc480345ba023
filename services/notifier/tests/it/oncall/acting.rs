//! What people do besides answering: handing over, putting off, climbing by hand.

use super::scene::{Scene, Somebody, at, person, policy, step};
use bugle_model::{Channel, IncidentId, IncidentState, Priority};
use bugle_store::Connection;
use bugle_store::oncall::{self, Acted};
use chrono::{DateTime, Utc};

async fn act(
    scene: &Scene,
    action: impl AsyncFnOnce(&mut Connection, IncidentId, DateTime<Utc>) -> Result<Acted, bugle_store::StoreError>,
) -> Acted {
    let incident = scene.incident().await.id;
    let now = bugle_model::Clock::now(&*scene.world.clock);
    action(&mut scene.world.store.conn().await.unwrap(), incident, now).await.unwrap()
}

/// Two people, one after the other; ann is paged.
async fn paged() -> (Scene, Somebody, Somebody) {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 3)]).await;
    let ben = scene.person_with("ben", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    (scene, ann, ben)
}

#[tokio::test]
async fn taking_an_acknowledgement_back_begins_at_the_first_step() {
    let (mut scene, ann, _) = paged().await;
    scene.after(3, &["sms ann"]).await;
    scene.after(2, &["email ben"]).await;
    scene.acknowledge(&ann).await;
    scene.quiet(2).await;
    assert_eq!(
        act(&scene, async |c, id, now| oncall::unacknowledge(c, id, "ann", now).await).await,
        Acted::Done
    );
    scene.hears(&["email ann"]).await;
    assert_eq!(scene.incident().await.generation, 2);
    scene.after(3, &["sms ann"]).await;
    scene.after(2, &["email ben"]).await;
}

#[tokio::test]
async fn there_is_nothing_to_take_back_while_nobody_has_answered() {
    let (mut scene, ..) = paged().await;
    let acted = act(&scene, async |c, id, now| oncall::unacknowledge(c, id, "ann", now).await).await;
    assert_eq!(acted, Acted::Not(IncidentState::Triggered));
    scene.quiet(2).await;
}

#[tokio::test]
async fn a_snoozed_incident_is_quiet_and_then_begins_again() {
    let (mut scene, ..) = paged().await;
    let until = at(20);
    let acted = act(&scene, async |c, id, now| oncall::snooze(c, id, until, "ann", now).await).await;
    assert_eq!(acted, Acted::Done);
    assert_eq!(scene.incident().await.snoozed_until, Some(until));
    scene.after(20, &["email ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.state, incident.snoozed_until), (IncidentState::Triggered, None));
    assert_eq!(scene.timeline().await, ["triggered", "paged", "snoozed by ann", "snooze_ended", "paged"]);
    scene.after(3, &["sms ann"]).await;
}

#[tokio::test]
async fn escalating_by_hand_has_the_next_step_come_at_once() {
    let (mut scene, ..) = paged().await;
    act(&scene, async |c, id, now| oncall::escalate(c, id, "ann", now).await).await;
    scene.hears(&["email ben"]).await;
    scene.after(3, &["sms ann"]).await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn escalating_an_acknowledged_incident_takes_the_answer_back() {
    let (mut scene, ann, _) = paged().await;
    scene.acknowledge(&ann).await;
    act(&scene, async |c, id, now| oncall::escalate(c, id, "ann", now).await).await;
    scene.hears(&["email ben"]).await;
    assert_eq!(scene.states().await, [IncidentState::Triggered]);
    scene.quiet(4).await;
}

#[tokio::test]
async fn escalating_after_the_last_step_begins_at_the_first() {
    let (mut scene, ..) = paged().await;
    scene.after(3, &["sms ann"]).await;
    scene.after(2, &["email ben"]).await;
    scene.quiet(6).await;
    act(&scene, async |c, id, now| oncall::escalate(c, id, "ann", now).await).await;
    scene.hears(&["email ann"]).await;
    scene.after(3, &["sms ann"]).await;
}

#[tokio::test]
async fn whom_it_is_given_to_is_paged_at_once_and_nobody_else() {
    let (mut scene, ..) = paged().await;
    let eve = scene.person_with("eve", &[(Channel::Slack, 0)]).await;
    let acted = act(&scene, async |c, id, now| oncall::reassign(c, id, (eve.id, "eve"), "ann", now).await);
    assert_eq!(acted.await, Acted::Done);
    scene.hears(&["slack eve"]).await;
    assert_eq!(scene.incident().await.assigned_user, Some(eve.id));
    // ann's SMS is not wanted any more; when eve does not answer, the policy goes on.
    scene.after(5, &["email ben"]).await;
}

#[tokio::test]
async fn giving_it_to_somebody_who_cannot_be_reached_goes_on_with_the_policy() {
    let (mut scene, ..) = paged().await;
    let off = scene.person("off").await;
    scene.world.sql.execute("UPDATE users SET disabled = true WHERE id = $1", &[&off.id.0]).await.unwrap();
    act(&scene, async |c, id, now| oncall::reassign(c, id, (off.id, "off"), "ann", now).await).await;
    scene.hears(&["email ben"]).await;
}

#[tokio::test]
async fn nothing_is_done_with_a_resolved_incident() {
    let (mut scene, ann, ben) = paged().await;
    scene.resolve(&ann).await;
    let resolved = Acted::Not(IncidentState::Resolved);
    assert_eq!(act(&scene, async |c, id, now| oncall::escalate(c, id, "a", now).await).await, resolved);
    assert_eq!(act(&scene, async |c, id, now| oncall::unacknowledge(c, id, "a", now).await).await, resolved);
    assert_eq!(act(&scene, async |c, id, now| oncall::snooze(c, id, at(60), "a", now).await).await, resolved);
    let to = (ben.id, "ben");
    assert_eq!(act(&scene, async |c, id, now| oncall::reassign(c, id, to, "a", now).await).await, resolved);
    scene.quiet(6).await;
}

#[tokio::test]
async fn a_note_is_on_the_timeline() {
    let (mut scene, ..) = paged().await;
    let incident = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    let note = oncall::note(&mut conn, incident, "it is the cache", "ann", at(1)).await.unwrap().unwrap();
    assert_eq!(note.data["text"], "it is the cache");
    assert_eq!(scene.timeline().await, ["triggered", "paged", "note by ann"]);
    scene.quiet(1).await;
}
