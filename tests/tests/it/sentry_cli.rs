//! The real sentry-cli against a whole Bugle.

use anyhow::{Context, Result, ensure};
use bugle_tests::{SentryCli, System, Topology, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").args(who).args(arguments).current_dir(folder).output()?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn commit(folder: &Path, message: &str) -> Result<String> {
    std::fs::write(folder.join("till.py"), message)?;
    git(folder, &["add", "."])?;
    git(folder, &["commit", "--quiet", "-m", message])?;
    git(folder, &["rev-parse", "HEAD"])
}

fn shows(printed: &str, texts: &[&str]) -> Result<()> {
    for text in texts {
        ensure!(printed.contains(text), "`{text}` is not in: {printed}");
    }
    Ok(())
}

/// What a build does: a release, its commits, released, deployed; and what people ask of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_tells_of_its_releases() -> Result<()> {
    let system = System::start(Topology::OneProcess, &[]).await?;
    system.bugle(&["project", "create", "shop", "--json"])?;
    system.bugle(&["project", "create", "my blog", "--json"])?;
    let (client, repository) = (system.client(), tempfile::tempdir()?);
    let folder = repository.path();
    let cli = SentryCli::new(&system, "shop", folder)?;

    shows(&cli.run(&["info"])?, &["User: test", "admin"])?;
    shows(&cli.run(&["organizations", "list"])?, &["bugle"])?;
    shows(&cli.run(&["projects", "list"])?, &["shop", "my blog"])?;

    git(folder, &["init", "--quiet"])?;
    git(folder, &["remote", "add", "origin", "https://example.com/acme/shop.git"])?;
    commit(folder, "Open the till")?;
    let first = commit(folder, "Count the coins")?;
    shows(
        &cli.run(&["releases", "new", "shop@1.4.0", "-p", "shop", "-p", "2"])?,
        &["Created release shop@1.4.0"],
    )?;
    cli.run(&["releases", "set-commits", "shop@1.4.0", "--local"])?;
    cli.run(&["releases", "finalize", "shop@1.4.0", "--url", "https://example.com/1.4.0"])?;
    let release = client.json("/api/v1/releases/shop:shop@1.4.0").await?;
    ensure!(
        release["commit_count"] == 2
            && release["released_at"].is_string()
            && release["url"] == "https://example.com/1.4.0"
            && release["authors"] == json!([{ "name": "Ann", "email": "ann@example.com" }]),
        "{release}"
    );
    let commits = client.json("/api/v1/releases/my%20blog:shop@1.4.0/commits").await?;
    ensure!(
        commits["items"][0]["id"] == first.as_str() && commits["items"][1]["message"] == "Open the till",
        "{commits}"
    );

    // The next one goes on from there.
    let second = commit(folder, "Fix the drawer")?;
    cli.run(&["releases", "new", "shop@1.5.0", "--finalize"])?;
    cli.run(&["releases", "set-commits", "shop@1.5.0", "--auto"])?;
    let commits = client.json("/api/v1/releases/shop:shop@1.5.0/commits").await?;
    ensure!(
        commits["items"].as_array().map(Vec::len) == Some(1) && commits["items"][0]["id"] == second.as_str(),
        "{commits}"
    );
    shows(
        &cli.run(&["releases", "info", "shop@1.5.0", "--show-projects", "--show-commits"])?,
        &["shop", &second[..7]],
    )?;

    // A repository that a release has commits of can be named.
    cli.run(&["releases", "set-commits", "shop@1.5.0", "--commit", &format!("origin@{first}..{second}")])?;
    let commits = client.json("/api/v1/releases/shop:shop@1.5.0/commits").await?;
    ensure!(
        commits["items"][0]["id"] == second.as_str() && commits["items"][0]["message"].is_null(),
        "{commits}"
    );
    cli.run(&["releases", "set-commits", "shop@1.5.0", "--clear"])?;
    ensure!(client.json("/api/v1/releases/shop:shop@1.5.0").await?["commit_count"] == 0, "cleared");

    shows(
        &cli.run(&["deploys", "new", "-r", "shop@1.5.0", "-e", "production", "-n", "build 7", "-t", "120"])?,
        &["build 7"],
    )?;
    shows(&cli.run(&["deploys", "list", "-r", "shop@1.5.0"])?, &["production", "build 7"])?;
    let deploys = client.json("/api/v1/releases/shop:shop@1.5.0/deploys").await?;
    ensure!(
        deploys["items"][0]["environment"] == "production" && deploys["items"][0]["started_at"].is_string(),
        "{deploys}"
    );

    shows(&cli.run(&["releases", "list"])?, &["shop@1.4.0", "shop@1.5.0"])?;
    cli.run(&["releases", "archive", "shop@1.5.0"])?;
    ensure!(!cli.run(&["releases", "list"])?.contains("shop@1.5.0"), "archived ones are left out");
    cli.run(&["releases", "restore", "shop@1.5.0"])?;
    cli.run(&["releases", "delete", "shop@1.4.0"])?;
    ensure!(client.get("/api/v1/releases/shop:shop@1.4.0").await?.status == 404, "deleted");
    system.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentry_cli_says_what_it_cannot_do() -> Result<()> {
    let system = System::start(Topology::OneProcess, &[]).await?;
    system.bugle(&["project", "create", "shop", "--json"])?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("main.js"), "let a = 1;\n")?;
    let cli = SentryCli::new(&system, "shop", folder.path())?;
    let told = |arguments: &[&str]| {
        cli.run(arguments).err().map(|error| format!("{error:#}")).context("it went well")
    };
    shows(&told(&["releases", "finalize", "none@1.0"])?, &["Release not found"])?;
    shows(&told(&["releases", "new", "x@1", "-p", "nothing"])?, &["there is no project `nothing`"])?;
    let uploads = "does not take source maps";
    shows(&told(&["sourcemaps", "upload", "-r", "x@1", "."])?, &[uploads])?;
    let nobody = SentryCli::new(&system, "shop", folder.path())?.with_token("bugle_nobody");
    let refused = nobody.run(&["releases", "new", "x@1"]).err().map(|error| format!("{error:#}"));
    shows(&refused.context("it went well")?, &["this token is unknown, expired or revoked"])?;
    system.stop()?;
    Ok(())
}

