#![no_main]

use bugle_model::ItemKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for content_type in ["application/csp-report", "application/reports+json"] {
        let mut item = bugle_fuzz::item(ItemKind::Security, data);
        item.content_type = Some(content_type.to_owned());
        if let Ok(event) = bugle_protocol::normalise(&item) {
            bugle_fuzz::check(&event);
        }
    }
});
