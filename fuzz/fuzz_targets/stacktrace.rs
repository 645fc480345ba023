#![no_main]

use bugle_protocol::stacktrace::{Language, MAX_EXCEPTIONS, MAX_FRAMES, parse_as, parse_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = parse_text(&text, Some("java"));
    for &language in Language::ALL {
        let chain = parse_as(language, &text);
        assert!(chain.len() <= MAX_EXCEPTIONS);
        assert!(chain.iter().all(|exception| exception.frames.len() <= MAX_FRAMES));
    }
});
