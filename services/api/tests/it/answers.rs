//! Links of mails: a page that does nothing by itself, and a button that does it once.

use crate::harness::{Answer, App};
use crate::oncall::{Crew, crew};
use bugle_model::{IncidentAnswer, IncidentId, UserId};
use bugle_store::oncall::{self, NewAnswerLink};
use bugle_web::auth;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A link as a mail to `user` has it.
pub async fn link(app: &App, user: UserId, incident: i64, answer: IncidentAnswer) -> String {
    let token = auth::new_secret();
    let new = NewAnswerLink { token_hash: auth::hash(&token), incident: IncidentId(incident), user, answer };
    let ends = app.now() + TimeDelta::hours(72);
    oncall::add_answer_links(&mut *app.connection().await, &[new], app.now(), ends).await.unwrap();
    format!("/api/v1/answers/{token}")
}

pub async fn open(app: &App, path: &str) -> Answer {
    app.send(app.client.get(app.url(path))).await
}

async fn post(app: &App, path: &str, proof: &str) -> Answer {
    app.send(app.client.post(app.url(path)).form(&[("proof", proof)])).await
}

/// What the form of a page posts; `None` when it has no form.
fn proof(page: &Answer) -> Option<String> {
    let (_, rest) = page.text.split_once("name=\"proof\" value=\"")?;
    Some(rest.split_once('"').unwrap().0.to_owned())
}

