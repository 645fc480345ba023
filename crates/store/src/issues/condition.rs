//! What a search asks of an issue, each in the forms that a statement may need: all issues for which it holds, or
//! whether it holds for one.

use super::filter::{AssigneeFilter, Filter, Range};
use super::sort::Sort;
use super::sql::{Bind, Binds};
use super::wildcard::Values;
use chrono::{DateTime, Utc};

/// One condition; all of them have to hold.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// One of these issues.
    Issues(Vec<i64>),
    /// One of these projects.
    Projects(Vec<i32>),
    Statuses(Vec<i16>),
    Levels(Vec<i16>),
    Priorities(Vec<i16>),
    AssignedTo(AssigneeFilter),
    /// Somebody has bookmarked it, or has not.
    Bookmarked(i32, bool),
    /// Assigned to anybody, or to nobody.
    IsAssigned(bool),
    FirstSeen(Range<DateTime<Utc>>),
    LastSeen(Range<DateTime<Utc>>),
    Events(Range<i64>),
    Users(Range<i64>),
    /// All of these words.
    Words(Vec<String>),
    /// These words, one after the other.
    Phrase(String),
    Tag {
        key: String,
        values: Values,
        negated: bool,
    },
    Person {
        keys: Vec<i64>,
        negated: bool,
    },
}

/// The conditions of a filter; `tags` are its tags with what their wildcards stand for, and `traced` the issues of its trace.
pub(super) fn conditions(
    filter: &Filter,
    projects: Option<Vec<i32>>,
    tags: Vec<(String, Values, bool)>,
    traced: Option<Vec<i64>>,
) -> Vec<Condition> {
    let mut all: Vec<Condition> = traced.map(Condition::Issues).into_iter().collect();
    all.extend(projects.map(Condition::Projects));
    let Filter { statuses, levels, priorities, .. } = filter;
    all.extend(codes(statuses.as_deref(), |one| one.code()).map(Condition::Statuses));
    all.extend(codes(levels.as_deref(), |one| one.code()).map(Condition::Levels));
    all.extend(codes(priorities.as_deref(), |one| one.code()).map(Condition::Priorities));
    all.extend(filter.assignees.iter().map(assignee));
    all.extend(filter.bookmarked.map(|(user, yes)| Condition::Bookmarked(user.0, yes)));
    all.extend(filter.is_assigned.map(Condition::IsAssigned));
    if filter.first_seen != Range::default() {
        all.push(Condition::FirstSeen(filter.first_seen));
    }
    if filter.last_seen != Range::default() {
        all.push(Condition::LastSeen(filter.last_seen));
    }
    if filter.events != Range::default() {
        all.push(Condition::Events(filter.events));
    }
    if filter.users != Range::default() {
        all.push(Condition::Users(filter.users));
    }
    for (key, values, negated) in tags {
        all.push(Condition::Tag { key, values, negated });
    }
    for person in &filter.people {
        all.push(Condition::Person { keys: person.keys.clone(), negated: person.negated });
    }
    // Last: to look at an issue's words costs the most.
    let (phrases, words): (Vec<String>, Vec<String>) =
        filter.texts.iter().cloned().partition(|text| is_phrase(text));
    if !words.is_empty() {
        all.push(Condition::Words(words));
    }
    all.extend(phrases.into_iter().map(Condition::Phrase));
    all
}

fn codes<T>(chosen: Option<&[T]>, code: impl Fn(&T) -> i16) -> Option<Vec<i16>> {
    chosen.map(|chosen| chosen.iter().map(code).collect())
}

fn assignee(filter: &AssigneeFilter) -> Condition {
    if filter.nobody && filter.names.is_empty() && filter.user.is_none() {
        // An index has those that are assigned to anybody.
        return Condition::IsAssigned(filter.negated);
    }
    Condition::AssignedTo(filter.clone())
}

/// Whether a text has several words.
fn is_phrase(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).nth(1).is_some()
}

impl Condition {
    /// A comparison of columns that the index of an order has, for its table named `k`.
    pub fn of_columns(&self, sort: Sort, binds: &mut Binds) -> Option<String> {
        Some(match self {
            Self::Issues(ids) => {
                let (_, id, _) = sort.columns();
                format!("k.{id} = ANY ({})", binds.add(Bind::Longs(ids.clone())))
            }
            // As an array, a project's own list would not be known to be in its order.
            Self::Projects(ids) if ids.len() == 1 => {
                format!("k.project_id = ({})[1]", binds.add(Bind::Ints(ids.clone())))
            }
            Self::Projects(ids) => format!("k.project_id = ANY ({})", binds.add(Bind::Ints(ids.clone()))),
            Self::Statuses(codes) => format!("k.status = ANY ({})", binds.add(Bind::Smalls(codes.clone()))),
            Self::Levels(codes) => format!("k.level = ANY ({})", binds.add(Bind::Smalls(codes.clone()))),
            Self::Priorities(codes) => {
                format!("k.priority = ANY ({})", binds.add(Bind::Smalls(codes.clone())))
            }
            Self::FirstSeen(range) if sort == Sort::FirstSeen => times("k.first_seen", range, binds),
            Self::LastSeen(range) if sort == Sort::LastSeen => times("k.active_at", range, binds),
            _ => return None,
        })
    }

