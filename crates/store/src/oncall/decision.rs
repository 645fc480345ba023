//! What is decided about a due incident: steps, pages, what becomes of those that wait, and what the timeline tells.

use super::silencing::SilentBy;
use super::work::Due;
use bugle_model::{ContactMethodId, IncidentEvent, IncidentState, UserId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// The number of the step that pages who was asked to help.
pub const RESPONDER_STEP: i16 = -3;

/// A page to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPage {
    /// Its id for the outside.
    pub message_id: Uuid,
    /// In which pass of the policy.
    pub pass: i16,
    /// By which step, from 0; see [`FiredStep::step`].
    pub step: i16,
    /// Whom.
    pub user: UserId,
    /// By what.
    pub contact_method: ContactMethodId,
    /// When.
    pub due_at: DateTime<Utc>,
    /// Whether it is put together with others that are due then.
    pub is_digest: bool,
    /// When it would have been due without the person's quiet hours, which hold it.
    pub held_from: Option<DateTime<Utc>>,
    /// What its latency is counted from.
    pub received_at: DateTime<Utc>,
}

/// A step that pages somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredStep {
    /// In which pass of the policy.
    pub pass: i16,
    /// From 0; -1 is the fallback, -2 whom it was given to, [`RESPONDER_STEP`] who was asked to help.
    pub step: i16,
    /// Whom.
    pub recipients: Vec<UserId>,
}

/// An entry of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLog {
    /// What happened.
    pub event: IncidentEvent,
    /// The rest of it.
    pub data: Value,
}

/// What becomes of pages that have not left yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// They stay.
    Keep,
    /// They belong to the new generation.
    CarryOver,
    /// They are cancelled, with this reason.
    Cancel(&'static str),
}

/// What becomes of a due incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Where it stands then.
    pub state: IncidentState,
    /// Its generation then.
    pub generation: i32,
    /// The policy begins at its first step with this generation.
    pub restarts: bool,
    /// See [`Due::pass`].
    pub pass: i16,
    /// See [`Due::step`].
    pub step: i16,
    /// See [`Due::pass_paged`].
    pub pass_paged: bool,
    /// When something is due again.
    pub next_at: Option<DateTime<Utc>>,
    /// What keeps it silent until `next_at`.
    pub silenced_by: Option<SilentBy>,
    /// What becomes of pages.
    pub pending: Pending,
    /// Steps that page somebody.
    pub steps: Vec<FiredStep>,
    /// Pages to be made.
    pub pages: Vec<NewPage>,
    /// Whose pages need not wait any more for the end of quiet hours.
    pub released: Vec<UserId>,
    /// What the timeline tells.
    pub log: Vec<NewLog>,
}

impl Decision {
    /// Everything stays as it is, and nothing keeps it silent.
    #[must_use]
    pub const fn unchanged(due: &Due) -> Self {
        Self {
            state: due.state,
            generation: due.generation,
            restarts: false,
            pass: due.pass,
            step: due.step,
            pass_paged: due.pass_paged,
            next_at: due.next_at,
            silenced_by: None,
            pending: Pending::Keep,
            steps: Vec::new(),
            pages: Vec::new(),
            released: Vec::new(),
            log: Vec::new(),
        }
    }
}
