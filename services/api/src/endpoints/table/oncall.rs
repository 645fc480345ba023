//! On-call.

use super::super::oncall::{
    alert_sources, alerts, answers, contact_methods, escalation_policies, feeds, handoff_notices, import,
    incident_actions, incident_create, incident_merge, incidents, inhibition_rules, metrics,
    notification_rules, overrides, quiet_hours, response_times, routing_rules, schedules, silences, slack,
    subscriptions, swaps, twilio, web_push,
};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use crate::openapi::{CURSOR, LIMIT};
use bugle_web::Code;

pub(super) fn routes() -> Vec<Endpoint> {
    let all = [
        of_people(),
        of_schedules(),
        of_calendars(),
        of_swaps(),
        of_teams(),
        of_alerts(),
        of_silences(),
        of_incidents(),
        of_answers(),
        of_providers(),
    ];
    all.into_iter().flatten().collect()
}

fn of_people() -> Vec<Endpoint> {
    vec![
        get("/api/v1/account/contact-methods", Need::Person, contact_methods::list)
            .named("list_contact_methods", "How one is reached."),
        post("/api/v1/account/contact-methods", Need::Person, contact_methods::create)
            .named("create_contact_method", "Makes a contact method."),
        delete("/api/v1/account/contact-methods/{id}", Need::Person, contact_methods::remove)
            .named("remove_contact_method", "Removes a contact method with its rules."),
        post("/api/v1/account/contact-methods/{id}/code", Need::Person, contact_methods::send_code)
            .named("send_contact_method_code", "Sends a code there; one a minute."),
        post("/api/v1/account/contact-methods/{id}/verify", Need::Person, contact_methods::verify)
            .named("verify_contact_method", "Proves by the code that it is one's own."),
        post("/api/v1/account/contact-methods/{id}/test", Need::Person, contact_methods::test)
            .named("test_contact_method", "Sends a test there."),
        get("/api/v1/account/web-push-key", Need::Person, web_push::key)
            .named("get_web_push_key", "The key that a browser subscribes with; made when first asked for."),
        get("/api/v1/account/notification-rules", Need::Person, notification_rules::list)
            .named("list_notification_rules", "When one is told by what; the earliest first."),
        post("/api/v1/account/notification-rules", Need::Person, notification_rules::create)
            .named("create_notification_rule", "Makes a notification rule."),
        delete("/api/v1/account/notification-rules/{id}", Need::Person, notification_rules::remove)
            .named("remove_notification_rule", "Removes a notification rule."),
        get("/api/v1/account/quiet-hours", Need::Person, quiet_hours::get)
            .named("get_quiet_hours", "When one's pages wait."),
        put("/api/v1/account/quiet-hours", Need::Person, quiet_hours::set)
            .named("set_quiet_hours", "Has pages wait in some hours. What waits already goes on waiting."),
        get("/api/v1/account/handoff-notices", Need::Person, handoff_notices::get)
            .named("get_handoff_notices", "When one is told of one's shifts."),
        put("/api/v1/account/handoff-notices", Need::Person, handoff_notices::set)
            .named("set_handoff_notices", "Says when one is to be told by mail of one's shifts."),
    ]
}

