//! A higher priority tells those that only it concerns, and repeats nothing.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, Priority, Signal};
use bugle_schedule::EscalationStep;

#[tokio::test]
async fn a_higher_priority_brings_the_rules_that_are_for_it_only() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["sms ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.priority, incident.generation), (Priority::Critical, 2));
    assert_eq!(scene.timeline().await, ["triggered", "paged", "priority_raised", "paged"]);
    scene.quiet(5).await;
}

#[tokio::test]
async fn the_same_rules_for_everything_page_nobody_again() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::Medium).await;
    scene.hears(&["account ann"]).await;
    scene.threshold(issue, Priority::High, 100).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&[]).await;
    assert_eq!(scene.incident().await.priority, Priority::Critical);
}

#[tokio::test]
async fn pages_that_wait_go_out_all_the_same() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 5).await;
    scene.rule(&ann, sms, Priority::Critical, 1).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.quiet(2).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&[]).await;
    scene.after(1, &["sms ann"]).await;
    scene.after(2, &["email ann"]).await;
}

#[tokio::test]
async fn a_step_that_is_for_more_is_left_out_and_comes_when_it_is_more() {
    let mut scene = Scene::new().await;
    let (ann, boss) = (scene.person("ann").await, scene.person("boss").await);
    let critical = EscalationStep { min_priority: Some(Priority::Critical), ..step(&[person(&boss)], 5) };
    scene.escalates_by(&policy(vec![critical, step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["account boss"]).await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn steps_to_come_are_judged_by_the_priority_of_then() {
    let mut scene = Scene::new().await;
    let (ann, boss) = (scene.person("ann").await, scene.person("boss").await);
    let critical = EscalationStep { min_priority: Some(Priority::Critical), ..step(&[person(&boss)], 5) };
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), critical])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&[]).await;
    scene.after(5, &["account boss"]).await;
}

#[tokio::test]
async fn while_somebody_deals_with_it_a_higher_priority_pages_nobody() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.acknowledge(&ann).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&[]).await;
    scene.quiet(3).await;
    assert_eq!(scene.incident().await.priority, Priority::Critical);
}

#[tokio::test]
async fn a_priority_that_a_person_raises_counts_too() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    let sql = "UPDATE issues SET priority = 4, priority_chosen = true WHERE id = $1";
    scene.world.sql.execute(sql, &[&issue.0]).await.unwrap();
    let project = scene.world.project;
    scene.world.signal(vec![Signal::IssueChanged { issue, project }]).await;
    scene.hears(&["sms ann"]).await;
}

#[tokio::test]
async fn a_raise_before_the_first_page_makes_one_page() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["email ann", "sms ann"]).await;
}

#[tokio::test]
async fn somebody_whom_only_the_higher_priority_reaches_is_paged_then() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["sms ann"]).await;
}

#[tokio::test]
async fn what_had_nobody_is_tried_at_once_when_it_becomes_more() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["sms ann"]).await;
}

#[tokio::test]
async fn a_policy_that_has_ended_tells_those_who_were_left_out_and_those_who_know_less() {
    let mut scene = Scene::new().await;
    let (ann, boss) = (scene.person("ann").await, scene.person("boss").await);
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    let critical = EscalationStep { min_priority: Some(Priority::Critical), ..step(&[person(&boss)], 5) };
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), critical])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.quiet(6).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["account boss", "sms ann"]).await;
}
