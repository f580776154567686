//! The journal on disk: one small file that is always replaced as a whole.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyvpn_http::{
    FileDraft, FileLock, PrivateFileError, create_private_folder, lock_file, open_private_file,
    remove_abandoned_drafts,
};
use serde::Deserialize;

use crate::Journal;

const NAME: &str = "journal.json";
/// How long to wait for another keeper's lock: longer than a keeper takes to stop if it has nothing
/// else to do.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum size of the file, in bytes: far larger than any journal.
const LONGEST: u64 = 1 << 20;

/// The file of a [`Journal`], which one process at a time can use.
///
/// It has mode 0600. It is replaced as a whole, and is on disk when [`Self::save`] returns.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    _lock: FileLock,
}

/// The reason why the journal cannot be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system reported an error.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another keeper is using the journal.
    #[error("another keeper is using {path}: {source}", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Which process is using it, if that is known.
        source: io::Error,
    },
    /// Other users can read or replace it, or it is not a regular file.
    #[error("cannot use {path}: {source}", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// The reason, and what to do.
        source: PrivateFileError,
    },
    /// The file is not a journal of this version. It may record open forwards, so it is never
    /// overwritten.
    #[error(
        "{path} is not a journal of this version of anyvpn ({why}); move it away to begin anew: ports that \
         it knew of are then found in the provider's list, or not at all",
        path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl JournalFile {
    /// Opens the journal of a folder, which is created if it is missing. Without a file, the journal is new.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, if another process is using the journal, or if the file cannot be
    /// read.
    pub async fn open(folder: &Path) -> Result<(Self, Journal), JournalError> {
        let failed = |action, path: &Path, source| JournalError::Io {
            action,
            path: path.to_owned(),
            source,
        };
        create_private_folder(folder).map_err(|error| failed("create", folder, error))?;
        let path = folder.join(NAME);
        let lock_path = folder.join("journal.lock");
        let lock = tokio::time::timeout(PATIENCE, lock_file(&lock_path, None)).await;
        let lock = match lock {
            Ok(lock) => lock.map_err(|error| failed("lock", &lock_path, error))?,
            Err(_) => {
                return Err(JournalError::Locked { path, source: ErrorKind::WouldBlock.into() });
            }
        };
        remove_abandoned_drafts(&path);
        let journal = read(&path)?;
        Ok((Self { path, _lock: lock }, journal))
    }

    /// Replaces the journal and waits until it is on disk, which blocks the thread.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The file is then unchanged.
    pub fn save(&self, journal: &Journal) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(journal)?;
        text.push(b'\n');
        let mut draft = FileDraft::new(&self.path)?;
        draft.write(&text)?;
        draft.persist().map_err(|(error, _)| error)
    }
}

fn read(path: &Path) -> Result<Journal, JournalError> {
    let file: File = match open_private_file(path) {
        Ok(file) => file,
        Err(PrivateFileError::Io(error)) if error.kind() == ErrorKind::NotFound => {
            return Ok(Journal::new());
        }
        Err(source) => return Err(JournalError::Exposed { path: path.to_owned(), source }),
    };
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|source| JournalError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let unreadable = |why: String| JournalError::Unreadable { path: path.to_owned(), why };
    let Version { version } =
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    if version != Journal::VERSION {
        return Err(unreadable(format!("its version is {version}, not {}", Journal::VERSION)));
    }
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// The only field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
