//! Attachments beside the queue: by the SHA-256 of their bytes, in a folder or an S3 bucket.
//!
//! Key: `ab/abcdef…`, the first two digits as a folder. An object is always written anew, also when it is there:
//! its time of change tells whoever cleans up that it is still wanted.

use crate::files;
use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, PutPayload};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

const PUT_TIMEOUT: Duration = Duration::from_secs(20);

/// A place for attachments that cannot be used, or failed.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// The setting.
    #[error("object_store: {0}; expected a folder, or s3://bucket/prefix")]
    Setting(String),
    /// The store.
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    /// The disk.
    #[error("object store: {0}")]
    Disk(#[from] io::Error),
    /// It took too long.
    #[error("object store: no answer in time")]
    Timeout,
}

/// Where attachments go.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The folder, when it is one: the store itself does not sync.
    folder: Option<PathBuf>,
}

impl Objects {
    /// Opens the place that the setting names. S3 takes its credentials and region from the environment (`AWS_…`).
    pub(crate) fn open(setting: &str, data_dir: &Path) -> Result<Self, ObjectError> {
        if let Some(rest) = setting.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(ObjectError::Setting("no bucket".to_owned()));
            }
            let s3 = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
            return Ok(Self { store: Arc::new(PrefixStore::new(s3, prefix)), folder: None });
        }
        if setting.contains("://") {
            return Err(ObjectError::Setting("unknown kind of store".to_owned()));
        }
        let folder = data_dir.join(setting);
        files::make_private_dir(&folder)?;
        Ok(Self { store: Arc::new(LocalFileSystem::new_with_prefix(&folder)?), folder: Some(folder) })
    }

    /// Whether it fills the disk of the data folder.
    pub(crate) const fn is_local(&self) -> bool {
        self.folder.is_some()
    }

    /// Keeps the bytes; durable when it returns. Answers their SHA-256 in hex.
    pub(crate) async fn put(&self, bytes: Bytes) -> Result<String, ObjectError> {
        let put = async {
            let hashed = tokio::task::spawn_blocking(move || (hex_sha256(&bytes), bytes)).await;
            let (sha256, bytes) = hashed.map_err(io::Error::other)?;
            let (folder, _) = sha256.split_at_checked(2).unwrap_or_default();
            let key = Key::from(format!("{folder}/{sha256}"));
            self.store.put(&key, PutPayload::from(bytes)).await?;
            if let Some(root) = &self.folder {
                let (file, parent) = (root.join(key.as_ref()), root.join(folder));
                let root = root.clone();
                let synced = tokio::task::spawn_blocking(move || sync(&file, &[&parent, &root]));
                synced.await.map_err(io::Error::other)??;
            }
            Ok(sha256)
        };
        tokio::time::timeout(PUT_TIMEOUT, put).await.map_err(|_| ObjectError::Timeout)?
    }
}

fn sync(file: &Path, folders: &[&Path]) -> io::Result<()> {
    File::open(file)?.sync_all()?;
    folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
}

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_lies_under_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::open("attachments", dir.path()).unwrap();
        for _ in 0..2 {
            let sha256 = objects.put(Bytes::from_static(b"abc")).await.unwrap();
            assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
            let file = dir.path().join("attachments/ba").join(sha256);
            assert_eq!(std::fs::read(file).unwrap(), b"abc");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for setting in ["s3://", "gs://bucket"] {
            let error = Objects::open(setting, Path::new("/nonexistent")).unwrap_err();
            assert!(error.to_string().contains("expected a folder, or s3://bucket/prefix"), "{error}");
        }
    }
}
