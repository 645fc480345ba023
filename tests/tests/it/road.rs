//! The road of one error: from the request of an SDK to the answer of the API and the last provider.

use anyhow::{Context, Result, ensure};
use bugle_testkit::http::{Answer, HttpFake};
use bugle_testkit::smtp::SmtpFake;
use bugle_tests::{System, Topology, corpus, eventually, webhook};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

on_both!(a_fatal_error_reaches_the_api_and_all_four_channels);
on_both!(every_webhook_becomes_an_issue);
on_both!(a_regression_is_told_again_and_a_resent_event_is_not);
on_both!(bad_requests_are_named_and_leave_their_neighbours_alone);

fn envelope(event: &Value) -> Vec<u8> {
    let id = event["event_id"].as_str().unwrap_or_default();
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n").into_bytes()
}

fn path(project: &Value) -> String {
    format!("/api/{}/envelope/?sentry_key={}", project["id"], project["key"].as_str().unwrap_or_default())
}

fn boom(id: &str, level: &str, handled: bool) -> Value {
    json!({
        "event_id": id, "platform": "python", "level": level, "release": "shop@1.0.0", "environment": "production",
        "exception": { "values": [{
            "type": "PaymentDeclined", "value": "card refused", "mechanism": { "type": "django", "handled": handled },
            "stacktrace": { "frames": [{ "function": "pay", "module": "shop.payments", "filename": "shop/payments.py", "lineno": 42, "in_app": true }] },
        }] },
        "user": { "id": "7", "email": "ada@example.com" }, "tags": { "region": "eu" },
    })
}

async fn only_issue(system: &System, project: &Value) -> Result<Value> {
    let client = system.client();
    let path = format!("/api/v1/issues?project={}", project["id"]);
    eventually("the issue is in the API", SOON, || async {
        let list = client.json(&path).await?;
        let items = list["items"].as_array().context("items")?;
        ensure!(items.len() <= 1, "one issue, not {}", items.len());
        Ok(items.first().cloned())
    })
    .await
}

