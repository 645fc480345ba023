//! The nouns that the document puts operations under, in the order in which one meets them.

/// A noun of paths, and what it is.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("setup", "The first account."),
    ("sessions", "Signing in and out."),
    ("account", "What people change about themselves."),
    ("availability", "Whether somebody is given issues by themselves, and how many."),
    ("password-resets", "A new password by a link."),
    ("invitations", "Who is asked to join."),
    ("users", "People."),
    ("teams", "Teams own projects."),
    ("members", "Who is in a team, and as what."),
    ("response-times", "How long incidents have to be answered."),
    ("tokens", "Tokens of this API."),
    ("audit", "Who changed what, when, from where."),
    ("projects", "Apps and services."),
    ("ownership", "Who owns what of a project, and who is given its new issues."),
    ("keys", "What apps send with their events."),
    ("destinations", "Where notifications go."),
    ("issues", "Events that are one problem."),
    ("events", "Single occurrences."),
    ("attachments", "Files that came with events."),
    ("feedback", "What users said about events."),
    ("tags", "Names and values of tags."),
    ("searches", "Searches of issues that people come back to."),
    ("discards", "What is not to be heard of again."),
    ("shared", "What secret links show."),
    ("releases", "Versions of apps, and what they brought."),
    ("commits", "What a release is made of."),
    ("deploys", "Where a release runs."),
    ("contact-methods", "How one is reached."),
    ("notification-rules", "When one is told by which contact method."),
    ("quiet-hours", "When one's pages wait."),
    ("handoff-notices", "When one is told of one's shifts."),
    ("schedules", "Who is on call when."),
    ("calendars", "Schedules for calendar programs."),
    ("overrides", "Exceptions from schedules."),
    ("swaps", "Shifts that change hands by consent."),
    ("escalation-policies", "Who is paged in which order."),
    ("routing-rules", "Which signals open an incident."),
    ("alert-sources", "Other tools, whose alerts open incidents."),
    ("alerts", "What other tools tell, each by the key of its source."),
    ("silences", "Times in which incidents are opened without paging anybody."),
    ("inhibition-rules", "Open incidents that keep others silent."),
    ("incidents", "What somebody must answer."),
    ("metrics", "How on-call went."),
    ("answers", "Links of mails that answer a page."),
    (
        "twilio",
        "What Twilio tells: replies by SMS, keys that were pressed during a call, and what became of both.",
    ),
    ("slack", "What Slack tells: buttons of pages that were pressed."),
    ("notifications", "What was told to whom, and how it went."),
    ("outcomes", "How items ended, by the hour."),
    ("stats", "Events over time."),
    ("live", "What changes, as it does."),
    ("storage", "How much room projects take."),
    ("services", "Bugle's own processes."),
    ("canary", "What Bugle tells itself."),
    ("dead-letters", "What was rejected for good."),
    ("errors", "The older contract, for clients that speak it already."),
    ("meta", "This document."),
];

/// Paths that have another word for a noun.
const OTHER_WORDS: [(&str, &str); 3] =
    [("session", "sessions"), ("openapi.json", "meta"), ("enqueue", "alerts")];

/// The tag of a path: its last word that is one, else its first noun.
pub(super) fn tag(path: &'static str) -> &'static str {
    let words = || path.split('/').skip(2).filter(|word| !word.starts_with('{'));
    let known = |word: &str| {
        let word = OTHER_WORDS.iter().find(|(other, _)| *other == word).map_or(word, |(_, tag)| *tag);
        TAGS.iter().map(|(name, _)| *name).find(|name| *name == word)
    };
    words().filter_map(known).last().or_else(|| words().find(|word| *word != "v1")).unwrap_or_default()
}
