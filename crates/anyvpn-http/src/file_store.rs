//! A token store in a file, for all programs that use the same file.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyvpn_core::{
    BoundToken, CallObserver, Error, ErrorKind, LockedStore, StoreLock, TokenStore, reveal,
};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::private_file::{PrivateFileError, open_private_file};
use crate::token_store::{FileLock, lock_file};

/// The end of a temporary file's name, and the number of random characters before it.
const NEW: &str = ".new";
const DRAWN: usize = 6;
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
}

impl FileStore {
    /// Creates a store in this file, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), observer: None }
    }

    /// Sets the observer that is told while another process holds the lock.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observer = Some(observer);
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
        Err(self.failed("use", "it is a link that leads to no file"))
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
        serde_json::from_str(&text).map(Some).map_err(|_| {
            let why =
                "it is not a token file of this version of anyvpn; delete it and sign in again";
            self.failed("use", why)
        })
    }
}

/// Returns the folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns the beginning of the names of this file's temporary files.
fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> TokenStore<T> for FileStore {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        self.read()
    }

    async fn lock(&self) -> Result<StoreLock<T>, Error> {
        let target = self.target()?;
        let mut path = target.clone().into_os_string();
        path.push(".lock");
        let lock = lock_file(Path::new(&path), self.observer.as_ref()).await;
        let lock = lock.map_err(|error| self.failed("lock", error.kind()))?;
        let locked = LockedFile { store: self.clone(), target, _lock: lock };
        locked.remove_leftovers();
        Ok(Box::new(locked))
    }
}

struct LockedFile {
    store: FileStore,
    target: PathBuf,
    _lock: FileLock,
}

impl LockedFile {
    /// Removes the temporary files of killed processes. Only the holder of the lock creates such files,
    /// so none of them is in use.
    fn remove_leftovers(&self) {
        let prefix = prefix(&self.target);
        for entry in fs::read_dir(folder_of(&self.target)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let drawn =
                name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(NEW));
            if drawn.is_some_and(|drawn| {
                drawn.len() == DRAWN && drawn.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Replaces the file's contents.
    fn replace(&self, bytes: &[u8]) -> Result<(), Error> {
        let failed = |action: &str, kind: IoKind| self.store.failed(action, kind);
        let folder = folder_of(&self.target);
        // Created with mode 0600, in the same folder so that the rename is atomic.
        let mut file = tempfile::Builder::new()
            .prefix(&prefix(&self.target))
            .rand_bytes(DRAWN)
            .suffix(NEW)
            .tempfile_in(folder)
            .map_err(|error| failed("write", error.kind()))?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(|error| failed("write", error.kind()))?;
        file.persist(&self.target).map_err(|error| failed("replace", error.error.kind()))?;
        sync_folder(folder).map_err(|error| failed("sync the folder of", error.kind()))
    }
}

/// Writes the folder's entries to the disk. Otherwise a power failure could bring back the old file
/// after the new one was used.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems do not support it, and some folders can be written to but not read.
        Err(error)
            if matches!(
                error.kind(),
                IoKind::InvalidInput | IoKind::Unsupported | IoKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
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
