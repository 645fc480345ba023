//! One step after the other, until somebody answers.

use super::scene::{Scene, on_call, person, policy, step};
use bugle_model::{IncidentState, Priority};
use bugle_schedule::EscalationPolicy;

#[tokio::test]
async fn the_first_step_pages_at_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged"]);
}

#[tokio::test]
async fn the_next_step_comes_when_nobody_answers() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 10)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
    scene.quiet(12).await;
}

#[tokio::test]
async fn a_step_pages_all_its_targets() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let schedule = scene.schedule(&[Some(&eve)]).await;
    let targets = [person(&ann), person(&ben), on_call(schedule)];
    scene.escalates_by(&policy(vec![step(&targets, 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann", "account ben", "account eve"]).await;
}

#[tokio::test]
async fn somebody_who_is_in_a_step_twice_is_paged_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let schedule = scene.schedule(&[Some(&ann)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann), on_call(schedule)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn somebody_who_is_in_the_next_step_too_is_paged_again() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let steps = vec![step(&[person(&ann)], 5), step(&[person(&ann), person(&ben)], 5)];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ann", "account ben"]).await;
}

#[tokio::test]
async fn a_policy_repeats_as_often_as_it_says() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let steps = vec![step(&[person(&ann)], 2), step(&[person(&ben)], 3)];
    scene.escalates_by(&EscalationPolicy { repeat: 2, ..policy(steps) }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    for _ in 0..2 {
        scene.after(2, &["account ben"]).await;
        scene.after(3, &["account ann"]).await;
    }
    scene.after(2, &["account ben"]).await;
    scene.quiet(10).await;
    let incident = scene.incident().await;
    assert_eq!((incident.state, incident.next_at, incident.repeated), (IncidentState::Triggered, None, 2));
}

#[tokio::test]
async fn after_the_last_step_it_stays_open_and_says_so() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 1)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.quiet(5).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "exhausted"]);
    assert_eq!(scene.states().await, [IncidentState::Triggered]);
    assert!(scene.world.metrics.render().contains("bugle_incidents_exhausted_total 1"));
}

#[tokio::test]
async fn an_incident_keeps_the_policy_that_it_began_with() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let id = scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Old", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let changed = policy(vec![step(&[person(&eve)], 1)]);
    let mut conn = scene.world.store.conn().await.unwrap();
    bugle_store::oncall::update_policy(&mut conn, id, "everything", &changed, "tests", super::scene::at(1))
        .await
        .unwrap();
    scene.after(5, &["account ben"]).await;
    scene.error("New", Priority::High).await;
    scene.hears(&["account eve"]).await;
    let versions: Vec<_> = scene.incidents().await.iter().map(|one| one.policy_version).collect();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test]
async fn removing_policy_and_rule_stops_no_incident() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let id = scene.policy("p", &policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let rule = scene.routes(super::scene::everything(id)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let refused = bugle_store::oncall::delete_policy(&mut conn, id).await;
    assert!(refused.unwrap_err().is_missing_reference(), "a rule leads to it");
    assert!(
        bugle_store::oncall::delete_routing_rule(&mut conn, &bugle_store::Scope::All, rule).await.unwrap()
    );
    assert!(bugle_store::oncall::delete_policy(&mut conn, id).await.unwrap());
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn each_issue_has_its_own_incident_and_the_weightiest_goes_first() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(bugle_model::Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    for (title, priority) in
        [("low", Priority::Low), ("critical", Priority::Critical), ("high", Priority::High)]
    {
        scene.error(title, priority).await;
    }
    scene.escalate().await;
    // One at a time, so that their order is seen.
    scene.world.policy.per_channel = |channel| bugle_notifier::policy::ChannelLimits {
        in_flight: 1,
        ..bugle_notifier::policy::channel_limits(channel)
    };
    let mut sender = scene.world.sender();
    sender.run_once().await.unwrap();
    let titles: Vec<_> =
        scene.hooks.take().iter().map(|request| request.json()["data"]["issue"]["title"].clone()).collect();
    assert_eq!(titles, ["critical", "high", "low"]);
}

#[tokio::test]
async fn a_schedule_that_was_removed_counts_as_nobody() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann)]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5), step(&[person(&ben)], 5)])).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    assert!(bugle_store::oncall::delete_schedule(&mut conn, schedule).await.unwrap());
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn somebody_who_was_shut_out_is_not_paged() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann), person(&ben)], 5)])).await;
    scene.world.sql.execute("UPDATE users SET disabled = true WHERE id = $1", &[&ann.id.0]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
}
