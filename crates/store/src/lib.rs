//! PostgreSQL, the system of record. The only crate that knows diesel.
//!
//! One module per noun; every function takes a connection, so that callers compose them in one transaction:
//!
//! ```no_run
//! # async fn example(url: &str) -> Result<(), bugle_store::StoreError> {
//! let store = bugle_store::connect(url, 8)?; // connects when a connection is first asked for
//! let mut connection = store.conn().await?;
//! store.check().await?;
//! # drop::<bugle_store::Pooled>(connection);
//! # Ok(())
//! # }
//! ```
//!
//! - [`connect`] and [`Store`]: the pool. [`Store::conn`] waits 5 s at most, then says [`StoreError::Away`].
//! - [`statement()`]: a hand-written statement that is prepared once per connection (diesel's `sql_query` is
//!   prepared anew each time).
//! - [`migrate`]: applies the embedded migrations ([`migrate::run`]); [`migrate::pending`] tells which are missing.
//! - [`record`]: one prepared batch of events into the tables, in one transaction.
//! - [`payload`]: how an event is kept in a few hundred bytes, and how it is read back.
//! - [`partitions`]: what is made ahead and what is dropped when its time has come; [`upkeep`]: rows that go by then.
//! - [`outbox`]: signals on their way to the broker.
//! - [`releases`]: their order, commits, deploys and issues.
//! - [`attachments`], [`feedback`]: what came with an event.
//! - [`tags`]: names and values of tags; [`stats`]: numbers over time; [`activity`]: what happened to an issue; [`storage`]: how much
//!   room projects take.
//! - [`bookmarks`], [`saved_searches`]: what people come back to.
//! - [`Scope`]: the projects that somebody sees; what is outside of it is not there.
//! - [`users`], [`teams`], [`sessions`], [`links`], [`second_factors`], [`attempts`], [`audit`]: accounts and access.
//! - [`oncall`]: contact methods, schedules, escalation policies, routing rules, incidents.
//! - [`ownership`]: who owns what of a project, who has how much to do, and who is given a new issue.
//! - [`live`]: what changed lately, for open pages.
//! - [`door`]: what ingest keeps in memory; [`outcomes`]: how items ended, per hour; [`heartbeats`]: who is alive.

pub mod account_mails;
pub mod activity;
pub mod attachments;
pub mod attempts;
pub mod audit;
pub mod bookmarks;
pub mod canary;
pub mod comments;
pub mod destinations;
pub mod discards;
pub mod door;
mod error;
pub mod events;
pub mod feedback;
pub mod heartbeats;
pub mod highlights;
pub mod hyperloglog;
pub mod idempotency;
pub mod issues;
pub mod keys;
pub mod links;
pub mod live;
mod locks;
pub mod migrate;
pub mod notifications;
pub mod oidc;
pub mod oncall;
pub mod outbox;
pub mod outcomes;
pub mod ownership;
pub mod partitions;
pub mod payload;
mod pool;
pub mod projects;
pub mod record;
pub mod releases;
mod row;
pub mod saved_searches;
mod scope;
pub mod second_factors;
pub mod server;
pub mod sessions;
pub mod shares;
mod statement;
pub mod statistics;
pub mod stats;
pub mod storage;
pub mod tags;
pub mod teams;
mod tls;
pub mod tokens;
pub mod upkeep;
pub mod users;
pub mod web_push;

pub use error::StoreError;
pub use pool::{Pooled, Store, connect};
pub use scope::Scope;
pub use statement::{Statement, by_keys, statement};

/// What opens a transaction: `connection.transaction(async |connection| …)`. The error of its block is made of a
/// [`DatabaseError`].
pub use diesel_async::AsyncConnection as Transactions;

/// A failure of a transaction's own statements; becomes a [`StoreError`].
pub use diesel::result::Error as DatabaseError;

/// A connection to PostgreSQL, as every function of this crate takes it.
pub type Connection = diesel_async::AsyncPgConnection;
