//! Where things are.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The data folder of `make run`: `BUGLE_DATA_DIR`, or `data` in the checkout.
pub fn data() -> PathBuf {
    std::env::var_os("BUGLE_DATA_DIR").map_or_else(|| root().join("data"), PathBuf::from)
}

/// The folder that cargo builds into.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
