//! Passwords: what one must be, and how it is kept (argon2id).

use std::sync::Arc;

use anyhow::{Context, anyhow};
use argon2::{
    Argon2, Params, PasswordHasher,
    password_hash::{CustomizedPasswordHasher, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::super::credential::random;

/// The shortest password, in characters.
pub const SHORTEST: usize = 10;
/// The longest, in bytes: hashing it is work that a stranger may ask for.
const LONGEST: usize = 512;

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error(
        "A password has at least {SHORTEST} characters. A few words in a row are easy to remember."
    )]
    Short,
    /// Too long.
    #[error("A password has at most {LONGEST} bytes.")]
    Long,
    /// It is the e-mail, or one character over and over.
    #[error("This password is too easy to guess: choose another.")]
    Obvious,
}

/// Checks a new password of the person with this e-mail.
///
/// # Errors
/// See [`PasswordError`].
pub fn check(password: &SecretString, email: &str) -> Result<(), PasswordError> {
    let text = password.expose_secret();
    if text.len() > LONGEST {
        return Err(PasswordError::Long);
    }
    if text.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    let first = text.chars().next();
    if text.to_lowercase() == email || text.chars().all(|one| Some(one) == first) {
        return Err(PasswordError::Obvious);
    }
    Ok(())
}

/// So many are waiting already that another would not get its turn in time.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too many passwords wait to be checked")]
pub struct Crowded;

/// How many may wait for their turn: a few seconds of work.
const WAITING: usize = 64;

/// Hashes passwords, one at a time: each takes 19 MiB while it lasts (the parameters that OWASP names for
/// argon2id), and a crowd at the door must not take the relay's memory.
#[derive(Debug)]
pub struct Passwords {
    turn: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (turn, room) = (Semaphore::new(1), Semaphore::new(WAITING));
        Self { turn: Arc::new(turn), room: Arc::new(room) }
    }
}

impl Passwords {
    /// What is kept of a password: salted as `like` is, or as nothing is yet.
    ///
    /// # Errors
    /// When there are no random numbers, no memory, or `like` is no hash.
    pub async fn hash(
        &self,
        password: &SecretString,
        like: Option<&str>,
    ) -> anyhow::Result<String> {
        let salt = match like {
            Some(like) => read(like)?.salt.context("a password's hash has no salt")?.to_vec(),
            None => random::<16>()?.to_vec(),
        };
        let password = password.clone();
        self.work(move || {
            let hash: PasswordHash = Argon2::default()
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|error| anyhow!("a password cannot be hashed: {error}"))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Of which of these hashes this is the password. Those that are salted alike are one computation, and
    /// so is none at all: the time tells nothing of who has an account.
    ///
    /// # Errors
    /// When one is no hash, or there is no memory.
    pub async fn fitting(
        &self,
        password: &SecretString,
        kept: &[String],
    ) -> anyhow::Result<Vec<bool>> {
        if password.expose_secret().len() > LONGEST {
            return Ok(vec![false; kept.len()]);
        }
        if kept.is_empty() {
            self.hash(password, None).await?;
        }
        let kept = kept.iter().map(|hash| read(hash)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut fitting = vec![false; kept.len()];
        for salted in salted_alike(&kept) {
            let given = self.like(password, salted).await?;
            for (fits, hash) in fitting.iter_mut().zip(&kept) {
                // Outputs are compared in the same time whether they are alike or not.
                *fits |= *hash == given;
            }
        }
        Ok(fitting)
    }

    /// What would have been kept of this password in the place of `hash`.
    async fn like(
        &self,
        password: &SecretString,
        hash: PasswordHash,
    ) -> anyhow::Result<PasswordHash> {
        let password = password.clone();
        self.work(move || {
            let salt = hash.salt.context("a password's hash has no salt")?;
            let (algorithm, params) = (Some(hash.algorithm.as_str()), Params::try_from(&hash));
            let given = params.and_then(|params| {
                let password = password.expose_secret().as_bytes();
                let argon2 = Argon2::default();
                argon2.hash_password_customized(password, &salt, algorithm, hash.version, params)
            });
            given.map_err(|error| anyhow!("a password cannot be verified: {error}"))
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let _place = self.room.try_acquire().map_err(|_| Crowded)?;
        let turn = self.turn.clone().acquire_owned().await?;
        // The turn goes with the work, which goes on when the one who asked has gone.
        tokio::task::spawn_blocking(move || {
            let done = what();
            drop(turn);
            done
        })
        .await?
    }
}

fn read(hash: &str) -> anyhow::Result<PasswordHash> {
    PasswordHash::new(hash).map_err(|error| anyhow!("a password's hash cannot be read: {error}"))
}

/// One of each kind of hash, by all but what came out.
fn salted_alike(hashes: &[PasswordHash]) -> Vec<PasswordHash> {
    let mut kinds: Vec<PasswordHash> = Vec::new();
    for hash in hashes {
        let kind = PasswordHash { hash: None, ..hash.clone() };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_no_two_hashes_are_alike() {
        let passwords = Passwords::default();
        let [one, other] = ["a ring of gold", "a ring of tin"].map(SecretString::from);
        let hash = passwords.hash(&one, None).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash(&one, None).await.unwrap(), hash);
        let fits = async |password, hash: &str| {
            passwords.fitting(password, &[hash.to_owned()]).await.map(|fitting| fitting == [true])
        };
        assert!(fits(&one, &hash).await.unwrap());
        assert!(!fits(&other, &hash).await.unwrap());
        assert!(fits(&one, "no hash").await.is_err());
        assert!(passwords.fitting(&other, &[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn hashes_that_are_salted_alike_are_one_computation() {
        let passwords = Passwords::default();
        let [one, other] = ["a ring of gold", "a ring of tin"].map(SecretString::from);
        let first = passwords.hash(&one, None).await.unwrap();
        let alike = passwords.hash(&other, Some(&first)).await.unwrap();
        let apart = passwords.hash(&other, None).await.unwrap();
        let kept = [first, alike, apart];
        let read = kept.each_ref().map(|hash| read(hash).unwrap());
        assert_eq!(salted_alike(&read[..2]).len(), 1);
        assert_eq!(salted_alike(&read).len(), 2);
        assert_eq!(passwords.fitting(&one, &kept).await.unwrap(), [true, false, false]);
        assert_eq!(passwords.fitting(&other, &kept).await.unwrap(), [false, true, true]);
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_again() {
        let passwords = Passwords::default();
        let busy = passwords.turn.clone().acquire_owned().await.unwrap();
        let password = SecretString::from("a ring of gold");
        let mut waiting: Vec<_> =
            (0..WAITING).map(|_| Box::pin(passwords.hash(&password, None))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        assert!(passwords.hash(&password, None).await.unwrap_err().is::<Crowded>());
        // Who waits no longer makes room.
        waiting.clear();
        drop(busy);
        passwords.hash(&password, None).await.unwrap();
    }

    #[test]
    fn a_password_is_long_enough_and_not_the_first_to_be_tried() {
        let checked = |text: &str| check(&SecretString::from(text), "ann@example.test");
        assert_eq!(checked("ringsrings"), Ok(()));
        // Characters are counted, not bytes.
        assert_eq!(checked("ééééééééé"), Err(PasswordError::Short));
        assert_eq!(checked(&"x y".repeat(200)), Err(PasswordError::Long));
        for text in ["Ann@Example.test", "aaaaaaaaaaaa"] {
            assert_eq!(checked(text), Err(PasswordError::Obvious), "{text}");
        }
    }
}
