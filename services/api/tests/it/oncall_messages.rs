//! Contact methods as somebody who means harm would use them: those of others, codes that are guessed, phones of strangers.

use crate::harness::{Answer, App, TOKEN};
use crate::oncall::{Crew, crew};
use crate::people::{Browser, person};
use bugle_model::{InstallationRole, UserId};
use chrono::TimeDelta;
use serde_json::{Value, json};

const METHODS: &str = "/api/v1/account/contact-methods";

async fn phone(app: &App, who: &Browser, number: &str) -> String {
    let body = json!({ "name": "phone", "channel": "sms", "target": number });
    let made = who.post(app, METHODS, &body).await.ok(201);
    format!("{METHODS}/{}", made["id"])
}

async fn send(app: &App, who: &Browser, method: &str, what: &str) -> Answer {
    who.post(app, &format!("{method}/{what}"), &json!({})).await
}

async fn verify(app: &App, who: &Browser, method: &str, code: &str) -> Answer {
    who.post(app, &format!("{method}/verify"), &json!({ "code": code })).await
}

async fn code(app: &App) -> String {
    let codes = app.database.rows("SELECT code FROM contact_methods WHERE code IS NOT NULL").await.unwrap();
    codes[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_method_is_its_owners_alone_whoever_asks() {
    let Crew { app, boss, member: ann, .. } = crew().await;
    let (_, owner) = person(&app, "root", InstallationRole::Owner, &[]).await;
    let own = phone(&app, &ann, "+15005550001").await;
    send(&app, &ann, &own, "code").await.ok(202);
    let right = code(&app).await;
    let rule = json!({ "contact_method": own.rsplit('/').next().unwrap().parse::<i32>().unwrap() });
    for other in [&boss, &owner] {
        for what in ["code", "test"] {
            assert_eq!(send(&app, other, &own, what).await.status, 404, "{what}");
        }
        assert_eq!(verify(&app, other, &own, &right).await.status, 404);
        assert_eq!(other.delete(&app, &own).await.status, 404);
        assert_eq!(other.get(&app, METHODS).await.ok(200)["items"], json!([]));
        let refused = other.post(&app, "/api/v1/account/notification-rules", &rule).await.mistakes();
        assert!(refused[0].starts_with("contact_method: is none of yours"), "{refused:?}");
        // Nor by the ways to destinations and notifications, which it is one of and has.
        let all = other.get(&app, "/api/v1/notifications").await;
        assert!(!all.text.contains(&right) && !all.text.contains("+15005550001"), "{}", all.text);
        let there = other.get(&app, "/api/v1/projects/shop/destinations").await;
        assert!(!there.text.contains("+15005550001"), "{}", there.text);
        let id = own.rsplit('/').next().unwrap();
        let path = format!("/api/v1/projects/shop/destinations/{id}");
        assert_eq!(other.post(&app, &format!("{path}/test"), &json!({})).await.status, 404);
        assert_eq!(other.delete(&app, &path).await.status, 404);
    }
    assert_eq!(
        app.post(&format!("{own}/code"), &json!({})).await.status,
        403,
        "nor by a token that may do all"
    );
    verify(&app, &ann, &own, &right).await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_over_after_five_tries_and_after_a_quarter_of_an_hour() {
    let Crew { app, member: ann, .. } = crew().await;
    let own = phone(&app, &ann, "+15005550001").await;
    assert_eq!(verify(&app, &ann, &own, "000000").await.status, 409, "none was sent");
    send(&app, &ann, &own, "code").await.ok(202);
    let right = code(&app).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for guess in [wrong, "", "0", "not a code", wrong] {
        assert_eq!(verify(&app, &ann, &own, guess).await.status, 422, "{guess}");
    }
    assert_eq!(verify(&app, &ann, &own, &right).await.status, 409, "tried too often");

    app.clock.advance(TimeDelta::minutes(1));
    send(&app, &ann, &own, "code").await.ok(202);
    let right = code(&app).await;
    app.clock.advance(TimeDelta::minutes(15));
    assert_eq!(verify(&app, &ann, &own, &right).await.status, 409, "too late");
    assert_eq!(send(&app, &ann, &own, "test").await.status, 409, "not proven");
    let unproven = "SELECT count(*) FROM contact_methods WHERE verified_at IS NULL";
    assert_eq!(app.database.number(unproven).await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_strangers_phone_ring_for_long() {
    let Crew { app, member: ann, boss, .. } = crew().await;
    let number = "+15005550001";
    // Each minute a code; the same number once more, and again after the contact method was removed.
    for _ in 0..5 {
        let own = phone(&app, &ann, number).await;
        send(&app, &ann, &own, "code").await.ok(202);
        ann.delete(&app, &own).await.ok(204);
    }
    let (one, two) = (phone(&app, &ann, number).await, phone(&app, &ann, number).await);
    send(&app, &ann, &one, "code").await.ok(202);
    let right = code(&app).await;
    verify(&app, &ann, &one, &right).await.ok(200);
    // Tests count as well: they cost as much.
    send(&app, &ann, &one, "test").await.ok(202);
    app.database
        .execute("UPDATE notifications SET state = 2, next_at = NULL, finished_at = created_at")
        .await
        .unwrap();
    send(&app, &ann, &one, "test").await.ok(202);
    for _ in 0..2 {
        send(&app, &ann, &two, "code").await.ok(202);
        app.clock.advance(TimeDelta::minutes(1));
    }
    for (own, what) in [(&two, "code"), (&one, "code"), (&one, "test")] {
        let refused = send(&app, &ann, own, what).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "3480"), "{what}");
        assert_eq!(refused.body["detail"], "codes and tests: at most 10 an hour and 30 a day");
    }
    // What was refused sent nothing, and is nobody else's limit.
    let theirs = phone(&app, &boss, number).await;
    send(&app, &boss, &theirs, "code").await.ok(202);
    app.clock.advance(TimeDelta::minutes(58));
    send(&app, &ann, &two, "code").await.ok(202);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_with_contact_methods_is_logged_without_numbers_and_secrets() {
    let Crew { app, member: ann, ann: id, .. } = crew().await;
    let own = phone(&app, &ann, "+15005550001").await;
    let slack =
        json!({ "name": "slack", "channel": "slack", "target": "U0123456789", "bot_token": "xoxb-secret" });
    let made = ann.post(&app, METHODS, &slack).await;
    assert!(!made.text.contains("xoxb"), "{}", made.text);
    send(&app, &ann, &own, "code").await.ok(202);
    let right = code(&app).await;
    verify(&app, &ann, &own, &right).await.ok(200);
    send(&app, &ann, &own, "test").await.ok(202);
    let method: i32 = own.rsplit('/').next().unwrap().parse().unwrap();
    let rules = "/api/v1/account/notification-rules";
    let rule = ann.post(&app, rules, &json!({ "contact_method": method })).await.ok(201);
    ann.delete(&app, &format!("{rules}/{}", rule["id"])).await.ok(204);
    ann.delete(&app, &own).await.ok(204);

    let log = app.get(&format!("/api/v1/audit?actor=user:{id}&limit=100")).await;
    for secret in ["+15005550001", "U0123456789", "xoxb", &format!("\"{right}\"")] {
        assert!(!log.text.contains(secret), "{secret} in {}", log.text);
    }
    let log = log.ok(200);
    let actions: Vec<_> =
        log["items"].as_array().unwrap().iter().rev().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "contact_method.created",
            "contact_method.created",
            "contact_method.code_sent",
            "contact_method.verified",
            "contact_method.tested",
            "notification_rule.created",
            "notification_rule.deleted",
            "contact_method.deleted",
        ]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_asked_for_again_under_one_key_is_sent_once() {
    let Crew { app, member: ann, .. } = crew().await;
    let own = phone(&app, &ann, "+15005550001").await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = app.client.post(app.url(&format!("{own}/code"))).header("cookie", &ann.cookie);
        let request = request.header("x-csrf-token", &ann.csrf).header("idempotency-key", "a");
        answers.push(app.send(request.json(&json!({}))).await.ok(202));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(app.database.number("SELECT count(*) FROM notifications WHERE kind = 14").await.unwrap(), 1);
    app.stop().await;
}

/// A page that ended, to a phone of theirs, with what the provider said of it.
async fn page(app: &App, user: UserId, issue: i64) {
    app.database
        .execute(&format!(
            "INSERT INTO destinations (id, user_id, channel, target, min_priority, created_at)
                 VALUES (77, {user}, 4, '+15005550001', 1, '2027-01-01T00:00:00Z');
             INSERT INTO notifications (id, message_id, project_id, issue_id, destination_id, kind, priority, received_at,
                     created_at, state, attempts, finished_at, error)
                 SELECT 77, gen_random_uuid(), project_id, id, 77, 13, 3, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 3, 1,
                     '2027-01-01T00:00:01Z', 'the number cannot be reached' FROM issues WHERE id = {issue};
             INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result, status, answer)
                 VALUES (77, 1, '2027-01-01T00:00:00Z', 5, 'failed', 400, '21211: +15005550001 is no number')"
        ))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_see_that_a_page_failed_and_not_where_it_went() {
    let crew = crew().await;
    let (issue, _) = crew.incident().await;
    page(&crew.app, crew.ann, issue.0).await;
    for answer in [
        crew.viewer.get(&crew.app, &format!("/api/v1/notifications?issue={issue}")).await,
        crew.app.send(crew.app.client.get(crew.app.url("/api/v1/notifications")).bearer_auth(TOKEN)).await,
    ] {
        assert!(!answer.text.contains("+15005550001"), "{}", answer.text);
        let shown = &answer.ok(200)["items"][0];
        assert_eq!(shown["error"], "the number cannot be reached");
        assert_eq!(
            (&shown["attempts"][0]["status"], &shown["attempts"][0]["answer"]),
            (&json!(400), &Value::Null)
        );
    }
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_puts_what_is_not_urgent_together() {
    let Crew { app, member: ann, .. } = crew().await;
    let body = json!({ "name": "phone", "channel": "sms", "target": "+15005550001" });
    let id = ann.post(&app, "/api/v1/account/contact-methods", &body).await.ok(201)["id"].clone();
    let path = "/api/v1/account/notification-rules";
    let digest = json!({ "contact_method": id, "max_priority": "low", "digest": "daily" });
    let made = ann.post(&app, path, &digest).await.ok(201);
    assert_eq!((&made["digest"], &made["max_priority"]), (&json!("daily"), &json!("low")));
    assert_eq!(ann.get(&app, path).await.ok(200)["items"], json!([made]));
    let none = json!({ "contact_method": id, "min_priority": "high", "max_priority": "low" });
    let mistakes = ann.post(&app, path, &none).await.mistakes();
    assert_eq!(mistakes, ["max_priority: expected `min_priority`, high, or a higher one"]);
    app.stop().await;
}
