//! Incidents that other tools open.

use super::scene::{Scene, Somebody, at, person, policy, step};
use super::tools::{alert, labelled};
use bugle_model::{
    Alert, AlertLink, AlertSourceKind, Channel, IncidentOrigin, IncidentState, Priority, TeamRole,
};
use bugle_store::oncall::{self, Acted, AlertSource, Fired, NewAlertSource};
use bugle_store::teams;
use bugle_testkit::http::Answer;
use serde_json::json;

/// Ann is paged for what a tool tells, and after five minutes ben.
async fn scene() -> (Scene, AlertSource, Somebody) {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

#[tokio::test]
async fn an_alert_pages_and_climbs_as_an_issue_does() {
    let (mut scene, source, _) = scene().await;
    let opened = scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
    let incident = scene.incident().await;
    assert_eq!(opened, Fired::New(incident.id));
    assert_eq!((incident.origin, incident.issue), (IncidentOrigin::Alert, None));
    assert_eq!((incident.source, incident.opened_by.as_deref()), (Some(source.id), Some("prometheus")));
    assert_eq!(scene.timeline().await, ["triggered", "paged", "paged"]);
}

#[tokio::test]
async fn an_alert_that_fires_again_is_the_same_incident() {
    let (mut scene, source, _) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.fires(&source, &alert("disk")).await, Fired::Noted(scene.incident().await.id));
    scene.hears(&[]).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "signal"]);
    assert_eq!(scene.incident().await.alerts, 2);
}

#[tokio::test]
async fn another_key_or_another_source_is_another_incident() {
    let (mut scene, source, ann) = scene().await;
    let other = scene.policy("q", &policy(vec![step(&[person(&ann)], 5)])).await;
    let other = scene.source("grafana", other).await;
    scene.fires(&source, &alert("disk")).await;
    scene.fires(&source, &alert("memory")).await;
    scene.fires(&other, &alert("disk")).await;
    scene.hears(&["account ann", "account ann", "account ann"]).await;
    assert_eq!(scene.incidents().await.len(), 3);
}

#[tokio::test]
async fn an_alert_of_an_acknowledged_incident_pages_nobody() {
    let (mut scene, source, ann) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    scene.acknowledge(&ann).await;
    scene.fires(&source, &alert("disk")).await;
    scene.quiet(10).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "acknowledged by ann", "signal"]);
}

#[tokio::test]
async fn an_alert_that_is_over_ends_its_incident_and_what_waits() {
    let (mut scene, source, ann) = scene().await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    let mail = scene.reach(&ann, Channel::Email).await;
    scene.rule(&ann, mail, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Low, 3).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["email ann"]).await;
    let id = scene.incident().await.id;
    assert_eq!(scene.ends(&source, "disk").await, Some(id));
    scene.quiet(10).await;
    let incident = scene.incident().await;
    assert_eq!((incident.state, incident.resolved_by), (IncidentState::Resolved, None));
    assert_eq!(scene.pages(id).await[1].error.as_deref(), Some("the alert is over"));
}

#[tokio::test]
async fn the_end_of_what_is_not_open_is_nothing() {
    let (mut scene, source, _) = scene().await;
    assert_eq!(scene.ends(&source, "disk").await, None);
    scene.fires(&source, &alert("memory")).await;
    assert_eq!(scene.ends(&source, "disk").await, None);
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.states().await, [IncidentState::Triggered]);
}

#[tokio::test]
async fn an_alert_that_fires_after_its_end_opens_another_incident() {
    let (mut scene, source, _) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    scene.ends(&source, "disk").await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.states().await, [IncidentState::Resolved, IncidentState::Triggered]);
}

#[tokio::test]
async fn whoever_deals_with_it_in_the_tool_stops_the_pages() {
    let (mut scene, source, _) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    let id = scene.incident().await.id;
    assert_eq!(scene.acknowledged_elsewhere(&source, "disk").await, Some(id));
    assert_eq!(scene.acknowledged_elsewhere(&source, "disk").await, None, "once");
    scene.quiet(10).await;
    assert_eq!(scene.timeline().await, ["triggered", "paged", "acknowledged by prometheus"]);
}

