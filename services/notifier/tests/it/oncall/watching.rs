//! The engine watched: what is overdue is seen, what would page nobody for ever begins, and the heartbeat falls silent when it should.

use super::scene::{Scene, person, policy, step};
use bugle_model::{Channel, Clock, Priority};
use bugle_notifier::watch::{Auditor, Beat, Heartbeat, Part, Pulse};
use bugle_store::oncall::Overdue;
use bugle_testkit::http::{Answer, HttpFake};
use std::sync::Arc;

fn auditor(scene: &Scene) -> Auditor {
    let clock = Arc::clone(&scene.world.clock) as Arc<dyn Clock>;
    Auditor::new(scene.world.store.clone(), clock, Arc::default(), &scene.world.metrics)
}

async fn paging(scene: &mut Scene) {
    let ann = scene.person_with("ann", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
}

#[tokio::test]
async fn a_step_that_has_not_come_is_overdue_after_two_minutes() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    let auditor = auditor(&scene);
    scene.error("Bad", Priority::High).await;
    scene.world.advance(119);
    assert_eq!(auditor.run_once().await.unwrap(), Overdue::default());
    scene.world.advance(2);
    assert_eq!(auditor.run_once().await.unwrap(), Overdue { steps: 1, ..Overdue::default() });
    assert!(scene.world.metrics.render().contains("bugle_oncall_overdue{kind=\"step\"} 1\n"));
    scene.hears(&["email ann"]).await;
    assert_eq!(auditor.run_once().await.unwrap(), Overdue::default());
    assert!(scene.world.metrics.render().contains("bugle_oncall_overdue{kind=\"step\"} 0\n"));
}

#[tokio::test]
async fn a_higher_priority_that_nothing_comes_of_is_overdue() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    let issue = scene.error("Bad", Priority::Medium).await;
    scene.hears(&["email ann"]).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.world.advance(121);
    assert_eq!(auditor(&scene).run_once().await.unwrap().steps, 1);
    scene.hears(&[]).await;
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue::default());
}

#[tokio::test]
async fn a_page_that_nobody_takes_is_overdue_unless_its_destination_holds_it_back() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.world.advance(121);
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue { messages: 1, ..Overdue::default() });
    let sql = "UPDATE destinations SET open_until = $1";
    let until = std::time::SystemTime::from(scene.world.clock.now());
    scene.world.sql.execute(sql, &[&until]).await.unwrap();
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue::default());
    scene.hears(&["email ann"]).await;
}

#[tokio::test]
async fn a_claim_that_never_ended_is_overdue() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    let sql =
        "UPDATE notifications SET state = 1, attempts = 1, lease_until = $1, leased_by = gen_random_uuid()";
    let until = std::time::SystemTime::from(scene.world.clock.now());
    scene.world.sql.execute(sql, &[&until]).await.unwrap();
    scene.world.advance(121);
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue { claims: 1, ..Overdue::default() });
    scene.hears(&["email ann"]).await;
}

#[tokio::test]
async fn an_incident_that_nothing_would_come_of_begins_once_whoever_finds_it() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    scene.world.sql.execute("UPDATE incidents SET next_at = NULL", &[]).await.unwrap();
    scene.quiet(3).await;
    let (one, another) = (auditor(&scene), auditor(&scene));
    let (found, also) = tokio::join!(one.run_once(), another.run_once());
    assert!(found.unwrap().unpaged + also.unwrap().unpaged > 0);
    scene.hears(&["email ann"]).await;
    assert_eq!(scene.timeline().await, ["triggered", "rearmed", "paged"]);
    assert!(scene.world.metrics.render().contains("bugle_incidents_rearmed_total 1\n"));
}

#[tokio::test]
async fn what_has_ended_by_itself_is_let_be() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Nobody answers", Priority::High).await;
    scene.hears(&["email ann"]).await;
    scene.quiet(10).await;
    assert_eq!(scene.incident().await.next_at, None, "its policy has ended");
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue::default());
    scene.acknowledge(&ann).await;
    scene.quiet(10).await;
    assert_eq!(auditor(&scene).run_once().await.unwrap(), Overdue::default());
    assert_eq!(scene.timeline().await, ["triggered", "paged", "exhausted", "acknowledged by ann"]);
}

struct Switch {
    receiver: HttpFake,
    pulse: Pulse,
    heartbeat: Heartbeat,
}

async fn switch(scene: &mut Scene) -> Switch {
    let receiver = HttpFake::start().await;
    scene.world.config.watch.heartbeat_url =
        Some(receiver.url("/ping/a-secret").parse::<url::Url>().unwrap().into());
    let clock = Arc::clone(&scene.world.clock) as Arc<dyn Clock>;
    let pulse = Pulse::new(clock.now());
    let (config, metrics) = (&scene.world.config, &scene.world.metrics);
    let heartbeat = Heartbeat::new(config, clock, pulse.clone(), Arc::new(auditor(scene)), metrics);
    Switch { receiver, pulse, heartbeat: heartbeat.unwrap().unwrap() }
}

#[tokio::test]
async fn the_heartbeat_is_sent_while_the_engine_works_and_only_then() {
    let mut scene = Scene::new().await;
    paging(&mut scene).await;
    let Switch { receiver, pulse, heartbeat } = switch(&mut scene).await;
    assert_eq!(heartbeat.run_once().await, Beat::Sent);
    let request = receiver.next().await;
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/ping/a-secret"));

    scene.world.advance(31);
    pulse.beat(Part::Sender, scene.world.clock.now());
    assert_eq!(heartbeat.run_once().await, Beat::Withheld, "the escalator hangs");
    pulse.beat(Part::Escalator, scene.world.clock.now());
    assert_eq!(heartbeat.run_once().await, Beat::Sent);
    receiver.next().await;

    scene.error("Bad", Priority::High).await;
    scene.world.advance(121);
    for part in [Part::Sender, Part::Escalator] {
        pulse.beat(part, scene.world.clock.now());
    }
    assert_eq!(heartbeat.run_once().await, Beat::Withheld, "a step is overdue");
    scene.hears(&["email ann"]).await;
    assert_eq!(heartbeat.run_once().await, Beat::Sent);
    receiver.next().await;
    assert!(scene.world.metrics.render().contains("bugle_heartbeats_total{result=\"withheld\"} 2\n"));
}

#[tokio::test]
async fn a_heartbeat_that_nobody_takes_is_counted() {
    let mut scene = Scene::new().await;
    let Switch { receiver, heartbeat, .. } = switch(&mut scene).await;
    receiver.then(Answer::status(503)).then(Answer::status(302).header("location", "/elsewhere"));
    assert_eq!(heartbeat.run_once().await, Beat::Failed);
    assert_eq!(heartbeat.run_once().await, Beat::Failed);
    assert_eq!(receiver.take().len(), 2);
    assert!(scene.world.metrics.render().contains("bugle_heartbeats_total{result=\"failed\"} 2\n"));
}

#[tokio::test]
async fn without_an_address_there_is_no_heartbeat() {
    let scene = Scene::new().await;
    let clock = Arc::clone(&scene.world.clock) as Arc<dyn Clock>;
    let pulse = Pulse::new(clock.now());
    let auditor = Arc::new(auditor(&scene));
    let made = Heartbeat::new(&scene.world.config, clock, pulse, auditor, &scene.world.metrics).unwrap();
    assert!(made.is_none());
}
