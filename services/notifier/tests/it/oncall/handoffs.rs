//! Whoever comes on call, and whoever goes off, is told once. It is a Friday, noon UTC: a handoff.

use super::scene::{Scene, Somebody};
use bugle_model::{Clock, TeamRole};
use bugle_notifier::channels::Email;
use bugle_notifier::content::Links;
use bugle_notifier::{AccountMails, Gaps, Handoffs};
use bugle_schedule::OverrideKind;
use bugle_store::Store;
use bugle_store::oncall::{HandoffSettings, set_handoff_settings};
use bugle_store::teams;
use std::collections::BTreeSet;
use std::sync::Arc;

const DAY: i64 = 24 * 60;

fn handoffs_of(scene: &Scene, store: Store) -> Handoffs {
    let clock = Arc::clone(&scene.world.clock) as Arc<dyn Clock>;
    Handoffs::new(store, clock, Links::new(scene.world.config.public_url.clone()))
}

/// The mails that are put on their way now: to whom, and what they say. Names of schedules are random: `NAME`.
async fn told(scene: &Scene) -> Vec<String> {
    handoffs_of(scene, scene.world.store.clone()).run_once().await.unwrap();
    on_their_way(scene).await
}

/// Tells of gaps; the mails as [`told`] gives them.
async fn told_of_gaps(scene: &Scene) -> Vec<String> {
    let clock = Arc::clone(&scene.world.clock) as Arc<dyn Clock>;
    let links = Links::new(scene.world.config.public_url.clone());
    Gaps::new(scene.world.store.clone(), clock, links).run_once().await.unwrap();
    on_their_way(scene).await
}

async fn on_their_way(scene: &Scene) -> Vec<String> {
    let sql = "WITH gone AS (DELETE FROM account_mails RETURNING id, recipient, about)
        SELECT split_part(recipient, '@', 1) || ': ' || regexp_replace(about, '[0-9a-f]{8}-[0-9a-f-]{27}', 'NAME') FROM gone ORDER BY 1";
    scene.world.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn wants(scene: &Scene, who: &Somebody, before_hours: &[i16], going_off: bool) {
    let settings = HandoffSettings { before_hours: before_hours.iter().copied().collect(), going_off };
    let mut conn = scene.world.store.conn().await.unwrap();
    set_handoff_settings(&mut conn, who.id, &settings).await.unwrap();
}

#[tokio::test]
async fn both_are_told_once_each_on_the_clock_of_their_own_zone() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene
        .world
        .sql
        .execute("UPDATE users SET time_zone = 'Asia/Tokyo' WHERE name = 'ann'", &[])
        .await
        .unwrap();
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    let expected = [
        "ann: You are on call for NAME from Fri 20 Nov 2026, 21:00 until Sat 21 Nov 2026, 21:00 (Asia/Tokyo)",
        "ben: Your shift for NAME has ended at Fri 20 Nov 2026, 12:00 (UTC): ann is on call now",
    ];
    assert_eq!(told(&scene).await, expected);
    assert!(told(&scene).await.is_empty());
    scene.world.advance(60);
    assert!(told(&scene).await.is_empty());
    scene.world.advance((DAY - 2) * 60);
    assert!(told(&scene).await.is_empty(), "a minute before the next one");
    scene.world.advance(60);
    assert_eq!(told(&scene).await.len(), 2);
}

#[tokio::test]
async fn it_is_a_mail_with_a_link_to_the_schedule() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    wants(&scene, &ben, &[], false).await;
    assert_eq!(handoffs_of(&scene, scene.world.store.clone()).run_once().await.unwrap(), 1);
    let email = Email::new(&scene.world.config, "bugle.example.com", scene.world.timeouts).unwrap();
    let mut mails = AccountMails::new(scene.world.store.clone(), scene.world.clock.clone(), email, 7);
    assert_eq!(mails.run_once().await.unwrap(), 1);
    let mail = scene.mail.next().await;
    assert_eq!(mail.recipients, ["ann@example.com"]);
    let text = mail.data.replace("=\r\n", "").replace("=3D", "=");
    assert!(text.contains(&format!("https://bugle.example.com/on-call/schedules/{schedule}")), "{text}");
    scene.hears(&[]).await;
}

#[tokio::test]
async fn people_choose_how_long_before_and_whether_at_all() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    wants(&scene, &ann, &[], false).await;
    wants(&scene, &ben, &[1, 12, 24], false).await;
    let shift = "from Sat 21 Nov 2026, 12:00 until Sun 22 Nov 2026, 12:00 (UTC)";
    for (minutes, when) in
        [(0, "In 24 hours you are"), (12 * 60, "In 12 hours you are"), (11 * 60, "In an hour you are")]
    {
        scene.world.advance(minutes * 60);
        assert_eq!(told(&scene).await, [format!("ben: {when} on call for NAME {shift}")]);
    }
    scene.world.advance(3600);
    assert!(told(&scene).await.is_empty(), "neither wants to be told now");
}

