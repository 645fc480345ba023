//! Answers stop what is pending.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, IncidentState, NotificationState, Priority, Signal};
use bugle_schedule::EscalationPolicy;
use bugle_store::oncall::Acted;

#[tokio::test]
async fn an_acknowledged_incident_escalates_no_further() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.quiet(3).await;
    assert_eq!(scene.acknowledge(&ann).await, Acted::Done);
    scene.quiet(10).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "acknowledged by ann"]);
    let incident = scene.incident().await;
    assert_eq!(incident.acknowledged_by.as_deref(), Some("ann"));
    assert_eq!((incident.state, incident.next_at), (IncidentState::Acknowledged, None));
}

#[tokio::test]
async fn an_acknowledgement_cancels_pages_that_have_not_left() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 5)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.acknowledge(&ann).await;
    let pages = scene.pages(scene.incident().await.id).await;
    let states: Vec<_> = pages.iter().map(|page| (page.channel, page.state)).collect();
    let expected = [(Channel::Email, NotificationState::Sent), (Channel::Sms, NotificationState::Cancelled)];
    assert_eq!(states, expected, "in the transaction of the answer, not when its time comes");
    assert_eq!(pages[1].error.as_deref(), Some("the incident was acknowledged"));
    scene.quiet(10).await;
}

#[tokio::test]
async fn an_acknowledgement_before_the_first_page_has_left_stops_it() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.acknowledge(&ann).await;
    scene.send().await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn a_resolved_incident_is_over() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 5)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 10)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    assert_eq!(scene.resolve(&ann).await, Acted::Done);
    scene.quiet(12).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved]);
}

#[tokio::test]
async fn a_late_acknowledgement_of_a_resolved_incident_changes_nothing() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.resolve(&ann).await;
    assert_eq!(scene.acknowledge(&ann).await, Acted::Not(IncidentState::Resolved));
    assert_eq!(scene.states().await, [IncidentState::Resolved]);
    scene.quiet(6).await;
}

#[tokio::test]
async fn of_two_who_acknowledge_the_first_counts() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann), person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann", "account ben"]).await;
    assert_eq!(scene.acknowledge(&ann).await, Acted::Done);
    assert_eq!(scene.acknowledge(&ben).await, Acted::Not(IncidentState::Acknowledged));
    assert_eq!(scene.incident().await.acknowledged_by.as_deref(), Some("ann"));
}

#[tokio::test]
async fn an_acknowledgement_ends_after_the_time_that_the_policy_gives_it() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let steps = vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)];
    let policy = EscalationPolicy { acknowledgement_timeout_minutes: Some(10), ..policy(steps) };
    scene.escalates_by(&policy).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.after(10, &["account ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.generation, incident.acknowledged_by), (2, None));
    scene.after(5, &["account ben"]).await;
    let expected =
        ["triggered", "paged", "acknowledged by ann", "acknowledgement_timed_out", "paged", "paged"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn signals_of_an_acknowledged_incident_page_nobody() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    for events in [10, 100, 1_000] {
        scene.threshold(issue, Priority::High, events).await;
    }
    scene.hears(&[]).await;
    scene.quiet(6).await;
    assert_eq!(scene.timeline().await[3..], ["signal", "signal", "signal"]);
}

#[tokio::test]
async fn signals_of_a_triggered_incident_page_nobody_again() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.threshold(issue, Priority::High, 100).await;
    scene.hears(&[]).await;
    assert_eq!(scene.incidents().await.len(), 1);
}

#[tokio::test]
async fn what_comes_of_an_issue_whose_incident_was_resolved_opens_another() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.resolve(&ann).await;
    scene.tell(issue, Priority::High, 1, Signal::IssueRegressed).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved, IncidentState::Triggered]);
}

#[tokio::test]
async fn a_signal_that_comes_again_opens_no_second_incident() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.tell(issue, Priority::High, 0, Signal::IssueOpened).await;
    scene.hears(&[]).await;
    scene.resolve(&ann).await;
    scene.tell(issue, Priority::High, 0, Signal::IssueOpened).await;
    scene.hears(&[]).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved]);
}

#[tokio::test]
async fn an_incident_ends_with_its_issue() {
    for status in [1, 2] {
        let mut scene = Scene::new().await;
        let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 5)]).await;
        scene.escalates_by(&policy(vec![step(&[person(&ann)], 10)])).await;
        let issue = scene.error("Bad", Priority::High).await;
        scene.hears(&["email ann"]).await;
        scene.world.set_status(issue, status).await;
        let project = scene.world.project;
        scene.world.signal(vec![Signal::IssueChanged { issue, project }]).await;
        assert_eq!(scene.states().await, [IncidentState::Resolved]);
        scene.quiet(11).await;
    }
}

#[tokio::test]
async fn an_incident_ends_with_its_issue_also_when_nobody_says_so() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 2)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.world.set_status(issue, 1).await;
    scene.quiet(6).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved]);
    assert_eq!(scene.timeline().await, ["triggered", "paged", "resolved"]);
}
