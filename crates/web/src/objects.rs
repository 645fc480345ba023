//! Where attachments lie: ingest writes them, the API hands them out.
//!
//! Key: `ab/abcdef…`, the SHA-256 of the bytes in hex, its first two digits as a folder.

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// A place for attachments that cannot be used.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// The setting.
    #[error("object_store: {0}; expected a folder, or s3://bucket/prefix")]
    Setting(String),
    /// The store.
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    /// The disk.
    #[error("object store: {0}")]
    Disk(#[from] io::Error),
}

/// An open place.
#[derive(Debug, Clone)]
pub struct Place {
    /// What reads and writes there.
    pub store: Arc<dyn ObjectStore>,
    /// The folder, when it is one: the store itself does not sync.
    pub folder: Option<PathBuf>,
}

/// Opens the place that the setting names; a folder is made when it is not there. S3 takes its credentials and region
/// from the environment (`AWS_…`).
///
/// # Errors
/// When the setting is neither a folder nor a bucket, or the folder cannot be made.
pub fn open(setting: &str, data_dir: &Path) -> Result<Place, PlaceError> {
    if let Some(rest) = setting.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(PlaceError::Setting("no bucket".to_owned()));
        }
        let s3 = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
        return Ok(Place { store: Arc::new(PrefixStore::new(s3, prefix)), folder: None });
    }
    if setting.contains("://") {
        return Err(PlaceError::Setting("unknown kind of store".to_owned()));
    }
    let folder = data_dir.join(setting);
    // Only its owner can enter it.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let store = Arc::new(LocalFileSystem::new_with_prefix(&folder)?);
    Ok(Place { store, folder: Some(folder) })
}

/// Where the bytes with this SHA-256, 64 hex digits, lie.
#[must_use]
pub fn key_of(sha256: &str) -> Key {
    let (folder, _) = sha256.split_at_checked(2).unwrap_or_default();
    Key::from(format!("{folder}/{sha256}"))
}
