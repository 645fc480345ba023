//! Who is there, and who may do what.

use super::super::{audit, audit_export, availability, invitations, members, teams, tokens, users};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use crate::openapi::{CURSOR, LIMIT};
use bugle_model::TeamRole;
use bugle_web::Code;

pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/invitations", Need::MANAGE, invitations::list)
            .named("list_invitations", "Who is invited."),
        post("/api/v1/invitations", Need::PersonWithRole(TeamRole::Manager), invitations::create)
            .named("create_invitation", "Invites somebody.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/invitations/{id}", Need::PersonWithRole(TeamRole::Manager), invitations::remove)
            .named("remove_invitation", "Takes an invitation back."),
        get("/api/v1/users", Need::VIEW, users::list)
            .named("list_users", "The people one shares a team with; for admins everybody.")
            .query(&[LIMIT, CURSOR]),
        get("/api/v1/users/{id}", Need::VIEW, users::get).named("get_user", "One of them."),
        patch("/api/v1/users/{id}", Need::Admin, users::change)
            .named("change_user", "Changes a role, a name, or shuts somebody out.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams", Need::VIEW, teams::list)
            .named("list_teams", "The teams that one is in; for admins all."),
        post("/api/v1/teams", Need::Admin, teams::create)
            .named("create_team", "Makes a team.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams/{id}", Need::VIEW, teams::get).named("get_team", "One team."),
        patch("/api/v1/teams/{id}", Need::MANAGE, teams::change)
            .named("change_team", "Renames a team.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/teams/{id}", Need::Admin, teams::remove)
            .named("remove_team", "Removes a team without projects.")
            .fails(&[Code::Conflict]),
        get("/api/v1/teams/{id}/members", Need::VIEW, members::list)
            .named("list_members", "Who is in the team."),
        get("/api/v1/teams/{id}/members/{user_id}", Need::VIEW, members::get)
            .named("get_member", "One of them."),
        put("/api/v1/teams/{id}/members/{user_id}", Need::PersonWithRole(TeamRole::Manager), members::put)
            .named("put_member", "Puts somebody into the team, or gives them another role."),
        delete(
            "/api/v1/teams/{id}/members/{user_id}",
            Need::PersonWithRole(TeamRole::Manager),
            members::remove,
        )
        .named("remove_member", "Takes somebody out of the team."),
        put("/api/v1/teams/{id}/members/{user_id}/availability", Need::MANAGE, availability::set_of_member)
            .named(
                "set_member_availability",
                "Sets whether somebody of the team is given issues, and how many.",
            ),
        get("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::list)
            .named("list_tokens", "The tokens, without what makes them one."),
        post("/api/v1/tokens", Need::PersonWithRole(TeamRole::Manager), tokens::create)
            .named("create_token", "Makes a token, which is shown this once.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/tokens/{id}", Need::PersonWithRole(TeamRole::Manager), tokens::remove)
            .named("revoke_token", "Revokes a token."),
        get("/api/v1/audit", Need::MANAGE, audit::list)
            .named("list_audit", "Who changed what, the newest first.")
            .query(audit::PARAMETERS),
        get("/api/v1/audit/export", Need::MANAGE, audit_export::handler)
            .named("export_audit", "Streams the audit log.")
            .query(audit_export::PARAMETERS),
    ]
}