#[tokio::test]
async fn a_higher_priority_pages_by_the_rules_that_are_for_it_only() {
    let (mut scene, source, ann) = scene().await;
    let mail = scene.reach(&ann, Channel::Email).await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, mail, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["email ann"]).await;
    let critical = Alert { priority: Some(Priority::Critical), ..alert("disk") };
    assert_eq!(scene.fires(&source, &critical).await, Fired::Raised(scene.incident().await.id));
    scene.hears(&["sms ann"]).await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&[]).await;
    assert_eq!(scene.incident().await.priority, Priority::Critical, "it does not go down again");
}

#[tokio::test]
async fn of_many_that_tell_the_same_at_once_one_opens() {
    let (mut scene, source, _) = scene().await;
    let disk = alert("disk");
    let told = futures_util::future::join_all((0..8).map(|_| scene.fires(&source, &disk))).await;
    assert_eq!(told.iter().filter(|one| matches!(one, Fired::New(_))).count(), 1, "{told:?}");
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.alerts, 8);
}

#[tokio::test]
async fn a_source_with_few_open_incidents_is_not_full_because_others_are_in_the_way() {
    let (mut scene, source, _) = scene().await;
    scene.is_in_the_way(true).await;
    let error = scene.try_fires(&source, &alert("disk")).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    scene.is_in_the_way(false).await;
    assert!(matches!(scene.fires(&source, &alert("disk")).await, Fired::New(_)));
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_source_has_a_thousand_open_incidents_at_most_and_those_still_hear() {
    let (scene, source, _) = scene().await;
    let sql = "INSERT INTO incidents (team_id, origin, source_id, dedup_key, title, policy_version_id, priority, received_at,
            triggered_at)
        SELECT $1, 2, $2, 'old ' || n, 'Old', (SELECT max(id) FROM escalation_policy_versions), 2, '2026-11-20', '2026-11-20'
        FROM generate_series(1, 1000) n";
    scene.world.sql.execute(sql, &[&scene.team.0, &source.id.0]).await.unwrap();
    assert_eq!(scene.fires(&source, &alert("disk")).await, Fired::Full);
    assert!(matches!(scene.fires(&source, &alert("old 7")).await, Fired::Noted(_) | Fired::Raised(_)));
    assert!(scene.ends(&source, "old 7").await.is_some());
    assert!(matches!(scene.fires(&source, &alert("disk")).await, Fired::New(_)));
}

#[tokio::test]
async fn a_flood_of_one_alert_is_counted_and_not_written_down() {
    let (scene, source, _) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.world.sql.execute("UPDATE incidents SET alerts = 999", &[]).await.unwrap();
    for _ in 0..5 {
        scene.fires(&source, &alert("disk")).await;
    }
    assert_eq!(scene.timeline().await, ["triggered", "signal"]);
    assert_eq!(scene.incident().await.alerts, 1004);
}

#[tokio::test]
async fn an_alert_of_a_team_without_a_project_pages_its_people_and_else_its_managers() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.person_as("boss", TeamRole::Manager).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let new = NewAlertSource {
        name: "backups".to_owned(),
        kind: AlertSourceKind::Generic,
        project: None,
        policy,
        default_priority: Priority::Low,
    };
    let source = scene.make_source(new).await;
    scene.fires(&source, &alert("backup")).await;
    scene.hears(&["account ann"]).await;
    let incident = scene.incident().await;
    assert_eq!((incident.project, incident.team), (None, Some(scene.team)));
    scene.ends(&source, "backup").await;
    let mut conn = scene.world.store.conn().await.unwrap();
    teams::remove_member(&mut conn, scene.team, ann.id).await.unwrap();
    scene.fires(&source, &alert("backup")).await;
    scene.hears(&["account boss"]).await;
}

