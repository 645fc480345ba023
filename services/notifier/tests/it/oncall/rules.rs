//! How somebody wants to be told.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, Priority};

#[tokio::test]
async fn each_rule_comes_at_its_time() {
    let mut scene = Scene::new().await;
    let rules = [(Channel::Slack, 0), (Channel::Email, 2), (Channel::Sms, 5), (Channel::Webhook, 7)];
    let ann = scene.person_with("ann", &rules).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["slack ann"]).await;
    scene.after(2, &["email ann"]).await;
    scene.after(3, &["sms ann"]).await;
    scene.after(2, &["webhook ann"]).await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn rules_are_for_a_priority_and_higher_ones() {
    for (priority, expected) in [
        (Priority::Low, &["email ann"][..]),
        (Priority::Medium, &["email ann"]),
        (Priority::High, &["email ann", "slack ann"]),
        (Priority::Critical, &["email ann", "slack ann", "sms ann"]),
    ] {
        let mut scene = Scene::new().await;
        let ann = scene.person("ann").await;
        for (channel, least) in [
            (Channel::Email, Priority::Low),
            (Channel::Slack, Priority::High),
            (Channel::Sms, Priority::Critical),
        ] {
            let by = scene.reach(&ann, channel).await;
            scene.rule(&ann, by, least, 0).await;
        }
        scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
        scene.error("Bad", priority).await;
        scene.hears(expected).await;
    }
}

#[tokio::test]
async fn rules_go_on_after_the_next_step_has_come() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 7)]).await;
    let ben = scene.person_with("ben", &[(Channel::Slack, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 30)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.after(5, &["slack ben"]).await;
    scene.after(2, &["sms ann"]).await;
}

#[tokio::test]
async fn rules_begin_anew_with_each_step_that_pages_somebody() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 2)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.after(2, &["sms ann"]).await;
    scene.after(3, &["email ann"]).await;
    scene.after(2, &["sms ann"]).await;
}

#[tokio::test]
async fn without_rules_every_contact_method_tells_at_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.reach(&ann, Channel::Sms).await;
    scene.reach(&ann, Channel::Slack).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::Low).await;
    scene.hears(&["slack ann", "sms ann"]).await;
}

#[tokio::test]
async fn the_accounts_address_becomes_a_contact_method_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    for title in ["One", "Two"] {
        scene.error(title, Priority::High).await;
        scene.hears(&["account ann"]).await;
    }
    let mut conn = scene.world.store.conn().await.unwrap();
    let methods = bugle_store::oncall::list_contact_methods(&mut conn, ann.id).await.unwrap();
    let seen: Vec<_> = methods.iter().map(|one| (one.name.as_str(), one.target.as_str())).collect();
    assert_eq!(seen, [("Account", "ann@example.com")]);
}

#[tokio::test]
async fn what_is_not_proven_is_never_used() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let sms = scene.unproven(&ann, Channel::Sms).await;
    scene.rule(&ann, sms, Priority::Low, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_contact_method_that_is_removed_takes_its_pages_along_and_leaves_the_others() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let email = scene.reach(&ann, Channel::Email).await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, email, Priority::Low, 2).await;
    scene.rule(&ann, sms, Priority::Low, 1).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    assert!(bugle_store::oncall::delete_contact_method(&mut conn, ann.id, sms).await.unwrap());
    scene.after(2, &["email ann"]).await;
}

#[tokio::test]
async fn a_rule_that_is_changed_counts_from_the_next_step_on() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let email = scene.reach(&ann, Channel::Email).await;
    scene.rule(&ann, email, Priority::Low, 0).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    let slack = scene.reach(&ann, Channel::Slack).await;
    scene.rule(&ann, slack, Priority::Low, 0).await;
    scene.after(5, &["email ann", "slack ann"]).await;
}