async fn a_fatal_error_reaches_the_api_and_all_four_channels(topology: Topology) -> Result<()> {
    let (hook, slack, twilio) = (HttpFake::start().await, HttpFake::start().await, HttpFake::start().await);
    let smtp = SmtpFake::start().await;
    slack.then(Answer::status(200).body("ok"));
    twilio.then(Answer::json(201, &json!({ "sid": "SM1", "status": "queued", "num_segments": "1" })));
    let settings = [
        ("BUGLE_SMTP_URL", format!("{}?tls=none", smtp.url(""))),
        ("BUGLE_TWILIO_BASE_URL", twilio.url("")),
        ("BUGLE_TWILIO_ACCOUNT_SID", "AC1".to_owned()),
        ("BUGLE_TWILIO_AUTH_TOKEN", "secret".to_owned()),
        ("BUGLE_TWILIO_FROM", "+15005550006".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let system = System::start(topology, &settings).await?;
    let project = system.project("shop").await?;
    let client = system.client();
    let mut secret = String::new();
    for (channel, target) in [
        ("webhook", hook.url("/bugle")),
        ("slack", slack.url("/services/T1/B1/x")),
        ("email", "dev@example.com".to_owned()),
        ("sms", "+15005550009".to_owned()),
    ] {
        let answer = client
            .post_json(
                &format!("/api/v1/projects/{}/destinations", project["id"]),
                &json!({ "channel": channel, "target": target }),
            )
            .await?;
        ensure!(answer.status == 201, "{channel}: {} {}", answer.status, answer.text());
        if channel == "webhook" {
            secret =
                answer.json()?["secret"].as_str().context("the signing secret is shown once")?.to_owned();
        }
    }

    let id = "11111111111141118111111111111111";
    let answer = client.post(&path(&project), envelope(&boom(id, "fatal", false)), &[]).await?;
    ensure!(answer.status == 200 && answer.json()?["id"] == id, "{} {}", answer.status, answer.text());

    let call = hook.next().await;
    ensure!(webhook::is_signed(&call, &secret), "the webhook is signed");
    ensure!(call.text().contains("PaymentDeclined"), "{}", call.text());
    ensure!(slack.next().await.text().contains("PaymentDeclined"), "Slack shows the title");
    ensure!(twilio.next().await.form()["To"] == "+15005550009", "the SMS goes to the number");
    let mail = smtp.next().await;
    ensure!(
        mail.recipients == ["dev@example.com"]
            && mail.header("Subject").is_some_and(|s| s.contains("SHOP-1")),
        "{mail:?}"
    );

    let issue = only_issue(&system, &project).await?;
    ensure!(issue["short_id"] == "SHOP-1" && issue["title"] == "PaymentDeclined: card refused", "{issue}");
    ensure!(
        issue["level"] == "fatal" && issue["priority"] == "critical" && issue["status"] == "unresolved",
        "{issue}"
    );
    ensure!(issue["count"] == 1 && issue["users"] == 1, "{issue}");
    let event = client.json(&format!("/api/v1/projects/{}/events/{id}", project["id"])).await?;
    ensure!(event["exceptions"][0]["stacktrace"]["frames"][0]["lineno"] == 42, "{event}");
    ensure!(event["user"]["email"] == "ada@example.com" && event["tags"]["region"] == "eu", "{event}");
    eventually("four notifications are sent", SOON, || async {
        let list = client.json(&format!("/api/v1/notifications?issue={}", issue["id"])).await?;
        let items = list["items"].as_array().context("items")?.clone();
        ensure!(items.len() == 4, "{list}");
        Ok(items.iter().all(|item| item["state"] == "sent").then_some(()))
    })
    .await?;
    let metrics = metrics(&system).await?;
    ensure!(metrics.contains("bugle_notification_latency_seconds"), "the latency is measured");
    system.stop()?;
    Ok(())
}

/// The notifier's metrics: those of the one process, or of its own.
async fn metrics(system: &System) -> Result<String> {
    let process = if system.topology == Topology::OneProcess { "bugle" } else { "notifier" };
    Ok(system.client_of(process)?.get("/metrics").await?.text())
}

async fn every_webhook_becomes_an_issue(topology: Topology) -> Result<()> {
    let system = System::start(topology, &[]).await?;
    let project = system.project("hooks").await?;
    let key = project["key"].as_str().context("key")?;
    let client = system.client();
    let bodies = [
        (
            "laravel",
            json!({ "exception_class": "RuntimeException", "message": "cart is gone", "file": "/app/Cart.php", "line": 7, "severity": "high" }),
        ),
        (
            "java",
            json!({ "exception_class": "java.io.IOException", "message": "disk", "severity": "critical",
            "stack_trace": "java.io.IOException: disk\n\tat com.shop.Disk.write(Disk.java:12)" }),
        ),
        (
            "frontend",
            json!({ "message": "x is undefined", "stack": "TypeError: x is undefined\n    at f (https://shop.example/app.js:1:2)" }),
        ),
        ("mobile", json!({ "error_type": "FormatException", "message": "bad date", "severity": "medium" })),
        ("generic", json!({ "message": "queue is full", "severity": "low" })),
    ];
    for (kind, body) in &bodies {
        let target = format!("/api/error-logging/webhook/{kind}/");
        let headers = [("content-type", "application/json"), ("x-api-key", key)];
        let bearer = format!("Bearer {key}");
        let by_bearer = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let answer = client
            .post(&target, body.to_string().into_bytes(), if *kind == "java" { &by_bearer } else { &headers })
            .await?;
        ensure!((200..300).contains(&answer.status), "{kind}: {} {}", answer.status, answer.text());
    }
    let frontend = json!({ "errors": [{ "message": "one", "severity": "high" }, { "severity": "high" }, { "message": "three" }] });
    let answer = client
        .post(
            &format!("/api/v1/logs/frontend/?sentry_key={key}"),
            frontend.to_string().into_bytes(),
            &[("content-type", "application/json")],
        )
        .await?;
    ensure!((200..300).contains(&answer.status), "frontend: {} {}", answer.status, answer.text());
    eventually("all are issues", SOON, || async {
        let list = client.json(&format!("/api/v1/issues?project={}&limit=50", project["id"])).await?;
        Ok((list["items"].as_array().map(Vec::len) == Some(7)).then_some(()))
    })
    .await?;
    let list = client.json("/api/error-logging/errors/").await?;
    let java = list["items"]
        .as_array()
        .and_then(|items| items.iter().find(|item| item["error_type"] == "IOException"));
    ensure!(java.is_some_and(|item| item["severity"] == "critical" && item["occurrences"] == 1), "{list}");
    system.stop()?;
    Ok(())
}

async fn a_regression_is_told_again_and_a_resent_event_is_not(topology: Topology) -> Result<()> {
    let hook = HttpFake::start().await;
    let system = System::start(topology, &[]).await?;
    let project = system.project("shop").await?;
    system.bugle(&["destination", "add", "shop", "webhook", &hook.url("/")])?;
    let client = system.client();
    let first = envelope(&boom("22222222222242228222222222222221", "error", true));
    for _ in 0..3 {
        ensure!(
            client.post(&path(&project), first.clone(), &[]).await?.status == 200,
            "a duplicate gets its 200"
        );
    }
    let opened = hook.next().await;
    let issue = only_issue(&system, &project).await?;
    let resolved = client
        .with_json("PATCH", &format!("/api/v1/issues/{}", issue["id"]), &json!({ "status": "resolved" }))
        .await?;
    ensure!(resolved.status == 200 && resolved.json()?["status"] == "resolved", "{}", resolved.text());

    client
        .post(&path(&project), envelope(&boom("22222222222242228222222222222222", "error", true)), &[])
        .await?;
    let regressed = hook.next().await;
    ensure!(
        opened.header("webhook-id") != regressed.header("webhook-id"),
        "a regression is a message of its own"
    );
    let issue = eventually("the duplicate is counted once", SOON, || async {
        let issue = client.json(&format!("/api/v1/issues/{}", issue["id"])).await?;
        Ok((issue["count"] == 2).then_some(issue))
    })
    .await?;
    ensure!(issue["status"] == "unresolved", "{issue}");
    let outcomes = eventually("the outcomes are counted", SOON, || async {
        let outcomes = client.json(&format!("/api/v1/outcomes?project={}", project["id"])).await?;
        let sum = |outcome: &str| -> i64 {
            let items = outcomes["items"].as_array().cloned().unwrap_or_default();
            items
                .iter()
                .filter(|item| item["outcome"] == outcome)
                .filter_map(|item| item["quantity"].as_i64())
                .sum()
        };
        Ok((sum("recorded") == 2 && sum("duplicate") == 2).then_some(()))
    })
    .await;
    outcomes?;
    system.stop()?;
    Ok(())
}

async fn bad_requests_are_named_and_leave_their_neighbours_alone(topology: Topology) -> Result<()> {
    let system = System::start(topology, &[]).await?;
    let project = system.project("shop").await?;
    let client = system.client();
    let url = path(&project);
    let wrong_length =
        client.post(&url, b"{}\n{\"type\":\"event\",\"length\":9999}\n{}".to_vec(), &[]).await?;
    ensure!(
        wrong_length.status == 400 && wrong_length.json()?["detail"].is_string(),
        "{}",
        wrong_length.text()
    );
    let unknown = client
        .post(&format!("/api/{}/envelope/?sentry_key={}", project["id"], "0".repeat(32)), b"{}".to_vec(), &[])
        .await?;
    ensure!(unknown.status == 403, "{} {}", unknown.status, unknown.text());
    let damaged = client.post(&url, b"not gzip".to_vec(), &[("content-encoding", "gzip")]).await?;
    ensure!(damaged.status == 400, "{} {}", damaged.status, damaged.text());
    let query = client.get("/api/v1/issues?query=colour:red").await?;
    ensure!(query.status == 422 && query.text().contains("colour"), "{}", query.text());

    // An event that cannot be read, between two that can: in one batch or not, only it is lost.
    let good = ["33333333333343338333333333333331", "33333333333343338333333333333332"];
    client.post(&url, envelope(&boom(good[0], "error", true)), &[]).await?;
    client.post(&url, b"{}\n{\"type\":\"event\"}\n[1,2,3]\n".to_vec(), &[]).await?;
    client.post(&url, envelope(&boom(good[1], "error", true)), &[]).await?;
    eventually("both neighbours are recorded", SOON, || async {
        let issues = client.json(&format!("/api/v1/issues?project={}", project["id"])).await?;
        Ok((issues["items"][0]["count"] == 2).then_some(()))
    })
    .await?;
    eventually("the bad one has an outcome", SOON, || async {
        let outcomes = client.json(&format!("/api/v1/outcomes?project={}", project["id"])).await?;
        let items = outcomes["items"].as_array().cloned().unwrap_or_default();
        Ok(items.iter().any(|item| item["outcome"] == "invalid").then_some(()))
    })
    .await?;
    system.stop()?;
    Ok(())
}

on_both!(a_real_client_s_requests_work_through_every_way_of_authentication);

async fn a_real_client_s_requests_work_through_every_way_of_authentication(topology: Topology) -> Result<()> {
    let system = System::start(topology, &[]).await?;
    let project = system.project("shop").await?;
    let (id, key) = (&project["id"], project["key"].as_str().context("key")?);
    let client = system.client();
    let body = |n: u8| envelope(&boom(&format!("4444444444444444844444444444440{n}"), "error", true));
    let dsn_body = String::from_utf8(body(4))?.replacen(
        '{',
        &format!("{{\"dsn\":\"http://{key}@{}/{id}\",", system.address),
        1,
    );
    let header = format!("Sentry sentry_key={key}, sentry_version=7, sentry_client=test/1");
    let plain = format!("/api/{id}/envelope/");
    let basic = format!("Basic {}", base64(&format!("{key}:")));
    for (target, bytes, headers) in [
        (plain.as_str(), body(1), vec![("x-sentry-auth", header.as_str())]),
        (plain.as_str(), body(2), vec![("authorization", header.as_str())]),
        (plain.as_str(), body(3), vec![("authorization", basic.as_str())]),
        ("/tunnel", dsn_body.into_bytes(), vec![("content-type", "text/plain;charset=UTF-8")]),
        (&format!("//api///{id}/envelope/?sentry_version=7&sentry_key={key}"), body(5), vec![]),
    ] {
        let answer = client.post(target, bytes, &headers).await?;
        ensure!(answer.status == 200, "{target} {headers:?}: {} {}", answer.status, answer.text());
    }
    eventually("all five are recorded", SOON, || async {
        let issues = client.json(&format!("/api/v1/issues?project={id}")).await?;
        Ok((issues["items"][0]["count"] == 5).then_some(()))
    })
    .await?;
    ensure!(!corpus::all()?.is_empty(), "the corpus is there");
    system.stop()?;
    Ok(())
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
