//! Replaces a file whole, for its owner alone: every reader finds the old text or the new one.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::file_lock::{LOCK, is_at};

/// What the name of a draft ends with, and how many characters before that are drawn.
const NEW: &str = ".new";
const DRAWN: usize = 6;
/// How many bytes of the file's own name are in that of its draft. A name has 255 bytes at most.
const LONGEST: usize = 200;

/// A file of mode 0600 that is going to take the place of another one in the same folder.
///
/// Until then its name is `.NAME.XXXXXX.new`. Dropping it removes it. What a killed process leaves is
/// removed by the next draft of the same file: a draft is locked as long as its process has it.
#[derive(Debug)]
pub struct FileDraft {
    file: NamedTempFile,
    path: PathBuf,
}

impl FileDraft {
    /// Makes an empty draft for the file at `path`, which need not exist.
    ///
    /// # Errors
    ///
    /// When the folder does not exist or cannot be written to.
    pub fn new(path: &Path) -> io::Result<Self> {
        remove_abandoned_drafts(path);
        let mut builder = tempfile::Builder::new();
        let prefix = prefix(path);
        builder.prefix(&prefix).rand_bytes(DRAWN).suffix(NEW);
        loop {
            // The draft is in the same folder, so that the rename is atomic.
            let file = builder.tempfile_in(folder_of(path))?;
            match file.as_file().try_lock() {
                // Before it was locked, another process could have removed it as abandoned.
                Ok(()) if !file.path().exists() => {}
                Err(TryLockError::WouldBlock) => {}
                // On a file system without locks, no process removes a draft.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Self { file, path: path.to_owned() });
                }
            }
        }
    }

    /// Replaces the text of the draft, and writes it to the disk.
    ///
    /// # Errors
    ///
    /// When the disk is full, for example. The file itself stays as it was.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    }

    /// Gives the draft its name in one step, and writes the folder to the disk: without that, a loss of
    /// power can bring back the old file after the new one was used.
    ///
    /// # Errors
    ///
    /// When the name cannot be had any more, with the draft. It can be kept as it is.
    pub fn persist(self) -> Result<(), (io::Error, Self)> {
        let Self { file, path } = self;
        match file.persist(&path) {
            // The new file is there, so a folder that cannot be written to the disk is no failure.
            Ok(_) => {
                let _ = sync_folder(folder_of(&path));
                Ok(())
            }
            Err(failed) => Err((failed.error, Self { file: failed.file, path })),
        }
    }

    /// Leaves the draft under its own name, which is returned.
    ///
    /// # Errors
    ///
    /// When the system does not let go of it.
    pub fn keep(self) -> io::Result<PathBuf> {
        self.file.keep().map(|(_, path)| path).map_err(|failed| failed.error)
    }
}

/// Removes the drafts of a file that killed processes left. Whether there was one.
pub fn remove_abandoned_drafts(path: &Path) -> bool {
    let prefix = prefix(path);
    remove_unlocked(folder_of(path), |name| is_draft(name, &prefix))
}

/// Removes what killed processes left in a folder: drafts of any file, and locks that nobody holds. Whether
/// there was something.
pub fn remove_abandoned_files(folder: &Path) -> bool {
    remove_unlocked(folder, |name| {
        name.ends_with(LOCK) || name.starts_with('.') && is_draft(name, "")
    })
}

/// Whether a file's name is that of a draft, of the file whose drafts begin with `prefix`.
fn is_draft(name: &str, prefix: &str) -> bool {
    let rest = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(NEW));
    let drawn = rest.map(|rest| match prefix {
        "" => rest.rsplit('.').next().unwrap_or_default(),
        _ => rest,
    });
    drawn.is_some_and(|drawn| {
        drawn.len() == DRAWN && drawn.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes the chosen files of a folder that no process has locked.
fn remove_unlocked(folder: &Path, chosen: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_chosen = entry.file_name().to_str().is_some_and(&chosen);
        if !is_chosen || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        // Another process could have removed the file and made a new one before this one was locked.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            found |= fs::remove_file(&path).is_ok();
        }
    }
    found
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// How the names of a file's drafts begin.
fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fitting = name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= LONGEST);
    format!(".{}.", fitting.map(|(_, c)| c).collect::<String>())
}

/// Writes the folder's entries to the disk.
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
