//! The bus from outside: the contract on both backends, then what only one of them can show.

mod contract;
mod crash;
mod embedded;
mod log_disk;
mod log_model;
mod rabbit;
mod rabbit_faults;
mod spool;
mod support;
