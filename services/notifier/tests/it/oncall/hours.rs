//! Steps that are for some hours of the week only.

use super::scene::{Scene, person, policy, step};
use bugle_model::Priority;
use bugle_schedule::{EscalationPolicy, EscalationStep, Weekly};
use serde_json::json;

/// A step of these hours of every day. The tests begin at noon UTC, which is 13:00 in Vienna.
fn at_hours(step: EscalationStep, zone: &str, from: &str, to: &str) -> EscalationStep {
    let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let windows = json!([{ "weekdays": weekdays, "from": from, "to": to }]);
    let hours: Weekly = serde_json::from_value(json!({ "zone": zone, "windows": windows })).unwrap();
    assert_eq!(hours.mistakes(), []);
    EscalationStep { hours: Some(hours), ..step }
}

#[tokio::test]
async fn a_step_outside_its_hours_is_left_out_at_once() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let night = at_hours(step(&[person(&ann)], 30), "UTC", "18:00", "08:00");
    scene.escalates_by(&policy(vec![night, step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "paged"]);
}

#[tokio::test]
async fn hours_are_those_of_the_clock_of_their_zone_when_the_step_comes() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let steps = vec![
        at_hours(step(&[person(&ann)], 5), "Europe/Vienna", "13:00", "13:05"),
        at_hours(step(&[person(&ben)], 5), "Europe/Vienna", "13:00", "13:05"),
        at_hours(step(&[person(&eve)], 5), "Europe/Vienna", "13:05", "13:10"),
    ];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account eve"]).await;
}

#[tokio::test]
async fn when_no_step_is_for_these_hours_the_fallback_is_paged() {
    let mut scene = Scene::new().await;
    let (ann, eve) = (scene.person("ann").await, scene.person("eve").await);
    let night = policy(vec![at_hours(step(&[person(&ann)], 5), "UTC", "18:00", "08:00")]);
    scene.escalates_by(&EscalationPolicy { fallback: vec![person(&eve)], ..night }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account eve"]).await;
}
