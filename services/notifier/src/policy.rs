//! When to try again, how fast to send, what to put together. Numbers and pure functions.

use bugle_model::Channel;
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use std::time::Duration;

/// A provider's wish to be left alone is honoured between these bounds, in seconds.
const RETRY_AFTER: std::ops::RangeInclusive<f64> = 1.0..=3600.0;

/// The numbers of the notifier.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The first pause after a failure; doubles with each further one.
    pub first_pause: TimeDelta,
    /// The longest pause between attempts.
    pub max_pause: TimeDelta,
    /// Pauses differ by up to this share in both directions, so that many do not come back at once.
    pub jitter: f64,
    /// The shortest pause when an account or a setting is at fault.
    pub operator_pause: TimeDelta,
    /// The shortest pause before an SMS or a call that may have arrived is looked up: the provider's list lags behind.
    pub lookup_pause: TimeDelta,
    /// Attempts before it is given up.
    pub max_attempts: i32,
    /// Age, from the row's creation, at which it is given up.
    pub max_age: TimeDelta,
    /// Age of the event at which a message is too old to go alone and becomes part of a digest.
    pub stale_after: TimeDelta,
    /// How long a claim holds. Longer than any attempt takes.
    pub lease: TimeDelta,
    /// The longest that one attempt may take.
    pub attempt_timeout: Duration,
    /// Failures in a row that open a destination's circuit breaker.
    pub breaker_failures: i32,
    /// How long it stays open at first; doubles while the probes fail.
    pub breaker_pause: TimeDelta,
    /// How long it stays open at most.
    pub breaker_max_pause: TimeDelta,
    /// Messages on their way at the same time, all destinations together.
    pub concurrency: usize,
    /// The part of `concurrency` that only critical ones may use.
    pub reserved: usize,
    /// Limits per channel.
    pub per_channel: fn(Channel) -> ChannelLimits,
}

/// The limits of a channel, for each destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Messages on their way to it at the same time.
    pub in_flight: usize,
    /// The pause between two messages: 1 s where providers or people take no more.
    pub spacing: Option<TimeDelta>,
    /// More new issues than this that wait at the same time go as one message with a list.
    pub bundle_over: usize,
    /// The same for pages of different incidents.
    pub pages_over: usize,
    /// After [`bugle_store::notifications::PAGES_A_MINUTE`] pages further ones wait until the minute is over, each of which costs something.
    pub is_metered: bool,
}

/// The limits that are in force unless a test says otherwise. Slack takes one message a second per channel (its
/// documented limit), so does a sender's number at Twilio; a person reads no faster. A webhook's receiver is a machine. One who talks on the
/// phone takes no second call; the pause also tells two calls apart when one of them is looked up.
#[must_use]
pub const fn channel_limits(channel: Channel) -> ChannelLimits {
    match channel {
        Channel::Email | Channel::Slack | Channel::Sms | Channel::WebPush => {
            let is_metered = matches!(channel, Channel::Sms);
            ChannelLimits {
                in_flight: 2,
                spacing: Some(TimeDelta::seconds(1)),
                bundle_over: 10,
                pages_over: if is_metered { 3 } else { 10 },
                is_metered,
            }
        }
        Channel::Voice => ChannelLimits {
            in_flight: 1,
            spacing: Some(TimeDelta::seconds(30)),
            bundle_over: 10,
            pages_over: 3,
            is_metered: true,
        },
        Channel::Webhook => ChannelLimits {
            in_flight: 8,
            spacing: None,
            bundle_over: 100,
            pages_over: 100,
            is_metered: false,
        },
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            first_pause: TimeDelta::seconds(1),
            max_pause: TimeDelta::minutes(15),
            jitter: 0.2,
            operator_pause: TimeDelta::seconds(60),
            lookup_pause: TimeDelta::seconds(5),
            max_attempts: 20,
            max_age: TimeDelta::hours(24),
            stale_after: TimeDelta::hours(2),
            lease: TimeDelta::seconds(60),
            attempt_timeout: Duration::from_secs(45),
            breaker_failures: 5,
            breaker_pause: TimeDelta::seconds(30),
            breaker_max_pause: TimeDelta::minutes(10),
            concurrency: 128,
            reserved: 32,
            per_channel: channel_limits,
        }
    }
}

impl Policy {
    /// How long to wait after attempt number `attempt` (from 1).
    pub fn pause(&self, attempt: i32, rng: &mut impl Rng) -> TimeDelta {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or_default().min(30);
        let pause =
            self.first_pause.checked_mul(1 << doublings).unwrap_or(self.max_pause).min(self.max_pause);
        let factor = rng.random_range(1.0 - self.jitter..=1.0 + self.jitter);
        scaled(pause, factor)
    }
}

fn scaled(pause: TimeDelta, factor: f64) -> TimeDelta {
    let exact = pause.to_std().unwrap_or_default().mul_f64(factor.max(0.0));
    TimeDelta::from_std(exact).unwrap_or(pause)
}

/// Reads `Retry-After`: seconds (also with a fraction) or an HTTP date. Clamped to between a second and an hour.
#[must_use]
pub fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let seconds = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => seconds,
        Ok(_) => return None,
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            at.signed_duration_since(now).to_std().unwrap_or_default().as_secs_f64()
        }
    };
    Some(Duration::from_secs_f64(seconds.clamp(*RETRY_AFTER.start(), *RETRY_AFTER.end())))
}

/// How many more may be on their way, when the last `reserved` of `max` places are for critical ones.
#[must_use]
pub const fn room(in_flight: usize, max: usize, reserved: usize, critical: bool) -> usize {
    let usable = if critical { max } else { max.saturating_sub(reserved) };
    usable.saturating_sub(in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn pauses_double_to_a_cap_and_differ_by_a_fifth() {
        let policy = Policy::default();
        let mut rng = StdRng::seed_from_u64(7);
        for (attempt, seconds) in
            [(1, 1.0), (2, 2.0), (3, 4.0), (8, 128.0), (10, 512.0), (11, 900.0), (i32::MAX, 900.0)]
        {
            for _ in 0..200 {
                let pause = policy.pause(attempt, &mut rng).as_seconds_f64();
                assert!((seconds * 0.8..=seconds * 1.2).contains(&pause), "attempt {attempt}: {pause}");
            }
        }
        let differing: std::collections::BTreeSet<_> = (0..50).map(|_| policy.pause(5, &mut rng)).collect();
        assert!(differing.len() > 40);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_within_bounds() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T12:00:00Z").unwrap().to_utc();
        for (text, seconds) in [
            ("7", Some(7.0)),
            (" 1.5 ", Some(1.5)),
            ("0", Some(1.0)),
            ("-5", Some(1.0)),
            ("86400", Some(3600.0)),
            ("1e300", Some(3600.0)),
            ("Fri, 20 Nov 2026 12:01:30 GMT", Some(90.0)),
            ("Fri, 20 Nov 2026 11:00:00 GMT", Some(1.0)),
            ("Sat, 21 Nov 2026 12:00:00 GMT", Some(3600.0)),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now).map(|d| d.as_secs_f64()), seconds, "{text}");
        }
    }

    #[test]
    fn the_last_places_are_for_critical_ones() {
        assert_eq!(room(0, 8, 2, false), 6);
        assert_eq!(room(6, 8, 2, false), 0);
        assert_eq!(room(6, 8, 2, true), 2);
        assert_eq!(room(9, 8, 2, true), 0);
    }
}
