//! What groups is hashed here, and nowhere else.
//!
//! SHA-256, cut to 16 bytes. Clients choose the input, and whoever can craft two inputs with one hash can hide
//! an error in another issue; a fast hash such as xxh3 is not made to resist that. The input is a few kilobytes.

use sha2::{Digest, Sha256};

/// What an issue is found by.
pub type Hash = [u8; 16];

/// Collects parts so that no two different lists of parts give the same bytes: each part has a tag and a
/// length in front, and each kind of list its own name.
pub(crate) struct Parts(Vec<u8>);

impl Parts {
    /// Starts a list. `kind` keeps a message apart from a fingerprint with the same text.
    pub(crate) fn new(kind: &str) -> Self {
        let mut parts = Self(Vec::with_capacity(2048));
        parts.0.extend_from_slice(b"bugle grouping 1");
        parts.push(b'k', kind.as_bytes());
        parts
    }

    /// Adds a part.
    pub(crate) fn push(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// Adds a text when there is one; none is not the same as an empty one.
    pub(crate) fn push_some(&mut self, tag: u8, text: Option<&str>) {
        if let Some(text) = text {
            self.push(tag, text.as_bytes());
        }
    }

    /// The hash of all parts.
    pub(crate) fn finish(self) -> Hash {
        let digest: [u8; 32] = Sha256::digest(&self.0).into();
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(digest) {
            *to = from;
        }
        hash
    }
}

/// A hash as 32 lower-case hex digits.
#[must_use]
pub fn hex(hash: &Hash) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, parts: &[&str]) -> Hash {
        let mut list = Parts::new(kind);
        for part in parts {
            list.push(b'p', part.as_bytes());
        }
        list.finish()
    }

    #[test]
    fn where_a_part_ends_counts() {
        assert_ne!(of("f", &["ab", "c"]), of("f", &["a", "bc"]));
        assert_ne!(of("f", &["abc"]), of("f", &["abc", ""]));
        assert_ne!(of("f", &["abc"]), of("g", &["abc"]));
        assert_eq!(of("f", &["abc"]), of("f", &["abc"]));
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(hex(&of("message", &["hello"])).len(), 32);
        assert_eq!(hex(&[0xab; 16]), "ab".repeat(16));
    }
}