fn of_schedules() -> Vec<Endpoint> {
    vec![
        get("/api/v1/schedules", Need::VIEW, schedules::list).named("list_schedules", "The schedules."),
        post("/api/v1/schedules", Need::MANAGE, schedules::create)
            .named("create_schedule", "Makes a schedule."),
        get("/api/v1/schedules/{id}", Need::VIEW, schedules::get).named("get_schedule", "One schedule."),
        put("/api/v1/schedules/{id}", Need::MANAGE, schedules::set)
            .named("set_schedule", "Makes a schedule another one; its overrides stay.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/schedules/{id}", Need::MANAGE, schedules::remove)
            .named("remove_schedule", "Removes a schedule with its overrides."),
        get("/api/v1/schedules/{id}/on-call", Need::VIEW, schedules::on_call)
            .named("get_on_call", "Who is on call at a time.")
            .query(schedules::AT),
        get("/api/v1/schedules/{id}/calendar", Need::VIEW, schedules::calendar)
            .named("get_schedule_calendar", "The final calendar, with its gaps.")
            .query(schedules::RANGE),
        get("/api/v1/schedules/{id}/fairness", Need::VIEW, schedules::fairness)
            .named("get_schedule_fairness", "How evenly being on call is spread.")
            .query(schedules::RANGE),
        post("/api/v1/schedules/{id}/feed", Need::Person, feeds::create).named(
            "create_schedule_feed",
            "A secret link to it for calendar programs; one's link of before ends.",
        ),
        delete("/api/v1/schedules/{id}/feed", Need::Person, feeds::remove)
            .named("remove_schedule_feed", "Ends one's link."),
        get("/api/v1/calendars/{token}", Need::Nothing, feeds::show)
            .named("get_calendar", "A schedule as an iCalendar, for whoever has the link."),
        get("/api/v1/schedules/{id}/overrides", Need::VIEW, overrides::list)
            .named("list_overrides", "Its overrides that have not ended."),
        post("/api/v1/schedules/{id}/overrides", Need::TRIAGE, overrides::create)
            .named("create_override", "Makes an override."),
        delete("/api/v1/schedules/{id}/overrides/{override_id}", Need::TRIAGE, overrides::remove)
            .named("remove_override", "Removes an override."),
    ]
}

fn of_calendars() -> Vec<Endpoint> {
    vec![
        post("/api/v1/schedules/{id}/import", Need::MANAGE, import::run).named(
            "import_calendar",
            "Makes overrides of the events of an iCalendar, instead of those of the import before.",
        ),
        get("/api/v1/schedules/{id}/subscription", Need::MANAGE, subscriptions::get)
            .named("get_calendar_subscription", "The calendar that it follows, and how it goes with it."),
        put("/api/v1/schedules/{id}/subscription", Need::MANAGE, subscriptions::set).named(
            "set_calendar_subscription",
            "Has it follow a calendar at an address: its events become overrides, again and again.",
        ),
        delete("/api/v1/schedules/{id}/subscription", Need::MANAGE, subscriptions::remove).named(
            "remove_calendar_subscription",
            "Has it follow no calendar any more; the overrides that the calendar made end.",
        ),
        post("/api/v1/schedules/{id}/subscription/fetch", Need::MANAGE, subscriptions::fetch).named(
            "fetch_calendar_subscription",
            "Has the calendar be fetched now, or a minute after the last time.",
        ),
    ]
}

fn of_swaps() -> Vec<Endpoint> {
    vec![
        get("/api/v1/schedules/{id}/swaps", Need::VIEW, swaps::list).named(
            "list_swaps",
            "Who asks for whom to take their shifts, and what came of it; the newest first.",
        ),
        post("/api/v1/schedules/{id}/swaps", Need::Person, swaps::ask)
            .named("ask_for_swap", "Asks one's team, or somebody of it, to take one's shifts within a time."),
        post("/api/v1/schedules/{id}/swaps/{swap_id}/take", Need::Person, swaps::take)
            .named("take_swap", "Takes them: an override is made."),
        post("/api/v1/schedules/{id}/swaps/{swap_id}/decline", Need::Person, swaps::decline)
            .named("decline_swap", "Says no."),
        post("/api/v1/schedules/{id}/swaps/{swap_id}/withdraw", Need::Person, swaps::withdraw)
            .named("withdraw_swap", "Takes one's own request back."),
    ]
}

fn of_teams() -> Vec<Endpoint> {
    vec![
        get("/api/v1/escalation-policies", Need::VIEW, escalation_policies::list)
            .named("list_escalation_policies", "The escalation policies."),
        post("/api/v1/escalation-policies", Need::MANAGE, escalation_policies::create)
            .named("create_escalation_policy", "Makes an escalation policy."),
        get("/api/v1/escalation-policies/{id}", Need::VIEW, escalation_policies::get)
            .named("get_escalation_policy", "One escalation policy in its newest version."),
        put("/api/v1/escalation-policies/{id}", Need::MANAGE, escalation_policies::set)
            .named("set_escalation_policy", "Gives a policy another version; open incidents keep theirs.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/escalation-policies/{id}", Need::MANAGE, escalation_policies::remove)
            .named("remove_escalation_policy", "Removes a policy that no rule and no alert source leads to.")
            .fails(&[Code::Conflict]),
        get("/api/v1/routing-rules", Need::VIEW, routing_rules::list)
            .named("list_routing_rules", "The routing rules, in the order in which they are looked at."),
        post("/api/v1/routing-rules", Need::MANAGE, routing_rules::create)
            .named("create_routing_rule", "Makes a routing rule."),
        put("/api/v1/routing-rules/{id}", Need::MANAGE, routing_rules::set)
            .named("set_routing_rule", "Makes a routing rule another one."),
        delete("/api/v1/routing-rules/{id}", Need::MANAGE, routing_rules::remove)
            .named("remove_routing_rule", "Removes a routing rule; incidents that it opened go on."),
        put("/api/v1/teams/{id}/response-times", Need::MANAGE, response_times::set).named(
            "set_response_times",
            "Changes how long the team's incidents have to be answered; counts for what begins later.",
        ),
    ]
}

