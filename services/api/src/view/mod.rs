//! What answers look like.

pub(crate) mod dead_letter;
pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod older;
mod stack_trace;