#[tokio::test]
async fn overrides_count_grafana_4755() {
    let scene = Scene::new().await;
    let (ann, ben, eve) = (scene.person("ann").await, scene.person("ben").await, scene.person("eve").await);
    let schedule = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    wants(&scene, &ben, &[1], true).await;
    wants(&scene, &eve, &[1], false).await;
    told(&scene).await;
    let instead = OverrideKind::Replace { who: eve.id, replaced: ben.id };
    scene.overrides(schedule, (DAY, DAY + 60), instead).await;
    scene.world.advance((DAY - 60) * 60);
    let expected = "eve: In an hour you are on call for NAME from Sat 21 Nov 2026, 12:00 until Sat 21 Nov 2026, 13:00 (UTC)";
    assert_eq!(told(&scene).await, [expected]);
    scene.world.advance(3600);
    let expected = [
        "ann: Your shift for NAME has ended at Sat 21 Nov 2026, 12:00 (UTC): eve is on call now",
        "ben: In an hour you are on call for NAME from Sat 21 Nov 2026, 13:00 until Sun 22 Nov 2026, 12:00 (UTC)",
    ];
    assert_eq!(told(&scene).await, expected);
    scene.world.advance(3600);
    assert!(
        told(&scene).await.is_empty(),
        "the end of an override is ben's beginning, of which he was told before"
    );
}

#[tokio::test]
async fn after_an_outage_nothing_old_is_told() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.outage(60);
    assert!(told(&scene).await.is_empty());
    scene.outage(DAY - 1);
    let late = told(&scene).await;
    assert_eq!(late.len(), 2, "not an hour after it: {late:?}");
    assert!(late.iter().any(|one| one.starts_with("ben: You are on call")), "{late:?}");
}

#[tokio::test]
async fn a_mail_that_cannot_leave_within_the_hour_is_dropped() {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.schedule(&[Some(&ann), None]).await;
    scene.outage(30);
    handoffs_of(&scene, scene.world.store.clone()).run_once().await.unwrap();
    let sql = "SELECT to_char(expires_at AT TIME ZONE 'UTC', 'HH24:MI') FROM account_mails";
    let until: String = scene.world.sql.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(until, "13:00");
}

#[tokio::test]
async fn of_two_who_look_at_once_one_tells() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    let one = handoffs_of(&scene, scene.world.another_store());
    let other = handoffs_of(&scene, scene.world.another_store());
    let (one, other) = tokio::join!(one.run_once(), other.run_once());
    assert_eq!(one.unwrap() + other.unwrap(), 2);
    assert_eq!(told(&scene).await.len(), 2);
}

#[tokio::test]
async fn whoever_has_left_the_team_or_is_shut_out_is_not_told() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.world.sql.execute("UPDATE users SET disabled = true WHERE name = 'ben'", &[]).await.unwrap();
    let mut conn = scene.world.store.conn().await.unwrap();
    teams::remove_member(&mut conn, scene.team, ann.id).await.unwrap();
    assert!(told(&scene).await.is_empty());
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_is_not_in_the_way() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let damaged = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.schedule(&[Some(&ann), Some(&ben)]).await;
    let sql = "UPDATE schedules SET layers = '[{\"from\": \"a newer version\"}]' WHERE id = $1";
    scene.world.sql.execute(sql, &[&damaged.0]).await.unwrap();
    let people: BTreeSet<_> =
        told(&scene).await.iter().map(|one| one.split_once(':').unwrap().0.to_owned()).collect();
    assert_eq!(people, BTreeSet::from(["ann".to_owned(), "ben".to_owned()]));
}

#[tokio::test]
async fn managers_are_told_once_a_day_that_somebody_is_missing() {
    let scene = Scene::new().await;
    let (ann, _) = (scene.person("ann").await, scene.person_as("max", TeamRole::Manager).await);
    let schedule = scene.schedule(&[Some(&ann), None]).await;
    assert!(told_of_gaps(&scene).await.is_empty(), "every second day is free by the layer itself");
    let away = OverrideKind::Remove { who: ann.id };
    scene.overrides(schedule, (2 * DAY + 60, 2 * DAY + 120), away).await;
    scene.overrides(schedule, (8 * DAY, 9 * DAY), away).await;
    let text =
        "max: Nobody is on call for NAME from Sun 22 Nov 2026, 13:00 until Sun 22 Nov 2026, 14:00 (UTC)";
    assert_eq!(told_of_gaps(&scene).await, [text]);
    scene.world.advance((DAY - 1) * 60);
    assert!(told_of_gaps(&scene).await.is_empty(), "not within a day");
    scene.world.advance(60);
    assert_eq!(told_of_gaps(&scene).await, [text.to_owned()]);
    scene.world.advance(DAY * 60 + 120 * 60);
    let next =
        "max: Nobody is on call for NAME from Sat 28 Nov 2026, 12:00 until Sun 29 Nov 2026, 12:00 (UTC)";
    assert_eq!(told_of_gaps(&scene).await, [next], "nothing of the past");
}

#[tokio::test]
async fn whoever_has_left_the_team_is_missing() {
    let scene = Scene::new().await;
    let (ann, _) = (scene.person("ann").await, scene.person_as("max", TeamRole::Manager).await);
    scene.schedule(&[Some(&ann)]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    teams::remove_member(&mut conn, scene.team, ann.id).await.unwrap();
    let told = told_of_gaps(&scene).await;
    assert_eq!(
        told,
        ["max: Nobody is on call for NAME from Fri 20 Nov 2026, 12:00 until Fri 27 Nov 2026, 12:00 (UTC)"]
    );
}
