//! What was told, in order, for an hour.

use super::item::{Item, Subject};
use bugle_model::TeamId;
use bugle_store::Scope;
use bytestring::ByteString;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use uuid::Uuid;

/// How long a reader may be away and still be told what it missed.
const KEPT_FOR: TimeDelta = TimeDelta::hours(1);
/// What is kept takes at most this many bytes: the changes of some 80,000 issues and notifications.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// How many ticks a reader may be behind before it is told to read everything again.
const BEHIND: usize = 32;
/// For so many sets of teams a message is kept; for others it is made anew for each reader.
const MOST_SHARED: usize = 32;

/// What one look at the store found.
#[derive(Debug)]
pub(super) struct Tick {
    number: u64,
    at: DateTime<Utc>,
    /// None: something was missed, everything is to be read again.
    items: Option<Vec<Item>>,
    id: String,
    /// The message for each set of teams, made once: readers of one team share it. None: its readers have had it.
    messages: Mutex<Option<Messages>>,
}

type Messages = BTreeMap<Option<Vec<TeamId>>, Option<ByteString>>;

impl Tick {
    /// The message for a reader of this scope; none when there is nothing in it for them.
    pub(super) fn message(&self, scope: &Scope) -> Option<ByteString> {
        let Some(items) = &self.items else { return Some(reload(&self.id)) };
        let teams = match scope {
            Scope::All => None,
            Scope::Teams(teams) => Some(teams.clone()),
        };
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        match messages.as_mut() {
            Some(made) if made.len() < MOST_SHARED || made.contains_key(&teams) => {
                made.entry(teams).or_insert_with(|| self.made(items, scope)).clone()
            }
            _ => self.made(items, scope),
        }
    }

