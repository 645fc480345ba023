//! Who may do what. Every endpoint is declared with what it [`Need`]s, and mounting it wraps it into the guard that
//! sees to it: a handler cannot be reached around it, and gets its principal from it.

mod detail;
mod guard;
mod need;
mod principal;
mod route;

pub use need::Need;
pub use route::Declared;

pub(crate) use guard::session_cookie;
pub(crate) use guard::{COOKIE, Proof, address_of, csrf_token};
pub(crate) use principal::Principal;
pub(crate) use route::{Endpoint, SENTRY, delete, get, mount, patch, post, put};
