//! What an endpoint tells of itself in the OpenAPI document: the parameters of its query and the shape of its answers.

mod answer;
mod parameter;

pub(crate) use answer::{Accepted, Answer, Created, NoContent};
pub(crate) use parameter::{CURSOR, LIMIT, Parameter, parameter, required};