    fn made(&self, items: &[Item], scope: &Scope) -> Option<ByteString> {
        let texts: Vec<&str> =
            items.iter().filter(|item| scope.holds(item.team)).map(|item| &*item.text).collect();
        let text = format!(r#"{{"type":"changes","id":"{}","items":[{}]}}"#, self.id, texts.join(","));
        (!texts.is_empty()).then(|| text.into())
    }

    /// Shares its messages no more: they take many times the room of what they are made of.
    fn forget_messages(&self) {
        *self.messages.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn bytes(&self) -> usize {
        // A tick without items is not free either.
        64 + self.items.iter().flatten().map(|item| item.text.len()).sum::<usize>()
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.items.iter().flatten().filter_map(|item| item.subject)
    }

    /// Without what it says of these.
    fn without(&self, subjects: &HashSet<Subject>) -> Self {
        let is_left = |item: &&Item| item.subject.is_none_or(|subject| !subjects.contains(&subject));
        let items = self.items.as_ref().map(|items| items.iter().filter(is_left).cloned().collect());
        Self { number: self.number, at: self.at, items, id: self.id.clone(), messages: Mutex::new(None) }
    }
}

/// `{"type":"hello"}`: from here on the reader is told of every change.
pub(super) fn hello(id: &str) -> ByteString {
    format!(r#"{{"type":"hello","id":"{id}"}}"#).into()
}

/// `{"type":"reload"}`: changes were missed, everything is to be read again; from here on the reader is told of every one.
pub(super) fn reload(id: &str) -> ByteString {
    format!(r#"{{"type":"reload","id":"{id}"}}"#).into()
}

/// The ticks of this process.
#[derive(Debug)]
pub(super) struct Feed {
    /// Tells this process's ids from those of others.
    name: String,
    last: u64,
    /// All ticks after this number are kept.
    complete_after: u64,
    kept: VecDeque<Arc<Tick>>,
    bytes: usize,
    /// The number of the tick that says something of each subject: the latest one, and no other that is kept.
    latest: HashMap<Subject, u64>,
    sender: broadcast::Sender<Arc<Tick>>,
}

/// What a reader begins with.
pub(super) struct Beginning {
    /// The id of the last tick there was.
    pub(super) id: String,
    /// What it missed; none when that is not known any more, or it was never here.
    pub(super) missed: Option<Vec<Arc<Tick>>>,
    /// What comes next.
    pub(super) ticks: broadcast::Receiver<Arc<Tick>>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            name: Uuid::new_v4().simple().to_string(),
            last: 0,
            complete_after: 0,
            kept: VecDeque::new(),
            bytes: 0,
            latest: HashMap::new(),
            sender: broadcast::channel(BEHIND).0,
        }
    }

    #[cfg(test)]
    pub(super) const fn kept_bytes(&self) -> usize {
        self.bytes
    }

    fn id(&self, number: u64) -> String {
        format!("{}.{number}", self.name)
    }

    /// The id of the last tick.
    pub(super) fn last_id(&self) -> String {
        self.id(self.last)
    }

    /// Keeps and sends a tick. `items` are none when something was missed.
    pub(super) fn push(&mut self, items: Option<Vec<Item>>, now: DateTime<Utc>) {
        self.last += 1;
        let id = self.id(self.last);
        let tick = Arc::new(Tick {
            number: self.last,
            at: now,
            items,
            id,
            messages: Mutex::new(Some(Messages::new())),
        });
        self.supersede(&tick);
        self.bytes += tick.bytes();
        self.kept.push_back(Arc::clone(&tick));
        // Whoever is so far behind is not told it any more.
        if let Some(old) = self.kept.len().checked_sub(BEHIND + 1).and_then(|place| self.kept.get(place)) {
            old.forget_messages();
        }
        self.forget(now);
        // Nobody may be there.
        let _ = self.sender.send(tick);
    }

    /// Takes out of what is kept what a new tick says anew. Whoever reads along has been sent it already.
    fn supersede(&mut self, tick: &Tick) {
        let mut old: BTreeMap<u64, HashSet<Subject>> = BTreeMap::new();
        for subject in tick.subjects() {
            if let Some(number) = self.latest.insert(subject, tick.number) {
                old.entry(number).or_default().insert(subject);
            }
        }
        let Some(first) = self.kept.front().map(|tick| tick.number) else { return };
        for (number, subjects) in old {
            let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            let Some(kept) = place.and_then(|place| self.kept.get_mut(place)) else { continue };
            let left = kept.without(&subjects);
            self.bytes -= kept.bytes() - left.bytes();
            *kept = Arc::new(left);
        }
    }

    /// Forgets what is older than an hour, or too much.
    fn forget(&mut self, now: DateTime<Utc>) {
        while let Some(first) = self.kept.front()
            && (self.bytes > KEPT_BYTES || now - first.at > KEPT_FOR)
        {
            self.bytes -= first.bytes();
            self.complete_after = first.number;
            for subject in first.subjects() {
                self.latest.remove(&subject);
            }
            self.kept.pop_front();
        }
    }

    /// Forgets everything: changes from now on are not watched.
    pub(super) fn interrupt(&mut self) {
        self.last += 1;
        self.kept.clear();
        self.latest.clear();
        (self.bytes, self.complete_after) = (0, self.last);
    }

    /// Lets a reader in whose last id was `after`.
    pub(super) fn join(&mut self, after: Option<&str>, now: DateTime<Utc>) -> Beginning {
        self.forget(now);
        let number = after
            .and_then(|id| id.strip_prefix(self.name.as_str())?.strip_prefix('.')?.parse::<u64>().ok())
            .filter(|number| (self.complete_after..=self.last).contains(number));
        let missed =
            number.map(|number| self.kept.iter().filter(|tick| tick.number > number).cloned().collect());
        Beginning { id: self.last_id(), missed, ticks: self.sender.subscribe() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::IssueId;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_014_400, 0).unwrap()
    }

    fn item(team: Option<i32>, text: &str) -> Item {
        Item { team: team.map(TeamId), subject: None, text: format!("\"{text}\"").into() }
    }

    fn counts(issue: i64, text: &str) -> Item {
        Item { subject: Some(Subject::Counts(IssueId(issue))), ..item(None, text) }
    }

    fn missed(beginning: Beginning) -> Option<usize> {
        beginning.missed.map(|ticks| ticks.len())
    }

    #[test]
    fn a_reader_is_told_what_is_in_its_teams() {
        let mut feed = Feed::new();
        let first = feed.last_id();
        feed.push(Some(vec![item(Some(1), "one"), item(Some(2), "two"), item(None, "three")]), noon());
        let tick = feed.join(Some(&first), noon()).missed.unwrap().remove(0);
        let texts =
            |scope: &Scope| tick.message(scope).map(|text| text.split_once("items").unwrap().1.to_owned());
        assert_eq!(texts(&Scope::All).unwrap(), "\":[\"one\",\"two\",\"three\"]}");
        assert_eq!(texts(&Scope::Teams(vec![TeamId(2)])).unwrap(), "\":[\"two\"]}");
        assert_eq!(texts(&Scope::Teams(vec![TeamId(3)])), None);
        assert_eq!(texts(&Scope::default()), None);
    }

    #[test]
    fn what_is_not_known_any_more_is_said_so() {
        let mut feed = Feed::new();
        let first = feed.last_id();
        feed.push(Some(vec![item(None, "one")]), noon());
        let second = feed.last_id();
        feed.push(Some(vec![item(None, "two")]), noon() + TimeDelta::minutes(30));
        assert_eq!(missed(feed.join(Some(&first), noon())), Some(2));
        assert_eq!(missed(feed.join(Some(&second), noon() + TimeDelta::minutes(61))), Some(1));
        assert_eq!(missed(feed.join(Some(&first), noon() + TimeDelta::minutes(61))), None);
        for other in ["", "x.1", "..", &format!("{second}7"), &Feed::new().last_id()] {
            assert_eq!(missed(feed.join(Some(other), noon())), None, "{other}");
        }
        let last = feed.last_id();
        feed.interrupt();
        assert_eq!(missed(feed.join(Some(&last), noon())), None);
    }

    #[test]
    fn messages_are_shared_while_readers_are_told() {
        let mut feed = Feed::new();
        for number in 0..40 {
            feed.push(Some(vec![item(Some(1), &format!("tick {number}"))]), noon());
            for team in 0..40 {
                let text = feed.kept[number].message(&Scope::Teams(vec![TeamId(1), TeamId(team)]));
                assert!(text.unwrap().contains(&format!("tick {number}")));
            }
        }
        let shared = |tick: &Arc<Tick>| tick.messages.lock().unwrap().as_ref().map_or(0, BTreeMap::len);
        let shared: Vec<usize> = feed.kept.iter().map(shared).collect();
        assert_eq!(shared, [[0; 8].as_slice(), &[MOST_SHARED; BEHIND]].concat());
        let again = feed.kept[0].message(&Scope::All).unwrap();
        assert!(again.contains("tick 0"), "{again}");
        assert_eq!(shared[0], 0, "what was missed is told without being kept");
    }

    #[test]
    fn of_what_changes_again_and_again_the_latest_is_told() {
        let mut feed = Feed::new();
        let first = feed.last_id();
        for second in 0..3_000 {
            let text = "x".repeat(200);
            let storm = (0..300).map(|issue| counts(issue, &format!("{second} {text}")));
            feed.push(Some(storm.chain([item(None, &format!("change {second}"))]).collect()), noon());
        }
        let missed = feed.join(Some(&first), noon()).missed.unwrap();
        let texts: Vec<&str> =
            missed.iter().flat_map(|tick| tick.items.iter().flatten()).map(|item| &*item.text).collect();
        assert_eq!(texts.iter().filter(|text| text.contains("change")).count(), 3_000);
        assert_eq!(texts.iter().filter(|text| text.starts_with("\"2999 x")).count(), 300);
        assert_eq!(texts.len(), 3_300);
        assert_eq!(feed.bytes, feed.kept.iter().map(|tick| tick.bytes()).sum::<usize>());
    }

    #[test]
    fn what_is_forgotten_is_not_looked_for() {
        let mut feed = Feed::new();
        feed.push(Some(vec![counts(1, "one"), counts(2, "two")]), noon());
        let later = noon() + TimeDelta::minutes(61);
        feed.push(Some(vec![counts(2, "three")]), later);
        assert_eq!(feed.latest.keys().collect::<Vec<_>>(), [&Subject::Counts(IssueId(2))]);
        feed.push(Some(vec![counts(1, "four"), counts(2, "five")]), later);
        assert_eq!(feed.kept.iter().map(|tick| tick.subjects().count()).collect::<Vec<_>>(), [0, 2]);
        feed.interrupt();
        feed.push(Some(vec![counts(1, "six")]), later);
        assert_eq!((feed.kept.len(), feed.latest.len()), (1, 1));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut feed = Feed::new();
        for _ in 0..40 {
            feed.push(Some(vec![item(None, &"x".repeat(1024 * 1024))]), noon());
        }
        assert!(feed.bytes <= KEPT_BYTES && feed.kept.len() == 15, "{} {}", feed.bytes, feed.kept.len());
    }
}