fn of_alerts() -> Vec<Endpoint> {
    vec![
        get("/api/v1/alert-sources", Need::VIEW, alert_sources::list)
            .named("list_alert_sources", "The alert sources, by name, without their keys."),
        post("/api/v1/alert-sources", Need::MANAGE, alert_sources::create).named(
            "create_alert_source",
            "Makes an alert source. Its key is in this answer and nowhere else.",
        ),
        patch("/api/v1/alert-sources/{id}", Need::MANAGE, alert_sources::change)
            .named(
                "change_alert_source",
                "Changes an alert source; incidents that it opened stay as they are.",
            )
            .fails(&[Code::Conflict]),
        delete("/api/v1/alert-sources/{id}", Need::MANAGE, alert_sources::remove)
            .named("remove_alert_source", "Removes an alert source; incidents that it opened go on."),
        post("/api/v1/alert-sources/{id}/rotate", Need::MANAGE, alert_sources::rotate)
            .named("rotate_alert_source", "Gives it another key; the one before is over at once."),
        post("/api/v1/alerts/{key}", Need::Nothing, alerts::generic::take)
            .named("send_alert", "Tells of an alert that fires, or is over. 200 means that it is kept."),
        post("/api/v1/alerts/{key}/alertmanager", Need::Nothing, alerts::alertmanager::take)
            .named("send_alertmanager", "The webhook of Alertmanager and Grafana."),
        post("/api/v1/alerts/{key}/v2/enqueue", Need::Nothing, alerts::pagerduty::take_by_path).named(
            "send_pagerduty_by_path",
            "As PagerDuty's Events API, version 2, whatever the routing key.",
        ),
        post("/v2/enqueue", Need::Nothing, alerts::pagerduty::take).named(
            "send_pagerduty",
            "As PagerDuty's Events API, version 2: the routing key is that of an alert source.",
        ),
    ]
}

fn of_silences() -> Vec<Endpoint> {
    vec![
        get("/api/v1/silences", Need::VIEW, silences::list)
            .named("list_silences", "The silences that have not ended; the one that ends first first."),
        post("/api/v1/silences", Need::TRIAGE, silences::create).named("create_silence", "Makes a silence."),
        delete("/api/v1/silences/{id}", Need::TRIAGE, silences::remove)
            .named("remove_silence", "Removes a silence: what it keeps silent pages at once."),
        get("/api/v1/inhibition-rules", Need::VIEW, inhibition_rules::list)
            .named("list_inhibition_rules", "The inhibition rules, by name."),
        post("/api/v1/inhibition-rules", Need::MANAGE, inhibition_rules::create).named(
            "create_inhibition_rule",
            "Makes an inhibition rule: open incidents that keep others silent.",
        ),
        delete("/api/v1/inhibition-rules/{id}", Need::MANAGE, inhibition_rules::remove).named(
            "remove_inhibition_rule",
            "Removes an inhibition rule: what it keeps silent pages at once.",
        ),
    ]
}

