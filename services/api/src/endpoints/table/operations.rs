//! What operators look at.

use super::super::stats::{self, PERIOD};
use super::super::{canary, dead_letters, highlights, live, notifications, outcomes, services, storage};
use crate::access::{Endpoint, Need, get, post};
use crate::openapi::LIMIT;
use bugle_web::Code;

pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/notifications", Need::VIEW, notifications::handler)
            .named("list_notifications", "What was told to whom, the newest first.")
            .query(notifications::PARAMETERS)
            .fails(&[Code::NotFound]),
        get("/api/v1/live", Need::VIEW, live::handler)
            .named("watch_changes", "Opens a WebSocket that tells what changes.")
            .query(live::PARAMETERS)
            .fails(&[Code::BadRequest]),
        get("/api/v1/outcomes", Need::VIEW, outcomes::handler)
            .named("list_outcomes", "How items ended, by the hour.")
            .query(outcomes::PARAMETERS),
        get("/api/v1/stats", Need::VIEW, stats::handler)
            .named("get_stats", "Events over time, and how issues stand.")
            .query(&[stats::PROJECT, PERIOD]),
        get("/api/v1/stats/highlights", Need::VIEW, highlights::handler)
            .named(
                "get_highlights",
                "Issues worth a look: new ones, those that came back, those that get worse.",
            )
            .query(&[stats::PROJECT, PERIOD]),
        get("/api/v1/services", Need::VIEW, services::handler)
            .named("list_services", "The processes, and whether they are alive."),
        get("/api/v1/storage", Need::VIEW, storage::handler)
            .named("list_storage", "How much room each project takes."),
        post("/api/v1/canary", Need::Nothing, canary::receive)
            .named("receive_canary", "The webhook at the end of the canary's road, for Bugle itself."),
        get("/api/v1/admin/dead-letters", Need::Admin, dead_letters::list)
            .named("list_dead_letters", "What was rejected for good.")
            .query(&[dead_letters::QUEUE, LIMIT]),
        post("/api/v1/admin/dead-letters/redrive", Need::Admin, dead_letters::redrive)
            .named("redrive_dead_letters", "Puts dead letters back into their queue."),
        post("/api/v1/admin/dead-letters/discard", Need::Admin, dead_letters::discard)
            .named("discard_dead_letters", "Throws dead letters away."),
    ]
}