    /// All issues for which it holds, as a query for `issue_id` that an index answers; `None` when there is no such.
    pub fn source(&self, binds: &mut Binds) -> Option<String> {
        Some(match self {
            Self::Projects(ids) => {
                let ids = binds.add(Bind::Ints(ids.clone()));
                format!("SELECT id AS issue_id FROM issues WHERE project_id = ANY ({ids})")
            }
            Self::Priorities(codes) => {
                let codes = binds.add(Bind::Smalls(codes.clone()));
                format!("SELECT issue_id FROM issue_ranks WHERE priority = ANY ({codes})")
            }
            // Nobody and everybody else are too many to be worth an index.
            Self::AssignedTo(to) if !to.negated && !to.nobody => {
                let assigned = assigned("issues", to, binds);
                format!("SELECT id AS issue_id FROM issues WHERE {assigned}")
            }
            Self::Bookmarked(user, true) => {
                format!("SELECT issue_id FROM bookmarks WHERE user_id = {user}")
            }
            Self::IsAssigned(true) => {
                "SELECT id AS issue_id FROM issues WHERE assigned_to IS NOT NULL".to_owned()
            }
            Self::FirstSeen(range) => {
                let within = times("first_seen", range, binds);
                format!("SELECT issue_id FROM issue_ranks WHERE {within}")
            }
            Self::LastSeen(range) => {
                let within = times("active_at", range, binds);
                format!("SELECT id AS issue_id FROM issues WHERE {within}")
            }
            Self::Events(range) => {
                format!("SELECT issue_id FROM issue_ranks WHERE {}", magnitudes("events", range))
            }
            Self::Users(range) => {
                format!("SELECT issue_id FROM issue_ranks WHERE {}", magnitudes("users", range))
            }
            Self::Words(words) => {
                format!("SELECT issue_id FROM issue_texts WHERE words @@ ({})", query(words, binds))
            }
            Self::Phrase(phrase) => {
                let text = binds.add(Bind::Text(phrase.clone()));
                // What the index names by words and neighbours is looked at. It is asked for each word: asked for the phrase, the
                // neighbours of whatever it names would be made again.
                format!(
                    "SELECT issue_id FROM issue_texts WHERE bugle_pairs(words) @> (SELECT bugle_phrase_pairs({text}))
                         AND words @@ (SELECT bugle_query_words({text})) AND (words @@ (SELECT bugle_query({text}))) IS TRUE"
                )
            }
            Self::Tag { key, values, negated: false } if values.is_indexed() => {
                let key = binds.add(Bind::Text(key.clone()));
                format!("SELECT issue_id FROM issue_tags t WHERE t.key = {key}{}", values.test("t", binds))
            }
            Self::Person { keys, negated: false } => {
                let keys = binds.add(Bind::Longs(keys.clone()));
                format!("SELECT issue_id FROM issue_user_keys WHERE key_hash = ANY ({keys})")
            }
            _ => return None,
        })
    }

    /// Whether a source says less than the condition: counts are indexed by their magnitude.
    pub const fn is_rough(&self) -> bool {
        matches!(self, Self::Events(_) | Self::Users(_))
    }

    /// What reading an issue from its source costs, in rows of an index: whatever is found by its words is read from its table.
    pub const fn cost(&self) -> usize {
        if matches!(self, Self::Words(_) | Self::Phrase(_)) { 8 } else { 1 }
    }

    /// Whether it holds for the issue `id`, in a form that is evaluated for one issue after the other.
    pub fn probe(&self, id: &str, binds: &mut Binds) -> String {
        let (table, test, negated) = self.rows(id, binds);
        let is = if negated { "IS NULL" } else { "IS NOT NULL" };
        format!("(SELECT 1 FROM {table} WHERE {test} LIMIT 1) {is}")
    }

