//! Which signals open an incident.

use super::scene::{Scene, everything, person, policy, step};
use bugle_model::{Channel, DestinationSettings, IncidentState, Priority, Signal, SignalKind, TeamRole};
use bugle_store::oncall::NewRoutingRule;

#[tokio::test]
async fn without_a_rule_there_is_no_incident() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn destinations_of_the_project_stay_as_they_are() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let url = scene.hooks.url("/webhook/room");
    scene.world.destination(Channel::Webhook, &url, DestinationSettings::default()).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann", "webhook room"]).await;
    scene.acknowledge(&ann).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&["webhook room"]).await;
}

#[tokio::test]
async fn a_rule_looks_at_priority_kind_environment_and_project() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let project = scene.world.project;
    scene
        .routes(NewRoutingRule {
            project: Some(project),
            environments: vec!["production".to_owned()],
            kinds: vec![SignalKind::New],
            min_priority: Priority::High,
            ..everything(policy)
        })
        .await;
    scene.error("Too low", Priority::Medium).await;
    let other = scene.world.issue("Another kind").await;
    scene.threshold(other, Priority::High, 10).await;
    let staging = scene.world.issue("Another environment").await;
    scene
        .tell(staging, Priority::High, 0, |about| {
            Signal::IssueOpened(bugle_model::IssueSignal { environment: Some("staging".to_owned()), ..about })
        })
        .await;
    scene.hears(&[]).await;
    scene.error("Fits", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn of_several_rules_the_first_counts() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let second = scene.policy("second", &policy(vec![step(&[person(&ben)], 5)])).await;
    let first = scene.policy("first", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { place: 2, ..everything(second) }).await;
    scene.routes(NewRoutingRule { place: 1, min_priority: Priority::Critical, ..everything(first) }).await;
    scene.error("Critical", Priority::Critical).await;
    scene.hears(&["account ann"]).await;
    scene.error("High", Priority::High).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn a_rule_that_is_switched_off_is_not_looked_at() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { enabled: false, ..everything(policy) }).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn a_signal_that_was_too_little_opens_one_when_it_becomes_enough() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { min_priority: Priority::Critical, ..everything(policy) }).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_issue_that_was_ignored_meanwhile_opens_none() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.world.issue("Bad").await;
    scene.world.set_status(issue, 2).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn a_merge_takes_the_incident_along() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let into = scene.world.issue("Into").await;
    let going = scene.error("Going", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::merge(&mut conn, &all, into, &[going], "ann", super::scene::at(1))
        .await
        .unwrap();
    assert_eq!(scene.incident().await.issue, Some(into));
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn of_two_incidents_that_a_merge_brings_together_one_goes_on() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let into = scene.error("Into", Priority::High).await;
    let going = scene.error("Going", Priority::High).await;
    scene.hears(&["account ann", "account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::merge(&mut conn, &all, into, &[going], "ann", super::scene::at(1))
        .await
        .unwrap();
    assert_eq!(scene.states().await, [IncidentState::Triggered, IncidentState::Resolved]);
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn an_issue_that_is_deleted_ends_its_incident() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 2)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::delete(&mut conn, &all, issue, None, super::scene::at(1))
        .await
        .unwrap()
        .unwrap();
    scene.quiet(6).await;
    let incident = scene.incident().await;
    assert_eq!(
        (incident.state, incident.issue, incident.title.as_str()),
        (IncidentState::Resolved, None, "Bad")
    );
}
