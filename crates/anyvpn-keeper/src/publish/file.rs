//! Files for other programs: replaced whole, or changed in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyvpn_http::system_message;

use crate::Snapshot;

/// The longest file that is changed in place. A longer one is not ours.
const LONGEST_IN_PLACE: u64 = 64;

/// A file that shows a part of the snapshot to everybody: its mode is 0644.
#[derive(Debug)]
pub struct PublishedFile {
    path: PathBuf,
    render: fn(&Snapshot) -> String,
    in_place: bool,
    /// What the file has; absent before the first time, and after a failure.
    written: Option<String>,
}

impl PublishedFile {
    /// gluetun's status file: the port without a newline, or nothing while no port is open.
    #[must_use]
    pub fn status(path: PathBuf) -> Self {
        Self::new(path, super::status_file::render)
    }

    /// gluetun's file of the public address: the address without a newline, or nothing while it is unknown.
    #[must_use]
    pub fn public_ip(path: PathBuf) -> Self {
        Self::new(path, super::public_ip_file::render)
    }

    /// The whole snapshot as one line of JSON.
    #[must_use]
    pub fn status_json(path: PathBuf) -> Self {
        Self::new(path, super::status_json::render)
    }

    /// The metrics, for the node exporter's textfile collector.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if the name does not end with `.prom`: the collector would not read the file.
    pub fn textfile(path: PathBuf) -> Result<Self, PublishError> {
        super::textfile::check_name(&path)?;
        Ok(Self::new(path, super::metrics::metrics))
    }

    fn new(path: PathBuf, render: fn(&Snapshot) -> String) -> Self {
        Self { path, render, in_place: false, written: None }
    }

    /// Changes the file itself instead of replacing it, for programs that watch the file and not its folder,
    /// and for files that are mounted into a container.
    ///
    /// The file is never empty and never has a wrong number. A program that reads in the same nanoseconds in
    /// which the keeper writes can still get bytes of both numbers: see `docs/decisions/keeper-publishing.md`.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.in_place = true;
        self
    }

    /// Writes what this snapshot says, unless the file has it already.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. It then has its old text, unless the disk failed in between.
    pub fn publish(&mut self, snapshot: &Snapshot) -> Result<(), PublishError> {
        let text = (self.render)(snapshot);
        if self.written.as_deref() == Some(&*text) {
            return Ok(());
        }
        self.written = None;
        let written =
            if self.in_place { change(&self.path, &text) } else { replace(&self.path, &text) };
        written.map_err(|error| PublishError::new(&self.path, &error, !self.in_place))?;
        self.written = Some(text);
        Ok(())
    }
}

/// Replaces the file by another one, so that every reader finds the old text or the new one.
///
/// This is not `FileDraft`, which waits for the disk: these files are written anew at every start, and a
/// disk that sleeps should go on sleeping.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::IsADirectory)?);
    name.push(".new");
    let draft = path.with_file_name(name);
    // What a killed keeper left, and whatever else has the name: a link would lead somewhere else.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let write = || {
        let mut file = File::create_new(&draft)?;
        file.write_all(text.as_bytes())?;
        make_readable(&file)?;
        fs::rename(&draft, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })
}

/// Changes the text of the file. Between the steps, the file has the old text or the new one, and perhaps
/// newlines after it.
fn change(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(false).open(path)?;
    let old = file.metadata()?;
    if !old.is_file() || old.len() > LONGEST_IN_PLACE {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a status file"));
    }
    // The owner of a mounted file can be another user, who chose its mode.
    let _ = make_readable(&file);
    let old = usize::try_from(old.len()).unwrap_or_default();
    if old > 0 && !text.is_empty() {
        // Not longer: only whole texts may differ, and the end of a longer one must not show early.
        file.seek(SeekFrom::End(0))?;
        file.write_all("\n".repeat(text.len().saturating_sub(old)).as_bytes())?;
        file.rewind()?;
        file.write_all(format!("{text:\n<old$}").as_bytes())?;
    } else {
        file.write_all(text.as_bytes())?;
    }
    file.set_len(text.len() as u64)
}

/// Lets everybody read the file, whatever the umask is.
fn make_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Why a file was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be written: {reason}", path.display())]
#[non_exhaustive]
pub struct PublishError {
    /// The file.
    pub path: PathBuf,
    /// Why, in one sentence.
    pub reason: String,
}

impl PublishError {
    fn new(path: &Path, error: &io::Error, is_replaced: bool) -> Self {
        let reason = match error.kind() {
            ErrorKind::ResourceBusy if is_replaced => {
                "another file is mounted there, so it cannot be replaced: use --in-place, or mount its folder"
                    .to_owned()
            }
            ErrorKind::InvalidInput => error.to_string(),
            _ => system_message(error),
        };
        Self { path: path.to_owned(), reason }
    }
}
