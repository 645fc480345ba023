//! Private servers on this machine: a PostgreSQL and a RabbitMQ, each in a folder of its own, on free ports of
//! the loopback interface. For `make run`, the tests and the benches; production brings its own.
//!
//! Blocking, and almost the standard library only, so that the developer commands build in seconds.

mod packages;
mod postgres;
mod process;
mod rabbit;

pub use packages::{ensure_installed, find_program};
pub use postgres::{Durability, Postgres};
pub use process::{as_service_user, free_port, is_root, run};
pub use rabbit::Rabbit;
