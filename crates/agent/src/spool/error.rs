//! What can be wrong with a spool, in words for the person who has to put it right.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

use crate::{fork::Forked, place::PlaceError};

/// Why the spool could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The directory cannot hold a spool.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The file system refused something that is not SQLite's.
    #[error("the spool {path} cannot be used ({source}): check the permissions of its directory")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else is writing and did not finish in time.
    #[error("the spool {0} is busy; it will be tried again")]
    Busy(PathBuf),
    /// No space left, or a limit of file sizes.
    #[error("the disk that holds the spool {0} is full: free some space")]
    Full(PathBuf),
    /// The file or its file system may not be written by this user.
    #[error(
        "the spool {0} cannot be written: give it and its directory to the user PHP runs as, or make its file system writable"
    )]
    ReadOnly(PathBuf),
    /// The file is torn. The next patient call moves it aside and begins a new one.
    #[error(
        "the spool {0} is damaged; it is moved aside and a new one begun, and the relay looks everything through"
    )]
    Corrupt(PathBuf),
    /// An SQLite file that something else made.
    #[error(
        "{0} is a database, but not a spool of Nexpura: set nexpura.spool_dir to another directory"
    )]
    Foreign(PathBuf),
    /// A later version wrote it.
    #[error("the spool {0} was written by a later version of Nexpura: update this one")]
    Newer(PathBuf),
    /// The process must keep out of it.
    #[error(transparent)]
    Forked(#[from] Forked),
    /// Whatever else SQLite reports.
    #[error("the spool {path} failed: {source}")]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl SpoolError {
    pub(crate) fn from_sql(path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(failure, _) = &source else {
            return Self::Sql { path, source };
        };
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy(path),
            ErrorCode::DiskFull => Self::Full(path),
            // A write that stops short on a full disk or at a limit of file sizes.
            ErrorCode::SystemIoFailure
                if matches!(failure.extended_code, rusqlite::ffi::SQLITE_IOERR_WRITE)
                    || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
            {
                Self::Full(path)
            }
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                Self::ReadOnly(path)
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(path),
            _ => Self::Sql { path, source },
        }
    }

    /// Whether trying again a little later may do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}
