#![no_main]

use bugle_model::AlertSignal;
use bugle_protocol::alerts::{pagerduty, scrub};
use bugle_protocol::scrub::Scrubber;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok((_, AlertSignal::Firing(mut alert))) = pagerduty(data, uuid::Uuid::nil()) else { return };
    assert_eq!(alert.mistakes(), []);
    scrub(&Scrubber::new(&bugle_model::ScrubSettings::default()), &mut alert);
    assert_eq!(alert.mistakes(), []);
});
