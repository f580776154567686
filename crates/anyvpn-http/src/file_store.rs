//! A token store in a file, for all programs that use the same file.

use std::fs;
use std::io::{ErrorKind as IoKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyvpn_core::{
    BoundToken, CallObserver, Error, ErrorKind, LockedStore, StoreLock, TokenStore, reveal,
};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::file_draft::{FileDraft, folder_of, remove_abandoned_drafts};
use crate::file_lock::{FileLock, LOCK, lock_file};
use crate::private_file::{PrivateFileError, open_private_file};

/// The largest token file, in bytes: far larger than any set of tokens.
const LONGEST: u64 = 1 << 20;
/// The most symbolic links that are followed; Linux has the same limit.
const MOST_LINKS: usize = 40;

/// A store in a file of mode 0600, for all processes that use the same file.
///
/// The file is always replaced as a whole. A lock file beside it lets one process at a time sign in.
/// Temporary files of a killed process are removed by the next one. The folder must exist. If the path
/// is a symbolic link, the file that it points to is read, replaced or created, and the link stays.
#[derive(Clone)]
pub struct FileStore {
    path: PathBuf,
    observer: Option<Arc<dyn CallObserver>>,
    unreadable: &'static str,
}

impl FileStore {
    /// Creates a store in this file, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let unreadable =
            "it is not a token file of this version of anyvpn; delete it and sign in again";
        Self { path: path.into(), observer: None, unreadable }
    }

    /// Sets the observer that is told while another process holds the lock.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets what the error for a text that cannot be read says: what is wrong, and what to do. Default: to
    /// delete the file and sign in again.
    #[must_use]
    pub fn with_unreadable(mut self, why: &'static str) -> Self {
        self.unreadable = why;
        self
    }

    fn failed(&self, action: &str, why: impl std::fmt::Display) -> Error {
        let path = self.path.display();
        Error::new(ErrorKind::InvalidRequest).with_detail(format!("cannot {action} {path}: {why}"))
    }

    /// Returns the file behind all symbolic links. It need not exist.
    fn target(&self) -> Result<PathBuf, Error> {
        let mut path = self.path.clone();
        for _ in 0..=MOST_LINKS {
            // `read_link` fails if the path is not a link or does not exist.
            match fs::read_link(&path) {
                Ok(next) => path = folder_of(&path).join(next),
                Err(_) => return Ok(path),
            }
        }
        Err(self.failed("use", "it has too many symbolic links, or they form a loop"))
    }

    fn read<T: DeserializeOwned>(&self) -> Result<Option<BoundToken<T>>, Error> {
        let file = match open_private_file(&self.target()?) {
            Ok(file) => file,
            Err(PrivateFileError::Io(e)) if e.kind() == IoKind::NotFound => return Ok(None),
            Err(PrivateFileError::Io(e)) => return Err(self.failed("open", e.kind())),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                return Err(self.failed("use", format!("{error}{hint}")));
            }
        };
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| self.failed("read", error.kind()))?;
        serde_json::from_str(&text).map(Some).map_err(|_| self.failed("use", self.unreadable))
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> TokenStore<T> for FileStore {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        self.read()
    }

    async fn lock(&self) -> Result<StoreLock<T>, Error> {
        let target = self.target()?;
        let mut path = target.clone().into_os_string();
        path.push(LOCK);
        let lock = lock_file(Path::new(&path), self.observer.as_ref()).await;
        let lock = lock.map_err(|error| match error.kind() {
            IoKind::TimedOut => self.failed("lock", format!("{error}; end that program")),
            kind => self.failed("lock", kind),
        })?;
        remove_abandoned_drafts(&target);
        Ok(Box::new(LockedFile { store: self.clone(), target, _lock: lock }))
    }
}

struct LockedFile {
    store: FileStore,
    target: PathBuf,
    _lock: FileLock,
}

impl LockedFile {
    /// Replaces the file's contents.
    fn replace(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut draft = FileDraft::new(&self.target)
            .map_err(|error| self.store.failed("write", error.kind()))?;
        draft.write(bytes).map_err(|error| self.store.failed("write", error.kind()))?;
        draft.persist().map_err(|(error, _)| self.store.failed("replace", error.kind()))
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> LockedStore<T> for LockedFile {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        self.store.read()
    }

    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error> {
        let Some(token) = token else {
            return match fs::remove_file(&self.target) {
                Err(e) if e.kind() != IoKind::NotFound => {
                    Err(self.store.failed("delete", e.kind()))
                }
                _ => Ok(()),
            };
        };
        let (json, _) = reveal(|| serde_json::to_vec(token));
        let json = Zeroizing::new(json.map_err(|error| self.store.failed("write", error))?);
        self.replace(&json)
    }
}
