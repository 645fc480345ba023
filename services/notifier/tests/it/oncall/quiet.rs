//! Quiet hours hold pages, and hold up nothing else. It is a Friday, noon UTC.

use super::scene::{Scene, Somebody, at, person, policy, step};
use bugle_model::{Channel, IncidentState, Priority, Signal};
use bugle_schedule::{Restriction, Weekday};
use bugle_store::oncall::{QuietHours, set_quiet_hours};
use chrono::NaiveTime;

/// `who` is not to be told before so many minutes after noon.
async fn quiet(scene: &Scene, who: &Somebody, minutes: i64, breaks_through: Option<Priority>) {
    let hours =
        vec![Restriction { weekdays: vec![Weekday::Fri], from: NaiveTime::MIN, to: at(minutes).time() }];
    let mut conn = scene.world.store.conn().await.unwrap();
    set_quiet_hours(&mut conn, who.id, &QuietHours { hours, breaks_through }).await.unwrap();
}

async fn on_call(scene: &Scene) -> (Somebody, Somebody) {
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 60)])).await;
    (ann, ben)
}

#[tokio::test]
async fn a_page_waits_for_their_end_while_the_policy_goes_on() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    quiet(&scene, &ann, 20, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.after(5, &["account ben"]).await;
    scene.after(15, &["account ann"]).await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn who_answers_meanwhile_spares_the_sleeper() {
    let mut scene = Scene::new().await;
    let (ann, ben) = on_call(&scene).await;
    quiet(&scene, &ann, 20, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.after(5, &["account ben"]).await;
    scene.acknowledge(&ben).await;
    scene.quiet(30).await;
}

#[tokio::test]
async fn what_is_critical_breaks_through_unless_it_may_not() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    quiet(&scene, &ann, 3, Some(Priority::Critical)).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&["account ann"]).await;
    quiet(&scene, &ann, 3, None).await;
    scene.error("Worse", Priority::Critical).await;
    scene.hears(&[]).await;
    scene.after(3, &["account ann"]).await;
}

#[tokio::test]
async fn what_becomes_critical_breaks_through_then() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    quiet(&scene, &ann, 20, Some(Priority::Critical)).await;
    let issue = scene.error("Bad", Priority::Medium).await;
    scene.hears(&[]).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.after(1, &[]).await;
    scene.threshold(issue, Priority::Critical, 100).await;
    scene.after(1, &["account ann"]).await;
    scene.after(3, &["account ben"]).await;
    scene.quiet(20).await;
}

#[tokio::test]
async fn rules_with_a_delay_count_when_they_are_due() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 30)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
    quiet(&scene, &ann, 20, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.after(20, &["email ann"]).await;
    scene.after(10, &["sms ann"]).await;
}

#[tokio::test]
async fn they_end_by_the_clock_of_the_persons_zone() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    scene
        .world
        .sql
        .execute("UPDATE users SET time_zone = 'Asia/Kolkata' WHERE name = 'ann'", &[])
        .await
        .unwrap();
    // In Kolkata it is half past five.
    quiet(&scene, &ann, 5 * 60 + 32, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.after(2, &["account ann"]).await;
}

#[tokio::test]
async fn the_timeline_says_until_when_a_page_waits() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    quiet(&scene, &ann, 20, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    let incident = scene.incident().await;
    assert_eq!(incident.state, IncidentState::Triggered);
    let mut conn = scene.world.store.conn().await.unwrap();
    let entries = bugle_store::oncall::timeline(&mut conn, incident.id, None, 10).await.unwrap();
    let held: Vec<_> = entries.iter().map(|entry| entry.data["people"][0]["held_until"].clone()).collect();
    assert!(held.contains(&serde_json::json!(at(20))), "{entries:?}");
}

#[tokio::test]
async fn quiet_hours_that_cannot_be_read_hold_nothing() {
    let mut scene = Scene::new().await;
    let (ann, _) = on_call(&scene).await;
    let sql = "INSERT INTO quiet_hours (user_id, hours) VALUES ($1, '[{\"until\": \"I wake up\"}]')";
    scene.world.sql.execute(sql, &[&ann.id.0]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_incident_that_begins_again_waits_for_the_next_ones_too() {
    let mut scene = Scene::new().await;
    let (ann, ben) = on_call(&scene).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    quiet(&scene, &ann, 20, None).await;
    scene.acknowledge(&ben).await;
    let incident = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    bugle_store::oncall::unacknowledge(&mut conn, incident, "ben", at(0)).await.unwrap();
    scene.hears(&[]).await;
    scene.after(5, &["account ben"]).await;
    scene.tell(scene.incident().await.issue.unwrap(), Priority::High, 0, Signal::IssueRegressed).await;
    scene.after(15, &["account ann"]).await;
}
