//! How many requests somebody may send: counted per session or token, and per address for whoever shows neither. Each
//! process counts by itself.

use crate::access::Proof;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bugle_web::{Code, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Requests are counted for this long.
const WINDOW: TimeDelta = TimeDelta::seconds(60);
/// Who was let in this long ago is not kept out by strangers of the same address.
const KNOWN_FOR: TimeDelta = TimeDelta::minutes(10);
/// Others than the first so many who come within a window are counted together.
const MOST: usize = 100_000;

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Whoever showed this.
    Known(Proof),
    /// Whoever is there and showed nothing that is worth anything.
    Unknown(Option<IpAddr>),
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at: DateTime<Utc>,
    taken: u32,
}

/// The counts of this process.
#[derive(Debug)]
pub(crate) struct Limits {
    per_minute: u32,
    windows: Mutex<HashMap<Who, Window>>,
}

/// What is left to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    policy: &'static str,
    limit: u32,
    remaining: u32,
    /// Seconds until it is all there again.
    reset: u32,
    over: bool,
}

impl Limits {
    /// `per_minute` of 0 limits nobody.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    /// What somebody has left after this request; none when nobody is limited.
    pub(crate) fn take(&self, who: Who, now: DateTime<Utc>) -> Option<Left> {
        self.count(who, 1, now)
    }

    /// Whether a proof was good within the last minutes.
    pub(crate) fn knows(&self, proof: Proof, now: DateTime<Utc>) -> bool {
        if proof == Proof::Local {
            return true;
        }
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(&Who::Known(proof)).is_some_and(|window| now - window.ends_at < KNOWN_FOR)
    }

    /// What somebody has left before this request.
    pub(crate) fn look(&self, who: Who, now: DateTime<Utc>) -> Option<Left> {
        self.count(who, 0, now)
    }

    fn count(&self, who: Who, requests: u32, now: DateTime<Utc>) -> Option<Left> {
        let (policy, limit) = match who {
            _ if self.per_minute == 0 => return None,
            Who::Known(Proof::Local) => return None,
            Who::Known(_) => ("principal", self.per_minute),
            Who::Unknown(_) => ("address", self.per_minute.div_ceil(2)),
        };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST {
            windows.retain(|_, window| window.ends_at > now);
        }
        let who = if windows.len() < MOST || windows.contains_key(&who) { who } else { Who::Unknown(None) };
        let fresh = Window { ends_at: now + WINDOW, taken: 0 };
        let window = windows.entry(who).or_insert(fresh);
        if window.ends_at <= now {
            *window = fresh;
        }
        let over = window.taken + requests.max(1) > limit;
        window.taken = window.taken.saturating_add(requests).min(limit);
        let reset = u32::try_from((window.ends_at - now).num_seconds().max(1)).unwrap_or(1);
        Some(Left { policy, limit, remaining: limit - window.taken, reset, over })
    }
}

impl Left {
    /// Refuses when nothing was left.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.over { Err(Problem::new(Code::RateLimited).retry_after(self.reset)) } else { Ok(()) }
    }

    /// Tells the client.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Self { policy, limit, remaining, reset, .. } = self;
        for (name, text) in [
            (POLICY, format!("\"{policy}\";q={limit};w={}", WINDOW.num_seconds())),
            (LIMIT, format!("\"{policy}\";r={remaining};t={reset}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_their_own_and_gets_it_back() {
        let limits = Limits::new(2);
        let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        let (ann, bob) = (Who::Known(Proof::Token([1; 32])), Who::Known(Proof::Session([1; 32])));
        let left = |who, seconds| {
            let left = limits.take(who, now + TimeDelta::seconds(seconds)).unwrap();
            (left.remaining, left.reset, left.over)
        };
        assert_eq!(
            [left(ann, 0), left(ann, 20), left(ann, 59)],
            [(1, 60, false), (0, 40, false), (0, 1, true)]
        );
        assert_eq!(left(bob, 59), (1, 60, false));
        assert_eq!(left(ann, 60), (1, 60, false));
        assert_eq!(left(Who::Unknown(None), 0), (0, 60, false));
        assert_eq!(left(Who::Unknown(None), 0), (0, 60, true));
        assert!(limits.look(bob, now).is_some_and(|left| !left.over));
        assert_eq!(limits.take(Who::Known(Proof::Local), now), None);
        assert_eq!(Limits::new(0).take(ann, now), None);
    }

    #[test]
    fn a_flood_of_strangers_is_counted_together() {
        let limits = Limits::new(4);
        let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        for number in 0..=u32::try_from(MOST).unwrap() + 10 {
            limits.take(Who::Unknown(Some(IpAddr::from(number.to_be_bytes()))), now);
        }
        assert!(limits.windows.lock().unwrap().len() <= MOST + 1);
        let stranger = Who::Unknown(Some("2001:db8::1".parse().unwrap()));
        assert!(limits.take(stranger, now).unwrap().over);
    }
}
