#![no_main]

use bugle_grouping::Grouper;
use bugle_model::ItemKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for kind in [ItemKind::Event, ItemKind::WebhookGeneric] {
        if let Ok(event) = bugle_protocol::normalise(&bugle_fuzz::item(kind, data)) {
            let grouper = Grouper::default();
            let grouping = grouper.group(&event);
            assert!(!grouping.hashes.is_empty());
            assert_eq!(grouping.hashes, grouper.group(&event).hashes);
        }
    }
});
