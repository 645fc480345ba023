//! Round robin: the people of a step take turns.

use super::scene::{Scene, Somebody, person, policy, step};
use bugle_model::{Channel, Priority};
use bugle_schedule::{EscalationPolicy, EscalationStep, EscalationTarget};
use std::collections::BTreeMap;

fn in_turn(targets: &[EscalationTarget]) -> EscalationStep {
    EscalationStep { round_robin: true, ..step(targets, 5) }
}

async fn three(scene: &Scene) -> [Somebody; 3] {
    [scene.person("ann").await, scene.person("ben").await, scene.person("eve").await]
}

#[tokio::test]
async fn each_incident_pages_the_next_of_a_step() {
    let mut scene = Scene::new().await;
    let [ann, ben, eve] = three(&scene).await;
    scene.escalates_by(&policy(vec![in_turn(&[person(&ann), person(&ben), person(&eve)])])).await;
    for whom in ["account ann", "account ben", "account eve", "account ann"] {
        scene.error(&format!("Bad, for {whom}"), Priority::High).await;
        scene.hears(&[whom]).await;
    }
}

#[tokio::test]
async fn incidents_that_are_due_together_page_one_each() {
    let mut scene = Scene::new().await;
    let [ann, ben, eve] = three(&scene).await;
    scene.escalates_by(&policy(vec![in_turn(&[person(&ann), person(&ben), person(&eve)])])).await;
    for title in ["A", "B", "C", "D"] {
        scene.error(title, Priority::High).await;
    }
    scene.hears(&["account ann", "account ann", "account ben", "account eve"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_notifiers_share_the_turns() {
    let scene = Scene::new().await;
    let [ann, ben, eve] = three(&scene).await;
    scene.escalates_by(&policy(vec![in_turn(&[person(&ann), person(&ben), person(&eve)])])).await;
    for number in 0..9 {
        scene.error(&format!("Error {number}"), Priority::High).await;
    }
    let others: Vec<_> = (0..3)
        .map(|_| {
            let escalator = scene.escalator_of_its_own();
            tokio::spawn(async move { escalator.run_once().await.unwrap() })
        })
        .collect();
    for other in others {
        other.await.unwrap();
    }
    scene.escalate().await;
    let mut paged = BTreeMap::new();
    for incident in scene.incidents().await {
        for page in scene.pages(incident.id).await {
            *paged.entry(page.user).or_insert(0) += 1;
        }
    }
    let expected = [&ann, &ben, &eve].map(|who| (Some(who.id), 3));
    assert_eq!(paged, BTreeMap::from(expected));
}

#[tokio::test]
async fn whoever_cannot_be_paged_is_passed_over() {
    let mut scene = Scene::new().await;
    let [ann, ben, eve] = three(&scene).await;
    let sms = scene.reach(&ben, Channel::Sms).await;
    scene.rule(&ben, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![in_turn(&[person(&ann), person(&ben), person(&eve)])])).await;
    for whom in ["account ann", "account eve", "account ann"] {
        scene.error(&format!("Bad, for {whom}"), Priority::High).await;
        scene.hears(&[whom]).await;
    }
    let second = scene.incidents().await[1].id;
    let mut conn = scene.world.store.conn().await.unwrap();
    let told = bugle_store::oncall::timeline(&mut conn, second, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(
        (&told.data["round_robin"], &told.data["unreachable"]),
        (&true.into(), &serde_json::json!([ben.id]))
    );
}

#[tokio::test]
async fn a_step_whose_people_can_none_be_paged_is_left_out() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.escalates_by(&policy(vec![in_turn(&[person(&ann)]), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "step_skipped", "paged"]);
}

#[tokio::test]
async fn a_step_that_comes_again_pages_the_next() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let once = policy(vec![in_turn(&[person(&ann), person(&ben)])]);
    scene.escalates_by(&EscalationPolicy { repeat: 1, ..once }).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn turns_go_on_when_a_policy_is_changed() {
    let mut scene = Scene::new().await;
    let [ann, ben, eve] = three(&scene).await;
    let both = policy(vec![in_turn(&[person(&ann), person(&ben)])]);
    let id = scene.escalates_by(&both).await;
    scene.error("A", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let all = policy(vec![in_turn(&[person(&ann), person(&eve), person(&ben)])]);
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = super::scene::at(1);
    bugle_store::oncall::update_policy(&mut conn, id, "everything", &all, "tests", now).await.unwrap();
    scene.error("B", Priority::High).await;
    scene.hears(&["account eve"]).await;
}

#[tokio::test]
async fn each_step_has_turns_of_its_own() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let people = [person(&ann), person(&ben)];
    scene.escalates_by(&policy(vec![in_turn(&people), in_turn(&people)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ann"]).await;
}
