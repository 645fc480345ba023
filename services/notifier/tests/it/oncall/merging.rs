//! Incidents that become part of another one.

use super::scene::{Scene, Somebody, at, everything, person, policy, step};
use super::tools::alert;
use bugle_model::{Alert, Channel, Clock, IncidentId, IncidentState, IssueId, Priority, Signal};
use bugle_store::oncall::{self, AlertSource, Fired, Merged};
use bugle_store::{StoreError, Transactions};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Ann is told by mail, and after three minutes by SMS, of every issue, and of what a tool tells.
async fn scene() -> (Scene, AlertSource, Somebody) {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 3)]).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 30)])).await;
    scene.routes(everything(policy)).await;
    let source = scene.source("prometheus", policy).await;
    (scene, source, ann)
}

async fn merge(scene: &Scene, id: IncidentId, into: IncidentId) -> Merged {
    let mut conn = scene.world.store.conn().await.unwrap();
    oncall::merge_incident(&mut conn, id, into, "ann", scene.world.clock.now()).await.unwrap()
}

/// Does something while an incident becomes part of another one, which is committed when somebody waits for it.
async fn in_the_middle<T>(
    scene: &Scene,
    id: IncidentId,
    into: IncidentId,
    what: impl Future<Output = T>,
) -> T {
    let (merged, met) = (Notify::new(), Notify::new());
    let merging = async {
        let mut conn = scene.world.store.conn().await.unwrap();
        let now = scene.world.clock.now();
        let merging = conn.transaction(async |conn| {
            let done = oncall::merge_incident(conn, id, into, "ann", now).await?;
            merged.notify_one();
            met.notified().await;
            Ok::<_, StoreError>(done)
        });
        assert_eq!(merging.await.unwrap(), Merged::Done);
    };
    let meeting = async {
        merged.notified().await;
        let waiting = async {
            scene.world.database.until_waiting(1).await.unwrap();
            met.notify_one();
        };
        let (done, ()) = tokio::join!(what, waiting);
        done
    };
    let ((), done) = tokio::join!(merging, meeting);
    done
}

/// What the timeline of an incident tells last.
async fn told_last(scene: &Scene, id: IncidentId) -> (String, Value) {
    let mut conn = scene.world.store.conn().await.unwrap();
    let entry = oncall::timeline(&mut conn, id, None, 1000).await.unwrap().pop().unwrap();
    (entry.event.to_string(), entry.data)
}

/// Two open incidents of alerts; what waits of the first is an SMS.
async fn two(scene: &mut Scene, source: &AlertSource) -> (IncidentId, IncidentId) {
    scene.fires(source, &alert("disk")).await;
    scene.hears(&["email ann"]).await;
    scene.fires(source, &alert("database")).await;
    scene.hears(&["email ann"]).await;
    let found = scene.incidents().await;
    (found[0].id, found[1].id)
}

#[tokio::test]
async fn a_merged_incident_ends_with_its_pages_and_the_timelines_name_each_other() {
    let (mut scene, source, _) = scene().await;
    let (disk, database) = two(&mut scene, &source).await;
    assert_eq!(merge(&scene, disk, database).await, Merged::Done);
    assert_eq!(scene.states().await, [IncidentState::Resolved, IncidentState::Triggered]);
    let merged = scene.incidents().await.remove(0);
    assert_eq!((merged.merged_into, merged.resolved_by.as_deref()), (Some(database), Some("ann")));
    let why = "the incident became part of another one";
    assert_eq!(scene.pages(disk).await[1].error.as_deref(), Some(why));
    let expected = ("merged".to_owned(), json!({ "into": database, "title": "database" }));
    assert_eq!(told_last(&scene, disk).await, expected);
    let expected = ("absorbed".to_owned(), json!({ "incident": disk, "title": "disk" }));
    assert_eq!(told_last(&scene, database).await, expected);
    scene.after(3, &["sms ann"]).await;
}

#[tokio::test]
async fn alerts_of_a_merged_key_belong_to_the_other_incident_while_it_is_open() {
    let (mut scene, source, ann) = scene().await;
    let (disk, database) = two(&mut scene, &source).await;
    merge(&scene, disk, database).await;
    assert_eq!(scene.fires(&source, &alert("disk")).await, Fired::Noted(database));
    assert_eq!(scene.ends(&source, "disk").await, None, "the other one goes on");
    let (event, data) = told_last(&scene, database).await;
    assert_eq!((event.as_str(), &data["ended"]), ("signal", &json!(true)));
    let critical = Alert { priority: Some(Priority::Critical), ..alert("disk") };
    assert_eq!(scene.fires(&source, &critical).await, Fired::Raised(database));
    scene.after(3, &["sms ann"]).await;
    scene.resolve(&ann).await;
    assert!(matches!(scene.fires(&source, &alert("disk")).await, Fired::New(_)));
    scene.hears(&["email ann"]).await;
}

#[tokio::test]
async fn signals_of_a_merged_issue_belong_to_the_other_incident_while_it_is_open() {
    let (mut scene, source, _) = scene().await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.fires(&source, &alert("database")).await;
    scene.hears(&["email ann"]).await;
    let found = scene.incidents().await;
    merge(&scene, found[0].id, found[1].id).await;
    scene.threshold(issue, Priority::High, 100).await;
    assert_eq!(told_last(&scene, found[1].id).await.0, "signal");
    scene.threshold(issue, Priority::Critical, 1_000).await;
    assert_eq!(scene.incidents().await[1].priority, Priority::Critical);
    assert_eq!(scene.incidents().await.len(), 2);
    scene.after(3, &["sms ann"]).await;
    scene.ends(&source, "database").await;
    scene.threshold(issue, Priority::Critical, 10_000).await;
    scene.hears(&["email ann"]).await;
    assert_eq!(scene.incidents().await.len(), 3);
}

