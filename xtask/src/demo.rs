//! `make demo`: a believable stream of errors from several apps, for somebody who sees Bugle for the first time.

use crate::corpus::{self, Random, Target, Template};
use crate::dirs;
use crate::stack::http;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The apps: a project, and the clients of the corpus whose errors it gets.
const APPS: [(&str, &[&str]); 6] = [
    ("shop-web", &["react", "browser"]),
    ("shop-api", &["python-django"]),
    ("checkout", &["node-express", "node-plain"]),
    ("backoffice", &["laravel", "php"]),
    ("pricing", &["rust"]),
    ("jobs", &["python-logging", "python-plain"]),
];

/// Sends for `--seconds N` (60 by default), about ten errors a second.
pub fn demo(arguments: &[String]) -> Result<()> {
    let seconds: u64 = match arguments {
        [] => 60,
        [flag, number] if flag == "--seconds" => number.parse().context("--seconds takes a whole number")?,
        _ => bail!("demo takes `--seconds N`"),
    };
    let access = std::fs::read_to_string(dirs::data().join("access.json"))
        .context("no running Bugle was found: start one with `make run` in another terminal")?;
    let access: Value = serde_json::from_str(&access)?;
    let default = Target::from_dsn(access["dsn"].as_str().unwrap_or_default())?;
    let templates = corpus::captured(100_000)?;
    let mut apps = Vec::new();
    for (name, clients) in APPS {
        let fitting: Vec<Template> =
            templates.iter().filter(|t| clients.contains(&t.client.as_str())).cloned().collect();
        apps.push((name, project(name, &default, access["token"].as_str().unwrap_or_default())?, fitting));
    }
    println!(
        "sending errors of {} apps and two webhooks for {seconds} s to http://{} …",
        apps.len(),
        default.address
    );
    let mut random = Random::new();
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        let (_, target, fitting) = &apps[random.below(apps.len())];
        // Some errors are far more frequent than others, as in life: the square prefers the first ones.
        let place = random.below(1000) as f64 / 1000.0;
        let template = &fitting[(place * place * fitting.len() as f64) as usize % fitting.len()];
        send(target, &close(template.prepare(&mut random, target).bytes))?;
        sent += 1;
        if random.below(10) == 0 {
            send(&default, &webhook(&mut random, &default))?;
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(60 + random.below(80) as u64));
    }
    println!("sent {sent} errors; see them at http://{}/api/v1/issues", default.address);
    Ok(())
}

/// The project's DSN through the API, which answers with the existing one when it is there.
fn project(name: &str, default: &Target, token: &str) -> Result<Target> {
    let body = json!({ "name": name }).to_string();
    let request = format!(
        "POST /api/v1/projects HTTP/1.1\r\nHost: {0}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {1}\r\n\r\n{body}",
        default.address,
        body.len()
    );
    let (status, answer) = http(&default.address, request.as_bytes())?;
    let key = match status {
        201 => serde_json::from_slice::<Value>(&answer)?,
        409 => existing(name, default, token)?,
        _ => bail!("creating the project {name}: {status} {}", String::from_utf8_lossy(&answer)),
    };
    let mut target = Target::from_dsn(key["dsn"].as_str().with_context(|| format!("{name} has no DSN"))?)?;
    target.address.clone_from(&default.address);
    Ok(target)
}

/// The first key of a project that is there already.
fn existing(name: &str, default: &Target, token: &str) -> Result<Value> {
    let path = format!("/api/v1/projects/{name}/keys");
    let (status, answer) = crate::stack::http_get(&default.address, &path, Some(token))?;
    let list: Value = serde_json::from_slice(&answer)?;
    let first = list["items"].as_array().and_then(|items| items.first()).cloned();
    first.with_context(|| format!("the project {name} has no key ({status})"))
}

fn webhook(random: &mut Random, target: &Target) -> Vec<u8> {
    let order = random.below(90_000) + 10_000;
    let (kind, body) = if random.below(2) == 0 {
        (
            "java",
            json!({
                "exception_class": "java.net.SocketTimeoutException", "severity": "high", "environment": "production",
                "message": format!("Read timed out while settling order {order}"), "app_version": "settlement@3.11.2",
                "stack_trace": "java.lang.IllegalStateException: settlement failed\n\tat com.shop.settlement.Settler.settle(Settler.java:88)\n\tat com.shop.settlement.Main.main(Main.java:21)\nCaused by: java.net.SocketTimeoutException: Read timed out\n\tat java.base/sun.nio.ch.NioSocketImpl.read(NioSocketImpl.java:288)\n\tat com.shop.bank.BankClient.post(BankClient.java:142)\n\t... 2 more",
            }),
        )
    } else {
        (
            "mobile",
            json!({
                "error_type": "FormatException", "severity": "medium", "platform": "flutter", "app_version": "shop-app@2.4.0",
                "message": format!("Unexpected character in cart {order}"), "device": { "model": "Pixel 8", "os": "Android 16" },
                "stack_trace": "#0      Cart.parse (package:shop_app/cart/cart.dart:57:9)\n#1      CartPage.load (package:shop_app/cart/cart_page.dart:31:20)\n<asynchronous suspension>",
            }),
        )
    };
    let body = body.to_string();
    format!(
        "POST /api/error-logging/webhook/{kind}/?sentry_key={} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        target.key, target.address, body.len()
    )
    .into_bytes()
}

fn close(bytes: Vec<u8>) -> Vec<u8> {
    let head = bytes.windows(2).position(|window| window == b"\r\n").unwrap_or(0) + 2;
    let mut with = bytes[..head].to_vec();
    with.extend_from_slice(b"Connection: close\r\n");
    with.extend_from_slice(&bytes[head..]);
    with
}

fn send(target: &Target, request: &[u8]) -> Result<()> {
    let (status, answer) = http(&target.address, request).context("Bugle does not answer")?;
    if status >= 300 && status != 429 {
        bail!("answered {status}: {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
