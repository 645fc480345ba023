//! What came with an event: files and feedback; and how much room all of it takes.

use crate::events::sample;
use crate::harness::App;
use crate::people::{person, session, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::json;

const HOSTILE: &str = "a\"\r\n/../\u{202e}<script>.html";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_listed_and_handed_out_for_keeping_only() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let event = sample();
    app.event(project, issue, &event, 1).await;
    app.attachment(project, &event, 7, HOSTILE, b"<script>alert(1)</script>").await;
    let path = format!("/api/v1/events/{}/attachments", event.event_id);
    let listed = app.get(&path).await.ok(200);
    let expected = json!({
        "items": [{
            "id": 7, "name": HOSTILE, "content_type": "text/html", "attachment_type": "event.attachment",
            "size": 25, "sha256": format!("{:064x}", 7), "received_at": "2027-01-15T12:00:00Z",
        }],
        "next": null,
    });
    assert_eq!(listed, expected);
    assert_eq!(app.get(&format!("{path}?project=shop")).await.ok(200), expected);
    assert_eq!(app.get(&format!("{path}?project=blog")).await.mistakes().len(), 1);
    let file = app.get("/api/v1/attachments/7").await;
    assert_eq!((file.status, file.text.as_str()), (200, "<script>alert(1)</script>"));
    assert_eq!(file.header("content-length"), "25");
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(file.header("content-security-policy"), "default-src 'none'; sandbox");
    let disposition = file.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"a____..__"), "{disposition}");
    assert!(disposition.contains("%E2%80%AE%3Cscript%3E.html"), "{disposition}");
    assert_eq!(app.get("/api/v1/attachments/8").await.status, 404);
    assert_eq!(app.get("/api/v1/attachments/x").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_bytes_are_elsewhere_says_so() {
    let app = App::start().await;
    let project = app.project("shop").await;
    app.attachment(project, &sample(), 7, "a.txt", b"abc").await;
    app.database.execute("UPDATE attachments SET sha256 = sha256('elsewhere')").await.unwrap();
    let answer = app.get("/api/v1/attachments/7").await.ok(404);
    assert!(answer["detail"].as_str().unwrap().contains("object_store"), "{answer}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_teams_files_and_feedback_are_not_there() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let project = app.project("shop").await;
    app.database.execute(&format!("UPDATE projects SET team_id = {blue}")).await.unwrap();
    let issue = app.issue(project, 1, "x", 1).await;
    app.event(project, issue, &sample(), 1).await;
    app.attachment(project, &sample(), 7, "a.txt", b"abc").await;
    let id = sample().event_id;
    for (name, team, status) in [("viewer", blue, 200), ("outsider", red, 404)] {
        let (who, _) = person(&app, name, InstallationRole::Member, &[(team, TeamRole::Viewer)]).await;
        let browser = session(&app, who, name).await;
        for path in [
            "/api/v1/attachments/7".to_owned(),
            format!("/api/v1/events/{id}/attachments"),
            format!("/api/v1/events/{id}/feedback"),
        ] {
            let request = app.client.get(app.url(&path)).header("cookie", &browser.cookie);
            assert_eq!(app.send(request).await.status, status, "{name} {path}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_is_shown_with_its_event() {
    let app = App::start().await;
    let project = app.project("shop").await;
    let issue = app.issue(project, 1, "x", 1).await;
    let event = sample();
    app.event(project, issue, &event, 1).await;
    app.database
        .execute(&format!(
            "INSERT INTO feedback (id, item_id, project_id, event_id, name, email, message, url, received_at) VALUES
                 (1, gen_random_uuid(), {project}, '{0}', 'Ann', 'ann@example.com', 'It broke', 'https://shop.example/', '2027-01-01T00:00:00Z'),
                 (2, gen_random_uuid(), {project}, NULL, NULL, NULL, 'of no event', NULL, '2027-01-01T00:00:00Z')",
            event.event_id
        ))
        .await
        .unwrap();
    let answer = app.get(&format!("/api/v1/events/{}/feedback", event.event_id)).await.ok(200);
    let expected = json!({
        "items": [{
            "id": 1, "name": "Ann", "email": "ann@example.com", "message": "It broke",
            "url": "https://shop.example/", "received_at": "2027-01-01T00:00:00Z",
        }],
        "next": null,
    });
    assert_eq!(answer, expected);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_of_a_project_is_its_events_and_its_files() {
    let app = App::start().await;
    let (shop, blog) = (app.project("shop").await, app.project("blog").await);
    for (project, count) in [(shop, 30), (blog, 10)] {
        let issue = app.issue(project, 1, "x", 1).await;
        for number in 0..count {
            let mut event = sample();
            event.event_id = uuid::Uuid::from_u128(number);
            app.event(project, issue, &event, 1).await;
        }
    }
    app.attachment(blog, &sample(), 7, "a.txt", b"abc").await;
    let answer = app.get("/api/v1/storage").await.ok(200);
    let of = |at: usize, field: &str| answer["items"][at][field].as_i64().unwrap();
    assert_eq!([of(0, "project"), of(1, "project")], [i64::from(shop.0), i64::from(blog.0)]);
    assert_eq!([of(0, "attachments_bytes"), of(1, "attachments_bytes")], [0, 3]);
    let share = of(0, "events_bytes") as f64 / of(1, "events_bytes") as f64;
    assert!((2.9..3.1).contains(&share), "{answer}");
    assert_eq!(app.get("/api/v1/storage?x=1").await.status, 422);
    assert_eq!(app.client.get(app.url("/api/v1/storage")).send().await.unwrap().status(), 401);
    app.stop().await;
}
