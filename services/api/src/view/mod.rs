//! What answers look like.

pub(crate) mod dead_letter;
pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod older;
pub(crate) mod shared;
mod stack_trace;
