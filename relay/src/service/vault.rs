//! Secrets at rest: AES-256-GCM, each bound to the tenant, table, row and field that it stands in.
//!
//! A sealed secret is `version (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext and tag`. The key id is the
//! beginning of the key's SHA-256, so that several keys can be in use during a rotation.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const HEAD: usize = 1 + 4 + NONCE_BYTES;

/// The column that a secret stands in; a secret moved elsewhere does not open.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: Uuid,
    /// The table's name.
    pub table: &'a str,
    /// The row's key within the tenant.
    pub row: Uuid,
    /// The column's name.
    pub field: &'a str,
}

impl Place<'_> {
    fn bytes(self) -> Vec<u8> {
        let Self { tenant, table, row, field } = self;
        format!("{}/{table}/{}/{field}", tenant.simple(), row.simple()).into_bytes()
    }
}

/// Why a secret did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Sealed under a key that this relay does not have.
    #[error(
        "a stored secret was sealed under another master key: give the relay the key it was started with before"
    )]
    UnknownKey,
    /// Cut short, changed, or moved to another row.
    #[error("a stored secret is damaged")]
    Damaged,
}

/// Seals under the first of its keys, opens under any.
pub struct Vault {
    keys: Vec<([u8; 4], Aes256Gcm)>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} keys)", self.keys.len())
    }
}

impl Vault {
    /// A vault of these keys, each 32 bytes in base64, the one to seal with first.
    ///
    /// # Errors
    /// When one of them is not.
    pub fn new(keys: &SecretString) -> anyhow::Result<Self> {
        let keys = keys
            .expose_secret()
            .split(',')
            .map(|text| {
                let key = STANDARD
                    .decode(text.trim())
                    .ok()
                    .filter(|key| key.len() == KEY_BYTES)
                    .context("the master key must be 32 bytes in base64, as `openssl rand -base64 32` prints them")?;
                let mut id = [0; 4];
                id.copy_from_slice(&Sha256::digest(&key)[..4]);
                Ok((id, Aes256Gcm::new_from_slice(&key)?))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { keys })
    }

    /// The key that the operator gave, else the one in the key file beside the SQLite file, made on
    /// the first run with mode 0600.
    ///
    /// # Errors
    /// When there is neither a key nor a SQLite file to keep one beside, or the file cannot be read.
    pub fn load(given: Option<&SecretString>, database_url: &str) -> anyhow::Result<Self> {
        if let Some(keys) = given {
            return Self::new(keys);
        }
        let path = key_file(database_url).context(
            "with PostgreSQL the master key must be given: set NEXPURA_MASTER_KEY to 32 bytes in base64 (openssl rand -base64 32)",
        )?;
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mode = fs::metadata(&path)?.permissions().mode();
                anyhow::ensure!(
                    mode & 0o077 == 0,
                    "{} can be read by others: chmod 600 it",
                    path.display()
                );
                Self::new(&SecretString::from(text))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(&path),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Seals a secret for its place.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, place: Place<'_>, secret: &str) -> anyhow::Result<Vec<u8>> {
        let (id, cipher) = self.keys.first().context("no master key")?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| anyhow::anyhow!("no random numbers"))?;
        let payload = Payload { msg: secret.as_bytes(), aad: &place.bytes() };
        let sealed = cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| anyhow::anyhow!("sealing failed"))?;
        let mut out = Vec::with_capacity(HEAD + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Whether a sealed secret stands under the key that this vault seals with.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let first = self.keys.first().map(|(id, _)| &id[..]);
        sealed.len() >= HEAD && sealed[0] == VERSION && first == Some(&sealed[1..5])
    }

    /// Opens a secret in its place.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(OpenError::Damaged)?;
        if head[0] != VERSION {
            return Err(OpenError::Damaged);
        }
        let (_, cipher) =
            self.keys.iter().find(|(id, _)| id[..] == head[1..5]).ok_or(OpenError::UnknownKey)?;
        let nonce: [u8; NONCE_BYTES] = head[5..].try_into().map_err(|_| OpenError::Damaged)?;
        let payload = Payload { msg: body, aad: &place.bytes() };
        let opened =
            cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| OpenError::Damaged)?;
        String::from_utf8(opened).map(SecretString::from).map_err(|_| OpenError::Damaged)
    }
}

