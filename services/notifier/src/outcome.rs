//! How sending went.

use std::time::Duration;

/// Whose fault it is that it did not work; decides about the circuit breaker and the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The receiver's: counts for its circuit breaker.
    Destination,
    /// The operator's settings or account: logged loudly, and nobody's breaker opens.
    Operator,
    /// Nobody's.
    Nobody,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The provider accepted it.
    Accepted {
        /// Its id for the message.
        provider_id: Option<String>,
    },
    /// It may succeed later.
    Again {
        /// Why not now.
        error: String,
        /// When the provider said how long to wait.
        after: Option<Duration>,
        /// It may have arrived all the same.
        ambiguous: bool,
        /// Whose fault.
        blame: Blame,
    },
    /// It cannot succeed.
    Failed {
        /// Why.
        error: String,
        /// Nothing ever will at this destination: switch it off.
        disable: bool,
    },
    /// There is nothing left to tell.
    Moot {
        /// Why.
        reason: String,
    },
}

/// A verdict, and what the provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What follows.
    pub verdict: Verdict,
    /// The provider's status: an HTTP or SMTP code.
    pub status: Option<i32>,
    /// Its answer; never a secret.
    pub answer: Option<String>,
}

impl Outcome {
    /// Without an answer.
    #[must_use]
    pub const fn bare(verdict: Verdict) -> Self {
        Self { verdict, status: None, answer: None }
    }

    /// Cannot succeed, without an answer; the destination stays on.
    #[must_use]
    pub const fn failed(error: String) -> Self {
        Self::bare(Verdict::Failed { error, disable: false })
    }

    /// The operator has to set something first.
    #[must_use]
    pub const fn operator(error: String) -> Self {
        Self::bare(Verdict::Again { error, after: None, ambiguous: false, blame: Blame::Operator })
    }
}
