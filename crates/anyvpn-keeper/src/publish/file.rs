//! Writes files for other programs, by replacing them as a whole or by changing them in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyvpn_http::system_message;

use crate::Snapshot;

/// How long a program may take to read a file. Waiting for it blocks the keeper, but a number that gets
/// longer is rare.
const GRACE: Duration = Duration::from_millis(100);
/// The maximum size of a file that is changed in place. A larger file is not ours.
const LONGEST_IN_PLACE: u64 = 64;

/// A file that publishes a part of the snapshot. Everybody can read it: its mode is 0644.
#[derive(Debug)]
pub struct PublishedFile {
    path: PathBuf,
    render: fn(&Snapshot) -> String,
    in_place: bool,
    /// The content of the file; `None` before the first write and after a failure.
    written: Option<String>,
}

impl PublishedFile {
    /// Creates gluetun's status file: the port without a newline, or nothing while no port is open.
    #[must_use]
    pub fn status(path: PathBuf) -> Self {
        Self::new(path, super::status_file::render)
    }

    /// Creates gluetun's file of the public address: the address without a newline, or nothing while it
    /// is unknown.
    #[must_use]
    pub fn public_ip(path: PathBuf) -> Self {
        Self::new(path, super::public_ip_file::render)
    }

    /// Creates a file with the whole snapshot as one line of JSON.
    #[must_use]
    pub fn status_json(path: PathBuf) -> Self {
        Self::new(path, super::status_json::render)
    }

    /// Creates a file with the metrics, for the node exporter's textfile collector.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if the name does not end with `.prom`, because the collector would not read the
    /// file.
    pub fn textfile(path: PathBuf) -> Result<Self, PublishError> {
        super::textfile::check_name(&path)?;
        Ok(Self::new(path, super::metrics::metrics))
    }

    fn new(path: PathBuf, render: fn(&Snapshot) -> String) -> Self {
        Self { path, render, in_place: false, written: None }
    }

    /// Changes the file in place instead of replacing it, for programs that watch the file and not its
    /// folder, and for files that are mounted into a container.
    ///
    /// The file is never empty in between and never has a wrong number. Still, Linux does not guarantee
    /// that a program that reads at the same nanosecond gets the bytes of only one number;
    /// `docs/decisions/keeper-publishing.md` says how often it does not.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.in_place = true;
        self
    }

    /// Writes this snapshot's content, unless the file already has it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. It then has its old content, unless the disk failed in between.
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

/// Replaces the file by a new one, so that every reader finds either the old or the new text.
///
/// We do not use `FileDraft`, which creates private files and waits for the disk: these files are for
/// everybody, and are written again at every start.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::IsADirectory)?);
    name.push(".new");
    let draft = path.with_file_name(name);
    // Remove the draft of a killed keeper, or anything else with this name, because a link would lead
    // elsewhere.
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

/// Changes the text of the file, step by step.
fn change(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(false).open(path)?;
    let old = file.metadata()?;
    if !old.is_file() || old.len() > LONGEST_IN_PLACE {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a status file"));
    }
    // A mounted file may belong to another user, who chose its mode.
    let _ = make_readable(&file);
    for step in steps(old.len(), text) {
        match step {
            Step::Write(at, bytes) => {
                file.seek(SeekFrom::Start(at))?;
                file.write_all(bytes.as_bytes())?;
            }
            Step::Cut(length) => file.set_len(length)?,
            Step::Wait => std::thread::sleep(GRACE),
        }
    }
    Ok(())
}

/// A step of a change.
#[derive(Debug)]
enum Step {
    /// Writes these bytes at this position, in one call.
    Write(u64, String),
    /// Sets this length.
    Cut(u64),
    /// Waits, so that current readers can finish.
    Wait,
}

/// Returns the steps that give a file of `old` bytes a new text. After each step it has the old or the
/// new text, perhaps followed by newlines, so it is never empty and never has only the beginning of a
/// number.
fn steps(old: u64, text: &str) -> Vec<Step> {
    let new = text.len() as u64;
    let newlines = |count: u64| (0..count).map(|_| '\n').collect::<String>();
    if old == 0 || new == 0 {
        return vec![Step::Write(0, text.to_owned()), Step::Cut(new)];
    }
    // If the file grew at once, a reader that reads until the end could get a wrong number: the old
    // text followed by the end of the new one. So we first append newlines.
    let mut steps = Vec::new();
    if old < new {
        steps.extend([Step::Write(old, newlines(new - old)), Step::Wait]);
    }
    steps.push(Step::Write(0, text.to_owned() + &newlines(old.saturating_sub(new))));
    if new < old {
        steps.push(Step::Cut(new));
    }
    steps
}

/// Makes the file readable for everybody, whatever the umask is.
fn make_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// The reason why a file was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be written: {reason}", path.display())]
#[non_exhaustive]
pub struct PublishError {
    /// The file.
    pub path: PathBuf,
    /// The reason, in one sentence.
    pub reason: String,
}

impl PublishError {
    fn new(path: &Path, error: &io::Error, is_replaced: bool) -> Self {
        let reason = match error.kind() {
            ErrorKind::ResourceBusy if is_replaced => {
                "this file is a mount point and cannot be replaced: use --in-place, or mount the folder that contains it"
                    .to_owned()
            }
            ErrorKind::InvalidInput => error.to_string(),
            _ => system_message(error),
        };
        Self { path: path.to_owned(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the file's texts between the steps, in groups; readers finish within a group.
    fn states(old: &str, new: &str) -> Vec<Vec<Vec<u8>>> {
        let mut file = old.as_bytes().to_vec();
        let mut groups = vec![vec![file.clone()]];
        for step in steps(old.len() as u64, new) {
            match step {
                Step::Write(at, bytes) => {
                    let end = at as usize + bytes.len();
                    file.resize(file.len().max(end), 0);
                    file[at as usize..end].copy_from_slice(bytes.as_bytes());
                }
                Step::Cut(length) => file.truncate(length as usize),
                Step::Wait => groups.push(Vec::new()),
            }
            groups.last_mut().unwrap().push(file.clone());
        }
        assert_eq!(file, new.as_bytes());
        groups
    }

    #[test]
    fn each_step_in_place_shows_the_old_text_or_the_new_one() {
        let texts = ["", "7", "80", "443", "1234", "50123", "61999", "192.0.2.7", "2001:db8::7"];
        for (old, new) in texts.iter().flat_map(|old| texts.iter().map(move |new| (*old, *new))) {
            for group in states(old, new) {
                for (place, first) in group.iter().enumerate() {
                    // A reader that found something tries to read more.
                    let last = if first.is_empty() { place + 1 } else { group.len() };
                    for later in &group[place..last] {
                        let more = later.get(first.len()..).unwrap_or_default();
                        let seen = String::from_utf8([first, more].concat()).unwrap();
                        assert!(
                            [old, new].contains(&seen.trim_end()),
                            "{old:?} to {new:?}: {seen:?}"
                        );
                    }
                }
            }
        }
    }
}
