//! Passwords: which are taken, and how they are kept.
//!
//! The rules are those of NIST SP 800-63B: length, and not one of the commonest; no rules of composition. They are
//! kept as argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane).

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use bugle_web::{Code, FieldError, Problem};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};

/// The shortest, in characters.
pub const SHORTEST: usize = 10;
/// The longest, in characters.
pub const LONGEST: usize = 256;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// So many are hashed at once in a process; each takes a core and 19 MiB.
const AT_ONCE: usize = 2;
/// Others wait this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The commonest of those that are long enough.
const COMMONEST: &str = include_str!("common_passwords.txt");

/// What is wrong with a new password of somebody, for the field `field`.
#[must_use]
pub fn mistakes(field: &str, password: &str, about: &[&str]) -> Vec<FieldError> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        let message = format!("has {length} characters; expected {SHORTEST} to {LONGEST}");
        return vec![FieldError::new(field, message)];
    }
    let lower = password.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next();
    let one_letter = letters.all(|c| Some(c) == first);
    let personal = about.iter().any(|word| word.to_lowercase() == lower);
    if one_letter || personal || COMMONEST.lines().any(|common| common == lower) {
        return vec![FieldError::new(field, "is one of the passwords that are tried first")];
    }
    Vec::new()
}

/// Hashes a password; takes a tenth of a second. PHC form.
///
/// # Errors
/// When there is no memory for it.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
    Ok(algorithm()?.hash_password(password.as_bytes(), &salt)?.to_string())
}

fn algorithm() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, PASSES, 1, None)?))
}

fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    // The parameters are the hash's own: older ones go on working.
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

/// Hashes and verifies off the request threads, a few at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// What a password is compared with when there is no account: it takes as long.
    nobody: Arc<OnceCell<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// With all slots free.
    #[must_use]
    pub fn new() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), nobody: Arc::new(OnceCell::new()) }
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when too many are being hashed.
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = password.to_owned();
        self.work(move || hash(&password)).await?.map_err(|error| Problem::internal(&error))
    }

    /// Whether a password belongs to a hash. Takes as long when there is none.
    ///
    /// # Errors
    /// As [`Passwords::hash`].
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Problem> {
        let nobody =
            self.nobody.get_or_try_init(|| async { self.hash(&bugle_web::auth::new_secret()).await }).await?;
        let known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(nobody).to_owned());
        let right = self.work(move || verify(&password, &hash)).await?;
        Ok(right && known)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let slot = tokio::time::timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(Ok(slot)) = slot else {
            return Err(Problem::with_detail(Code::RateLimited, "too many sign in at once").retry_after(1));
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        done.await.map_err(|error| Problem::internal(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_the_commonest_are_refused() {
        let about = ["ann@example.com", "Ann Example"];
        for bad in [
            "short",
            "ninechars",
            "1234567890",
            "Password123",
            "aaaaaaaaaaaa",
            "ANN@example.com",
            "ann example",
        ] {
            assert_eq!(mistakes("password", bad, &about).len(), 1, "{bad}");
        }
        assert_eq!(mistakes("password", &"xy".repeat(129), &about).len(), 1);
        for good in ["correct horse", "ten chars!", &"xy".repeat(128), "пароль из слов", "   spaces   "]
        {
            assert!(mistakes("password", good, &about).is_empty(), "{good}");
        }
    }

    #[test]
    fn every_common_one_is_long_enough_to_matter() {
        for line in COMMONEST.lines() {
            assert!(line.chars().count() >= SHORTEST && line == line.to_lowercase(), "{line}");
        }
    }

    #[test]
    fn a_hash_is_argon2id_with_its_parameters_and_a_salt() {
        let (one, two) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(verify("correct horse", &one) && verify("correct horse", &two));
        assert!(!verify("correct horsf", &one) && !verify("correct horse", "not a hash"));
    }

    #[tokio::test]
    async fn nobody_takes_a_hash_as_well() {
        let passwords = Passwords::new();
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(passwords.nobody.initialized());
        let kept = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.verify("correct horse", Some(&kept)).await.unwrap());
    }
}
