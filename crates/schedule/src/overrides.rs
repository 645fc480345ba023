//! Overrides: exceptions from what the layers say.

use crate::answers::{OnCall, Source};
use bugle_model::UserId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An exception for a time: `from <= t < to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends; after `from`, by [`MAX_OVERRIDE_DAYS`](crate::limits::MAX_OVERRIDE_DAYS) at most.
    pub to: DateTime<Utc>,
    /// What changes.
    #[serde(flatten)]
    pub kind: OverrideKind,
}

/// What an override changes. `add`, `remove` and `replace` are those of GoAlert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OverrideKind {
    /// Somebody is on call besides whoever is.
    Add {
        /// Who.
        who: UserId,
    },
    /// Somebody is not on call.
    Remove {
        /// Who.
        who: UserId,
    },
    /// Somebody is on call for somebody else, while that one would be. Nothing changes while that one is not.
    Replace {
        /// Who is on call.
        who: UserId,
        /// Who would be.
        replaced: UserId,
    },
    /// Somebody alone is on call for whoever is, and for nobody: the whole schedule.
    Cover {
        /// Who.
        who: UserId,
    },
}

impl Override {
    pub(crate) fn applies_at(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

impl OverrideKind {
    /// Everybody it names.
    pub fn names(self) -> impl Iterator<Item = UserId> {
        let (who, other) = match self {
            Self::Add { who } | Self::Remove { who } | Self::Cover { who } => (who, None),
            Self::Replace { who, replaced } => (who, Some(replaced)),
        };
        std::iter::once(who).chain(other)
    }

    /// Who comes on call by it; nobody when it only takes somebody out.
    #[must_use]
    pub const fn comes_on(self) -> Option<UserId> {
        match self {
            Self::Add { who } | Self::Replace { who, .. } | Self::Cover { who } => Some(who),
            Self::Remove { .. } => None,
        }
    }

    /// Applies it, as number `index` in the list, to those on call.
    pub(crate) fn apply(self, index: usize, on_call: &mut Vec<OnCall>) {
        let source = Source::Override(index);
        let is_on = |who: UserId, on_call: &[OnCall]| on_call.iter().any(|one| one.who == who);
        match self {
            Self::Add { who } => {
                if !is_on(who, on_call) {
                    on_call.push(OnCall { who, source });
                }
            }
            Self::Remove { who } => on_call.retain(|one| one.who != who),
            Self::Replace { who, replaced } => {
                if is_on(replaced, on_call) {
                    on_call.retain(|one| one.who != replaced);
                    Self::Add { who }.apply(index, on_call);
                }
            }
            Self::Cover { who } => {
                on_call.clear();
                on_call.push(OnCall { who, source });
            }
        }
    }
}
