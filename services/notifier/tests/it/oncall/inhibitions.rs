//! Inhibition: while an incident is open, others are silent.

use super::scene::{Scene, Somebody, at, everything, person, policy, step};
use super::tools::{alert, label, labelled, titled};
use bugle_model::{Alert, IncidentState, Priority, SilenceMatchers};
use bugle_store::oncall::{self, AlertSource, InhibitionRule, NewInhibitionRule};

/// Ann is paged for every issue of the project, and for what a tool tells.
async fn scene() -> (Scene, AlertSource, Somebody) {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 600)])).await;
    scene.routes(everything(policy)).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

async fn rule(
    scene: &Scene,
    source: SilenceMatchers,
    target: SilenceMatchers,
    equal: &[&str],
) -> InhibitionRule {
    let equal = equal.iter().map(|name| (*name).to_owned()).collect();
    let new = NewInhibitionRule { name: uuid::Uuid::new_v4().to_string(), source, target, equal };
    assert_eq!(new.mistakes(), []);
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::create_inhibition_rule(&mut conn, scene.team, &new, "ann", at(0)).await.unwrap().unwrap()
}

/// While a database is down, what else is wrong in its zone is silent.
async fn of_databases(scene: &Scene) -> InhibitionRule {
    rule(scene, titled("database*"), label("kind", "app"), &["zone", "project"]).await
}

fn database(zone: &str) -> Alert {
    labelled(&format!("database {zone}"), &[("zone", zone)])
}

fn app(name: &str, zone: &str) -> Alert {
    labelled(name, &[("kind", "app"), ("zone", zone)])
}

#[tokio::test]
async fn what_an_open_incident_inhibits_pages_when_that_ends() {
    let (mut scene, source, _) = scene().await;
    let rule = of_databases(&scene).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &app("checkout", "a")).await;
    scene.quiet(150).await;
    let found = scene.incidents().await;
    assert_eq!((found[1].state, found[1].inhibited_by), (IncidentState::Triggered, Some(found[0].id)));
    scene.ends(&source, "database a").await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incidents().await[1].inhibited_by, None);
    let mut conn = scene.world.store.conn().await.unwrap();
    let entries = oncall::timeline(&mut conn, found[1].id, None, 10).await.unwrap();
    let told: Vec<String> = entries.iter().map(|entry| entry.event.to_string()).collect();
    assert_eq!(
        told,
        ["triggered", "inhibited", "silence_ended", "paged"],
        "told once, however long it takes"
    );
    let expected = serde_json::json!({
        "incident": found[0].id, "title": "database a", "rule": rule.id, "name": rule.rule.name,
    });
    assert_eq!(entries[1].data, expected);
}

