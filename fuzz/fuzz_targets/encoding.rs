#![no_main]

use bugle_protocol::encoding::inflate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    const LIMIT: usize = 1024 * 1024;
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        if let Ok(inflated) = inflate(Some(encoding), data, LIMIT) {
            assert!(inflated.len() <= LIMIT);
        }
    }
});
