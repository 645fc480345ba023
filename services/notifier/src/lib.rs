//! Tells people and machines: email, Slack, SMS, calls, web push, webhook; again until it is done or visibly failed.
//!
//! [`Signals`] turns signals into rows, one per issue, destination, kind and generation, and opens incidents. [`Escalator`] has incidents
//! page people until somebody answers; a page is a row like the others. [`Sender`] claims due rows,
//! sends them through [`Channels`], and records each attempt together with the new state. All waiting is in the rows, so
//! any number of notifiers may run, and a crash loses nothing: the lease of a claim runs out and another takes over.
//! What may have arrived already is sent again under the same id by webhook, Slack, email and web push; an SMS or a call is looked up at
//! Twilio first. [`Updates`] changes messages at Slack in place when their incident changes. [`AccountMails`] sends what the API puts into `account_mails`: invitations, links for new passwords,
//! shifts that change hands; and what [`Handoffs`] and [`Gaps`] tell of shifts that begin and end, and of times in which somebody is missing.
//! [`Subscriptions`] fetches the calendars that schedules follow.
//! [`watch`] looks whether all of that happens.
//! [`Assigner`] gives new issues to somebody.

pub mod account_mails;
pub mod answers;
pub mod assigner;
pub mod channels;
pub mod client;
pub mod content;
mod every;
pub mod gaps;
pub mod guard;
pub mod handoffs;
pub mod oncall;
pub mod outcome;
pub mod plan;
pub mod policy;
mod routing;
pub mod sender;
pub mod sign;
pub mod signals;
pub mod subscriptions;
pub mod updates;
pub mod watch;

pub use account_mails::AccountMails;
pub use assigner::Assigner;
pub use channels::{Channels, SetupError};
pub use gaps::Gaps;
pub use handoffs::Handoffs;
pub use oncall::Escalator;
pub use policy::Policy;
pub use sender::Sender;
pub use signals::Signals;
pub use subscriptions::Subscriptions;
pub use updates::Updates;

use bugle_bus::Bus;
use bugle_model::Clock;
use bugle_runtime::health::{self, CheckResult};
use bugle_runtime::{Config, Metrics, Shutdown};
use bugle_store::Store;
use client::Timeouts;
use guard::SystemLookup;
use std::sync::Arc;
use tokio::sync::Notify;
use watch::Watch;

/// What the notifier needs.
pub struct Deps {
    /// Where signals come from.
    pub bus: Arc<dyn Bus>,
    /// Where notifications are.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where to count.
    pub metrics: Metrics,
    /// Where to say that all is well.
    pub health: health::Registry,
}

/// The notifier could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The channels.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// Runs until the soft stop, and until what is under way is recorded.
///
/// # Errors
/// When the channels cannot be set up.
pub async fn run(config: Arc<Config>, deps: Deps, shutdown: Shutdown) -> Result<(), ServiceError> {
    let Deps { bus, store, clock, metrics, health } = deps;
    let channels = Channels::new(&config, Arc::new(SystemLookup), Timeouts::default())?;
    let for_check = store.clone();
    health.add_ready(health::check("notifier", move || {
        let store = for_check.clone();
        async move {
            match store.check().await {
                Ok(()) => CheckResult::healthy("can read and record notifications"),
                Err(error) => CheckResult::unhealthy(error.to_string()),
            }
        }
    }));
    let links = content::Links::new(config.public_url.clone());
    let email = channels::Email::new(&config, links.host(), Timeouts::default())?;
    let mails = AccountMails::new(store.clone(), Arc::clone(&clock), email, rand::random());
    let handoffs = Handoffs::new(store.clone(), Arc::clone(&clock), links.clone());
    let gaps = Gaps::new(store.clone(), Arc::clone(&clock), links);
    let telling = async {
        // Without a mail server they would only wait until they are old.
        if config.smtp_url.is_some() {
            tokio::join!(handoffs.run(shutdown.clone()), gaps.run(shutdown.clone()));
        }
    };
    let subscriptions =
        Subscriptions::new(store.clone(), Arc::clone(&clock), &config, Arc::new(SystemLookup))?;
    let updates = Updates::new(store.clone(), Arc::clone(&clock), &config, Timeouts::default())?;
    let wake = Arc::new(Notify::new());
    let wakes = signals::Wakes { sender: Arc::clone(&wake), ..signals::Wakes::default() };
    let escalator = Escalator::new(store.clone(), Arc::clone(&clock), Arc::clone(&wake), &metrics);
    let watch = Watch::new(&config, &store, &clock, &wakes.escalator, &metrics)?;
    let escalating = escalator.run(Arc::clone(&wakes.escalator), watch.pulse(), shutdown.clone());
    let assigner = Assigner::new(store.clone(), Arc::clone(&clock), &metrics);
    let assigning = assigner.run(Arc::clone(&wakes.assigner), shutdown.clone());
    let signals = Signals::new(store.clone(), Arc::clone(&clock), wakes, &metrics);
    let concurrency = config.notifier_concurrency;
    let policy = Policy { concurrency, reserved: concurrency / 4, ..Policy::default() };
    let parts = sender::Parts { store, clock, channels, policy, seed: rand::random(), metrics };
    let sending = Sender::new(parts).run(wake, watch.pulse(), shutdown.clone());
    let consuming = Arc::new(signals).run(bus, shutdown.soft.clone());
    let (mailing, updating) = (mails.run(shutdown.clone()), updates.run(shutdown.clone()));
    let watching = watch.run(shutdown.clone());
    let following = subscriptions.run(shutdown.clone());
    tokio::join!(sending, consuming, escalating, assigning, mailing, telling, updating, watching, following);
    Ok(())
}
