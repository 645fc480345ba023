//! Destinations as targets of steps: they are told, and are nobody who was paged. And whole teams.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, DestinationSettings, Priority, TeamRole};
use bugle_schedule::{EscalationPolicy, EscalationTarget};

impl Scene {
    /// A webhook of the project that hears of nothing else: `room shop`.
    async fn room(&self) -> EscalationTarget {
        let url = self.hooks.url("/room/shop");
        let made = self.world.destination(Channel::Webhook, &url, DestinationSettings::default()).await;
        let sql = "UPDATE destinations SET min_priority = 4 WHERE id = $1";
        self.world.sql.execute(sql, &[&made.id.0]).await.unwrap();
        EscalationTarget::Destination { destination: made.id }
    }
}

#[tokio::test]
async fn a_step_tells_a_room_beside_its_people() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let room = scene.room().await;
    scene.escalates_by(&policy(vec![step(&[person(&ann), room], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann", "room shop"]).await;
    scene.after(5, &["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "posted", "paged", "paged"]);
    let pages = scene.pages(scene.incident().await.id).await;
    let whom: Vec<_> = pages.iter().map(|page| (page.user, page.destination)).collect();
    assert!(whom.contains(&(None, room.destination())), "{whom:?}");
}

#[tokio::test]
async fn what_a_room_is_told_is_a_page_in_the_webhooks_form() {
    let mut scene = Scene::new().await;
    let room = scene.room().await;
    scene.escalates_by(&policy(vec![step(&[room], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    let sent = scene.hooks.take().remove(0);
    let body = sent.json();
    assert_eq!((&body["type"], &body["data"]["issue"]["title"]), (&"incident.paged".into(), &"Bad".into()));
    assert_eq!(body["data"]["incident"]["id"], scene.incident().await.id.0);
    assert!(sent.header("webhook-signature").is_some());
}

#[tokio::test]
async fn a_room_alone_is_a_step_and_its_time_counts() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let room = scene.room().await;
    scene.escalates_by(&policy(vec![step(&[room], 5), step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["room shop"]).await;
    scene.after(5, &["account ann"]).await;
}

#[tokio::test]
async fn a_room_does_not_count_as_somebody_where_a_step_has_people() {
    let mut scene = Scene::new().await;
    let ben = scene.person("ben").await;
    let room = scene.room().await;
    let nobody = super::scene::on_call(scene.schedule(&[None]).await);
    scene.escalates_by(&policy(vec![step(&[room, nobody], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["room shop", "account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "posted", "step_skipped", "paged"]);
}

#[tokio::test]
async fn somebody_who_has_left_leaves_a_step_without_people_behind_and_not_one_for_rooms() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let room = scene.room().await;
    scene.escalates_by(&policy(vec![step(&[person(&ann), room], 5), step(&[person(&ben)], 5)])).await;
    scene.world.sql.execute("DELETE FROM memberships WHERE user_id = $1", &[&ann.id.0]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["room shop", "account ben"]).await;
}

#[tokio::test]
async fn when_only_rooms_were_told_the_fallback_is_paged() {
    let mut scene = Scene::new().await;
    let eve = scene.person("eve").await;
    let rooms = policy(vec![step(&[scene.room().await], 5)]);
    scene.escalates_by(&EscalationPolicy { fallback: vec![person(&eve)], ..rooms }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["room shop"]).await;
    scene.after(5, &["account eve"]).await;
}

#[tokio::test]
async fn a_room_is_told_once_by_a_step_however_often_it_comes() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let room = scene.room().await;
    let once = policy(vec![step(&[room], 5), step(&[person(&ann), room], 5)]);
    scene.escalates_by(&EscalationPolicy { repeat: 1, ..once }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["room shop"]).await;
    scene.after(5, &["account ann", "room shop"]).await;
    scene.after(5, &["account ann"]).await;
    let expected = ["triggered", "posted", "posted", "paged", "repeated", "step_skipped", "paged"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn a_room_that_is_switched_off_or_of_another_team_is_not_told() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (off, of_others) = (scene.room().await, scene.room().await);
    let sql = "UPDATE destinations SET enabled = false WHERE id = $1";
    scene.world.sql.execute(sql, &[&off.destination().unwrap().0]).await.unwrap();
    scene.escalates_by(&policy(vec![step(&[off], 5), step(&[of_others, person(&ann)], 5)])).await;
    let sql = "WITH other AS (INSERT INTO projects (name, prefix, created_at) VALUES ('other', 'OTHER', now()) RETURNING id)
        UPDATE destinations SET project_id = other.id FROM other WHERE destinations.id = $1";
    scene.world.sql.execute(sql, &[&of_others.destination().unwrap().0]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "paged"]);
}

#[tokio::test]
async fn what_waits_for_a_room_does_not_leave_after_an_answer() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let room = scene.room().await;
    scene.escalates_by(&policy(vec![step(&[person(&ann), room], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.acknowledge(&ann).await;
    scene.hears(&[]).await;
}

#[tokio::test]
async fn a_higher_priority_tells_the_rooms_of_steps_that_are_for_it() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let room = scene.room().await;
    let high = bugle_schedule::EscalationStep { min_priority: Some(Priority::High), ..step(&[room], 5) };
    scene.escalates_by(&policy(vec![high, step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::Medium).await;
    scene.hears(&["account ann"]).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&["room shop"]).await;
}

#[tokio::test]
async fn a_team_is_everybody_in_it_but_its_viewers() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    scene.person_as("vic", TeamRole::Viewer).await;
    let ann = scene.person("ann").await;
    let team = EscalationTarget::Team { team: scene.team };
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[team], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ann", "account boss"]).await;
}
