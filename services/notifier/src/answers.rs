//! Links in mails that answer a page: acknowledge, escalate, resolve. Each is a random secret of its own, of which the database
//! keeps the SHA-256 with the person, the incident, what it does and when it ends. Following one does nothing (programs that
//! look for malware follow every link of a mail): it leads to a page of the api where one confirms it.

use crate::content::Links;
use bugle_model::{IncidentAnswer, IncidentId, UserId};
use bugle_store::notifications::Claimed;
use bugle_store::oncall::{NewAnswerLink, add_answer_links};
use bugle_store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How long a link works: over a weekend, so that whoever acknowledged by one can resolve by another.
pub const LIFETIME: TimeDelta = TimeDelta::hours(72);

/// The links of an incident's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerLinks {
    /// One deals with it.
    pub acknowledge: String,
    /// The next step is to come at once.
    pub escalate: String,
    /// It is over.
    pub resolve: String,
}

/// The links of a message, by incident.
pub type Offered = BTreeMap<IncidentId, AnswerLinks>;

/// Makes the links of a message, new ones for every attempt: those of one that may have arrived go on working.
///
/// # Errors
/// When the database fails; then none of them works.
pub async fn offer(
    store: &Store,
    claimed: &Claimed,
    links: &Links,
    now: DateTime<Utc>,
) -> Result<Offered, StoreError> {
    let pages: BTreeSet<(IncidentId, UserId)> =
        claimed.parts.iter().filter_map(|part| Some((part.incident?, part.user?))).collect();
    if pages.is_empty() {
        return Ok(Offered::new());
    }
    let mut new = Vec::new();
    let mut offered = Offered::new();
    for (incident, user) in pages {
        let mut link = |answer| {
            let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            let token_hash = Sha256::digest(token.as_bytes()).into();
            new.push(NewAnswerLink { token_hash, incident, user, answer });
            links.answer(&token)
        };
        let acknowledge = link(IncidentAnswer::Acknowledge);
        let escalate = link(IncidentAnswer::Escalate);
        let resolve = link(IncidentAnswer::Resolve);
        offered.insert(incident, AnswerLinks { acknowledge, escalate, resolve });
    }
    let mut conn = store.conn().await?;
    add_answer_links(&mut conn, &new, now, now + LIFETIME).await?;
    Ok(offered)
}