fn of_incidents() -> Vec<Endpoint> {
    vec![
        get("/api/v1/incidents", Need::VIEW, incidents::list)
            .named("list_incidents", "The incidents, the newest first.")
            .query(incidents::PARAMETERS)
            .fails(&[Code::NotFound]),
        get("/api/v1/on-call/metrics", Need::VIEW, metrics::get)
            .named(
                "get_on_call_metrics",
                "How on-call went: answers, pages with their delays, and whom they woke.",
            )
            .query(metrics::PARAMETERS),
        post("/api/v1/incidents", Need::TRIAGE, incident_create::create).named(
            "create_incident",
            "Opens an incident by hand: whoever is on call by its policy is paged at once.",
        ),
        get("/api/v1/incidents/{id}", Need::VIEW, incidents::get).named("get_incident", "One incident."),
        get("/api/v1/incidents/{id}/timeline", Need::VIEW, incidents::timeline)
            .named("get_incident_timeline", "What happened to it, the first first.")
            .query(&[LIMIT, CURSOR]),
        get("/api/v1/incidents/{id}/pages", Need::VIEW, incidents::pages)
            .named("list_incident_pages", "Who was paged by what, and how it went."),
        post("/api/v1/incidents/{id}/acknowledge", Need::TRIAGE, incident_actions::acknowledge)
            .named("acknowledge_incident", "Says that one deals with it: nothing more of it leaves."),
        post("/api/v1/incidents/{id}/unacknowledge", Need::TRIAGE, incident_actions::unacknowledge)
            .named("unacknowledge_incident", "Takes that back: its policy begins again."),
        post("/api/v1/incidents/{id}/resolve", Need::TRIAGE, incident_actions::resolve)
            .named("resolve_incident", "Ends it, and resolves its issue, if it has one."),
        post("/api/v1/incidents/{id}/escalate", Need::TRIAGE, incident_actions::escalate)
            .named("escalate_incident", "Has the next step come at once."),
        post("/api/v1/incidents/{id}/snooze", Need::TRIAGE, incident_actions::snooze)
            .named("snooze_incident", "Puts it off; its policy begins again then."),
        post("/api/v1/incidents/{id}/reassign", Need::TRIAGE, incident_actions::reassign)
            .named("reassign_incident", "Gives it to somebody, who is paged at once."),
        post("/api/v1/incidents/{id}/responders", Need::TRIAGE, incident_actions::add_responder).named(
            "add_incident_responder",
            "Asks somebody to help, who is paged at once; the policy goes on.",
        ),
        post("/api/v1/incidents/{id}/merge", Need::TRIAGE, incident_merge::merge)
            .named("merge_incident", "Makes it part of another open incident, and gives that one."),
        post("/api/v1/incidents/{id}/notes", Need::TRIAGE, incident_actions::note)
            .named("add_incident_note", "Writes something onto its timeline."),
    ]
}

fn of_answers() -> Vec<Endpoint> {
    vec![
        get("/api/v1/answers/{token}", Need::Nothing, answers::show)
            .named("show_answer", "The page where a link of a mail is confirmed. Does nothing."),
        post("/api/v1/answers/{token}", Need::Nothing, answers::confirm)
            .named("confirm_answer", "Does what the link is for, once: the form of that page.")
            .fails(&[Code::UnsupportedMediaType]),
    ]
}

fn of_providers() -> Vec<Endpoint> {
    vec![
        post("/api/v1/slack/interactions", Need::Nothing, slack::receive)
            .named("receive_slack_interaction", "A button of a page that was pressed: a form of Slack's with its signature.")
            .fails(&[Code::Forbidden, Code::UnsupportedMediaType]),
        post("/api/v1/twilio/messages", Need::Nothing, twilio::messages::receive)
            .named(
                "receive_sms",
                "What somebody sends to our number: a form of Twilio's with its signature, answered as TwiML.",
            )
            .fails(&[Code::Forbidden, Code::UnsupportedMediaType]),
        post("/api/v1/twilio/status/{id}", Need::Nothing, twilio::status::receive)
            .named("receive_sms_status", "What became of an SMS: a form of Twilio's with its signature.")
            .fails(&[Code::Forbidden, Code::UnsupportedMediaType]),
        post("/api/v1/twilio/calls/{id}", Need::Nothing, twilio::calls::status)
            .named("receive_call_status", "How a call goes: a form of Twilio's with its signature.")
            .fails(&[Code::Forbidden, Code::UnsupportedMediaType]),
        post("/api/v1/twilio/calls/{id}/key", Need::Nothing, twilio::calls::key)
            .named(
                "receive_call_key",
                "A key that was pressed during a call: a form of Twilio's with its signature, answered as TwiML.",
            )
            .fails(&[Code::Forbidden, Code::UnsupportedMediaType]),
    ]
}
