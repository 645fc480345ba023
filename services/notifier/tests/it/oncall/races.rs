//! Several at once, and answers in the middle of something.

use super::scene::{Scene, Somebody, person, policy, step};
use bugle_model::{Channel, Clock, IncidentId, IncidentState, NotificationState, Priority, Signal};
use bugle_store::oncall::{self, Decision};
use bugle_testkit::http::Answer;
use std::sync::{Arc, Mutex};

/// A scene with some incidents that are due, by their ids, the first the longest.
async fn with_due(count: usize) -> (Scene, Somebody, Vec<IncidentId>) {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    for number in 0..count {
        scene.error(&format!("Error {number}"), Priority::High).await;
        scene.outage(1);
    }
    let ids = scene.incidents().await.iter().map(|one| one.id).collect();
    (scene, ann, ids)
}

/// Which incidents a notifier takes that takes one at a time and leaves it as it is.
async fn takes_one(scene: &Scene) -> Vec<IncidentId> {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&taken);
    let mut conn = scene.world.store.conn().await.unwrap();
    let worked = oncall::work(&mut conn, scene.world.clock.now(), 1, move |due, _| {
        seen.lock().unwrap().push(due.id);
        Decision::unchanged(due)
    });
    let count = worked.await.unwrap();
    let taken = taken.lock().unwrap().clone();
    assert_eq!(count, taken.len());
    taken
}

#[tokio::test]
async fn what_others_have_claimed_hides_nothing_that_is_behind_it() {
    let (scene, _, ids) = with_due(4).await;
    assert_eq!(takes_one(&scene).await, [ids[0]]);
    let claimed = format!("BEGIN; SELECT FROM incidents WHERE id <= {} FOR NO KEY UPDATE", ids[2]);
    scene.world.sql.batch_execute(&claimed).await.unwrap();
    assert_eq!(takes_one(&scene).await, [ids[3]]);
    scene.world.sql.batch_execute("COMMIT").await.unwrap();
    assert_eq!(takes_one(&scene).await, [ids[0]]);
}

#[tokio::test]
async fn whoever_is_asked_to_help_does_not_wait_for_steps_of_the_same_priority() {
    let (scene, ann, ids) = with_due(2).await;
    let last = ids[1];
    scene.acknowledge(&ann).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = scene.world.clock.now();
    oncall::add_responder(&mut conn, last, (ann.id, ann.name), "ben", now).await.unwrap();
    let when = scene.incidents().await.into_iter().map(|one| one.next_at.is_some());
    assert_eq!(when.collect::<Vec<_>>(), [true, false]);
    assert_eq!(takes_one(&scene).await, [last]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_notifiers_page_once() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    for number in 0..20 {
        scene.error(&format!("Error {number}"), Priority::High).await;
    }
    let others: Vec<_> = (0..4)
        .map(|_| {
            let escalator = scene.another_escalator();
            tokio::spawn(async move { escalator.run_once().await.unwrap() })
        })
        .collect();
    for other in others {
        other.await.unwrap();
    }
    scene.hears(&["webhook ann"; 20]).await;
    scene.quiet(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_that_come_at_the_same_time_open_one_incident() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.world.issue("Bad").await;
    let about = scene.world.about(issue);
    let signals = [10, 100, 1_000].map(|events| Signal::ThresholdReached { about: about.clone(), events });
    let [first, second, third] = signals;
    tokio::join!(
        scene.world.signal(vec![first]),
        scene.world.signal(vec![second]),
        scene.world.signal(vec![third]),
        scene.world.signal(vec![Signal::IssueOpened(about)]),
    );
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incidents().await.len(), 1);
}

#[tokio::test]
async fn a_signal_for_which_there_was_no_place_pages_when_it_comes_again() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.world.issue("Bad").await;
    let signal = Signal::IssueOpened(scene.world.about(issue));
    scene.is_in_the_way(true).await;
    let error = scene.world.try_signal(vec![signal.clone()]).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    scene.is_in_the_way(false).await;
    scene.world.signal(vec![signal]).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn a_page_of_an_older_generation_does_not_leave() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    // As if whoever began it again had not seen the page: the claim looks once more.
    let sql = "UPDATE incidents SET generation = generation + 1";
    scene.world.sql.execute(sql, &[]).await.unwrap();
    scene.send().await;
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!(pages[0].state, NotificationState::Cancelled);
    assert_eq!(pages[0].error.as_deref(), Some("the incident began again, which is told by itself"));
}

#[tokio::test]
async fn an_answer_while_a_page_is_tried_again_stops_it() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.then(Answer::status(503));
    scene.error("Bad", Priority::High).await;
    scene.hears(&["webhook ann"]).await;
    scene.acknowledge(&ann).await;
    scene.quiet(3).await;
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!((pages[0].state, pages[0].attempts), (NotificationState::Cancelled, 1));
}

#[tokio::test]
async fn an_answer_while_the_message_is_on_its_way_sends_no_second_one() {
    let mut scene = Scene::with(|world| {
        world.timeouts.total = std::time::Duration::from_millis(300);
    })
    .await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.then(Answer::hang());
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    let mut sender = scene.world.sender();
    sender.start().await.unwrap();
    assert_eq!(scene.hooks.next().await.target, "/webhook/ann");
    scene.acknowledge(&ann).await;
    // No answer in time: it would be tried again, were it still wanted.
    sender.run_once().await.unwrap();
    scene.quiet(3).await;
    let pages = scene.pages(scene.incident().await.id).await;
    assert_eq!(pages[0].error.as_deref(), Some("the incident was acknowledged"));
}

#[tokio::test]
async fn an_answer_at_the_moment_at_which_the_next_step_is_due_is_one_or_the_other() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.outage(5);
    let (acted, ()) = tokio::join!(scene.acknowledge(&ann), scene.escalate());
    assert_eq!(acted, oncall::Acted::Done);
    // Whichever came first: what the step made has not left, and does not.
    scene.quiet(6).await;
    assert_eq!(scene.states().await, [IncidentState::Acknowledged]);
}

#[tokio::test]
async fn a_crash_between_opening_and_paging_loses_nothing() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    // The notifier that took the signal is gone; another one looks a while later.
    scene.outage(2);
    assert_eq!(scene.another_escalator().run_once().await.unwrap(), 1);
    scene.hears(&["account ann"]).await;
}
