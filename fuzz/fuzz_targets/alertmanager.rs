#![no_main]

use bugle_model::AlertSignal;
use bugle_protocol::alerts::{alertmanager, scrub};
use bugle_protocol::scrub::Scrubber;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(batch) = alertmanager(data) else { return };
    let scrubber = Scrubber::new(&bugle_model::ScrubSettings::default());
    for signal in batch.signals {
        if let AlertSignal::Firing(mut alert) = signal {
            assert_eq!(alert.mistakes(), []);
            scrub(&scrubber, &mut alert);
            assert_eq!(alert.mistakes(), []);
        }
    }
});