/// Opens a page and presses its button.
async fn press(app: &App, path: &str) -> Answer {
    let page = open(app, path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    post(app, path, &proof(&page).unwrap()).await
}

#[track_caller]
fn title(page: &Answer, status: u16) -> String {
    assert_eq!(page.status, status, "{}", page.text);
    let (_, rest) = page.text.split_once("<h1>").unwrap();
    rest.split_once("</h1>").unwrap().0.to_owned()
}

async fn state(crew: &Crew, incident: i64) -> Value {
    crew.viewer.get(&crew.app, &format!("/api/v1/incidents/{incident}")).await.ok(200)["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_acknowledges_in_the_name_of_whom_the_mail_was_for() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Acknowledge).await;
    let page = open(&crew.app, &path).await;
    assert_eq!(title(&page, 200), "Acknowledge SHOP-1?");
    assert!(page.text.contains("This is done as ann."), "{}", page.text);
    assert!(page.text.contains("It was triggered at 2027-01-15 12:00 UTC"), "{}", page.text);

    let done = post(&crew.app, &path, &proof(&page).unwrap()).await;
    assert_eq!(title(&done, 200), "SHOP-1 is acknowledged");
    assert!(done.text.contains("It was acknowledged by ann at"), "{}", done.text);
    assert_eq!(proof(&done), None);
    let timeline =
        crew.viewer.get(&crew.app, &format!("/api/v1/incidents/{incident}/timeline")).await.ok(200);
    let last = timeline["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["event"], &last["actor"], &last["data"]),
        (&json!("acknowledged"), &json!("ann"), &json!({ "channel": "email" }))
    );
    let log = crew.app.get("/api/v1/audit?action=incident.acknowledged").await.ok(200);
    assert_eq!(log["items"][0]["actor"]["name"], "ann");
    assert_eq!(log["items"][0]["after"], json!({ "channel": "email" }));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_follows_every_link_changes_nothing() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    for answer in IncidentAnswer::ALL {
        let path = link(&crew.app, crew.ann, incident, *answer).await;
        for _ in 0..3 {
            assert!(proof(&open(&crew.app, &path).await).is_some());
        }
        let head = crew.app.send(crew.app.client.head(crew.app.url(&path))).await;
        assert_eq!(head.status, 200);
        assert_eq!(post(&crew.app, &path, "").await.ok(403)["code"], "csrf");
        assert_eq!(post(&crew.app, &path, &"0".repeat(64)).await.ok(403)["code"], "csrf");
        let token = path.rsplit('/').next().unwrap();
        assert_eq!(post(&crew.app, &path, token).await.ok(403)["code"], "csrf", "the link is no proof");
        let bare = crew.app.send(crew.app.client.post(crew.app.url(&path))).await;
        assert_eq!(bare.ok(403)["code"], "csrf");
        let proof = proof(&open(&crew.app, &path).await).unwrap();
        let foreign = crew.app.client.post(crew.app.url(&path)).header("sec-fetch-site", "cross-site");
        assert_eq!(crew.app.send(foreign.form(&[("proof", proof)])).await.ok(403)["code"], "csrf");
    }
    assert_eq!(state(&crew, incident).await, "triggered");
    assert_eq!(crew.events(incident).await, ["triggered"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_runs_nothing_loads_nothing_and_is_kept_nowhere() {
    let crew = crew().await;
    let (issue, incident) = crew.incident().await;
    let sql = format!("UPDATE incidents SET title = '<script>alert(1)</script>' WHERE id = {incident}");
    crew.app.database.execute(&sql).await.unwrap();
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Resolve).await;
    let page = open(&crew.app, &path).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for part in ["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", page.text);
    assert!(!page.text.contains("<script") && !page.text.contains("http-equiv"), "{}", page.text);
    assert!(page.text.contains(&format!("/issues/{issue}\"")), "{}", page.text);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_then_says_how_the_incident_stands() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Acknowledge).await;
    let page = open(&crew.app, &path).await;
    let proof = proof(&page).unwrap();
    assert_eq!(title(&post(&crew.app, &path, &proof).await, 200), "SHOP-1 is acknowledged");
    crew.act(incident, "unacknowledge", &json!({})).await.ok(200);

    let again = post(&crew.app, &path, &proof).await;
    assert_eq!(title(&again, 410), "This link was used at 2027-01-15 12:00 UTC");
    assert!(again.text.contains("nobody has acknowledged it"), "{}", again.text);
    assert_eq!(title(&open(&crew.app, &path).await, 410), "This link was used at 2027-01-15 12:00 UTC");
    assert_eq!(state(&crew, incident).await, "triggered");

    let ends = link(&crew.app, crew.ann, incident, IncidentAnswer::Resolve).await;
    assert_eq!(title(&press(&crew.app, &ends).await, 200), "SHOP-1 is resolved", "the others go on working");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_presses_at_once_escalate_once() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Escalate).await;
    let proof = proof(&open(&crew.app, &path).await).unwrap();
    let (one, two) = tokio::join!(post(&crew.app, &path, &proof), post(&crew.app, &path, &proof));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(crew.events(incident).await, ["triggered", "escalated"]);
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_incident_that_has_moved_on_says_so() {
    let crew = crew().await;
    let (issue, incident) = crew.incident().await;
    let [acknowledge, escalate, resolve] = [
        link(&crew.app, crew.ann, incident, IncidentAnswer::Acknowledge).await,
        link(&crew.app, crew.ann, incident, IncidentAnswer::Escalate).await,
        link(&crew.app, crew.ann, incident, IncidentAnswer::Resolve).await,
    ];
    let early = proof(&open(&crew.app, &acknowledge).await).unwrap();
    crew.boss.post(&crew.app, &format!("/api/v1/incidents/{incident}/acknowledge"), &json!({})).await.ok(200);
    let page = open(&crew.app, &acknowledge).await;
    assert_eq!((title(&page, 200).as_str(), proof(&page)), ("SHOP-1 is acknowledged already", None));
    assert!(page.text.contains("It was acknowledged by boss at"), "{}", page.text);
    let late = post(&crew.app, &acknowledge, &early).await;
    assert_eq!(title(&late, 200), "SHOP-1 is acknowledged already");
    assert_eq!(crew.events(incident).await, ["triggered", "acknowledged"]);

    assert_eq!(title(&press(&crew.app, &resolve).await, 200), "SHOP-1 is resolved");
    let shown = crew.member.get(&crew.app, &format!("/api/v1/issues/{issue}")).await.ok(200);
    assert_eq!(shown["status"], "resolved", "with its issue");
    let page = open(&crew.app, &escalate).await;
    assert_eq!((title(&page, 200).as_str(), proof(&page)), ("SHOP-1 is resolved already", None));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_and_one_that_is_not_known_leads_nowhere() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Acknowledge).await;
    let proof = proof(&open(&crew.app, &path).await).unwrap();
    crew.app.clock.advance(TimeDelta::hours(72));
    let ended = "This link ended at 2027-01-18 12:00 UTC";
    assert_eq!(title(&open(&crew.app, &path).await, 410), ended);
    assert_eq!(title(&post(&crew.app, &path, &proof).await, 410), ended);
    assert_eq!(title(&open(&crew.app, "/api/v1/answers/0000").await, 404), "There is no such link");
    assert_eq!(state(&crew, incident).await, "triggered");
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_answer_any_more_cannot_by_an_old_link() {
    let crew = crew().await;
    let (_, incident) = crew.incident().await;
    let path = link(&crew.app, crew.ann, incident, IncidentAnswer::Resolve).await;
    let proof = proof(&open(&crew.app, &path).await).unwrap();
    let (ann, team) = (crew.ann, crew.team);
    for change in [
        format!("UPDATE memberships SET role = 'viewer' WHERE user_id = {ann} AND team_id = {team}"),
        format!("DELETE FROM memberships WHERE user_id = {ann}"),
        format!("UPDATE users SET disabled = true WHERE id = {ann}"),
    ] {
        crew.app.database.execute(&change).await.unwrap();
        assert_eq!(title(&open(&crew.app, &path).await, 403), "This is not allowed");
        assert_eq!(title(&post(&crew.app, &path, &proof).await, 403), "This is not allowed");
    }
    assert_eq!(state(&crew, incident).await, "triggered");
    crew.app.stop().await;
}
