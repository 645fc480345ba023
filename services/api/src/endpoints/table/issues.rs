//! Issues and their events.

use super::super::stats::PERIOD;
use super::super::{
    attachments, event_anywhere, event_feedback, events, issue, issue_activity, issue_bookmark, issue_change,
    issue_comment, issue_delete, issue_event, issue_events, issue_export, issue_facets, issue_grouping,
    issue_merge, issue_share, issue_stats, issue_tags, issues, issues_bulk, saved_searches, tag_names,
};
use crate::access::{Endpoint, Need, delete, get, patch, post, put};
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use bugle_web::Code;

/// Which of several events with the same id.
const OF_EVENT: &[Parameter] = &[parameter::<String>("project", "The event's project, by id or name.")];

pub(super) fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/v1/issues", Need::VIEW, issues::handler)
            .named("list_issues", "The issues, those seen last first.")
            .query(issues::PARAMETERS),
        get("/api/v1/issues/export", Need::VIEW, issue_export::issues)
            .named("export_issues", "Streams every issue that a search finds.")
            .query(issue_export::OF_ISSUES),
        get("/api/v1/issues/facets", Need::VIEW, issue_facets::handler)
            .named(
                "get_issue_facets",
                "How what a search finds is spread over statuses, levels and the like.",
            )
            .query(issue_facets::PARAMETERS),
        post("/api/v1/issues/bulk", Need::TRIAGE, issues_bulk::handler)
            .named("change_issues", "Makes one change to many issues.")
            .fails(&[Code::Conflict]),
        get("/api/v1/issues/{id}", Need::VIEW, issue::handler).named("get_issue", "One issue."),
        patch("/api/v1/issues/{id}", Need::TRIAGE, issue_change::handler)
            .named("change_issue", "Changes status, priority or assignee."),
        delete("/api/v1/issues/{id}", Need::TRIAGE, issue_delete::handler)
            .named("delete_issue", "Removes an issue with its events.")
            .query(issue_delete::PARAMETERS)
            .fails(&[Code::Conflict]),
        get("/api/v1/issues/{id}/events", Need::VIEW, issue_events::handler)
            .named("list_issue_events", "Its events, the newest first.")
            .query(issue_events::PARAMETERS),
        get("/api/v1/issues/{id}/events/export", Need::VIEW, issue_export::events)
            .named("export_events", "Streams every event of it.")
            .query(issue_export::OF_EVENTS),
        get("/api/v1/issues/{id}/events/{event_id}", Need::VIEW, issue_event::handler)
            .named(
                "get_issue_event",
                "One of its events, `first` and `last` among them, with its neighbours.",
            )
            .query(&issue_events::FILTER),
        get("/api/v1/issues/{id}/stats", Need::VIEW, issue_stats::handler)
            .named("get_issue_stats", "Its events over time.")
            .query(&[PERIOD]),
        get("/api/v1/issues/{id}/tags", Need::VIEW, issue_tags::handler)
            .named("get_issue_tags", "How often each value of each tag occurs among its latest events."),
        get("/api/v1/issues/{id}/activity", Need::VIEW, issue_activity::handler)
            .named("list_issue_activity", "What happened to it, the latest first.")
            .query(&[LIMIT, CURSOR]),
        post("/api/v1/issues/{id}/comments", Need::TRIAGE, issue_comment::handler)
            .named("comment_issue", "Says something about it."),
        get("/api/v1/issues/{id}/comments/{comment_id}", Need::VIEW, issue_comment::get)
            .named("get_comment", "One comment."),
        patch("/api/v1/issues/{id}/comments/{comment_id}", Need::TRIAGE, issue_comment::change)
            .named("change_comment", "Changes a comment of one's own."),
        delete("/api/v1/issues/{id}/comments/{comment_id}", Need::TRIAGE, issue_comment::remove)
            .named("remove_comment", "Removes a comment of one's own."),
        get("/api/v1/issues/{id}/grouping", Need::VIEW, issue_grouping::handler)
            .named("explain_issue_grouping", "Why its latest event is grouped as it is."),
        get("/api/v1/issues/{id}/fingerprints", Need::VIEW, issue_merge::fingerprints)
            .named("list_fingerprints", "What its events are grouped by."),
        post("/api/v1/issues/{id}/merge", Need::TRIAGE, issue_merge::merge)
            .named("merge_issues", "Makes other issues part of it.")
            .fails(&[Code::Conflict]),
        post("/api/v1/issues/{id}/unmerge", Need::TRIAGE, issue_merge::unmerge)
            .named("unmerge_issue", "Gives some of its fingerprints an issue of their own.")
            .fails(&[Code::Conflict]),
        post("/api/v1/issues/{id}/share", Need::TRIAGE, issue_share::create)
            .named("share_issue", "Makes a secret link to it; the one before ends."),
        delete("/api/v1/issues/{id}/share", Need::TRIAGE, issue_share::remove)
            .named("unshare_issue", "Ends the secret link to it."),
        get("/api/v1/shared/{token}", Need::Nothing, issue_share::show)
            .named("get_shared_issue", "What a secret link shows of an issue."),
        put("/api/v1/issues/{id}/bookmark", Need::Person, issue_bookmark::put)
            .named("bookmark_issue", "Bookmarks it for whoever asks."),
        delete("/api/v1/issues/{id}/bookmark", Need::Person, issue_bookmark::remove)
            .named("remove_bookmark", "Removes the bookmark of whoever asks."),
        get("/api/v1/searches", Need::Person, saved_searches::list)
            .named("list_searches", "One's own saved searches, and those of one's teams.")
            .query(&[LIMIT, CURSOR]),
        post("/api/v1/searches", Need::Person, saved_searches::create)
            .named("save_search", "Saves a search, for oneself or for a team.")
            .fails(&[Code::Conflict]),
        get("/api/v1/searches/{id}", Need::Person, saved_searches::get)
            .named("get_search", "A saved search."),
        patch("/api/v1/searches/{id}", Need::Person, saved_searches::change)
            .named("change_search", "Changes a saved search.")
            .fails(&[Code::Conflict]),
        delete("/api/v1/searches/{id}", Need::Person, saved_searches::remove)
            .named("remove_search", "Forgets a saved search."),
        get("/api/v1/events", Need::VIEW, events::handler)
            .named("list_trace_events", "The events of a trace, across projects.")
            .query(events::PARAMETERS),
        get("/api/v1/tags/keys", Need::VIEW, tag_names::keys)
            .named("list_tag_keys", "The names of tags, for completion.")
            .query(tag_names::KEYS),
        get("/api/v1/tags/values", Need::VIEW, tag_names::values)
            .named("list_tag_values", "The values of a tag, for completion.")
            .query(tag_names::VALUES),
        get("/api/v1/events/{event_id}", Need::VIEW, event_anywhere::handler)
            .named("find_event", "An event by its id alone.")
            .fails(&[Code::Conflict]),
        get("/api/v1/events/{event_id}/attachments", Need::VIEW, attachments::list)
            .named("list_attachments", "The files that came with an event.")
            .query(OF_EVENT)
            .fails(&[Code::Conflict]),
        get("/api/v1/events/{event_id}/feedback", Need::VIEW, event_feedback::handler)
            .named("list_feedback", "What users said about an event.")
            .query(OF_EVENT)
            .fails(&[Code::Conflict]),
        get("/api/v1/attachments/{id}", Need::VIEW, attachments::download)
            .named("download_attachment", "The bytes of a file that came with an event."),
    ]
}
