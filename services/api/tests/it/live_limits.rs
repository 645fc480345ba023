//! How many listen to `GET /api/v1/live`, and what they take.

use crate::harness::{App, LOCAL_TOKEN, TOKEN, noon};
use crate::live::Socket;
use bugle_runtime::Config;
use bugle_store::{Scope, issues, tokens};
use bugle_web::auth;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_and_a_stop_ends_them() {
    let app = App::start_with(Config { live_sockets: 1, api_rate_limit: 0, ..Config::default() }).await;
    let mut socket = Socket::open(&app, "", TOKEN).await;
    socket.hello().await;
    let header = ("authorization", format!("Bearer {TOKEN}"));
    let second = Socket::try_open(&app, "", &[(header.0, &header.1)]).await;
    assert_eq!(second.map(drop), Err(503));
    let metrics = app.get("/metrics").await.text;
    for line in ["bugle_live_sockets 1", "bugle_live_refused_total 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
    let stopping = tokio::spawn(app.stop());
    assert_eq!(socket.end().await, 1012);
    drop(socket);
    tokio::time::timeout(Duration::from_secs(8), stopping)
        .await
        .expect("it does not wait for sockets")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_places_of_all() {
    let app = App::start().await;
    let mut sockets = Vec::new();
    for _ in 0..50 {
        sockets.push(Socket::open(&app, "", TOKEN).await);
    }
    let header = format!("Bearer {TOKEN}");
    let one_more = Socket::try_open(&app, "", &[("authorization", &header)]).await;
    assert_eq!(one_more.map(drop), Err(429));
    Socket::open(&app, "", LOCAL_TOKEN).await.hello().await;
    app.stop().await;
}

/// What the process has in memory, in KiB.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_sockets_are_all_told() {
    const SOCKETS: usize = 1_000;
    let app = App::start().await;
    let project = app.project("shop").await;
    Socket::open(&app, "", TOKEN).await.hello().await;
    let before = resident();
    let mut sockets = Vec::new();
    for number in 0..SOCKETS {
        let token = format!("token {}", number / 50);
        if number % 50 == 0 {
            let mut connection = app.connection().await;
            tokens::create(&mut connection, &token, &auth::hash(&token), None, noon()).await.unwrap();
        }
        let mut socket = Socket::open(&app, "", &token).await;
        socket.hello().await;
        sockets.push(socket);
    }
    let issue = app.issue(project, 1, "For all", 0).await;
    for socket in &mut sockets {
        assert_eq!(socket.kinds().await, [format!("issue.opened {issue}")]);
    }
    // Both ends of each, here: tungstenite's alone has a buffer of 128 KiB.
    let each = (resident() - before) / i64::try_from(SOCKETS).unwrap();
    assert!(each < 300, "{each} KiB for both ends of a socket");
    drop(sockets);
    let found = issues::get(&mut *app.connection().await, &Scope::All, issue).await.unwrap();
    assert!(found.is_some());
    app.stop().await;
}
