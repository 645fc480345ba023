//! Incidents that people open.

use super::scene::{Scene, person, policy, step};
use super::tools::titled;
use bugle_model::{IncidentOrigin, Priority};
use bugle_schedule::EscalationPolicy;
use bugle_store::oncall::{self, NewIncident};
use bugle_store::teams;

#[tokio::test]
async fn an_incident_by_hand_pages_and_climbs_until_somebody_answers() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let steps = vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)];
    let policy = scene.policy("p", &EscalationPolicy { repeat: 1, ..policy(steps) }).await;
    scene.opens(&ben, "Checkout is down", policy).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
    scene.after(5, &["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.quiet(10).await;
    let incident = scene.incident().await;
    assert_eq!((incident.origin, incident.opened_by.as_deref()), (IncidentOrigin::Person, Some("ben")));
    let expected = ["triggered by ben", "paged", "paged", "repeated", "paged", "acknowledged by ann"];
    assert_eq!(scene.timeline().await, expected);
}

#[tokio::test]
async fn whoever_asks_for_help_is_not_silenced() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.silence(titled("*"), 60).await;
    scene.opens(&ann, "Checkout is down", policy).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_policy_or_project_of_others_opens_nothing() {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = super::scene::at(0);
    let other = teams::create(&mut conn, "other", now).await.unwrap();
    let new = NewIncident {
        team: other,
        project: None,
        policy,
        title: "Bad".to_owned(),
        message: None,
        priority: Priority::High,
        links: Vec::new(),
    };
    assert_eq!(oncall::open_by_hand(&mut conn, &new, "ann", now).await.unwrap(), None);
    let new = NewIncident { team: scene.team, project: Some(scene.world.project), ..new };
    scene.world.sql.execute("UPDATE projects SET team_id = $1", &[&other.0]).await.unwrap();
    assert_eq!(oncall::open_by_hand(&mut conn, &new, "ann", now).await.unwrap(), None);
    assert!(scene.incidents().await.is_empty());
}
