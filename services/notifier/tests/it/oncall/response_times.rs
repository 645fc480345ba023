//! By when an incident has to be answered: the next step comes then at the latest.

use super::scene::{Scene, at, person, policy, step};
use super::tools::titled;
use bugle_model::{Clock, Priority};
use bugle_store::oncall::{self, ResponseTimes};

/// Two people, of whom the first has so many minutes.
async fn two_steps(scene: &Scene, minutes: u32) -> super::scene::Somebody {
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], minutes), step(&[person(&ben)], 10)])).await;
    ann
}

async fn set(scene: &Scene, high: Option<i32>, critical: Option<i32>) {
    let times = ResponseTimes { critical, high, medium: None, low: None };
    assert_eq!(times.mistakes(), []);
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::set_response_times(&mut conn, scene.team, &times).await.unwrap();
}

#[tokio::test]
async fn the_next_step_comes_when_the_response_time_is_over() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 120).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.respond_by, incident.next_at), (Some(at(60)), Some(at(60))));
    scene.after(60, &["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "response_overdue", "paged"]);
}

#[tokio::test]
async fn it_comes_early_once_and_those_after_it_in_their_own_time() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let steps = vec![step(&[person(&ann)], 30), step(&[person(&ben)], 20), step(&[person(&eve)], 5)];
    scene.escalates_by(&policy(steps)).await;
    set(&scene, Some(10), None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(10, &["account ben"]).await;
    scene.after(20, &["account eve"]).await;
    let expected = ["triggered", "paged", "response_overdue", "paged", "paged"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn steps_that_come_sooner_need_no_help() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 10).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(10, &["account ben"]).await;
    scene.quiet(60).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "paged", "exhausted"]);
}

#[tokio::test]
async fn an_answer_in_time_is_an_answer() {
    let mut scene = Scene::new().await;
    let ann = two_steps(&scene, 120).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.quiet(59).await;
    scene.acknowledge(&ann).await;
    scene.quiet(5).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "acknowledged by ann"]);
}

#[tokio::test]
async fn what_is_to_be_answered_at_once_pages_one_step_at_a_time() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 5).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.respond_by, Some(at(0)));
    scene.after(5, &["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "paged"]);
}

#[tokio::test]
async fn a_higher_priority_shortens_it_from_then_on() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 300).await;
    let issue = scene.error("Bad", Priority::Medium).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.respond_by, Some(at(240)));
    scene.quiet(30).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&[]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.respond_by, incident.next_at), (Some(at(90)), Some(at(90))));
}

#[tokio::test]
async fn a_team_without_response_times_has_only_its_policies() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 61).await;
    set(&scene, None, None).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.respond_by, None);
    scene.after(61, &["account ben"]).await;
}

#[tokio::test]
async fn it_counts_from_the_end_of_a_silence() {
    let mut scene = Scene::new().await;
    two_steps(&scene, 120).await;
    let silence = scene.silence(titled("*"), 600).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    assert_eq!(scene.incident().await.respond_by, None);
    scene.quiet(30).await;
    scene.end_silence(silence).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.respond_by, Some(at(90)));
}

#[tokio::test]
async fn it_counts_anew_when_nobody_deals_with_it_any_more() {
    let mut scene = Scene::new().await;
    let ann = two_steps(&scene, 120).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.quiet(90).await;
    let id = scene.incident().await.id;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::unacknowledge(&mut conn, id, "ann", scene.world.clock.now()).await.unwrap();
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.respond_by, Some(at(150)));
}

#[tokio::test]
async fn after_an_outage_one_step_is_made_up_for() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let steps = vec![step(&[person(&ann)], 120), step(&[person(&ben)], 10), step(&[person(&eve)], 10)];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.outage(300);
    scene.hears(&["account ben"]).await;
    scene.after(10, &["account eve"]).await;
}