/// A fix is resolved by its commit, and comes back only with a release that has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_resolves_an_issue_when_a_release_has_it() -> Result<()> {
    let system = System::start(Topology::OneProcess, &[]).await?;
    let project = system.project("shop").await?;
    let (client, repository) = (system.client(), tempfile::tempdir()?);
    let key = project["key"].as_str().context("key")?;
    let send = async |release: &str| -> Result<()> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let event = json!({
            "event_id": id, "platform": "python", "level": "error", "release": release,
            "exception": { "values": [{ "type": "DrawerStuck", "value": "pull harder" }] },
        });
        let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n");
        let path = format!("/api/{}/envelope/?sentry_key={key}", project["id"]);
        ensure!(client.post(&path, body.into_bytes(), &[]).await?.status == 200, "accepted");
        Ok(())
    };
    let issue = async |what: &str, status: &str, count: u64| -> Result<Value> {
        eventually(what, SOON, || async {
            let list = client.json("/api/v1/issues").await?;
            let found = list["items"][0].clone();
            Ok((found["count"] == count && found["status"] == status).then_some(found))
        })
        .await
    };
    send("shop@1.4.0").await?;
    let opened = issue("the issue is open", "unresolved", 1).await?;

    git(repository.path(), &["init", "--quiet"])?;
    let fix = commit(repository.path(), "Oil the drawer")?;
    let path = format!("/api/v1/issues/{}", opened["id"]);
    let body = json!({ "status": "resolved", "resolved_in": { "commit": fix } });
    ensure!(
        client.with_json("PATCH", &path, &body).await?.json()?["status"] == "unresolved",
        "no release has it"
    );

    let cli = SentryCli::new(&system, "shop", repository.path())?;
    cli.run(&["releases", "new", "shop@1.5.0"])?;
    cli.run(&["releases", "set-commits", "shop@1.5.0", "--local"])?;
    issue("the commit has resolved it", "resolved", 1).await?;
    send("shop@1.4.0").await?;
    issue("an older release does not bring it back", "resolved", 2).await?;
    send("shop@1.5.1").await?;
    issue("a newer one does", "unresolved", 3).await?;
    let of_release = client.json("/api/v1/releases/shop:shop@1.5.1/issues?kind=regressed").await?;
    ensure!(of_release["items"][0]["id"] == opened["id"], "{of_release}");
    system.stop()?;
    Ok(())
}
