//! Whose the events of a calendar are.

use super::import::Occurrence;
use bugle_model::UserId;
use std::collections::BTreeMap;

/// Whose events can be. A calendar has thousands of events and a team hundreds of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// What is said of the calendar's names.
    said: BTreeMap<String, UserId>,
    /// The team's accounts, by their addresses in lower case…
    by_address: BTreeMap<String, UserId>,
    /// … and by their names; of several with one name the first.
    by_name: BTreeMap<String, UserId>,
}

impl People {
    /// What is said of the calendar's names, and the team: id, name and mail address of each.
    #[must_use]
    pub fn new(
        said: BTreeMap<String, UserId>,
        team: impl IntoIterator<Item = (UserId, String, String)>,
    ) -> Self {
        let (mut by_address, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for (id, name, address) in team {
            by_address.entry(address.to_ascii_lowercase()).or_insert(id);
            by_name.entry(name.to_lowercase()).or_insert(id);
        }
        Self { said, by_address, by_name }
    }

    /// Whose an event is: what is said comes before what the team's accounts say, attendees before the title.
    #[must_use]
    pub fn whose(&self, event: &Occurrence) -> Option<UserId> {
        let title = event.summary.trim();
        let mut names = event.attendees.iter().map(String::as_str).chain([title]);
        let by_address = |address: &String| self.by_address.get(&address.to_ascii_lowercase());
        let said = names.find_map(|name| self.said.get(name));
        let of_team = || event.attendees.iter().find_map(by_address);
        said.or_else(of_team).or_else(|| self.by_name.get(&title.to_lowercase())).copied()
    }
}
