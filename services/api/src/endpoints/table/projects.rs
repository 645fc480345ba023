//! Projects, their keys and destinations.

use super::super::{
    destination_change, destination_create, destination_remove, destination_test, destinations, discards,
    event, grouping_try, keys, ownership, project_change, project_create, projects,
};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use crate::openapi::{CURSOR, LIMIT};
use bugle_web::Code;

pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/projects", Need::VIEW, projects::handler)
            .named("list_projects", "The projects.")
            .query(&[LIMIT, CURSOR]),
        post("/api/v1/projects", Need::MANAGE, project_create::handler)
            .named("create_project", "Makes a project and its first key.")
            .fails(&[Code::Conflict]),
        get("/api/v1/projects/{project}", Need::VIEW, project_change::get)
            .named("get_project", "One project."),
        patch("/api/v1/projects/{project}", Need::MANAGE, project_change::change)
            .named("change_project", "Changes name, team or settings.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/projects/{project}", Need::MANAGE, project_change::remove)
            .named("remove_project", "Removes a project with all that is in it."),
        get("/api/v1/projects/{project}/events/{event_id}", Need::VIEW, event::handler)
            .named("get_event", "An event of the project."),
        post("/api/v1/projects/{project}/grouping/try", Need::VIEW, grouping_try::handler)
            .named("try_grouping", "Tells how an event would be grouped by other rules; keeps nothing."),
        get("/api/v1/projects/{project}/ownership", Need::VIEW, ownership::get)
            .named("get_ownership", "Who owns what of the project."),
        put("/api/v1/projects/{project}/ownership", Need::MANAGE, ownership::set).named(
            "set_ownership",
            "Sets the ownership rules, and who gets what no rule gives to anybody; an imported CODEOWNERS stays.",
        ),
        post("/api/v1/projects/{project}/ownership/codeowners", Need::MANAGE, ownership::import::handler)
            .named("import_codeowners", "Imports a CODEOWNERS file in the place of the one before."),
        post("/api/v1/projects/{project}/ownership/try", Need::VIEW, ownership::trial::handler)
            .named("try_ownership", "Tells who would get an issue, and why; keeps nothing."),
        get("/api/v1/projects/{project}/discards", Need::VIEW, discards::list)
            .named("list_discards", "What the project discards.")
            .query(&[LIMIT, CURSOR]),
        delete("/api/v1/projects/{project}/discards/{id}", Need::TRIAGE, discards::remove)
            .named("remove_discard", "Lets events in again that were discarded."),
        get("/api/v1/projects/{project}/keys", Need::VIEW, keys::list).named("list_keys", "Its keys."),
        post("/api/v1/projects/{project}/keys", Need::MANAGE, keys::create)
            .named("create_key", "Makes a key.")
            .fails(&[Code::Conflict]),
        get("/api/v1/projects/{project}/keys/{key_id}", Need::VIEW, keys::get).named("get_key", "One key."),
        patch("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::change)
            .named("change_key", "Changes label, quota, or whether it is enabled."),
        delete("/api/v1/projects/{project}/keys/{key_id}", Need::MANAGE, keys::remove)
            .named("remove_key", "Removes a key."),
        post("/api/v1/projects/{project}/keys/{key_id}/rotate", Need::MANAGE, keys::rotate)
            .named("rotate_key", "Makes a new key like it and disables the old one."),
        get("/api/v1/projects/{project}/destinations", Need::VIEW, destinations::handler)
            .named("list_destinations", "Where its notifications go."),
        get("/api/v1/teams/{id}/destinations", Need::VIEW, destinations::of_team)
            .named("list_team_destinations", "Where the notifications of the team's projects go."),
        post("/api/v1/projects/{project}/destinations", Need::MANAGE, destination_create::handler)
            .named("create_destination", "Makes a destination.")
            .fails(&[Code::Conflict]),
        get("/api/v1/projects/{project}/destinations/{id}", Need::VIEW, destinations::get)
            .named("get_destination", "One destination."),
        patch("/api/v1/projects/{project}/destinations/{id}", Need::MANAGE, destination_change::handler)
            .named("change_destination", "Changes target, priority or settings, or switches it on or off."),
        delete("/api/v1/projects/{project}/destinations/{id}", Need::MANAGE, destination_remove::handler)
            .named("remove_destination", "Removes a destination."),
        post("/api/v1/projects/{project}/destinations/{id}/test", Need::MANAGE, destination_test::handler)
            .named("test_destination", "Sends a test there."),
    ]
}
