//! A lock between processes: a file beside the protected one, which exists while a process holds the lock.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{ActivityKind, CallObserver, Observation};
use tokio::time::Instant;

/// How long to wait for a lock: longer than a sign-in with a slow answer takes.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// The suffix of a lock's name.
#[cfg(feature = "file-store")]
pub(crate) const LOCK: &str = ".lock";

/// The exclusive lock of a file. Dropping it removes the file and releases the lock. The lock is also released
/// when the process ends.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // On other systems an open file cannot be removed.
        if cfg!(unix) && is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
        // Closing the file is not enough while another thread starts a program: until that program
        // runs, it has the file open too. If unlocking fails, closing the file is all there is left.
        let _ = self.file.unlock();
    }
}

/// Waits for the exclusive lock of a file, which is created if it is missing. While another process holds the
/// lock, the wait is reported to the observer as an activity.
///
/// # Errors
///
/// If the file cannot be created or locked; [`io::ErrorKind::TimedOut`] if another process holds the lock for
/// 120 seconds. That error names the process.
pub async fn lock_file(
    path: &Path,
    observer: Option<&Arc<dyn CallObserver>>,
) -> io::Result<FileLock> {
    let mut waiting: Option<(Observation, Instant)> = None;
    let mut file = open(path)?;
    // We poll the lock instead of waiting for it in a thread, so that dropping the future ends the wait.
    loop {
        match file.try_lock() {
            // Its last holder removed the file after we had opened it.
            Ok(()) if !is_at(&file, path) => file = open(path)?,
            Ok(()) => {
                if let Some((observation, _)) = waiting {
                    observation.finish(None);
                }
                // The process id helps users find the process that holds the lock. The lock works without it.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                return Ok(FileLock { file, path: path.to_owned() });
            }
            Err(TryLockError::WouldBlock) => {
                let (_, since) = waiting.get_or_insert_with(|| {
                    (Observation::start(observer, ActivityKind::FileLock), Instant::now())
                });
                if since.elapsed() >= PATIENCE {
                    return Err(held(&mut file));
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    // Anyone who can open the file could hold its lock forever.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns whether the path still leads to this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let id = |found: &std::fs::Metadata| (found.dev(), found.ino());
        matches!((file.metadata(), path.metadata()), (Ok(a), Ok(b)) if id(&a) == id(&b))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Returns the error for a lock that another process does not release.
fn held(file: &mut File) -> io::Error {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    let process = text.parse::<u32>().map(|id| format!(" (process {id})")).unwrap_or_default();
    let seconds = PATIENCE.as_secs();
    let why = format!("another program{process} has held its lock for {seconds} s");
    io::Error::new(io::ErrorKind::TimedOut, why)
}
