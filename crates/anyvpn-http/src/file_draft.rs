//! Replaces a private file as a whole, so that every reader finds either the old or the new text.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::file_lock::{LOCK, is_at};

/// The suffix of a draft's name, and the number of random characters before it.
const NEW: &str = ".new";
const DRAWN: usize = 6;
/// How many bytes of the file's own name are used in its draft's name. A name has at most 255 bytes.
const LONGEST: usize = 200;

/// A file of mode 0600 that will replace another file in the same folder.
///
/// Until then, its name is `.NAME.XXXXXX.new`. Dropping it removes it. A draft is locked while its process
/// has it open, so the next draft of the same file can remove those of killed processes.
#[derive(Debug)]
pub struct FileDraft {
    file: NamedTempFile,
    path: PathBuf,
}

impl FileDraft {
    /// Creates an empty draft for the file at `path`, which need not exist.
    ///
    /// # Errors
    ///
    /// If the folder does not exist or is not writable.
    pub fn new(path: &Path) -> io::Result<Self> {
        remove_abandoned_drafts(path);
        let mut builder = tempfile::Builder::new();
        let prefix = prefix(path);
        builder.prefix(&prefix).rand_bytes(DRAWN).suffix(NEW);
        loop {
            // The draft is in the same folder, so that the rename is atomic.
            let file = builder.tempfile_in(folder_of(path))?;
            match file.as_file().try_lock() {
                // Another process may have removed it as abandoned before it was locked.
                Ok(()) if !file.path().exists() => {}
                Err(TryLockError::WouldBlock) => {}
                // On a file system without locks, no process removes a draft.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Self { file, path: path.to_owned() });
                }
            }
        }
    }

    /// Replaces the text of the draft, and waits until it is on disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written, for example because the disk is full. The file itself is unchanged.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    }

    /// Renames the draft to the file's name in one step, and writes the folder to disk: otherwise the old file
    /// could come back after a power failure, although the new one was already used.
    ///
    /// # Errors
    ///
    /// Returns the draft with the error if it cannot be renamed, so that the caller can keep it.
    pub fn persist(self) -> Result<(), (io::Error, Self)> {
        let Self { file, path } = self;
        match file.persist(&path) {
            // The new file is in place, so it is not an error if the folder cannot be written to disk.
            Ok(_) => {
                let _ = sync_folder(folder_of(&path));
                Ok(())
            }
            Err(failed) => Err((failed.error, Self { file: failed.file, path })),
        }
    }

    /// Keeps the draft under its own name, which is returned.
    ///
    /// # Errors
    ///
    /// If the system cannot make the draft permanent.
    pub fn keep(self) -> io::Result<PathBuf> {
        self.file.keep().map(|(_, path)| path).map_err(|failed| failed.error)
    }
}

/// Removes the drafts of a file that killed processes left. Returns whether there were any.
pub fn remove_abandoned_drafts(path: &Path) -> bool {
    let prefix = prefix(path);
    remove_unlocked(folder_of(path), |name| prefix_of_draft(name) == Some(&prefix))
}

/// Removes what killed processes left in a folder: drafts of any file, and locks that nobody holds. Returns
/// whether there was anything.
pub fn remove_abandoned_files(folder: &Path) -> bool {
    remove_unlocked(folder, |name| name.ends_with(LOCK) || prefix_of_draft(name).is_some())
}

/// Returns the part of a draft's name before the random characters, as [`prefix`] does; `None` if it is not
/// the name of a draft.
fn prefix_of_draft(name: &str) -> Option<&str> {
    let rest = name.strip_suffix(NEW)?;
    let (prefix, drawn) = rest.split_at_checked(rest.len().checked_sub(DRAWN)?)?;
    let is_draft = prefix.starts_with('.')
        && prefix.ends_with('.')
        && drawn.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_draft.then_some(prefix)
}

/// Removes those of the chosen files in a folder that no process has locked.
fn remove_unlocked(folder: &Path, chosen: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_chosen = entry.file_name().to_str().is_some_and(&chosen);
        if !is_chosen || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        // Before it was locked, another process may have removed the file and created a new one.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            found |= fs::remove_file(&path).is_ok();
        }
    }
    found
}

/// Returns the folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns the beginning of the names of a file's drafts.
fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fitting = name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= LONGEST);
    format!(".{}.", fitting.map(|(_, c)| c).collect::<String>())
}

/// Writes the folder's entries to disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems do not support this, and some folders can be written to but not read.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}
