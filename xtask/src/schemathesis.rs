//! `make schemathesis`: requests made up from the OpenAPI document against a running Bugle. No answer may be a failure of the
//! server or other than documented.

use crate::stack::{Bus, Stack, http_get, http_with_head};
use crate::{dashboard, dirs, python};
use anyhow::{Context, Result, bail};
use bugle_devservers::free_port;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Raise it on purpose: each version finds something else.
const VERSION: &str = "4.32.5";
/// The same requests each time, as far as the answers allow.
const SEED: &str = "20261128";

/// A run ends after so many seconds, whatever is left to ask: as a program, and as a person.
const SECONDS: [&str; 2] = ["80", "15"];

/// `--examples N` requests for each operation in each phase; arguments after `--` go to schemathesis.
pub fn schemathesis(arguments: &[String]) -> Result<()> {
    let (examples, rest) = match arguments {
        [flag, number, rest @ ..] if flag == "--examples" => (number.as_str(), rest),
        rest => ("6", rest),
    };
    let program = install()?;
    let binary = build()?;
    let folder = dirs::target().join("schemathesis").join(std::process::id().to_string());
    let address = format!("127.0.0.1:{}", free_port()?);
    // Made-up requests fail by the hundred, and the log is not what this is about.
    let settings = [("BUGLE_LOG_FILTER", "error".to_owned()), ("BUGLE_API_RATE_LIMIT", "0".to_owned())];
    let mut stack = Stack::start(&binary, &folder, Bus::Embedded, &address, &settings)?;
    let result = fuzz(&stack, &folder, &program, examples, rest);
    stack.stop()?;
    if result.is_ok() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    result
}

/// The debug build: its assertions are on.
fn build() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("BUGLE_TEST_BINARY") {
        return Ok(binary.into());
    }
    dashboard::build()?;
    let status = Command::new("cargo").args(["build", "--package", "bugle"]).status()?;
    if !status.success() {
        bail!("the build failed");
    }
    Ok(dirs::target().join("debug/bugle"))
}

/// Schemathesis in a folder of its own below `target/tools`.
fn install() -> Result<PathBuf> {
    let folder = dirs::target().join("tools").join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    if program.is_file() {
        return Ok(program);
    }
    python::ensure_venv()?;
    println!("installing schemathesis {VERSION} …");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = folder.join("bin/pip");
    run(Command::new(pip)
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("schemathesis=={VERSION}")))?;
    Ok(program)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}

fn fuzz(
    stack: &Stack,
    folder: &std::path::Path,
    program: &PathBuf,
    examples: &str,
    rest: &[String],
) -> Result<()> {
    let session = fill(stack)?;
    // The token of the command line: whatever is revoked, disabled and removed, it goes on working.
    let token = std::fs::read_to_string(folder.join("bugle/admin.token")).context("the local token")?;
    // It looks for its settings and their hooks where it runs, and leaves its traces there.
    for name in ["schemathesis.toml", "hooks.py"] {
        std::fs::copy(dirs::root().join("tests/schemathesis").join(name), folder.join(name))?;
    }
    let run = |headers: &[String], seconds: &str, chosen: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(folder).arg("run");
        command.arg(format!("http://{}/api/v1/openapi.json", stack.address));
        for header in headers {
            command.args(["--header", header]);
        }
        command
            .args(["--seed", SEED, "--max-examples", examples, "--max-time", seconds])
            .args(["--generation-database", "none", "--continue-on-failure", "--no-color"])
            .args(chosen)
            .args(rest);
        let status = command.status().context("cannot start schemathesis")?;
        if !status.success() {
            bail!("schemathesis has findings: see above");
        }
        Ok(())
    };
    let [as_program, as_person] = SECONDS;
    run(&[format!("Authorization: Bearer {token}")], as_program, &[])?;
    // What is for people alone, but for signing out, after which there would be nothing to see. The cookie is ours to send:
    // one that is left out by schemathesis is sent all the same.
    let of_people =
        ["account", "sessions", "contact-methods", "notification-rules", "quiet-hours", "searches"];
    let mut chosen: Vec<&str> = of_people.iter().flat_map(|tag| ["--include-tag", *tag]).collect();
    chosen.extend(["--exclude-operation-id", "sign_out", "--generation-with-security-parameters", "false"]);
    run(&session, as_person, &chosen)
}

/// An owner, a team, a project with an issue and a destination: something to ask for. Gives the headers of the owner's session.
fn fill(stack: &Stack) -> Result<Vec<String>> {
    let link = stack.bugle(&["user", "setup-link"])?;
    let token = link.trim().rsplit('=').next().context("the set-up link has no token")?.to_owned();
    let owner = json!({
        "token": token, "email": "owner@example.com", "name": "Owner", "password": "a long one for tests",
        "team": "shop",
    });
    let (head, session) = post(stack, "/api/v1/setup", None, &owner)?;
    let cookie = head.split("bugle_session=").nth(1).and_then(|rest| rest.split(';').next());
    let cookie = cookie.context("signing in set no cookie")?.to_owned();
    let csrf = session["csrf"].as_str().unwrap_or_default().to_owned();
    let project: Value = serde_json::from_str(&stack.bugle(&["project", "create", "shop", "--json"])?)?;
    let dsn = project["dsn"].as_str().context("the project has no DSN")?;
    let key =
        dsn.split_once("//").and_then(|(_, rest)| rest.split_once('@')).context("the DSN has no key")?.0;
    let id = dsn.rsplit('/').next().unwrap_or_default();
    let event = json!({
        "event_id": "0123456789abcdef0123456789abcdef", "level": "error", "platform": "python",
        "release": "shop@1.4.2", "environment": "production", "tags": { "browser": "Chrome" },
        "exception": { "values": [{ "type": "PayError", "value": "no such card", "stacktrace": { "frames": [
            { "function": "pay", "filename": "shop.py", "lineno": 3, "in_app": true },
        ] } }] },
    });
    post(stack, &format!("/api/{id}/store/?sentry_key={key}"), None, &event)?;
    let token: Value = serde_json::from_str(&stack.bugle(&["token", "create", "fuzz", "--json"])?)?;
    let token = token["token"].as_str().unwrap_or_default();
    let hook = json!({ "channel": "webhook", "target": "http://127.0.0.1:9/", "settings": { "environments": ["none"] } });
    post(stack, "/api/v1/projects/shop/destinations", Some(token), &hook)?;
    let start = Instant::now();
    while http_get(&stack.address, "/api/v1/issues/1", Some(token))?.0 != 200 {
        if start.elapsed() > Duration::from_secs(30) {
            bail!("the event was not recorded within 30 s");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(vec![format!("Cookie: bugle_session={cookie}"), format!("X-CSRF-Token: {csrf}")])
}

/// The head of the answer, and its body.
fn post(stack: &Stack, path: &str, token: Option<&str>, body: &Value) -> Result<(String, Value)> {
    let (address, body) = (&stack.address, body.to_string());
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, head, answer) = http_with_head(address, request.as_bytes())?;
    if !(200..300).contains(&status) {
        bail!("POST {path} was answered {status}: {}", String::from_utf8_lossy(&answer));
    }
    Ok((head, serde_json::from_slice(&answer).unwrap_or_default()))
}
