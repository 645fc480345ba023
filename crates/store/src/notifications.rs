//! Notifications: one message to one destination, from the signal to the provider's answer.
//!
//! ```text
//! pending ──claim──▶ sending ──record──▶ sent | failed | pending (later)
//!    │                                     └──deliver──▶ failed   its provider says that it has not arrived
//!    ├──▶ cancelled   no longer wanted          a lease that ran out is claimed again
//!    ├──▶ bundled     told inside another message (bundled_into)
//!    └──▶ expired     too old alone, listed in a digest (bundled_into)
//! ```
//!
//! [`insert`](fn@insert) makes rows from signals, [`claim()`] takes due ones of one destination, [`record()`] writes how an attempt ended,
//! [`list`] shows them. What is due is decided by the caller's clock alone.

mod apply;
mod candidates;
mod claim;
mod deliver;
mod facts;
mod incident_facts;
mod insert;
mod read;
mod record;

pub use candidates::PAGES_A_MINUTE;
pub use claim::{Bundle, Candidate, Claim, Claimed, Claims, Digest, Due, LOST, PageOf, Plan, claim, due};
pub use deliver::{CALL_AGAIN_AFTER, Delivered, Delivery, MAX_CALLS, deliver};
pub use facts::{About, IssueFacts};
pub use incident_facts::IncidentFacts;
pub use insert::{NewNotification, insert, insert_test, test_is_pending};
pub use read::{Attempt, Filter, Notification, list};
pub use record::{AttemptResult, Effect, Next, Record, record, record_delivered};
