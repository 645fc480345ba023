//! Whether a silence, or an inhibition rule, is about an incident. Pure.

use bugle_model::{
    IncidentId, LabelMatcher, MatchOperator, Priority, ProjectId, SignalKind, SilenceMatchers,
};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Environments of a silence, and the longest name of one, in bytes.
const MAX_ENVIRONMENTS: usize = 50;
const MAX_ENVIRONMENT: usize = 64;
/// Kinds of a silence.
const MAX_KINDS: usize = 20;
/// Label matchers of a silence, and characters of a name and of a value.
const MAX_LABELS: usize = 20;
const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 1024;
/// Characters of a title.
const MAX_TITLE: usize = 256;
/// Bytes that a compiled regular expression may take.
const REGEX_SIZE: usize = 256 * 1024;

/// What an incident is to silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject<'a> {
    pub project: Option<ProjectId>,
    pub environment: Option<&'a str>,
    pub priority: Priority,
    /// The kind of the signal that opened it; an alert has none.
    pub signal: Option<SignalKind>,
    pub title: &'a str,
    pub labels: &'a BTreeMap<String, String>,
}

/// What is read of an incident to hold matchers against it: [`facts`].
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Facts {
    pub incident: IncidentId,
    pub project: Option<ProjectId>,
    pub environment: Option<String>,
    priority: i16,
    signal: Option<i16>,
    pub title: String,
    pub labels: BTreeMap<String, String>,
}

impl Facts {
    /// `None` when it was made by a newer version.
    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        Some(Subject {
            project: self.project,
            environment: self.environment.as_deref(),
            priority: Priority::from_code(self.priority)?,
            signal: self.signal.and_then(SignalKind::from_code),
            title: &self.title,
            labels: &self.labels,
        })
    }
}

/// SQL: [`Facts`] of the incident `n`, as names and values of `jsonb_build_object`.
macro_rules! facts {
    () => {
        "'incident', n.id, 'project', n.project_id, 'environment', n.environment, 'priority', n.priority, 'signal', n.signal,
         'title', n.title, 'labels', n.labels"
    };
}
pub(super) use facts;

/// Whether all of it is met. A regular expression that cannot be read any more meets nothing: too loud is better than too quiet.
pub(super) fn matches(matchers: &SilenceMatchers, subject: &Subject<'_>) -> bool {
    let SilenceMatchers { project, environments, min_priority, max_priority, kinds, title, labels } =
        matchers;
    let environment_fits = environments.is_empty()
        || subject.environment.is_some_and(|name| environments.iter().any(|wanted| wanted == name));
    let labels_fit = labels.is_empty()
        || (subject.signal.is_none() && labels.iter().all(|matcher| label(matcher, subject.labels)));
    project.is_none_or(|only| subject.project == Some(only))
        && environment_fits
        && min_priority.is_none_or(|least| subject.priority >= least)
        && max_priority.is_none_or(|most| subject.priority <= most)
        && (kinds.is_empty() || subject.signal.is_some_and(|kind| kinds.contains(&kind)))
        && title.as_deref().is_none_or(|pattern| glob(pattern, subject.title))
        && labels_fit
}

fn label(matcher: &LabelMatcher, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&matcher.name).map_or("", String::as_str);
    match matcher.op {
        MatchOperator::Is => value == matcher.value,
        MatchOperator::IsNot => value != matcher.value,
        MatchOperator::Matches => whole(&matcher.value).is_some_and(|regex| regex.is_match(value)),
        MatchOperator::MatchesNot => whole(&matcher.value).is_some_and(|regex| !regex.is_match(value)),
    }
}

/// The regular expression over a whole value; `None` when it is none.
fn whole(pattern: &str) -> Option<Regex> {
    // By itself first: `a)|(b` is none, and would be one inside of the brackets.
    let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build().ok();
    build(pattern)?;
    build(&format!("^(?:{pattern})$"))
}

