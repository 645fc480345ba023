//! The API over HTTP, with a real PostgreSQL and an embedded bus.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod accounts;
mod alerts;
mod answers;
mod attached;
mod audit;
mod console;
mod contract;
mod dead_letters;
mod destinations;
mod events;
mod exports;
mod fixes;
mod grouping;
mod harness;
mod issues;
mod live;
mod merging;
mod oidc;
mod older;
mod oncall;
mod oncall_attacks;
mod oncall_feeds;
mod oncall_messages;
mod openapi;
mod operations;
mod ownership;
mod people;
mod projects;
mod release_trend;
mod releases;
mod requests;
mod roles;
mod saved_searches;
mod search;
mod second_factor;
mod sentry;
mod sessions;
mod silences;
mod slack;
mod teams;
mod twilio;
mod twilio_status;
mod workflow;
