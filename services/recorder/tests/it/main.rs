//! The recorder between a real bus and a real PostgreSQL.

mod road;
mod trouble;
mod world;
