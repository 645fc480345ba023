//! `@name` and `@address` in a comment: who is meant, and the mails that tell them.

use crate::access::Principal;
use crate::accounts::links::page;
use crate::{ApiError, State};
use bugle_model::UserId;
use bugle_store::Connection;
use bugle_store::account_mails::{self, Kind, MAX_ABOUT, NewMail};
use bugle_store::comments::{self, Mention};
use bugle_store::issues::Issue;
use bugle_store::issues::people::Person;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Only so many people can be mentioned by one comment.
const MOST: usize = 20;
/// Later nobody needs to be told any more.
const USEFUL: TimeDelta = TimeDelta::days(3);

/// Who is mentioned, in the order of the text. Of several who could be meant the longest name wins; of several
/// with the same name all are meant.
pub(super) fn found<'a>(text: &str, people: &'a [Person]) -> Vec<&'a Person> {
    let mut found: Vec<&Person> = Vec::new();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let inside = before.is_some_and(is_of_a_word);
        before = Some(c);
        if c != '@' || inside {
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let longest = people.iter().filter_map(|person| matching(rest, person)).max().unwrap_or(0);
        let meant = people.iter().filter(|person| longest > 0 && matching(rest, person) == Some(longest));
        for person in meant {
            if found.len() < MOST && !found.contains(&person) {
                found.push(person);
            }
        }
    }
    found
}

/// How many bytes of the text name this person.
fn matching(text: &str, person: &Person) -> Option<usize> {
    [person.email.as_str(), person.name.as_str()].into_iter().filter_map(|name| starts_with(text, name)).max()
}

/// Whatever the case; nothing of a word may follow.
fn starts_with(text: &str, name: &str) -> Option<usize> {
    let mut rest = text.char_indices();
    for wanted in name.chars() {
        let (_, c) = rest.next()?;
        if !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let (end, next) = rest.next().map_or((text.len(), None), |(end, c)| (end, Some(c)));
    (!next.is_some_and(is_of_a_word)).then_some(end)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What is kept of them.
pub(super) fn kept(people: &[&Person]) -> Vec<Mention> {
    people.iter().map(|person| Mention { id: person.id, name: person.name.clone() }).collect()
}

/// Puts the mails about a comment on their way: not to the author, to nobody in `told` or who was told of it before, and only so
/// many an hour.
pub(super) async fn mail(
    connection: &mut Connection,
    state: &State,
    principal: &Principal,
    (issue, comment): (&Issue, i64),
    people: &[&Person],
    told: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    if state.config.smtp_url.is_none() {
        return Ok(());
    }
    let about = format!("{} mentioned you in {}: {}", principal.actor.name, issue.short_id(), issue.title);
    let about: String = about.chars().take(MAX_ABOUT).collect();
    let link = page(&state.config.public_url, &format!("issues/{}", issue.id));
    let others = people.iter().map(|person| person.id);
    let others: Vec<_> =
        others.filter(|one| Some(*one) != principal.user_id() && !told.contains(one)).collect();
    let to_tell = comments::to_tell(connection, comment, &others, &principal.actor, now).await?;
    for person in people.iter().filter(|person| to_tell.contains(&person.id)) {
        let mail = NewMail {
            kind: Kind::Mention,
            recipient: &person.email,
            about: &about,
            link: &link,
            expires_at: now + USEFUL,
        };
        account_mails::add(connection, &mail, Uuid::now_v7(), now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_recognised_as_whole_words() {
        let person = |id, name: &str, email: &str| Person {
            id: UserId(id),
            name: name.to_owned(),
            email: email.to_owned(),
        };
        let people = [
            person(1, "Ann", "ann@example.com"),
            person(2, "Ann Lee", "lee@example.com"),
            person(3, "Bo", "bo@example.com"),
            person(4, "Bo", "other@example.com"),
        ];
        let ids = |text: &str| found(text, &people).iter().map(|person| person.id.0).collect::<Vec<_>>();
        assert_eq!(ids("@Ann, look"), [1]);
        assert_eq!(ids("@ann lee: look"), [2]);
        assert_eq!(ids("(@ANN@example.com) and @Ann"), [1]);
        assert_eq!(ids("@bo"), [3, 4]);
        assert_eq!(ids("@other@example.com."), [4]);
        assert_eq!(ids("@Annette, x@ann, @ ann, ann"), [0; 0]);
        assert_eq!(ids("İİ @ann"), [1]);
    }
}
