//! Where a spool lies, and who may read it.

use std::{
    env,
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use crate::sys;

/// The directory that an installation makes and gives to the user PHP runs as.
pub const SYSTEM_DIRECTORY: &str = "/var/lib/nexpura";

/// Why a directory cannot hold a spool. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It is not there and cannot be made.
    #[error(
        "the spool directory {path} cannot be created ({source}): create it and give it to the user PHP runs as"
    )]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It belongs to somebody else, who could read or replace what is in it.
    #[error(
        "the spool directory {0} belongs to another user: set nexpura.spool_dir to a directory of the user PHP runs as"
    )]
    Stranger(PathBuf),
    /// Something that is not a directory has that name.
    #[error("{0} is not a directory: set nexpura.spool_dir to one")]
    NotADirectory(PathBuf),
}

/// Where spools go unless a directory is configured: [`SYSTEM_DIRECTORY`] where it can be written, else
/// `<system temp>/nexpura-<user id>`. Both lie outside any web root.
#[must_use]
pub fn default_directory() -> PathBuf {
    let system = Path::new(SYSTEM_DIRECTORY);
    if is_writable(system) {
        return system.to_owned();
    }
    env::temp_dir().join(format!("nexpura-{}", sys::effective_user()))
}

/// Makes the directory (0700) if it is missing, and refuses one that somebody else could tamper with.
///
/// # Errors
/// See [`PlaceError`].
pub fn prepare(directory: &Path) -> Result<(), PlaceError> {
    let create = |source| PlaceError::Create { path: directory.to_owned(), source };
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(create)?;
        }
        Err(error) => return Err(create(error)),
        Ok(_) => {}
    }
    // In a directory that everybody may write to, such as /tmp, the name may have been taken by
    // somebody else; a link is followed only where its own directory is not such a place.
    let own = fs::symlink_metadata(directory).map_err(create)?;
    let shared = directory
        .parent()
        .and_then(|parent| fs::metadata(parent).ok())
        .is_some_and(|parent| parent.permissions().mode() & 0o002 != 0);
    if own.file_type().is_symlink() && shared {
        return Err(PlaceError::Stranger(directory.to_owned()));
    }
    let found = fs::metadata(directory).map_err(create)?;
    if !found.is_dir() {
        return Err(PlaceError::NotADirectory(directory.to_owned()));
    }
    let me = sys::effective_user();
    if shared && found.uid() != me {
        return Err(PlaceError::Stranger(directory.to_owned()));
    }
    let mode = found.permissions().mode();
    if found.uid() == me && shared && mode & 0o077 != 0 {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(create)?;
    }
    Ok(())
}

/// Creates an empty file (0600) unless it is there. What root creates in another user's directory is given
/// to that user, so that a command run as root does not lock the shop out of its own spool.
///
/// # Errors
/// What the system reports.
pub(crate) fn create_file(path: &Path) -> io::Result<fs::File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    if sys::effective_user() == 0
        && let Some(directory) = path.parent()
    {
        let owner = fs::metadata(directory)?;
        if owner.uid() != file.metadata()?.uid() {
            chown(path, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(file)
}

/// Which file a path names now: device and inode, or nothing when it is gone.
pub(crate) fn file_at(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

fn is_writable(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.is_dir()) && sys::may_write(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_missing_directory_is_made_for_the_owner_alone_and_so_are_files() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("a/b");
        prepare(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
        drop(create_file(&directory.join("x")).unwrap());
        assert_eq!(mode(&directory.join("x")), 0o600);
        prepare(&directory).unwrap();
    }

    #[test]
    fn a_file_or_a_link_in_a_shared_place_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(prepare(&file), Err(PlaceError::NotADirectory(_))));

        let target = parent.path().join("target");
        fs::create_dir(&target).unwrap();
        let shared = parent.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        std::os::unix::fs::symlink(&target, shared.join("spool")).unwrap();
        assert!(matches!(prepare(&shared.join("spool")), Err(PlaceError::Stranger(_))));
    }

    #[test]
    fn a_directory_left_open_in_a_shared_place_is_closed() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let directory = parent.path().join("spool");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
    }

    #[test]
    fn the_default_is_writable_and_outside_a_web_root() {
        let directory = default_directory();
        assert!(directory == Path::new(SYSTEM_DIRECTORY) || directory.starts_with(env::temp_dir()));
    }

    #[test]
    fn a_file_belongs_to_whom_its_directory_belongs_to() {
        let directory = tempfile::tempdir().unwrap();
        // Only root can give a directory away; for anybody else both are their own.
        let owner = if sys::effective_user() == 0 { 65_534 } else { sys::effective_user() };
        chown(directory.path(), Some(owner), None).unwrap();
        let path = directory.path().join("x");
        drop(create_file(&path).unwrap());
        assert_eq!(fs::metadata(path).unwrap().uid(), owner);
    }

    #[test]
    fn a_stranger_s_directory_in_a_shared_place_is_refused_even_by_root() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let directory = parent.path().join("spool");
        fs::create_dir(&directory).unwrap();
        if sys::effective_user() == 0 {
            chown(&directory, Some(65_534), None).unwrap();
            assert!(matches!(prepare(&directory), Err(PlaceError::Stranger(_))));
        } else {
            // Only root can make a stranger's directory; one's own is fine.
            prepare(&directory).unwrap();
        }
    }
}
