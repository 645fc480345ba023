//! After an outage one step is made up for, and everything goes on from then.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, IncidentState, NotificationState, Priority, Signal};
use bugle_schedule::EscalationPolicy;

#[tokio::test]
async fn one_step_is_made_up_for_and_the_next_counts_from_then() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let steps = vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5), step(&[person(&eve)], 5)];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.outage(60);
    scene.hears(&["account ben"]).await;
    scene.after(5, &["account eve"]).await;
    assert!(scene.world.metrics.render().contains("bugle_escalation_late_total 1"));
}

#[tokio::test]
async fn repetitions_that_were_missed_are_not_made_up_for() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let once = policy(vec![step(&[person(&ann)], 5)]);
    scene.escalates_by(&EscalationPolicy { repeat: 5, ..once }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.outage(30);
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.repeated, 1);
    scene.after(5, &["account ann"]).await;
}

#[tokio::test]
async fn rules_that_were_missed_go_out_once_per_contact_method() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let (email, sms) = (scene.reach(&ann, Channel::Email).await, scene.reach(&ann, Channel::Sms).await);
    for minutes in [1, 2, 3] {
        scene.rule(&ann, sms, Priority::Low, minutes).await;
    }
    scene.rule(&ann, email, Priority::Low, 4).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.outage(10);
    scene.hears(&["email ann", "sms ann"]).await;
    scene.quiet(5).await;
    let pages = scene.pages(scene.incident().await.id).await;
    let cancelled = pages.iter().filter(|page| page.state == NotificationState::Cancelled);
    assert_eq!(cancelled.count(), 2, "and the delivery log says why");
}

#[tokio::test]
async fn a_page_is_never_too_old_while_nobody_has_answered() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 9000)])).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.outage(5 * 60);
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn what_was_answered_during_the_outage_pages_nobody() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 5)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 10)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.outage(30);
    scene.acknowledge(&ann).await;
    scene.hears(&[]).await;
    assert_eq!(scene.states().await, [IncidentState::Acknowledged]);
}

#[tokio::test]
async fn signals_that_come_late_open_an_incident_all_the_same() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.world.issue("Bad").await;
    let about = scene.world.about(issue);
    scene.outage(3 * 60);
    scene.world.signal(vec![Signal::IssueOpened(about)]).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_acknowledgement_that_ended_during_the_outage_begins_again_once() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let steps = vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)];
    scene
        .escalates_by(&EscalationPolicy { acknowledgement_timeout_minutes: Some(10), ..policy(steps) })
        .await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.outage(120);
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn a_clock_that_goes_back_pages_nobody_twice() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.world.advance(-3600);
    scene.hears(&[]).await;
    scene.world.advance(3600);
    scene.after(5, &["account ben"]).await;
}