#[tokio::test]
async fn whoever_leaves_the_team_is_paged_for_its_alerts_no_more() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 3)]).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 30)])).await;
    let new = NewAlertSource {
        name: "backups".to_owned(),
        kind: AlertSourceKind::Generic,
        project: None,
        policy,
        default_priority: Priority::Low,
    };
    let source = scene.make_source(new).await;
    scene.fires(&source, &alert("backup")).await;
    scene.hears(&["email ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::stop_paging(&mut conn, scene.team, ann.id, at(1)).await.unwrap();
    scene.quiet(5).await;
}

#[tokio::test]
async fn a_source_whose_project_has_moved_to_another_team_stays_with_its_own() {
    let (mut scene, source, _) = scene().await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let other = teams::create(&mut conn, "other", at(0)).await.unwrap();
    scene.world.sql.execute("UPDATE projects SET team_id = $1", &[&other.0]).await.unwrap();
    scene.fires(&source, &alert("disk")).await;
    let incident = scene.incident().await;
    assert_eq!((incident.project, incident.team), (None, Some(scene.team)));
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_source_that_is_removed_leaves_its_incident_to_people() {
    let (mut scene, source, ann) = scene().await;
    scene.fires(&source, &alert("disk")).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    assert!(oncall::delete_alert_source(&mut conn, source.id).await.unwrap());
    scene.after(5, &["account ben"]).await;
    assert_eq!(scene.resolve(&ann).await, Acted::Done);
    let incident = scene.incident().await;
    assert_eq!((incident.source, incident.opened_by.as_deref()), (None, Some("prometheus")));
}

#[tokio::test]
async fn a_page_says_what_the_alert_says() {
    let mut scene = Scene::new().await;
    let ann =
        scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 0), (Channel::Webhook, 0)]).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let source = scene.source("prometheus", policy).await;
    scene.hooks.route("POST", "/webhook/ann", Answer::status(200));
    let disk = Alert {
        message: Some("/var is at 98 %\u{202e}\nand grows".to_owned()),
        links: vec![AlertLink {
            url: "https://wiki.example.com/disk".to_owned(),
            text: Some("Runbook".to_owned()),
        }],
        title: "Disk <full>".to_owned(),
        ..labelled("disk", &[("instance", "db1:9100"), ("environment", "production")])
    };
    scene.fires(&source, &disk).await;
    scene.escalate().await;
    scene.send().await;
    let id = scene.incident().await.id;
    let url = format!("https://bugle.example.com/incidents/{id}");

    let mail = scene.mail.take().remove(0).data.replace("=\r\n", "").replace("=\n", "");
    assert!(mail.contains(&format!("Subject: [Incident {id}] Disk <full>")), "{mail}");
    for text in
        ["Alert from prometheus in shop", "and grows", "instance: db1:9100", url.as_str(), "Open incident"]
    {
        assert!(mail.contains(text), "{text} in {mail}");
    }
    assert!(mail.contains(&format!("References: <incident-{id}@bugle.example.com>")), "{mail}");
    let sms = scene.twilio.take().remove(0).form()["Body"].clone();
    let expected = format!(
        "Incident {id} high: Alert from prometheus: Disk <full> (production) {url} \
         Reply {id}a to ack, {id}r to resolve, {id}e to escalate #"
    );
    assert!(sms.starts_with(&expected), "{sms}");
    let data = scene.hooks.take().remove(0).json();
    assert_eq!((&data["type"], &data["data"]["issue"]), (&json!("incident.paged"), &json!(null)));
    let incident = &data["data"]["incident"];
    assert_eq!((&incident["origin"], &incident["opened_by"]), (&json!("alert"), &json!("prometheus")));
    assert_eq!(incident["labels"], json!({ "instance": "db1:9100", "environment": "production" }));
    assert_eq!(incident["links"][0]["text"], "Runbook");
    assert_eq!(data["data"]["url"], json!(url));
}
