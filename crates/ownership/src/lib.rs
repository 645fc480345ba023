//! Who owns an issue, who of the owners can take it, and who else.
//!
//! - [`Facts`]: what rules look at, of an event.
//! - [`matching()`]: the rule of a project, or the line of its CODEOWNERS file, that counts.
//! - [`tag_matches()`]: whether the value of a tag is like a pattern.
//! - [`decide()`]: who gets the issue, and why.
//! - [`codeowners`]: reads a CODEOWNERS file.

pub mod codeowners;
mod decide;
mod facts;
mod glob;
mod matching;
mod path;
mod weight;

pub use decide::{Assignee, Candidate, Choice, Circumstances, Decision, OnCall, Route, decide};
pub use facts::Facts;
pub use matching::{Matched, matching, tag_matches};
pub use weight::Weight;
