use crate::harness::{KEY, Setup};
use bugle_model::Quota;
use chrono::TimeDelta;

const EVENT: &str = "{}\n{\"type\":\"event\"}\n{}";

fn limited(per_minute: Option<u32>, per_hour: Option<u32>) -> Setup {
    let mut setup = Setup::new();
    setup.snapshot.as_mut().unwrap().keys[0].quota = Quota { per_minute, per_hour };
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_is_told_as_sdks_understand_it() {
    let door = limited(Some(2), None).start().await;
    assert_eq!(door.envelope(EVENT).await.status, 200);
    // What is not accepted costs nothing, and neither do reports of what the SDK dropped itself.
    assert_eq!(
        door.envelope("{}\n{\"type\":\"session\"}\n{}\n{\"type\":\"client_report\"}\n{}").await.status,
        200
    );
    assert_eq!(door.envelope("nonsense").await.status, 400);
    assert_eq!(door.envelope(EVENT).await.status, 200);
    let answer = door.envelope(EVENT).await;
    assert_eq!((answer.status, answer.body.len()), (429, 0));
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert_eq!(
        answer.header("x-sentry-rate-limits"),
        Some("30:default;error;security;attachment;feedback:key:quota")
    );
    assert!(answer.header("access-control-expose-headers").is_some());
    // The rest of an envelope is kept all the same.
    let mixed = "{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"client_report\"}\n{\"mixed\":1}";
    assert_eq!(door.envelope(mixed).await.status, 429);
    assert_eq!(door.bodies().last().unwrap(), "{\"mixed\":1}");
    assert_eq!(door.outcome("rate_limited"), 2);
    door.clock.advance(TimeDelta::seconds(30));
    assert_eq!(door.envelope(EVENT).await.status, 200);
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_gives_nothing_away() {
    let door = limited(None, Some(3)).start().await;
    for _ in 0..3 {
        assert_eq!(door.envelope(EVENT).await.status, 200);
    }
    let mut setup = Setup::in_dir(door.stop().await);
    setup.snapshot = None;
    let door = setup.start().await;
    let answer = door.envelope(EVENT).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1200")));
    door.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_and_projects_have_quotas_too() {
    let mut setup = limited(None, None);
    let snapshot = setup.snapshot.as_mut().unwrap();
    snapshot.ingest_processes = 2;
    snapshot.projects[0].quota.per_minute = Some(4);
    let door = setup.start().await;
    let two = format!("/api/1/store/?sentry_key={KEY}");
    assert_eq!(door.envelope(EVENT).await.status, 200);
    assert_eq!(door.post(&two, &[], "{}").await.status, 200);
    let answer = door.post(&two, &[], "{}").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("x-sentry-rate-limits").unwrap().ends_with(":project:quota"));
    door.stop().await;
}