fn key_file(database_url: &str) -> Option<PathBuf> {
    let path = database_url.strip_prefix("sqlite:")?.trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(format!("{path}.key")))
}

fn create(path: &Path) -> anyhow::Result<Vault> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|_| anyhow::anyhow!("no random numbers"))?;
    let text = SecretString::from(STANDARD.encode(key));
    // Whole before it has its name: a service and a command may begin at once, and neither may read half a key.
    let unnamed = path.with_added_extension(Uuid::new_v4().to_string());
    let made = write(&unnamed, &text).and_then(|()| match fs::hard_link(&unnamed, path) {
        // There are file systems without links.
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => write(path, &text),
        linked => linked,
    });
    let _ = fs::remove_file(&unnamed);
    match made {
        Ok(()) => Vault::new(&text),
        // Another process was faster: its key counts.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Vault::new(&SecretString::from(fs::read_to_string(path)?))
        }
        Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
}

/// Writes a key that only its owner reads, down to the disk.
fn write(path: &Path, key: &SecretString) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.expose_secret().as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(seed: u8) -> Vault {
        Vault::new(&SecretString::from(STANDARD.encode([seed; 32]))).unwrap()
    }

    fn place(row: u128, field: &'static str) -> Place<'static> {
        Place { tenant: Uuid::from_u128(1), table: "connections", row: Uuid::from_u128(row), field }
    }

    #[test]
    fn a_secret_opens_in_its_own_place_only() {
        let vault = vault(7);
        let sealed = vault.seal(place(2, "secret"), "ring").unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"ring"));
        assert_eq!(vault.open(place(2, "secret"), &sealed).unwrap().expose_secret(), "ring");
        assert_eq!(vault.open(place(3, "secret"), &sealed).unwrap_err(), OpenError::Damaged);
        assert_eq!(vault.open(place(2, "previous"), &sealed).unwrap_err(), OpenError::Damaged);
        let mut elsewhere = place(2, "secret");
        elsewhere.tenant = Uuid::from_u128(9);
        assert_eq!(vault.open(elsewhere, &sealed).unwrap_err(), OpenError::Damaged);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let vault = vault(7);
        let sealed = vault.seal(place(2, "secret"), "ring").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(place(2, "secret"), &changed).is_err(), "byte {at}");
        }
        assert!(vault.open(place(2, "secret"), &sealed[..8]).is_err());
    }

    #[test]
    fn after_a_rotation_the_old_secrets_still_open() {
        let old = vault(1).seal(place(2, "secret"), "ring").unwrap();
        let both = format!("{},{}", STANDARD.encode([2; 32]), STANDARD.encode([1; 32]));
        let rotated = Vault::new(&SecretString::from(both)).unwrap();
        assert_eq!(rotated.open(place(2, "secret"), &old).unwrap().expose_secret(), "ring");
        let new = rotated.seal(place(2, "secret"), "ring").unwrap();
        assert_eq!(vault(1).open(place(2, "secret"), &new).unwrap_err(), OpenError::UnknownKey);
    }

    #[test]
    fn who_begins_at_once_has_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..100 {
            let url = format!("sqlite://{}/{round}.db", dir.path().display());
            let start = std::sync::Barrier::new(8);
            let load = || {
                start.wait();
                Vault::load(None, &url).unwrap()
            };
            let vaults: Vec<Vault> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let sealed = vaults[0].seal(place(2, "secret"), "ring").unwrap();
            for vault in &vaults {
                assert_eq!(
                    vault.open(place(2, "secret"), &sealed).unwrap().expose_secret(),
                    "ring"
                );
            }
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 100, "something else is left");
    }

    #[test]
    fn the_key_file_is_made_once_and_for_the_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/n.db?mode=rwc", dir.path().display());
        let sealed = Vault::load(None, &url).unwrap().seal(place(2, "secret"), "ring").unwrap();
        let file = dir.path().join("n.db.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Vault::load(None, &url).unwrap();
        assert_eq!(again.open(place(2, "secret"), &sealed).unwrap().expose_secret(), "ring");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Vault::load(None, &url).unwrap_err().to_string().contains("chmod 600"));
        assert!(Vault::load(None, "postgres://x/y").is_err());
    }
}
