//! Releases.

use crate::level::{UnknownName, vocabulary};

vocabulary!(
    /// Whether a release is still looked at.
    ReleaseStatus, "status", "open, archived", {
        /// It is.
        Open = 0 => "open",
        /// Lists leave it out unless they are asked for it.
        Archived = 1 => "archived",
    }
);