/// Whether a text is a pattern in which `*` stands for anything. Steps: the product of both lengths at most.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    // The last star, and where the text went on behind what it stood for.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(place) {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, place));
                at += 1;
            }
            (Some(wanted), _) if wanted == c => {
                at += 1;
                place += 1;
            }
            (_, Some((of_star, taken))) => {
                star = Some((of_star, taken + 1));
                (at, place) = (of_star + 1, taken + 1);
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// Every field of a silence's matchers that breaks a limit, and what it must be.
#[must_use]
pub fn silence_mistakes(matchers: &SilenceMatchers) -> Vec<(String, String)> {
    matcher_mistakes("matchers", matchers)
}

/// The same of matchers that are in the field `of`.
#[must_use]
pub fn matcher_mistakes(of: &str, matchers: &SilenceMatchers) -> Vec<(String, String)> {
    let SilenceMatchers { environments, kinds, title, labels, .. } = matchers;
    let mut found = Vec::new();
    let mut unless = |good: bool, field: String, message: String| {
        if !good {
            found.push((field, message));
        }
    };
    let says_something = *matchers != SilenceMatchers::default();
    let message =
        "expected at least one of project, environments, min_priority, max_priority, kinds, title, labels";
    unless(says_something, of.to_owned(), message.to_owned());
    let fits = environments.iter().all(|name| (1..=MAX_ENVIRONMENT).contains(&name.len()));
    let message = format!("at most {MAX_ENVIRONMENTS} names of 1 to {MAX_ENVIRONMENT} bytes");
    unless(environments.len() <= MAX_ENVIRONMENTS && fits, format!("{of}.environments"), message);
    unless(kinds.len() <= MAX_KINDS, format!("{of}.kinds"), format!("at most {MAX_KINDS}"));
    let of_title = title.as_deref().is_none_or(|text| (1..=MAX_TITLE).contains(&text.chars().count()));
    unless(of_title, format!("{of}.title"), format!("1 to {MAX_TITLE} characters"));
    let both = kinds.is_empty() || labels.is_empty();
    let message = "only alerts have labels, and only signals have kinds: give one of both";
    unless(both, format!("{of}.labels"), message.to_owned());
    unless(labels.len() <= MAX_LABELS, format!("{of}.labels"), format!("at most {MAX_LABELS}"));
    for (index, matcher) in labels.iter().enumerate().take(MAX_LABELS) {
        let field = |name: &str| format!("{of}.labels[{index}].{name}");
        let name = (1..=MAX_NAME).contains(&matcher.name.chars().count());
        unless(name, field("name"), format!("1 to {MAX_NAME} characters"));
        let value = matcher.value.chars().count() <= MAX_VALUE;
        unless(value, field("value"), format!("at most {MAX_VALUE} characters"));
        let is_regex = matches!(matcher.op, MatchOperator::Matches | MatchOperator::MatchesNot);
        let message = "is no regular expression that is small enough, as RE2 has them";
        unless(!is_regex || whole(&matcher.value).is_some(), field("value"), message.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn alert<'a>(title: &'a str, labels: &'a BTreeMap<String, String>) -> Subject<'a> {
        let priority = Priority::High;
        Subject {
            project: Some(ProjectId(1)),
            environment: Some("production"),
            priority,
            signal: None,
            title,
            labels,
        }
    }

    fn matcher(name: &str, op: MatchOperator, value: &str) -> LabelMatcher {
        LabelMatcher { name: name.to_owned(), op, value: value.to_owned() }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("Disk full", "Disk full", true),
            ("Disk full", "Disk full on db1", false),
            ("Disk*", "Disk full on db1", true),
            ("*db1", "Disk full on db1", true),
            ("*full*db*", "Disk full on db1", true),
            ("*full*full*", "Disk full on db1", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("ä*ß", "äöüß", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!glob(&"*a".repeat(128), &"a".repeat(100)), "and takes no longer for it");
    }

    #[test]
    fn labels_are_compared_as_alertmanager_does() {
        use MatchOperator::{Is, IsNot, Matches, MatchesNot};
        let labels = labels(&[("job", "node"), ("instance", "db1:9100")]);
        for (name, op, value, expected) in [
            ("job", Is, "node", true),
            ("job", Is, "nod", false),
            ("job", IsNot, "web", true),
            ("instance", Matches, "db[0-9]+:.*", true),
            ("instance", Matches, "db1", false),
            ("instance", Matches, "web|db1:9100", true),
            ("instance", MatchesNot, "web.*", true),
            ("absent", Is, "", true),
            ("absent", Matches, ".+", false),
            ("absent", MatchesNot, ".+", true),
            ("job", Matches, "(", false),
            ("job", MatchesNot, "(", false),
            ("job", Matches, "a)|(node", false),
        ] {
            assert_eq!(label(&matcher(name, op, value), &labels), expected, "{name} {op:?} {value}");
        }
    }

    #[test]
    fn everything_that_is_given_has_to_be_met() {
        let labels = labels(&[("job", "node")]);
        let subject = alert("Disk full", &labels);
        let fits = SilenceMatchers {
            project: Some(ProjectId(1)),
            environments: vec!["staging".to_owned(), "production".to_owned()],
            max_priority: Some(Priority::High),
            title: Some("Disk*".to_owned()),
            labels: vec![matcher("job", MatchOperator::Is, "node")],
            min_priority: Some(Priority::High),
            kinds: Vec::new(),
        };
        assert!(matches(&fits, &subject));
        let other_project = SilenceMatchers { project: Some(ProjectId(2)), ..fits.clone() };
        let other_environment = SilenceMatchers { environments: vec!["staging".to_owned()], ..fits.clone() };
        let lower = SilenceMatchers { max_priority: Some(Priority::Medium), ..fits.clone() };
        let higher =
            SilenceMatchers { min_priority: Some(Priority::Critical), max_priority: None, ..fits.clone() };
        let other_title = SilenceMatchers { title: Some("CPU*".to_owned()), ..fits.clone() };
        let signals = SilenceMatchers { kinds: vec![SignalKind::New], ..SilenceMatchers::default() };
        for other in [other_project, other_environment, lower, higher, other_title, signals] {
            assert!(!matches(&other, &subject), "{other:?}");
        }
    }

    #[test]
    fn label_matchers_are_about_alerts_only() {
        let none = BTreeMap::new();
        let signal = Subject { signal: Some(SignalKind::New), ..alert("Bad", &none) };
        let labels = vec![matcher("severity", MatchOperator::IsNot, "critical")];
        let silence = SilenceMatchers { labels, ..SilenceMatchers::default() };
        assert!(matches(&silence, &alert("Bad", &none)));
        assert!(!matches(&silence, &signal), "an issue has no labels, and would meet every `!=`");
    }
}
