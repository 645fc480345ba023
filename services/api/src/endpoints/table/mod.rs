//! The table of access: every endpoint there is, with what it needs, takes and answers. What is not in it is not mounted.

mod accounts;
mod issues;
mod older;
mod oncall;
mod operations;
mod people;
mod projects;
mod releases;

use super::sentry;
use crate::access::Endpoint;

/// Every endpoint.
pub(super) fn all() -> Vec<Endpoint> {
    let parts = [
        accounts::routes(),
        people::routes(),
        issues::routes(),
        projects::routes(),
        releases::routes(),
        oncall::routes(),
        sentry::routes(),
        operations::routes(),
        older::routes(),
    ];
    parts.into_iter().flatten().collect()
}
