//! Accounts of people: passwords, sign-in, second factors, links. For the API and the command line.

pub mod fields;
pub mod links;
pub(crate) mod oidc;
pub mod passwords;
pub(crate) mod sign_in;
pub mod totp;
