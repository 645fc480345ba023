//! Checks that the operator configured, by URL or command.

use bugle_runtime::Config;
use bugle_runtime::config::HealthProbe;
use bugle_runtime::health::{CHECK_TIMEOUT, Check, CheckResult, check};
use reqwest::Client;
use reqwest::redirect::Policy;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;
use url::Url;

/// The configured checks.
///
/// # Errors
/// When the HTTP client cannot be made.
pub fn probes(config: &Config) -> Result<Vec<Arc<dyn Check>>, reqwest::Error> {
    if config.health_checks.is_empty() {
        return Ok(Vec::new());
    }
    // The operator's own URLs, private ones included: this client needs no guard.
    let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(CHECK_TIMEOUT).build()?;
    let probe = |probe: &HealthProbe| match probe {
        HealthProbe::Url { name, url } => by_url(name, client.clone(), url.clone()),
        HealthProbe::Command { name, command } => by_command(name, command.clone()),
    };
    Ok(config.health_checks.iter().map(probe).collect())
}

fn by_url(name: &str, client: Client, url: Url) -> Arc<dyn Check> {
    check(name, move || {
        let request = client.get(url.clone());
        async move {
            match request.send().await {
                Ok(response) if response.status().is_success() => {
                    CheckResult::healthy(format!("answered {}", response.status().as_u16()))
                }
                Ok(response) => CheckResult::unhealthy(format!("answered {}", response.status().as_u16())),
                // The error's text holds the URL, which may hold a secret.
                Err(error) if error.is_timeout() => CheckResult::unhealthy("did not answer in time"),
                Err(_) => CheckResult::unhealthy("could not be reached"),
            }
        }
    })
}

fn by_command(name: &str, command: String) -> Arc<dyn Check> {
    check(name, move || {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A check that is cut off takes its process along.
        shell.kill_on_drop(true);
        async move {
            match shell.status().await {
                Ok(status) if status.success() => CheckResult::healthy("the command succeeded"),
                Ok(status) => CheckResult::unhealthy(format!("the command failed: {status}")),
                Err(error) => CheckResult::unhealthy(format!("the command could not be run: {error}")),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_healthy_when_it_ends_with_0() {
        assert!(by_command("yes", "exit 0".to_owned()).run().await.healthy);
        let failed = by_command("no", "exit 3".to_owned()).run().await;
        assert_eq!(failed, CheckResult::unhealthy("the command failed: exit status: 3"));
    }
}
