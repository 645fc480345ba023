use super::*;
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_014_400, 0).unwrap()
}

fn understood(text: &str) -> Query {
    parse(text, now()).unwrap()
}

fn tag(key: &str, values: &[&str], negated: bool) -> TagFilter {
    TagFilter {
        key: key.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        negated,
    }
}

fn wanted<T: Copy + PartialEq>(values: [T; 2]) -> Choice<T> {
    let mut choice = Choice::default();
    for value in values {
        choice.add(value, false);
    }
    choice
}

#[test]
fn filters_words_and_phrases() {
    let query = understood(r#"is:unresolved  timeout level:error level:fatal "in a:b \"x\"" is:ignored"#);
    let expected = Query {
        statuses: wanted([IssueStatus::Unresolved, IssueStatus::Ignored]),
        levels: wanted([Level::Error, Level::Fatal]),
        texts: vec!["timeout".to_owned(), r#"in a:b "x""#.to_owned()],
        ..Query::default()
    };
    assert_eq!(query, expected);
    assert_eq!(understood("  "), Query::default());
}

#[test]
fn tags_with_several_values_wildcards_and_turned_round() {
    let query =
        understood(r#"release:shop@1.4.* !browser:"Chrome 120" release:shop@2.0 has:trace !has:user"#);
    assert_eq!(
        query.tags,
        [
            tag("release", &["shop@1.4.*", "shop@2.0"], false),
            tag("browser", &["Chrome 120"], true),
            tag("trace", &[], false),
            tag("user", &[], true),
        ]
    );
    assert_eq!(query.tag_places, [0, 19, 62, 73]);
}

#[test]
fn numbers_and_ages_narrow() {
    let query = understood("times_seen:>100 times_seen:<=200 users:5 age:-24h last_seen:+7d");
    assert_eq!(query.events, Range { from: Some(101), to: Some(200) });
    assert_eq!(query.users, Range { from: Some(5), to: Some(5) });
    assert_eq!(query.first_seen.from, Some(now() - TimeDelta::hours(24)));
    let before = query.last_seen.to.unwrap();
    assert!(before < now() - TimeDelta::days(7) && before > now() - TimeDelta::days(8));
}

#[test]
fn names_turned_round_are_all_the_others() {
    let query =
        understood("!is:ignored priority:high assigned:ann !is:unassigned !assigned:#web !assigned:none");
    let names = vec!["ann".to_owned(), "#ann".to_owned()];
    assert_eq!(query.assigned_to, Assignees { names, ..Assignees::default() });
    let names = vec!["#web".to_owned()];
    assert_eq!(query.not_assigned_to, Assignees { names, nobody: true, ..Assignees::default() });
    let filter = query.into_filter().unwrap();
    assert_eq!(filter.statuses, Some(vec![IssueStatus::Unresolved, IssueStatus::Resolved]));
    assert_eq!((filter.levels, filter.priorities), (None, Some(vec![Priority::High])));
    assert_eq!((filter.is_assigned, filter.bookmarked), (Some(true), None));
}

#[test]
fn what_is_turned_round_is_taken_from_what_is_asked_for() {
    let statuses = |query: &str| understood(query).into_filter().map(|filter| filter.statuses);
    let ignored = Some(Some(vec![IssueStatus::Ignored]));
    for query in ["!is:resolved is:ignored", "is:ignored !is:resolved", "!is:resolved !is:unresolved"] {
        assert_eq!(statuses(query), ignored, "{query}");
    }
    for query in [
        "is:resolved !is:resolved",
        "!is:resolved is:resolved",
        "!is:resolved !is:unresolved !is:ignored",
        "level:error !level:error",
        "!priority:low priority:low",
        "!is:assigned !is:unassigned",
        "is:bookmarked !is:bookmarked",
    ] {
        assert_eq!(statuses(query), None, "{query}");
    }
    let both = understood("is:assigned is:unassigned is:assigned").into_filter().unwrap();
    assert_eq!(both.is_assigned, None);
    let levels = |query: &str| of_events(query, now()).unwrap().levels;
    assert_eq!(levels("level:error !level:fatal level:fatal"), Some(vec![Level::Error]));
    assert_eq!(levels("!level:error level:error"), Some(Vec::new()));
}

#[test]
fn people_and_traces_are_looked_up() {
    let query = understood(
        "user.email:a@b.c user.email:d@e.f !user.ip:192.0.2.7 trace:4f1d6c2a9b3e4d5f8a7b6c5d4e3f2a1b",
    );
    let email = (UserKey::Email, vec!["a@b.c".to_owned(), "d@e.f".to_owned()], false);
    assert_eq!(query.people, [email, (UserKey::Ip, vec!["192.0.2.7".to_owned()], true)]);
    assert_eq!(query.trace, Some(Uuid::from_u128(0x4f1d_6c2a_9b3e_4d5f_8a7b_6c5d_4e3f_2a1b)));
}

#[test]
fn of_events_only_what_an_event_has() {
    let filter = of_events("level:error age:-1h release:1.* !has:user user.id:7 broken", now()).unwrap();
    assert_eq!((filter.levels, filter.tags.len(), filter.people.len()), (Some(vec![Level::Error]), 2, 1));
    assert_eq!(filter.received.from, Some(now() - TimeDelta::hours(1)));
    let errors = of_events("x is:unresolved !assigned:me", now()).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.position).collect::<Vec<_>>(), [2, 16]);
}

#[test]
fn anything_else_is_refused_with_its_place() {
    let places = |text: &str| {
        let errors = parse(text, now()).unwrap_err();
        errors.into_iter().map(|error| error.position).collect::<Vec<_>>()
    };
    assert_eq!(places("is:open"), [3]);
    assert_eq!(places("ü Release:1.0 level:loud"), [2, 20]);
    assert_eq!(places("a OR b"), [2]);
    assert_eq!(places("a \"b"), [2]);
    assert_eq!(places("TypeError: x"), [0]);
    assert_eq!(places("times_seen:many age:24h"), [11, 20]);
    assert_eq!(places("x:"), [0]);
    assert_eq!(places("a % \"_-_\""), [2, 4]);
    assert_eq!(places("user.name:x user.email:*@b.c trace:1 !trace:2"), [0, 23, 35, 44]);
    assert_eq!(places(&"x".repeat(501)), [500]);
    assert_eq!(places(&"x ".repeat(21)), [40]);
}