#[tokio::test]
async fn an_acknowledged_incident_inhibits_still_and_what_is_over_first_pages_nobody() {
    let (mut scene, source, ann) = scene().await;
    of_databases(&scene).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.fires(&source, &app("checkout", "a")).await;
    scene.fires(&source, &app("search", "a")).await;
    scene.quiet(5).await;
    scene.ends(&source, "checkout").await;
    scene.ends(&source, "database a").await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn another_value_another_team_and_what_was_open_before_are_not_inhibited() {
    let (mut scene, source, _) = scene().await;
    of_databases(&scene).await;
    scene.fires(&source, &app("before", "a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &app("checkout", "b")).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let other = bugle_store::teams::create(&mut conn, "other", at(0)).await.unwrap();
    let new = NewInhibitionRule {
        name: "all".to_owned(),
        source: titled("*"),
        target: titled("bill*"),
        equal: Vec::new(),
    };
    oncall::create_inhibition_rule(&mut conn, other, &new, "eve", at(0)).await.unwrap().unwrap();
    scene.fires(&source, &alert("billing")).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_issue_is_inhibited_by_an_alert_of_a_higher_priority() {
    let (mut scene, source, _) = scene().await;
    let critical = SilenceMatchers { min_priority: Some(Priority::Critical), ..SilenceMatchers::default() };
    let lower = SilenceMatchers { max_priority: Some(Priority::High), ..SilenceMatchers::default() };
    rule(&scene, critical, lower, &["project"]).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &Alert { priority: Some(Priority::Critical), ..alert("database") }).await;
    scene.hears(&["account ann"]).await;
    let worse = scene.error("Worse", Priority::High).await;
    scene.hears(&[]).await;
    scene.threshold(worse, Priority::Critical, 1_000).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn what_is_alike_does_not_inhibit_its_like() {
    let (mut scene, source, _) = scene().await;
    rule(&scene, titled("*"), titled("*"), &[]).await;
    scene.fires(&source, &alert("one")).await;
    scene.fires(&source, &alert("two")).await;
    scene.hears(&["account ann", "account ann"]).await;
}

#[tokio::test]
async fn two_do_not_keep_each_other_silent() {
    let (mut scene, source, _) = scene().await;
    rule(&scene, titled("a*"), titled("b*"), &[]).await;
    rule(&scene, titled("b*"), titled("a*"), &[]).await;
    scene.silence(titled("a*"), 10).await;
    scene.fires(&source, &alert("a")).await;
    scene.fires(&source, &alert("b")).await;
    scene.quiet(9).await;
    scene.after(1, &["account ann"]).await;
    let inhibited: Vec<bool> = scene.incidents().await.iter().map(|one| one.inhibited_by.is_some()).collect();
    assert_eq!(inhibited, [false, true]);
}

#[tokio::test]
async fn a_rule_that_is_removed_has_what_it_inhibits_page() {
    let (mut scene, source, _) = scene().await;
    let rule = of_databases(&scene).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &app("checkout", "a")).await;
    scene.quiet(5).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    assert!(oncall::delete_inhibition_rule(&mut conn, &rule, at(5)).await.unwrap());
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_inhibited_incident_can_be_answered() {
    let (mut scene, source, ann) = scene().await;
    of_databases(&scene).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &app("checkout", "a")).await;
    scene.acknowledge(&ann).await;
    let incident = scene.incidents().await.remove(1);
    assert_eq!((incident.state, incident.inhibited_by), (IncidentState::Acknowledged, None));
    scene.ends(&source, "database a").await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn many_open_incidents_of_one_team_hide_no_source_of_another_one() {
    let (mut scene, source, _) = scene().await;
    of_databases(&scene).await;
    scene.fires(&source, &database("a")).await;
    scene.hears(&["account ann"]).await;
    scene.fires(&source, &app("checkout", "a")).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let other = bugle_store::teams::create(&mut conn, "other", at(0)).await.unwrap();
    let new = NewInhibitionRule {
        name: "all".to_owned(),
        source: titled("old"),
        target: titled("billing"),
        equal: Vec::new(),
    };
    oncall::create_inhibition_rule(&mut conn, other, &new, "eve", at(0)).await.unwrap().unwrap();
    // Weightier than ours; one that they inhibit is looked at again together with ours.
    let open = "INSERT INTO incidents (team_id, origin, title, policy_version_id, priority, received_at, triggered_at)
        SELECT $1, 3, 'old', (SELECT max(id) FROM escalation_policy_versions), 4, '2026-11-20', '2026-11-20'
        FROM generate_series(1, 1000) n";
    scene.world.sql.execute(open, &[&other.0]).await.unwrap();
    let inhibited = "INSERT INTO incidents (team_id, origin, title, policy_version_id, priority, received_at, triggered_at,
            next_at, inhibited_by, silenced_until)
        SELECT $1, 3, 'billing', policy_version_id, 2, received_at, triggered_at, next_at, inhibited_by, silenced_until
        FROM incidents WHERE inhibited_by IS NOT NULL";
    assert_eq!(scene.world.sql.execute(inhibited, &[&other.0]).await.unwrap(), 1);
    scene.quiet(90).await;
}
