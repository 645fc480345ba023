//! Steps without anybody: left out at once, told, and never the end of an incident.

use super::scene::{Scene, on_call, person, policy, step};
use bugle_model::{Channel, IncidentState, Priority, TeamRole};
use bugle_schedule::EscalationPolicy;

#[tokio::test]
async fn an_empty_step_is_left_out_at_once() {
    let mut scene = Scene::new().await;
    let ben = scene.person("ben").await;
    let schedule = scene.schedule(&[None]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 30), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "paged"]);
}

#[tokio::test]
async fn an_empty_step_between_others_is_left_out_when_its_time_comes() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[None]).await;
    let steps = vec![step(&[person(&ann)], 5), step(&[on_call(schedule)], 30), step(&[person(&ben)], 5)];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn when_no_step_has_anybody_the_fallback_is_paged() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    let eve = scene.person("eve").await;
    let schedule = scene.schedule(&[None]).await;
    let empty = policy(vec![step(&[on_call(schedule)], 5), step(&[on_call(schedule)], 5)]);
    scene.escalates_by(&EscalationPolicy { fallback: vec![person(&eve)], ..empty }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account eve"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "step_skipped", "fallback"]);
    scene.quiet(10).await;
}

#[tokio::test]
async fn without_a_fallback_the_managers_of_the_team_are_paged() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    scene.person("member").await;
    let schedule = scene.schedule(&[None]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account boss"]).await;
}

#[tokio::test]
async fn a_fallback_that_has_nobody_either_leaves_it_to_the_managers() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    let schedule = scene.schedule(&[None]).await;
    let empty = policy(vec![step(&[on_call(schedule)], 5)]);
    scene.escalates_by(&EscalationPolicy { fallback: vec![on_call(schedule)], ..empty }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account boss"]).await;
}

#[tokio::test]
async fn when_there_is_nobody_at_all_it_stays_open_and_says_so() {
    let mut scene = Scene::new().await;
    let schedule = scene.schedule(&[None]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "no_recipient"]);
    assert_eq!(scene.states().await, [IncidentState::Triggered]);
    assert!(scene.world.metrics.render().contains("bugle_incidents_without_recipient_total 1"));
}

#[tokio::test]
async fn whoever_comes_on_call_later_is_paged_for_what_had_nobody() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let schedule = scene.schedule(&[None]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    let add = bugle_schedule::OverrideKind::Add { who: ann.id };
    scene.overrides(schedule, (5, 60), add).await;
    scene.after(15, &["account ann"]).await;
}

#[tokio::test]
async fn after_the_fallback_the_policy_is_tried_again_when_it_repeats() {
    let mut scene = Scene::new().await;
    let (ann, eve) = (scene.person("ann").await, scene.person("eve").await);
    let schedule = scene.schedule(&[None]).await;
    let empty = policy(vec![step(&[on_call(schedule)], 5)]);
    scene.escalates_by(&EscalationPolicy { fallback: vec![person(&eve)], repeat: 1, ..empty }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account eve"]).await;
    let add = bugle_schedule::OverrideKind::Add { who: ann.id };
    scene.overrides(schedule, (1, 60), add).await;
    scene.after(5, &["account ann"]).await;
}

#[tokio::test]
async fn somebody_whose_rules_are_all_for_more_counts_as_nobody() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "paged"]);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_pages_the_managers() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let sql = "UPDATE escalation_policy_versions SET content = '{\"from\": \"a newer version\"}'";
    scene.world.sql.execute(sql, &[]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account boss"]).await;
}
