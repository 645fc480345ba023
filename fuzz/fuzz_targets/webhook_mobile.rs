#![no_main]

use bugle_model::ItemKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bugle_fuzz::webhook(ItemKind::WebhookMobile, data));
