//! `GET /api/v1/live`, over real sockets.

use crate::harness::{App, TOKEN, noon};
use crate::people::{Browser, person, session, team};
use bugle_model::{InstallationRole, IssueId, ProjectId, TeamId, TeamRole, TokenScope};
use bugle_store::teams;
use bugle_store::tokens::{self, NewToken};
use bugle_web::auth;
use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens one; the status of the answer when it is refused.
    pub async fn try_open(app: &App, query: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let url = format!("{}/api/v1/live{query}", app.base.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open(app: &App, query: &str, token: &str) -> Self {
        Self::try_open(app, query, &[("authorization", &format!("Bearer {token}"))]).await.unwrap()
    }

    /// Opens one with a session, as a page of ours does.
    async fn of(app: &App, browser: &Browser) -> Self {
        Self::try_open(app, "", &[("cookie", &browser.cookie), ("origin", &app.base)]).await.unwrap()
    }

    /// The next message of either kind that carries something.
    async fn frame(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            match next.unwrap().unwrap() {
                Message::Ping(_) => {}
                frame => return frame,
            }
        }
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(self.frame().await.to_text().unwrap()).unwrap()
    }

    /// The id of the greeting.
    pub async fn hello(&mut self) -> String {
        let hello = self.next().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        hello["id"].as_str().unwrap().to_owned()
    }

    /// The changes of the next message.
    async fn changes(&mut self) -> Vec<Value> {
        let message = self.next().await;
        assert_eq!(message["type"], "changes", "{message}");
        message["items"].as_array().unwrap().clone()
    }

    /// `kind issue` of the changes of the next message.
    pub async fn kinds(&mut self) -> Vec<String> {
        let changes = self.changes().await;
        changes.iter().map(|one| format!("{} {}", one["kind"].as_str().unwrap(), one["issue"])).collect()
    }

    /// The code of the end.
    pub async fn end(&mut self) -> u16 {
        match self.frame().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }
}

async fn happen(app: &App, issue: IssueId, events: i64) {
    let sql = format!("UPDATE issue_counts SET events = {events} WHERE issue_id = {issue}");
    app.database.execute(&sql).await.unwrap();
}

