//! Where a token that was made by signing in is kept.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyvpn_core::Error;
use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The right to replace what a store holds; dropping it gives it back.
pub type StoreLock = Box<dyn Send + Sync>;

/// Keeps one token, or one set of tokens, beyond a client's life.
///
/// Clients that share a store sign in once for all of them.
#[async_trait]
pub trait TokenStore<T>: Send + Sync + 'static {
    /// What is kept; `None` when nothing is.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when what is kept cannot be read or is open to others.
    async fn load(&self) -> Result<Option<T>, Error>;

    /// Keeps `token` instead, or nothing. All of it is kept or none of it.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when it cannot be written.
    async fn save(&self, token: Option<&T>) -> Result<(), Error>;

    /// Waits for the right to replace the token. Whoever has it reads first: another may have
    /// replaced the token meanwhile.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the lock cannot be taken at all.
    async fn lock(&self) -> Result<StoreLock, Error>;
}

/// Keeps the token in memory, for all clients that share the store.
pub struct MemoryStore<T> {
    token: std::sync::Mutex<Option<T>>,
    turn: Arc<Mutex<()>>,
}

impl<T> MemoryStore<T> {
    /// A store that holds this token, or nothing yet.
    #[must_use]
    pub fn new(token: Option<T>) -> Self {
        Self { token: std::sync::Mutex::new(token), turn: Arc::default() }
    }
}

#[async_trait]
impl<T: Clone + Send + Sync + 'static> TokenStore<T> for MemoryStore<T> {
    async fn load(&self) -> Result<Option<T>, Error> {
        Ok(self.token.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn save(&self, token: Option<&T>) -> Result<(), Error> {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token.cloned();
        Ok(())
    }

    async fn lock(&self) -> Result<StoreLock, Error> {
        let turn: OwnedMutexGuard<()> = Arc::clone(&self.turn).lock_owned().await;
        Ok(Box::new(turn))
    }
}

/// The exclusive lock of a file. Dropping it gives it back, and so does the end of the process.
#[derive(Debug)]
pub struct FileLock(File);

impl Drop for FileLock {
    fn drop(&mut self) {
        // To close the file is not enough while another thread starts a program: until that runs, it
        // has the file open too. An error leaves it to the closing.
        let _ = self.0.unlock();
    }
}

/// Waits for the exclusive lock of a file, which is made when it is missing.
///
/// # Errors
///
/// When the file cannot be made or locked.
pub async fn lock_file(path: &Path) -> io::Result<FileLock> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    // Whoever can open it could hold it for ever.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // It is open as long as another process has the lock, and says so to whoever listens.
    let mut waiting = None;
    // Asked again and again instead of waited for in a thread, so that dropping the future ends the
    // wait.
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock(file)),
            Err(TryLockError::WouldBlock) => {
                waiting.get_or_insert_with(|| tracing::debug_span!("lock"));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(feature = "file-store")]
pub use file::FileStore;

#[cfg(feature = "file-store")]
mod file {
    use std::fs::{self, File};
    use std::io::{ErrorKind as IoKind, Write as _};
    use std::path::{Path, PathBuf};

    use anyvpn_core::{Error, ErrorKind, reveal};
    use async_trait::async_trait;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::{StoreLock, TokenStore, lock_file};

    /// Keeps the token in a file of mode 0600, for all processes that name the same file.
    ///
    /// The file is replaced whole, never written into; a lock file beside it lets one process at a
    /// time sign in. What a process leaves that is killed meanwhile, the next one removes. The folder
    /// must exist.
    pub struct FileStore {
        path: PathBuf,
    }

    impl FileStore {
        /// A store in this file, which need not exist yet.
        #[must_use]
        pub fn new(path: impl Into<PathBuf>) -> Self {
            Self { path: path.into() }
        }

        fn failed(&self, what: &str, error: impl std::fmt::Display) -> Error {
            let path = self.path.display();
            Error::new(ErrorKind::InvalidRequest)
                .with_detail(format!("cannot {what} {path}: {error}"))
        }

        fn folder(&self) -> &Path {
            match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            }
        }

        /// What the name of a file begins with that is to replace this one.
        fn prefix(&self) -> String {
            let name = self.path.file_name().unwrap_or_default();
            format!(".{}.", name.to_string_lossy())
        }

        /// Removes what killed processes left. Whoever saves has the lock, so nobody does now.
        fn remove_leftovers(&self) {
            let prefix = self.prefix();
            for entry in fs::read_dir(self.folder()).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let drawn =
                    name.to_str().and_then(|it| it.strip_prefix(&prefix)?.strip_suffix(NEW));
                if drawn.is_some_and(|it| {
                    it.len() == DRAWN && it.bytes().all(|byte| byte.is_ascii_alphanumeric())
                }) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }

    /// What the name of a file ends with that is to replace another, and how many characters before
    /// that are drawn.
    const NEW: &str = ".new";
    const DRAWN: usize = 6;

    #[async_trait]
    impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> TokenStore<T> for FileStore {
        async fn load(&self) -> Result<Option<T>, Error> {
            let mut file = match File::open(&self.path) {
                Ok(file) => file,
                Err(e) if e.kind() == IoKind::NotFound => return Ok(None),
                Err(e) => return Err(self.failed("open", e.kind())),
            };
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode =
                    file.metadata().map_err(|e| self.failed("look at", e.kind()))?.permissions();
                if mode.mode() & 0o077 != 0 {
                    let path = self.path.display();
                    let why = format!("others may read it; run `chmod 600 {path}`");
                    return Err(self.failed("use", why));
                }
            }
            let mut text = zeroize::Zeroizing::new(String::new());
            std::io::Read::read_to_string(&mut file, &mut text)
                .map_err(|e| self.failed("read", e.kind()))?;
            serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| self.failed("use", "it is not what anyvpn wrote; delete it"))
        }

        async fn save(&self, token: Option<&T>) -> Result<(), Error> {
            let Some(token) = token else {
                return match fs::remove_file(&self.path) {
                    Err(e) if e.kind() != IoKind::NotFound => Err(self.failed("delete", e.kind())),
                    _ => Ok(()),
                };
            };
            let (json, _) = reveal(|| serde_json::to_vec(token));
            let json = zeroize::Zeroizing::new(json.map_err(|e| self.failed("write", e))?);
            // Made with mode 0600, beside the file so that the exchange is one step.
            let mut file = tempfile::Builder::new()
                .prefix(&self.prefix())
                .rand_bytes(DRAWN)
                .suffix(NEW)
                .tempfile_in(self.folder())
                .map_err(|e| self.failed("write", e.kind()))?;
            file.write_all(&json)
                .and_then(|()| file.as_file().sync_all())
                .map_err(|e| self.failed("write", e.kind()))?;
            file.persist(&self.path).map(drop).map_err(|e| self.failed("replace", e.error.kind()))
        }

        async fn lock(&self) -> Result<StoreLock, Error> {
            let mut path = self.path.clone().into_os_string();
            path.push(".lock");
            let lock =
                lock_file(Path::new(&path)).await.map_err(|e| self.failed("lock", e.kind()))?;
            self.remove_leftovers();
            Ok(Box::new(lock))
        }
    }
}
