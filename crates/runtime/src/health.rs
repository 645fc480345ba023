//! Health: each part of a service adds the checks it can answer for.

use async_trait::async_trait;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A check that does not answer within this time is unhealthy.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Whether all is well.
    pub healthy: bool,
    /// One short sentence for an operator. Shown without authentication: no secrets, no addresses with passwords.
    pub message: String,
}

impl CheckResult {
    /// All is well.
    pub fn healthy(message: impl Into<String>) -> Self {
        Self { healthy: true, message: message.into() }
    }

    /// Something needs a look.
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self { healthy: false, message: message.into() }
    }
}

/// One thing that can be well or not.
#[async_trait]
pub trait Check: Send + Sync {
    /// A short name, unique within a registry and scope: `database`, `broker`, `disk`.
    fn name(&self) -> &str;

    /// Looks. Cut off after [`CHECK_TIMEOUT`].
    async fn run(&self) -> CheckResult;
}

/// Which question a check helps to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// `/health/`: is everything around here well?
    Overall,
    /// `/health/ready/`: can this service do its part?
    Ready,
    /// `/health/live/`: is the process stuck, so that only a restart helps?
    Live,
}

type Checks = Vec<(Scope, Arc<dyn Check>)>;

/// The checks of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Registry(Arc<RwLock<Checks>>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.checks_len()).finish()
    }
}

impl Registry {
    /// A registry without checks: healthy, live and ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn checks_len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Adds a check; one of the same name and scope is replaced.
    pub fn add(&self, scope: Scope, check: Arc<dyn Check>) {
        let mut checks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        checks.retain(|(other, existing)| *other != scope || existing.name() != check.name());
        checks.push((scope, check));
    }

    /// Adds a check for `/health/`.
    pub fn add_overall(&self, check: Arc<dyn Check>) {
        self.add(Scope::Overall, check);
    }

    /// Adds a check for `/health/ready/`.
    pub fn add_ready(&self, check: Arc<dyn Check>) {
        self.add(Scope::Ready, check);
    }

    /// Adds a check for `/health/live/`.
    pub fn add_live(&self, check: Arc<dyn Check>) {
        self.add(Scope::Live, check);
    }

    /// Runs the checks of one scope at the same time, each at most [`CHECK_TIMEOUT`].
    pub async fn run(&self, scope: Scope) -> Report {
        let checks: Vec<_> = {
            let checks = self.0.read().unwrap_or_else(PoisonError::into_inner);
            checks.iter().filter(|(own, _)| *own == scope).map(|(_, check)| Arc::clone(check)).collect()
        };
        let mut tasks = tokio::task::JoinSet::new();
        let mut report = Report::default();
        for check in checks {
            // Named beforehand, so that a check that panics is still reported.
            report.checks.insert(check.name().to_owned(), CheckResult::unhealthy("the check failed"));
            tasks.spawn(async move {
                let result = match tokio::time::timeout(CHECK_TIMEOUT, check.run()).await {
                    Ok(result) => result,
                    Err(_) => {
                        CheckResult::unhealthy(format!("no answer within {} s", CHECK_TIMEOUT.as_secs()))
                    }
                };
                (check.name().to_owned(), result)
            });
        }
        while let Some(done) = tasks.join_next().await {
            if let Ok((name, result)) = done {
                report.checks.insert(name, result);
            }
        }
        report
    }
}

/// The results of one scope's checks by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// By the check's name.
    pub checks: BTreeMap<String, CheckResult>,
}

impl Report {
    /// Whether every check is well.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.checks.values().all(|result| result.healthy)
    }
}

struct FnCheck<F> {
    name: String,
    run: F,
}

#[async_trait]
impl<F, R> Check for FnCheck<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = CheckResult> + Send,
{
    fn name(&self) -> &str {
        &self.name
    }

    async fn run(&self) -> CheckResult {
        (self.run)().await
    }
}

/// A check from a name and an async function.
pub fn check<F, R>(name: impl Into<String>, run: F) -> Arc<dyn Check>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = CheckResult> + Send + 'static,
{
    Arc::new(FnCheck { name: name.into(), run })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_or_broken_check_is_unhealthy_and_holds_up_no_other() {
        let registry = Registry::new();
        registry.add_overall(check("fine", || async { CheckResult::healthy("ok") }));
        registry.add_overall(check("slow", || async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            CheckResult::healthy("late")
        }));
        registry.add_overall(check("broken", || async { panic!("a bug in a check") }));
        registry.add_ready(check("other scope", || async { CheckResult::unhealthy("no") }));
        let report = registry.run(Scope::Overall).await;
        assert!(!report.is_healthy());
        let healthy: Vec<_> = report.checks.iter().map(|(name, r)| (name.as_str(), r.healthy)).collect();
        assert_eq!(healthy, [("broken", false), ("fine", true), ("slow", false)]);
        assert_eq!(report.checks["slow"].message, "no answer within 3 s");
    }

    #[tokio::test]
    async fn nothing_to_check_is_well_and_a_name_is_kept_once() {
        let registry = Registry::new();
        assert!(registry.run(Scope::Live).await.is_healthy());
        registry.add_live(check("a", || async { CheckResult::unhealthy("old") }));
        registry.add_live(check("a", || async { CheckResult::healthy("new") }));
        assert!(registry.run(Scope::Live).await.is_healthy());
    }
}
