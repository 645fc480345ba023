//! How much a single client address may send to the frontend endpoint.

use crate::answer::Limit;
use crate::quota::{Bucket, retry_after};
use bugle_web::network;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_SECONDS: f64 = 60.0;
/// Addresses that are remembered; with more at the same time the newest go unlimited.
const MAX_ADDRESSES: usize = 50_000;

/// A token bucket for each address; an IPv6 network of /64 counts as one.
#[derive(Debug)]
pub(crate) struct AddressLimits {
    per_minute: f64,
    buckets: Mutex<HashMap<IpAddr, (Bucket, DateTime<Utc>)>>,
}

impl AddressLimits {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::default() }
    }

    pub(crate) fn take(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), Limit> {
        let address = network(address);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            buckets.retain(|_, (_, last)| (now - *last).num_seconds() < 60);
            if buckets.len() >= MAX_ADDRESSES {
                return Ok(());
            }
        }
        let (bucket, last) = buckets.entry(address).or_insert((Bucket::full(self.per_minute, now), now));
        bucket.refill(self.per_minute, WINDOW_SECONDS, now);
        *last = now;
        let wait = bucket.wait(self.per_minute, WINDOW_SECONDS);
        if wait > 0.0 {
            return Err(Limit { retry_after: retry_after(wait), scope: "address" });
        }
        bucket.take();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn each_address_has_its_own_and_it_comes_back() {
        let limits = AddressLimits::new(3);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::ffff:1".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            limits.take(one, now).unwrap();
        }
        assert_eq!(limits.take(neighbour, now), Err(Limit { retry_after: 20, scope: "address" }));
        limits.take(other, now).unwrap();
        limits.take(one, now + TimeDelta::seconds(20)).unwrap();
    }
}
