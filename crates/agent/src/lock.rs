//! The lock file beside a spool: who sends, whether a daemon is there, who is setting the spool up.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    fork::{self, Inside},
    place, sys,
};

/// What a byte of the lock file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Role {
    /// The elected sender.
    Sender = 0,
    /// A daemon is running, elected or about to be: threads in PHP step back.
    Agent = 1,
    /// Creating the spool, or moving a corrupt one aside.
    Setup = 2,
    /// Somebody waits for the spool to be emptied: the elected sender tries sooner, whatever failed
    /// before.
    Hurry = 3,
}

const ROLES: usize = 4;
/// Room for what the elected sender says about itself, at the beginning of the file.
const SIGNATURE_BYTES: usize = 64;

/// The lock file of one spool, opened once a process: closing any descriptor of it would give up the
/// process's record locks.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    file: File,
    identity: Option<(u64, u64)>,
    /// Record locks do not conflict within a process; these do.
    taken: [AtomicBool; ROLES],
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Held {
    lock: Arc<LockFile>,
    role: Role,
}

static FILES: Mutex<Vec<Arc<LockFile>>> = Mutex::new(Vec::new());

/// `<spool>.lock`.
#[must_use]
pub fn path_for(spool: &Path) -> PathBuf {
    let mut name = OsString::from(spool);
    name.push(".lock");
    PathBuf::from(name)
}

/// Called in a child after a fork: what was held belongs to the parent.
pub(crate) fn forget_inherited() {
    FILES.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

impl LockFile {
    /// The lock file of this spool, created if it is missing.
    ///
    /// # Errors
    /// When it cannot be opened, or this process is a child that must keep out.
    pub fn of(spool: &Path) -> io::Result<Arc<Self>> {
        let inside = fork::enter().map_err(io::Error::other)?;
        Self::of_inside(spool, &inside)
    }

    pub(crate) fn of_inside(spool: &Path, _: &Inside) -> io::Result<Arc<Self>> {
        let path = path_for(spool);
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was deleted or replaced meanwhile locks nobody out any more.
        files.retain(|known| known.path != path || known.is_in_place());
        if let Some(known) = files.iter().find(|known| known.path == path) {
            return Ok(Arc::clone(known));
        }
        place::prepare(path.parent().unwrap_or(Path::new("."))).map_err(io::Error::other)?;
        let file = place::create_file(&path)?;
        let lock = Arc::new(Self {
            identity: place::file_at(&path),
            path,
            file,
            taken: Default::default(),
        });
        files.push(Arc::clone(&lock));
        Ok(lock)
    }

    /// Whether the path still names this file.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.identity.is_some() && place::file_at(&self.path) == self.identity
    }

    /// Takes the lock if nobody has it.
    ///
    /// # Errors
    /// What the system reports, other than that somebody has it.
    pub fn try_take(self: &Arc<Self>, role: Role) -> io::Result<Option<Held>> {
        let taken = &self.taken[role as usize];
        if taken.swap(true, Ordering::AcqRel) {
            return Ok(None);
        }
        match sys::try_lock_byte(&self.file, role as i64) {
            Ok(true) => Ok(Some(Held { lock: Arc::clone(self), role })),
            Ok(false) => {
                taken.store(false, Ordering::Release);
                Ok(None)
            }
            Err(error) => {
                taken.store(false, Ordering::Release);
                Err(error)
            }
        }
    }

    /// Whether anybody, in this process or another, has the lock.
    #[must_use]
    pub fn is_taken(&self, role: Role) -> bool {
        self.taken[role as usize].load(Ordering::Acquire)
            || sys::byte_is_locked(&self.file, role as i64).unwrap_or(false)
    }

    /// Changes the file, which wakes the sender that watches it. Writes over the same byte each time, so
    /// that it works on a full disk, too.
    ///
    /// # Errors
    /// What the system reports; the sender looks by itself a little later.
    pub fn nudge(&self) -> io::Result<()> {
        self.file.write_all_at(b"\n", SIGNATURE_BYTES as u64)
    }

    /// What the elected sender last wrote about itself with [`Held::sign`].
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = [0; SIGNATURE_BYTES];
        let length = self.file.read_at(&mut text, 0).unwrap_or(0);
        let text = text[..length].split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).trim().to_owned()
    }
}

impl Held {
    /// Writes into the lock file who holds it, so that others can tell.
    ///
    /// # Errors
    /// When the disk is full, for example; the lock holds all the same.
    pub fn sign(&self, text: &str) -> io::Result<()> {
        let mut padded = [0; SIGNATURE_BYTES];
        for (to, from) in padded.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.lock.file.write_all_at(&padded, 0)
    }

    /// Whether the lock still means anything: its file has not been deleted or replaced.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.lock.is_in_place()
    }

    /// Whether anybody holds another role on the same spool.
    #[must_use]
    pub fn other_is_taken(&self, role: Role) -> bool {
        self.lock.is_taken(role)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Failing to unlock leaves it locked until the process ends, which a later try_take reports.
        let _ = sys::unlock_byte(&self.lock.file, self.role as i64);
        self.lock.taken[self.role as usize].store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_process_a_role_is_held_once_and_roles_do_not_disturb_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let spool = directory.path().join("a.db");
        let lock = LockFile::of(&spool).unwrap();
        let sender = lock.try_take(Role::Sender).unwrap().unwrap();
        sender.sign("thread 1").unwrap();
        assert!(LockFile::of(&spool).unwrap().try_take(Role::Sender).unwrap().is_none());
        assert!(lock.is_taken(Role::Sender));
        assert!(!lock.is_taken(Role::Agent));
        let agent = lock.try_take(Role::Agent).unwrap().unwrap();
        drop(agent);
        assert!(lock.is_taken(Role::Sender));
        assert_eq!(lock.signature(), "thread 1");
        drop(sender);
        assert!(!lock.is_taken(Role::Sender));
        assert!(lock.try_take(Role::Sender).unwrap().is_some());
    }

    #[test]
    fn a_deleted_lock_file_is_noticed_and_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let spool = directory.path().join("a.db");
        let old = LockFile::of(&spool).unwrap();
        let held = old.try_take(Role::Sender).unwrap().unwrap();
        std::fs::remove_file(path_for(&spool)).unwrap();
        assert!(!held.is_in_place());
        let new = LockFile::of(&spool).unwrap();
        assert!(new.try_take(Role::Sender).unwrap().is_some());
    }
}
