//! Who is on call is asked when a step comes, not before.

use super::scene::{Scene, on_call, person, policy, step};
use bugle_model::Priority;
use bugle_schedule::OverrideKind;

#[tokio::test]
async fn whoever_is_on_call_at_that_moment_is_paged() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5)])).await;
    scene.error("Today", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.resolve(&ann).await;
    scene.outage(24 * 60);
    scene.error("Tomorrow", Priority::High).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn a_handoff_between_two_steps_counts_for_the_second() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5), step(&[on_call(schedule)], 5)])).await;
    scene.outage(24 * 60 - 2);
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn overrides_add_remove_and_replace() {
    let mut scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let schedule = scene.schedule(&[Some(&ann)]).await;
    scene.overrides(schedule, (0, 10), OverrideKind::Add { who: ben.id }).await;
    scene.overrides(schedule, (10, 20), OverrideKind::Replace { who: eve.id, replaced: ann.id }).await;
    scene.overrides(schedule, (20, 30), OverrideKind::Remove { who: ann.id }).await;
    let steps = vec![step(&[on_call(schedule)], 10), step(&[person(&ben)], 1)];
    scene.escalates_by(&policy(steps)).await;
    scene.error("Added", Priority::High).await;
    scene.hears(&["account ann", "account ben"]).await;
    scene.resolve(&ann).await;
    scene.quiet(10).await;
    scene.error("Replaced", Priority::High).await;
    scene.hears(&["account eve"]).await;
    scene.resolve(&eve).await;
    scene.quiet(10).await;
    scene.error("Removed", Priority::High).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn a_schedule_that_is_changed_counts_for_the_next_step() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann)]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule)], 5), step(&[on_call(schedule)], 5)])).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    let stored = bugle_store::oncall::get_schedule(&mut conn, &all, schedule, super::scene::at(0)).await;
    let stored = stored.unwrap().unwrap();
    let changed = stored.schedule.with_participants(0, vec![Some(ben.id)], super::scene::at(0));
    bugle_store::oncall::update_schedule(&mut conn, schedule, &stored.name, &changed, super::scene::at(0))
        .await
        .unwrap();
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_holds_up_nobody_else() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann)]).await;
    scene.escalates_by(&policy(vec![step(&[on_call(schedule), person(&ben)], 5)])).await;
    let sql = "UPDATE schedules SET layers = '[{\"from\": \"a newer version\"}]'";
    scene.world.sql.execute(sql, &[]).await.unwrap();
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ben"]).await;
}
