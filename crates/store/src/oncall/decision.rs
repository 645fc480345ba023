//! What is decided about a due incident: steps, pages, what becomes of those that wait, and what the timeline tells.

use super::due::Due;
use super::silencing::SilentBy;
use super::turns::Turns;
use bugle_model::{DestinationId, IncidentEvent, IncidentState, UserId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// The number of the step that pages who was asked to help.
pub const RESPONDER_STEP: i16 = -3;

/// A page to be made: of a person, by one of their contact methods, or a post to a destination of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPage {
    /// Its id for the outside.
    pub message_id: Uuid,
    /// In which pass of the policy.
    pub pass: i16,
    /// By which step, from 0; see [`FiredStep::step`].
    pub step: i16,
    /// Whom; nobody is a post.
    pub user: Option<UserId>,
    /// By what, or where.
    pub destination: DestinationId,
    /// When.
    pub due_at: DateTime<Utc>,
    /// Whether it is put together with others that are due then.
    pub is_digest: bool,
    /// When it would have been due without the person's quiet hours, which hold it.
    pub held_from: Option<DateTime<Utc>>,
    /// What its latency is counted from.
    pub received_at: DateTime<Utc>,
}

/// A step that has come: it pages somebody, or has only destinations.
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
    /// See [`Due::respond_by`].
    pub respond_by: Option<DateTime<Utc>>,
    /// What keeps it silent until `next_at`.
    pub silenced_by: Option<SilentBy>,
    /// What becomes of pages.
    pub pending: Pending,
    /// Steps that have come.
    pub steps: Vec<FiredStep>,
    /// Who is next in steps in which people take turns.
    pub turns: Turns,
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
            respond_by: due.respond_by,
            silenced_by: None,
            pending: Pending::Keep,
            steps: Vec::new(),
            turns: Turns::new(),
            pages: Vec::new(),
            released: Vec::new(),
            log: Vec::new(),
        }
    }
}
