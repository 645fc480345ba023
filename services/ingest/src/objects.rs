//! Attachments beside the queue: by the SHA-256 of their bytes, in a folder or an S3 bucket.
//!
//! Keys are those of `bugle_web::objects`. An object is always written anew, also when it is there:
//! its time of change tells whoever cleans up that it is still wanted.

use bugle_web::objects::{self, Place, PlaceError, key_of};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, PutPayload};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::RwLock;

const PUT_TIMEOUT: Duration = Duration::from_secs(20);

/// A place for attachments that cannot be used, or failed.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// It cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
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
    place: Place,
    /// Held while something is written, and alone while something is removed.
    removing: RwLock<()>,
}

impl Objects {
    /// Opens the place that the setting names: see [`objects::open`].
    pub(crate) fn open(setting: &str, data_dir: &Path) -> Result<Self, ObjectError> {
        Ok(Self { place: objects::open(setting, data_dir)?, removing: RwLock::default() })
    }

    /// Whether it fills the disk of the data folder.
    pub(crate) const fn is_local(&self) -> bool {
        self.place.folder.is_some()
    }

    /// Keeps the bytes; durable when it returns. Answers their SHA-256 in hex.
    pub(crate) async fn put(&self, bytes: Bytes) -> Result<String, ObjectError> {
        let put = async {
            let hashed = tokio::task::spawn_blocking(move || (hex_sha256(&bytes), bytes)).await;
            let (sha256, bytes) = hashed.map_err(io::Error::other)?;
            let (folder, _) = sha256.split_at_checked(2).unwrap_or_default();
            let key = key_of(&sha256);
            let _stays = self.removing.read().await;
            self.place.store.put(&key, PutPayload::from(bytes)).await?;
            if let Some(root) = &self.place.folder {
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

impl Objects {
    /// The hashes of the objects that were written before `before`. What is not named by a hash is not ours and never
    /// among them.
    pub(crate) fn older_than(&self, before: DateTime<Utc>) -> BoxStream<'_, Result<String, ObjectError>> {
        let old = move |meta: ObjectMeta| {
            let sha256 = meta.location.filename().unwrap_or_default();
            let ours = from_hex(sha256).is_some() && key_of(sha256) == meta.location;
            (ours && meta.last_modified < before).then(|| sha256.to_owned())
        };
        let listed = self.place.store.list(None).map_err(ObjectError::from);
        listed.try_filter_map(move |meta| std::future::ready(Ok(old(meta)))).boxed()
    }

    /// Removes an object, unless it was written again since `before`. Whether it is gone.
    pub(crate) async fn remove(&self, sha256: &str, before: DateTime<Utc>) -> Result<bool, ObjectError> {
        let key = key_of(sha256);
        let _alone = self.removing.write().await;
        if self.place.store.head(&key).await?.last_modified >= before {
            return Ok(false);
        }
        self.place.store.delete(&key).await?;
        Ok(true)
    }
}

/// The bytes of a hash in 64 lower-case hex digits.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() != 64 || !text.bytes().all(digits) {
        return None;
    }
    (0..32).map(|i| u8::from_str_radix(text.get(i * 2..i * 2 + 2)?, 16).ok()).collect()
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
    use bugle_model::Clock;
    use bugle_runtime::SystemClock;
    use chrono::TimeDelta;

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

    #[tokio::test]
    async fn only_old_objects_are_found_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::open("attachments", dir.path()).unwrap();
        let mut all = Vec::new();
        for text in ["a", "b", "c"] {
            all.push(objects.put(Bytes::from_static(text.as_bytes())).await.unwrap());
        }
        all.sort();
        std::fs::write(dir.path().join("attachments/README"), "not ours").unwrap();
        let old = async |before| {
            let mut found: Vec<String> = objects.older_than(before).try_collect().await.unwrap();
            found.sort();
            found
        };
        let now = SystemClock.now();
        let (past, future) = (now - TimeDelta::hours(1), now + TimeDelta::hours(1));
        assert!(old(past).await.is_empty());
        assert_eq!(old(future).await, all);
        // Written again since it was found to be old.
        assert!(!objects.remove(&all[0], past).await.unwrap());
        assert!(objects.remove(&all[0], future).await.unwrap());
        assert_eq!(old(future).await, all[1..]);
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for setting in ["s3://", "gs://bucket"] {
            let error = Objects::open(setting, Path::new("/nonexistent")).unwrap_err();
            assert!(error.to_string().contains("expected a folder, or s3://bucket/prefix"), "{error}");
        }
    }
}