    /// A row that is there (or, negated, is not) when it holds for an issue: table and test.
    fn rows(&self, id: &str, binds: &mut Binds) -> (&'static str, String, bool) {
        let of_issue = |test: String| ("issues o", format!("o.id = {id} AND {test}"), false);
        match self {
            Self::Issues(ids) => of_issue(format!("o.id = ANY ({})", binds.add(Bind::Longs(ids.clone())))),
            Self::Projects(ids) => {
                of_issue(format!("o.project_id = ANY ({})", binds.add(Bind::Ints(ids.clone()))))
            }
            Self::Statuses(codes) => {
                of_issue(format!("o.status = ANY ({})", binds.add(Bind::Smalls(codes.clone()))))
            }
            Self::Levels(codes) => {
                of_issue(format!("o.level = ANY ({})", binds.add(Bind::Smalls(codes.clone()))))
            }
            Self::Priorities(codes) => {
                of_issue(format!("o.priority = ANY ({})", binds.add(Bind::Smalls(codes.clone()))))
            }
            Self::AssignedTo(to) => of_issue(assigned("o", to, binds)),
            Self::Bookmarked(user, yes) => {
                ("bookmarks o", format!("o.issue_id = {id} AND o.user_id = {user}"), !yes)
            }
            Self::IsAssigned(yes) => of_issue(format!("(o.assigned_to IS NOT NULL) = {yes}")),
            Self::FirstSeen(range) => of_issue(times("o.first_seen", range, binds)),
            Self::LastSeen(range) => of_issue(times("o.active_at", range, binds)),
            Self::Events(range) => counts(id, "events", range),
            Self::Users(range) => counts(id, "users", range),
            Self::Words(words) => words_of(id, words, binds),
            Self::Phrase(phrase) => words_of(id, std::slice::from_ref(phrase), binds),
            Self::Tag { key, values, negated } => {
                let key = binds.add(Bind::Text(key.clone()));
                let test = format!("o.issue_id = {id} AND o.key = {key}{}", values.test("o", binds));
                ("issue_tags o", test, *negated)
            }
            Self::Person { keys, negated } => {
                let keys = binds.add(Bind::Longs(keys.clone()));
                ("issue_user_keys o", format!("o.issue_id = {id} AND o.key_hash = ANY ({keys})"), *negated)
            }
        }
    }
}

/// A person is found by their account: others may have the same name.
fn assigned(table: &str, to: &AssigneeFilter, binds: &mut Binds) -> String {
    let names = binds.add(Bind::Texts(to.names.clone()));
    let mut any = vec![format!("{table}.assigned_to = ANY ({names})")];
    any.extend(to.user.map(|user| format!("{table}.assigned_user_id = {}", user.0)));
    if to.nobody {
        any.push(format!("{table}.assigned_to IS NULL"));
    }
    // Of an issue that is nobody's, a comparison is null: it is not assigned to whom is named either.
    let negation = if to.negated { " IS NOT TRUE" } else { "" };
    format!("({}){negation}", any.join(" OR "))
}

/// All texts as one query of words. A subquery, so that it is made of them once and not for each issue that is looked at.
fn query(texts: &[String], binds: &mut Binds) -> String {
    let each: Vec<String> =
        texts.iter().map(|text| format!("bugle_query({})", binds.add(Bind::Text(text.clone())))).collect();
    format!("SELECT {}", each.join(" && "))
}

fn words_of(id: &str, texts: &[String], binds: &mut Binds) -> (&'static str, String, bool) {
    ("issue_texts o", format!("o.issue_id = {id} AND o.words @@ ({})", query(texts, binds)), false)
}

/// An issue that was never counted has none: where none will do, it is a count outside of the range that must not be there.
fn counts(id: &str, column: &str, range: &Range<i64>) -> (&'static str, String, bool) {
    let (from, to) = (range.from.unwrap_or(0), range.to.unwrap_or(i64::MAX));
    let none_will_do = from <= 0 && to >= 0;
    let within = if none_will_do { "NOT BETWEEN" } else { "BETWEEN" };
    ("issue_counts o", format!("o.issue_id = {id} AND o.{column} {within} {from} AND {to}"), none_will_do)
}

fn magnitudes(column: &str, range: &Range<i64>) -> String {
    let from = range.from.map(|from| format!("{column} >= bugle_magnitude({from})"));
    let to = range.to.map(|to| format!("{column} <= bugle_magnitude({to})"));
    let both: Vec<String> = from.into_iter().chain(to).collect();
    both.join(" AND ")
}

fn times(column: &str, range: &Range<DateTime<Utc>>, binds: &mut Binds) -> String {
    let from = range.from.map(|from| format!("{column} >= {}", binds.add(Bind::Time(from))));
    let to = range.to.map(|to| format!("{column} <= {}", binds.add(Bind::Time(to))));
    let both: Vec<String> = from.into_iter().chain(to).collect();
    both.join(" AND ")
}