async fn project_of(app: &App, name: &str, team: TeamId) -> ProjectId {
    let project = app.project(name).await;
    let sql = format!("UPDATE projects SET team_id = {team} WHERE id = {project}");
    app.database.execute(&sql).await.unwrap();
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn new_issues_counts_changes_and_notifications_are_told() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let old = app.issue(project, 1, "Old", 1).await;
    let mut socket = Socket::open(&app, "", TOKEN).await;
    socket.hello().await;

    let new = app.issue(project, 2, "New", 0).await;
    let told = socket.changes().await;
    let expected = json!({
        "kind": "issue.opened", "project": project, "issue": new, "short_id": "SHOP-2", "title": "New",
        "level": "error", "priority": "high", "count": 20, "users": 2, "last_seen": told[0]["last_seen"],
    });
    assert_eq!(told, [expected]);

    happen(&app, old, 11).await;
    let told = socket.changes().await;
    assert_eq!((told.len(), &told[0]["kind"], &told[0]["count"]), (1, &json!("issue.seen"), &json!(11)));

    // A change of a person, to an issue without events.
    let quiet = app.issue(project, 3, "Quiet", 600).await;
    assert_eq!(socket.kinds().await, [format!("issue.opened {quiet}")]);
    app.patch(&format!("/api/v1/issues/{quiet}"), &json!({ "status": "resolved", "assigned_to": "ann" }))
        .await
        .ok(200);
    let told = socket.changes().await;
    let shown: Vec<_> = told.iter().map(|one| (&one["what"], &one["status"], &one["assigned_to"])).collect();
    let (resolved, ann) = (json!("resolved"), json!("ann"));
    assert_eq!(shown, [(&json!("status"), &resolved, &ann), (&json!("assigned"), &resolved, &ann)]);
    assert_eq!((&told[0]["kind"], &told[0]["actor"]), (&json!("issue.changed"), &json!("tests")));

    app.database
        .execute(&format!(
            "INSERT INTO destinations (id, project_id, channel, target, min_priority, created_at)
                 VALUES (7, {project}, 1, 'a@example.com', 1, '2027-01-01T00:00:00Z');
             INSERT INTO notifications (id, message_id, project_id, issue_id, destination_id, kind, priority, received_at,
                                        created_at, next_at)
                 VALUES (70, '00000000-0000-4000-8000-000000000070', {project}, {new}, 7, 1, 3, '2027-01-01T00:00:00Z',
                         '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z')"
        ))
        .await
        .unwrap();
    let told = socket.changes().await;
    let expected = json!({
        "kind": "notification.changed", "project": project, "notification": 70, "issue": new, "state": "pending",
    });
    assert_eq!(told, [expected]);
    let sent = "UPDATE notifications SET state = 2, next_at = NULL, finished_at = '2027-01-01T00:00:01Z' WHERE id = 70";
    app.database.execute(sent).await.unwrap();
    assert_eq!(socket.changes().await[0]["state"], "sent");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_told_once_a_second_at_most() {
    let app = App::start().await;
    let issue = app.issue(app.project("shop").await, 1, "Busy", 0).await;
    let mut socket = Socket::open(&app, "", TOKEN).await;
    socket.hello().await;
    let began = Instant::now();
    for events in 1..=100 {
        happen(&app, issue, 1_000 + events).await;
    }
    let mut messages = 0;
    loop {
        let told = socket.changes().await;
        messages += 1;
        assert_eq!(told.len(), 1);
        if told[0]["count"] == 1_100 {
            break;
        }
    }
    assert!(messages <= began.elapsed().as_secs() + 1, "{messages} in {:?}", began.elapsed());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_of_its_own_teams_alone() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (of_blue, of_red) = (project_of(&app, "b", blue).await, project_of(&app, "r", red).await);
    let (ann, ann_browser) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let new = NewToken {
        name: "red",
        scopes: &[TokenScope::Read],
        team: Some(red),
        created_by: None,
        expires_at: None,
    };
    tokens::create_scoped(&mut *app.connection().await, &new, &auth::hash("of red"), noon()).await.unwrap();
    let mut as_ann = Socket::of(&app, &ann_browser).await;
    let mut as_red = Socket::open(&app, "", "of red").await;
    let mut as_all = Socket::open(&app, "", TOKEN).await;
    for socket in [&mut as_ann, &mut as_red, &mut as_all] {
        socket.hello().await;
    }
    let first = app.issue(of_blue, 1, "Blue", 0).await;
    assert_eq!(as_all.kinds().await, [format!("issue.opened {first}")]);
    let second = app.issue(of_red, 1, "Red", 0).await;
    assert_eq!(as_all.kinds().await, [format!("issue.opened {second}")]);
    // The first that each hears of: what came before was kept from them.
    assert_eq!(as_red.kinds().await, [format!("issue.opened {second}")]);
    assert_eq!(as_ann.kinds().await, [format!("issue.opened {first}")]);

    // A team left is a team not heard of, within a minute.
    let mut connection = app.connection().await;
    teams::put_member(&mut connection, red, ann, TeamRole::Viewer, noon()).await.unwrap();
    app.database
        .execute(&format!("DELETE FROM memberships WHERE user_id = {ann} AND team_id = {blue}"))
        .await
        .unwrap();
    app.clock.advance(TimeDelta::seconds(31));
    narrowed(&app, &mut as_ann, first, second).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_issues_are_told_in_their_team() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (of_blue, of_red) = (project_of(&app, "b", blue).await, project_of(&app, "r", red).await);
    let (_, ann_browser) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let theirs = app.issue(of_red, 1, "Red", 600).await;
    let (one, other, stays) = (
        app.issue(of_blue, 1, "One", 600).await,
        app.issue(of_blue, 2, "Other", 600).await,
        app.issue(of_blue, 3, "Stays", 600).await,
    );
    let mut as_ann = Socket::of(&app, &ann_browser).await;
    let mut as_all = Socket::open(&app, "", TOKEN).await;
    for socket in [&mut as_ann, &mut as_all] {
        socket.hello().await;
    }
    let gone = async |issues: &[IssueId]| {
        let mut short_ids = Vec::new();
        for issue in issues {
            short_ids.push(app.get(&format!("/api/v1/issues/{issue}")).await.ok(200)["short_id"].clone());
        }
        json!([{ "kind": "issues.deleted", "short_ids": short_ids }])
    };
    let (of_red, of_blue) = (gone(&[theirs]).await, gone(&[one, other]).await);
    let delete = app.client.delete(app.url(&format!("/api/v1/issues/{theirs}")));
    app.send(delete.bearer_auth(TOKEN)).await.ok(204);
    assert_eq!(Value::from(as_all.changes().await), of_red);
    let bulk = "/api/v1/issues/bulk";
    app.post(bulk, &json!({ "ids": [stays], "priority": "low" })).await.ok(200);
    assert_eq!(as_all.kinds().await, [format!("issue.changed {stays}")]);
    app.post(bulk, &json!({ "ids": [one, other], "delete": true })).await.ok(200);
    assert_eq!(Value::from(as_all.changes().await), of_blue);
    // What is not of her team was kept from her.
    assert_eq!(as_ann.kinds().await, [format!("issue.changed {stays}")]);
    assert_eq!(Value::from(as_ann.changes().await), of_blue);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_that_are_changed_or_removed_are_told_in_their_team() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (of_blue, of_red) = (project_of(&app, "b", blue).await, project_of(&app, "r", red).await);
    let (_, ann_browser) = person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let (ours, theirs) = (app.issue(of_blue, 1, "Blue", 600).await, app.issue(of_red, 1, "Red", 600).await);
    let mut as_ann = Socket::of(&app, &ann_browser).await;
    let mut as_all = Socket::open(&app, "", TOKEN).await;
    for socket in [&mut as_ann, &mut as_all] {
        socket.hello().await;
    }
    for issue in [theirs, ours] {
        let short_id = app.get(&format!("/api/v1/issues/{issue}")).await.ok(200)["short_id"].clone();
        let project = if issue == ours { of_blue } else { of_red };
        let expected = json!([{
            "kind": "issue.changed", "project": project, "issue": issue, "short_id": short_id, "what": "comment",
            "actor": "tests", "status": "unresolved", "priority": "high", "assigned_to": null,
        }]);
        let list = format!("/api/v1/issues/{issue}/comments");
        let made = app.post(&list, &json!({ "text": "one" })).await.ok(201);
        assert_eq!(Value::from(as_all.changes().await), expected);
        let comment = format!("{list}/{}", made["id"]);
        app.patch(&comment, &json!({ "text": "two" })).await.ok(200);
        assert_eq!(Value::from(as_all.changes().await), expected, "changed");
        let remove = app.client.delete(app.url(&comment)).bearer_auth(TOKEN);
        app.send(remove).await.ok(204);
        assert_eq!(Value::from(as_all.changes().await), expected, "removed");
    }
    // What is not of her team was kept from her.
    for _ in 0..3 {
        assert_eq!(as_ann.kinds().await, [format!("issue.changed {ours}")]);
    }
    app.stop().await;
}

/// Both issues go on until only the second is heard of.
async fn narrowed(app: &App, socket: &mut Socket, gone: IssueId, heard: IssueId) {
    let began = Instant::now();
    for events in 1_000.. {
        happen(app, gone, events).await;
        happen(app, heard, events).await;
        if socket.kinds().await == [format!("issue.seen {heard}")] {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "still heard of");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_stops_hearing_within_a_minute() {
    let app = App::start().await;
    let (ann, _) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let first = session(&app, ann, "first").await;
    let mut by_session = Socket::of(&app, &first).await;
    tokens::create(&mut *app.connection().await, "ci", &auth::hash("of ci"), None, noon()).await.unwrap();
    let mut by_token = Socket::open(&app, "", "of ci").await;
    let mut stays = Socket::open(&app, "", TOKEN).await;
    for socket in [&mut by_session, &mut by_token, &mut stays] {
        socket.hello().await;
    }
    first.delete(&app, "/api/v1/session").await.ok(204);
    tokens::revoke(&mut *app.connection().await, "ci").await.unwrap();
    app.clock.advance(TimeDelta::seconds(31));
    assert_eq!(by_session.end().await, 4401);
    assert_eq!(by_token.end().await, 4401);
    let issue = app.issue(app.project("shop").await, 1, "New", 0).await;
    assert_eq!(stays.kinds().await, [format!("issue.opened {issue}")]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_does_not_keep_its_session_alive() {
    let app = App::start().await;
    let (ann, _) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let browser = session(&app, ann, "browser").await;
    let mut socket = Socket::of(&app, &browser).await;
    socket.hello().await;
    app.clock.advance(TimeDelta::days(15));
    assert_eq!(socket.end().await, 4401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_opens_a_socket_for_our_own_pages_only() {
    let app = App::start().await;
    let (ann, _) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let browser = session(&app, ann, "browser").await;
    let cookie = ("cookie", browser.cookie.as_str());
    let open = async |headers: &[(&'static str, &str)]| Socket::try_open(&app, "", headers).await.map(drop);
    assert_eq!(open(&[]).await, Err(401));
    assert_eq!(open(&[cookie]).await, Err(403));
    for other in ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"] {
        assert_eq!(open(&[cookie, ("origin", other)]).await, Err(403), "{other}");
    }
    assert_eq!(open(&[cookie, ("origin", &app.base)]).await, Ok(()));
    // The configured public address, whatever a proxy made of the host.
    assert_eq!(open(&[cookie, ("origin", "http://127.0.0.1:8080")]).await, Ok(()));
    let plain = app.get("/api/v1/live").await;
    assert_eq!((plain.status, &plain.body["code"]), (400, &json!("bad_request")));
    assert_eq!(app.get("/api/v1/live?since=1").await.mistakes(), ["since: no such parameter"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_within_an_hour_is_told_what_was_missed() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let mut socket = Socket::open(&app, "", TOKEN).await;
    let id = socket.hello().await;
    let first = app.issue(project, 1, "First", 0).await;
    assert_eq!(socket.kinds().await, [format!("issue.opened {first}")]);
    drop(socket);

    let mut again = Socket::open(&app, &format!("?after={id}"), TOKEN).await;
    assert_eq!(again.hello().await, id);
    assert_eq!(again.kinds().await, [format!("issue.opened {first}")]);

    // Who stayed is told as well: nobody looked for an hour.
    app.clock.advance(TimeDelta::minutes(61));
    assert_eq!(again.next().await["type"], "reload");
    let mut late = Socket::open(&app, &format!("?after={id}"), TOKEN).await;
    assert_eq!(late.next().await["type"], "reload");
    let second = app.issue(project, 2, "Second", 0).await;
    assert_eq!(late.kinds().await, [format!("issue.opened {second}")]);

    let mut stranger = Socket::open(&app, "?after=0123456789abcdef.7", TOKEN).await;
    assert_eq!(stranger.next().await["type"], "reload");
    app.stop().await;
}
