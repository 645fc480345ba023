//! Signing in, and what people change about themselves.

use super::super::{
    account, availability, invitation_accept, oidc, openapi, password_resets, second_factor, session,
    sessions, setup,
};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use bugle_web::Code;

pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/openapi.json", Need::Nothing, openapi::handler).named("get_openapi", "This document."),
        get("/api/v1/setup", Need::Nothing, setup::needed).named("get_setup", "Whether there is nobody yet."),
        post("/api/v1/setup", Need::Nothing, setup::run)
            .named("run_setup", "Makes the owner and the first team, by the setup link.")
            .fails(&[Code::InvalidCredentials, Code::RateLimited, Code::Conflict]),
        get("/api/v1/session", Need::Person, session::show).named("get_session", "Who one is."),
        post("/api/v1/session", Need::Nothing, session::create).named("sign_in", "Signs in.").fails(&[
            Code::InvalidCredentials,
            Code::SecondFactorNeeded,
            Code::RateLimited,
        ]),
        delete("/api/v1/session", Need::Person, session::end).named("sign_out", "Signs out."),
        get("/api/v1/session/methods", Need::Nothing, oidc::methods)
            .named("list_sign_in_methods", "How people sign in, besides with a password."),
        get("/api/v1/session/oidc", Need::Nothing, oidc::start)
            .named("start_oidc", "Sends the browser to the OpenID Connect provider.")
            .query(oidc::START)
            .fails(&[Code::NotFound]),
        get("/api/v1/session/oidc/callback", Need::Nothing, oidc::callback)
            .named("finish_oidc", "Where the OpenID Connect provider sends the browser back to.")
            .query(oidc::CALLBACK)
            .fails(&[Code::NotFound]),
        get("/api/v1/sessions", Need::Person, sessions::list)
            .named("list_sessions", "Where one is signed in."),
        delete("/api/v1/sessions", Need::Person, sessions::end_others)
            .named("end_other_sessions", "Signs out everywhere else."),
        delete("/api/v1/sessions/{id}", Need::Person, sessions::end).named("end_session", "Signs out there."),
        post("/api/v1/password-resets", Need::Nothing, password_resets::ask)
            .named("ask_password_reset", "Asks for a link to set a new password; it goes by mail.")
            .fails(&[Code::RateLimited]),
        post("/api/v1/password-resets/{token}", Need::Nothing, password_resets::set)
            .named("reset_password", "Sets a new password by a link."),
        get("/api/v1/account", Need::Person, account::get).named("get_account", "One's own account."),
        patch("/api/v1/account", Need::Person, account::change)
            .named("change_account", "Changes one's name, time zone or password.")
            .fails(&[Code::RateLimited]),
        get("/api/v1/account/availability", Need::Person, availability::get)
            .named("get_availability", "Whether one is given issues by themselves, and how many."),
        put("/api/v1/account/availability", Need::Person, availability::set)
            .named("set_availability", "Sets whether one is given issues by themselves, and how many."),
        post("/api/v1/account/totp", Need::Person, second_factor::propose)
            .named("propose_second_factor", "Makes a second factor, which counts once it is confirmed.")
            .fails(&[Code::Conflict]),
        put("/api/v1/account/totp", Need::Person, second_factor::enable)
            .named("confirm_second_factor", "Confirms the second factor by its first code.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/account/totp", Need::Person, second_factor::remove)
            .named("remove_second_factor", "Does without a second factor again.")
            .fails(&[Code::RateLimited]),
        get("/api/v1/invitations/{token}/preview", Need::Nothing, invitation_accept::preview)
            .named("preview_invitation", "What the invited are shown."),
        post("/api/v1/invitations/{token}/accept", Need::Nothing, invitation_accept::accept)
            .named("accept_invitation", "Makes the account and signs in.")
            .fails(&[Code::Conflict]),
    ]
}
