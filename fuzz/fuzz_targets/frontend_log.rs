#![no_main]

use bugle_model::ItemKind;
use bugle_protocol::frontend;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(items) = frontend::split(data) else { return };
    for body in items.into_iter().flatten() {
        let event = frontend::normalise(&body, &bugle_fuzz::item(ItemKind::Frontend, &body));
        bugle_fuzz::check(&event.expect("what the door let in can be read"));
    }
});