#[tokio::test]
async fn a_signal_that_comes_in_the_middle_of_a_merge_belongs_to_the_other_incident() {
    let (mut scene, source, _) = scene().await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.fires(&source, &alert("database")).await;
    scene.hears(&["email ann"]).await;
    let found = scene.incidents().await;
    let telling = scene.threshold(issue, Priority::Critical, 1_000);
    in_the_middle(&scene, found[0].id, found[1].id, telling).await;
    let after = scene.incidents().await;
    assert_eq!((after.len(), after[1].priority), (2, Priority::Critical));
    assert_eq!(told_last(&scene, found[1].id).await.0, "priority_raised");
    scene.after(3, &["sms ann"]).await;
}

/// A person says that an issue is critical.
async fn chosen_critical(scene: &Scene, issue: IssueId) {
    let sql = "UPDATE issues SET priority = 4, priority_chosen = true WHERE id = $1";
    scene.world.sql.execute(sql, &[&issue.0]).await.unwrap();
    let project = scene.world.project;
    scene.world.signal(vec![Signal::IssueChanged { issue, project }]).await;
}

#[tokio::test]
async fn a_higher_priority_of_a_merged_issue_raises_the_other_incident() {
    for in_between in [false, true] {
        let (mut scene, source, _) = scene().await;
        let issue = scene.error("Bad", Priority::High).await;
        scene.hears(&["email ann"]).await;
        scene.fires(&source, &alert("database")).await;
        scene.hears(&["email ann"]).await;
        let found = scene.incidents().await;
        let (going, staying) = (found[0].id, found[1].id);
        if in_between {
            in_the_middle(&scene, going, staying, chosen_critical(&scene, issue)).await;
        } else {
            merge(&scene, going, staying).await;
            chosen_critical(&scene, issue).await;
        }
        let after = scene.incidents().await;
        let priorities = [after[0].priority, after[1].priority];
        assert_eq!(priorities, [Priority::High, Priority::Critical], "{in_between}");
        assert_eq!(told_last(&scene, staying).await.0, "priority_raised", "{in_between}");
        scene.after(3, &["sms ann"]).await;
    }
}

#[tokio::test]
async fn of_two_incidents_that_an_issue_belongs_to_the_newer_one_is_raised() {
    let (mut scene, source, _) = scene().await;
    let (disk, database) = two(&mut scene, &source).await;
    let issue = scene.error("Bad", Priority::High).await;
    let other = scene.error("Worse", Priority::High).await;
    scene.hears(&["email ann", "email ann"]).await;
    let found = scene.incidents().await;
    merge(&scene, found[2].id, disk).await;
    merge(&scene, found[3].id, database).await;
    // As when the other issue becomes part of this one.
    let sql = "UPDATE incidents SET issue_id = $1 WHERE issue_id = $2";
    assert_eq!(scene.world.sql.execute(sql, &[&issue.0, &other.0]).await.unwrap(), 1);
    chosen_critical(&scene, issue).await;
    let after = scene.incidents().await;
    assert_eq!([after[0].priority, after[1].priority], [Priority::High, Priority::Critical]);
}

#[tokio::test]
async fn an_alert_that_comes_in_the_middle_of_a_merge_belongs_to_the_other_incident() {
    let (mut scene, source, _) = scene().await;
    let (disk, database) = two(&mut scene, &source).await;
    let again = alert("disk");
    let fired = in_the_middle(&scene, disk, database, scene.fires(&source, &again)).await;
    assert_eq!(fired, Fired::Noted(database));
    assert_eq!(scene.incidents().await.len(), 2);
    scene.after(3, &["sms ann"]).await;
}

#[tokio::test]
async fn what_was_merged_into_a_merged_incident_goes_along() {
    let (mut scene, source, _) = scene().await;
    let (disk, database) = two(&mut scene, &source).await;
    scene.fires(&source, &alert("rack")).await;
    scene.hears(&["email ann"]).await;
    let rack = scene.incidents().await[2].id;
    merge(&scene, disk, database).await;
    merge(&scene, database, rack).await;
    assert_eq!(scene.fires(&source, &alert("disk")).await, Fired::Noted(rack));
    let into: Vec<_> = scene.incidents().await.into_iter().map(|one| one.merged_into).collect();
    assert_eq!(into, [Some(rack), Some(rack), None]);
    assert_eq!(merge(&scene, disk, rack).await, Merged::NotOpen(disk));
    assert_eq!(merge(&scene, rack, disk).await, Merged::NotOpen(disk));
}

#[tokio::test]
async fn the_other_incident_becomes_as_urgent_and_pages_by_what_is_for_that_only() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let mail = scene.reach(&ann, Channel::Email).await;
    let sms = scene.reach(&ann, Channel::Sms).await;
    scene.rule(&ann, mail, Priority::Low, 0).await;
    scene.rule(&ann, sms, Priority::Critical, 0).await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 30)])).await;
    let source = scene.source("prometheus", policy).await;
    scene.fires(&source, &Alert { priority: Some(Priority::Critical), ..alert("disk") }).await;
    scene.hears(&["email ann", "sms ann"]).await;
    scene.fires(&source, &alert("database")).await;
    scene.hears(&["email ann"]).await;
    let found = scene.incidents().await;
    merge(&scene, found[0].id, found[1].id).await;
    scene.hears(&["sms ann"]).await;
    let other = scene.incidents().await.remove(1);
    assert_eq!((other.priority, other.next_at), (Priority::Critical, Some(at(30))));
}
