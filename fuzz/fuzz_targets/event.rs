#![no_main]

use bugle_model::ItemKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = bugle_protocol::normalise(&bugle_fuzz::item(ItemKind::Event, data)) {
        bugle_fuzz::check(&event);
    }
});
