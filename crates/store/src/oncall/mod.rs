//! On-call: how people are reached, who is on call, and incidents.
//!
//! ```text
//! signal ─ open ─▶ triggered ◀──────────────┐ un-acknowledged, timed out, snooze over, escalated, reassigned:
//!                    │  ▲ work: a step is due │ a new generation
//!     acknowledge    ▼  │                     │
//!                 acknowledged ───────────────┘
//!                    │
//!                    ▼  resolve; the issue was resolved, ignored or deleted
//!                 resolved                    what comes of the issue later opens another incident
//! ```
//!
//! [`open`](fn@open) makes incidents from signals, [`fire_alert`] from alerts of other tools, [`open_by_hand`] for people. One that a silence is
//! about, or that another incident keeps silent, or that flaps, is triggered too, with the end of that as the time at which it is due. [`work`](fn@work) claims those that something is due of, and does what the caller decides
//! with the [`Directory`] of that moment: pages are rows of `notifications`, with the time at which each is due.
//! What ends or restarts an incident cancels its pages in the same transaction, and a claim of pages looks again
//! ([`crate::notifications::claim()`]).

mod act;
mod alert_sources;
mod alerts;
mod answer_links;
mod by_hand;
mod calendar_urls;
mod calls;
mod contact_methods;
mod decision;
mod directory;
mod due;
mod feeds;
mod fetching;
mod flapping;
mod follow;
mod handoffs;
mod importing;
mod inhibitions;
mod log;
mod matchers;
mod members;
mod merging;
mod messages;
mod metrics;
mod notification_rules;
mod open;
mod overrides;
mod pages;
mod policies;
mod quiet_hours;
mod read;
mod replies;
mod responders;
mod response_times;
mod room;
mod routing;
mod schedules;
mod sent;
mod silences;
mod silencing;
mod subscriptions;
mod swaps;
mod turns;
mod watch;
mod work;

pub use act::{Acted, acknowledge, escalate, note, reassign, resolve, snooze, unacknowledge};
pub use alert_sources::{
    AlertSource, AlertSourceChange, NewAlertSource, change_alert_source, create_alert_source,
    delete_alert_source, find_alert_source, list_alert_sources, note_alert_source, set_alert_source_key,
};
pub use alerts::{Fired, MAX_OPEN_OF_SOURCE, acknowledge_alert, end_alert, fire_alert};
pub use answer_links::{
    AnswerLink, NewAnswerLink, add_answer_links, get_answer_link, lock_answer_link, prune_answer_links,
    use_answer_link,
};
pub use by_hand::{NewIncident, open_by_hand};
pub use calendar_urls::{CalendarUrl, MAX_CALENDAR_URL};
pub use calls::{Call, find_call};
pub use contact_methods::{
    ContactMethod, MAX_CODE_TRIES, MAX_METHODS, NewContactMethod, Verified, contact_method_mistakes,
    create_contact_method, delete_contact_method, list_contact_methods, send_code, send_test,
    verify_contact_method,
};
pub use decision::{Decision, FiredStep, NewLog, NewPage, Pending, RESPONDER_STEP};
pub use directory::{Directory, Person, Room, Rule};
pub use due::Due;
pub use feeds::{Named, ScheduleFeed, find_feed, names_of, remove_feed, set_feed};
pub use fetching::{
    DueSubscription, Failing, Followed, ReadCalendar, claim_subscriptions, follow_calendar, note_failure,
    note_told, note_unchanged,
};
pub use follow::follow_issues;
pub(crate) use follow::{follow_delete, follow_merge};
pub use handoffs::{
    BEFORE_HOURS, HandoffKey, HandoffSettings, Listener, Listeners, handoff_listeners, handoff_settings,
    note_gap, note_handoff, prune_handoffs, set_handoff_settings, told_handoffs,
};
pub use importing::{Before, PlannedImport, plan_import, replace_imported};
pub use inhibitions::{
    InhibitionRule, NewInhibitionRule, create_inhibition_rule, delete_inhibition_rule, list_inhibition_rules,
};
pub use log::By;
pub use matchers::silence_mistakes;
pub use members::stop_paging;
pub use merging::{Merged, merge_incident, merged_issues};
pub use messages::{
    LastEvent, StaleMessage, claim_stale_messages, forget_message, last_event, lock_incident, note_message,
    put_off_message, show_message,
};
pub use metrics::{
    ChannelMetrics, Durations, MAX_RANGE, MetricsFilter, OnCallMetrics, PersonMetrics, PriorityCounts,
    metrics,
};
pub use notification_rules::{
    MAX_RULES, NewNotificationRule, NotificationRule, create_notification_rule, delete_notification_rule,
    list_notification_rules,
};
pub use open::{Opened, Trigger, open, open_issues};
pub use overrides::{
    StoredOverride, create_override, delete_override, end_override, list_overrides, lock_schedule,
    pass_override,
};
pub use policies::{
    Policy, create_policy, delete_policy, get_policy, list_policies, unknown_targets, update_policy,
};
pub use quiet_hours::{QuietHours, quiet_hours, set_quiet_hours};
pub use read::{
    Incident, IncidentFilter, Page, TimelineEntry, get_incident, list_incidents, pages_of, timeline,
};
pub use replies::{
    Reply, ReplyOwner, answer_reply, count_misunderstood, note_reply, page_failed, prune_replies,
    reply_owners, start_number, stop_number, switch_off,
};
pub use responders::{MAX_RESPONDERS, Responder, add_responder, has_room_for_responder, join_as_responder};
pub use response_times::{ResponseTimes, set_response_times};
pub use room::{MAX_OF_TEAM, OfTeam, has_room};
pub use routing::{
    NewRoutingRule, RoutingRule, TagMatcher, create_routing_rule, delete_routing_rule, list_routing_rules,
    rules_of_projects, set_routing_rule,
};
pub use schedules::{
    StoredSchedule, create_schedule, delete_schedule, get_schedule, list_schedules, readable_schedules,
    update_schedule,
};
pub use sent::{MESSAGES_A_DAY, MESSAGES_AN_HOUR, next_message_at};
pub use silences::{
    NewSilence, Silence, create_silence, delete_silence, has_room_for_silence, list_silences,
};
pub use silencing::{Silencing, SilentBy};
pub use subscriptions::{
    Subscribed, Subscription, fetch_soon, get_subscription, remove_subscription, set_subscription,
};
pub use swaps::{
    Colleague, NewSwap, SWAPS_A_DAY, Swap, colleagues, create_swap, decline_swap, list_swaps, lock_swap,
    next_swap_at, settle_swap,
};
pub use turns::Turns;
pub use watch::{OVERDUE_AFTER, Overdue, OverdueGauge, last_sent, overdue, rearm, working_notifiers};
pub use work::work;
