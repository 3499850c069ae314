//! Passwords: what one must be, and how it is kept (argon2id).

use std::sync::{Arc, OnceLock};

use anyhow::anyhow;
use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
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
    nobodys: OnceLock<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (turn, room) = (Semaphore::new(1), Semaphore::new(WAITING));
        Self { turn: Arc::new(turn), room: Arc::new(room), nobodys: OnceLock::new() }
    }
}

impl Passwords {
    /// What is kept of a password.
    ///
    /// # Errors
    /// When there are no random numbers, or no memory.
    pub async fn hash(&self, password: &SecretString) -> anyhow::Result<String> {
        let (password, salt) = (password.clone(), random::<16>()?);
        self.work(move || {
            let hash: PasswordHash = Argon2::default()
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|error| anyhow!("a password cannot be hashed: {error}"))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether this is the password of which `hash` was kept.
    ///
    /// # Errors
    /// When the hash is none, or there is no memory.
    pub async fn fits(&self, password: &SecretString, hash: String) -> anyhow::Result<bool> {
        if password.expose_secret().len() > LONGEST {
            return Ok(false);
        }
        let password = password.clone();
        self.work(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|error| anyhow!("a password's hash cannot be read: {error}"))?;
            match Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(anyhow!("a password cannot be verified: {error}")),
            }
        })
        .await
    }

    /// Does the same work for nobody, so that the time tells nothing of who has an account.
    ///
    /// # Errors
    /// See [`Passwords::fits`].
    pub async fn pretend(&self, password: &SecretString) -> anyhow::Result<()> {
        let hash = match self.nobodys.get() {
            Some(hash) => hash.clone(),
            None => {
                let unknown = SecretString::from(format!("{:x?}", random::<16>()?));
                let hash = self.hash(&unknown).await?;
                self.nobodys.get_or_init(|| hash).clone()
            }
        };
        self.fits(password, hash).await.map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_no_two_hashes_are_alike() {
        let passwords = Passwords::default();
        let [one, other] = ["a ring of gold", "a ring of tin"].map(SecretString::from);
        let hash = passwords.hash(&one).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash(&one).await.unwrap(), hash);
        assert!(passwords.fits(&one, hash.clone()).await.unwrap());
        assert!(!passwords.fits(&other, hash.clone()).await.unwrap());
        assert!(passwords.fits(&one, "no hash".to_owned()).await.is_err());
        passwords.pretend(&other).await.unwrap();
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_again() {
        let passwords = Passwords::default();
        let busy = passwords.turn.clone().acquire_owned().await.unwrap();
        let password = SecretString::from("a ring of gold");
        let mut waiting: Vec<_> =
            (0..WAITING).map(|_| Box::pin(passwords.hash(&password))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        assert!(passwords.hash(&password).await.unwrap_err().is::<Crowded>());
        // Who waits no longer makes room.
        waiting.clear();
        drop(busy);
        passwords.hash(&password).await.unwrap();
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
