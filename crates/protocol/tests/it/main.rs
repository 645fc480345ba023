//! The crate from outside: captured requests, and input that nobody would send.

mod arbitrary;
mod corpus;
mod source;
