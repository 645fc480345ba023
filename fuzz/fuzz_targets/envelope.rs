#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(envelope) = bugle_protocol::envelope::parse(data) {
        for item in &envelope.items {
            assert!(item.payload.len() <= data.len());
            let _ = bugle_protocol::item_category(&item.header.kind);
        }
    }
});
