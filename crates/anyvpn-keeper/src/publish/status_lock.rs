//! The lock beside `status.json`, which shows whether the keeper that writes the file is running.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyvpn_http::{FileLock, lock_file};

/// How long to wait for the lock. A program that asks for the state of the keeper holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// The lock of a `status.json`. The system releases it when the process ends, however that happens, and
/// never confuses the process with a later one of the same number.
#[derive(Debug)]
pub struct StatusLock {
    _lock: FileLock,
}

impl StatusLock {
    /// Takes the lock of this `status.json`. Hold it as long as the file is written.
    ///
    /// # Errors
    ///
    /// If the lock's file cannot be created or locked; [`ErrorKind::WouldBlock`] if another keeper holds it.
    pub async fn take(status: &Path) -> io::Result<Self> {
        let path = path(status);
        let lock = tokio::time::timeout(PATIENCE, lock_file(&path, None)).await;
        let lock = lock.map_err(|_| ErrorKind::WouldBlock)??;
        // Everybody who can read the status may know whether it is still true.
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        Ok(Self { _lock: lock })
    }

    /// Returns whether a process holds the lock of this `status.json`.
    ///
    /// # Errors
    ///
    /// If the lock's file cannot be opened or locked.
    pub fn is_held(status: &Path) -> io::Result<bool> {
        let file = match File::open(path(status)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn path(status: &Path) -> PathBuf {
    let mut name = status.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
