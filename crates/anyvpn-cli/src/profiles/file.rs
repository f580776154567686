//! The file of profiles: where it is, how it is read, and how it is changed.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyvpn::{CallObserver, Registry, Secret};
use anyvpn_http::{
    FileLock, PrivateFileError, create_private_folder, lock_file, open_trusted_file,
    remove_abandoned_drafts,
};

use super::draft::Draft;
use super::read::File;
use crate::environment::path_variable;
use crate::failure::Failure;
use crate::file::Pending;
use crate::text::reason;

/// Far longer than anybody writes.
const LONGEST: u64 = 1 << 20;

/// The file, which need not be there yet.
pub struct ConfigFile {
    path: PathBuf,
}

/// The right to change the file.
pub struct Turn<'a> {
    file: &'a ConfigFile,
    /// The file as it is to be.
    pub draft: Draft,
    _lock: FileLock,
}

impl ConfigFile {
    /// The file in this person's place for settings; `None` when there is no such place.
    pub fn find() -> Option<Self> {
        let place = path_variable("XDG_CONFIG_HOME")
            .or_else(|| path_variable("HOME").map(|home| home.join(".config")))?;
        Some(Self { path: place.join("anyvpn/config.toml") })
    }

    /// The same, where it is needed.
    pub fn needed() -> Result<Self, Failure> {
        Self::find().ok_or_else(|| {
            Failure::other("there is no place for profiles: no home folder is known")
                .hint("set HOME or XDG_CONFIG_HOME to a folder, as a whole path")
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; nothing when it is not there.
    pub fn read(&self, registry: &Registry) -> Result<File, Failure> {
        File::parse(registry, &self.path, &self.text()?)
    }

    fn text(&self) -> Result<String, Failure> {
        let shown = self.path.display();
        let failed = |why: &str| {
            Failure::other(format!("{shown} cannot be used: {why}"))
                .hint("correct it, or move it away")
        };
        // It names programs to run.
        let file = match open_trusted_file(&self.path) {
            Ok(file) => file,
            Err(PrivateFileError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                return Ok(String::new());
            }
            Err(PrivateFileError::Io(error)) => return Err(failed(&reason(&error))),
            Err(PrivateFileError::NotAFile) => return Err(failed("it is no plain file")),
            Err(error) => {
                let failure = failed(&error.to_string());
                return Err(match error.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                });
            }
        };
        let mut text = String::new();
        file.take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(|error| failed(&reason(&error)))?;
        if text.len() as u64 > LONGEST {
            return Err(failed("it is larger than 1 MiB"));
        }
        Ok(text)
    }

    /// The file behind a link: whoever keeps it elsewhere wants the link to stay.
    fn target(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }

    /// Waits for the right to change the file, and gives what it says then.
    pub async fn turn(
        &self,
        registry: &Registry,
        observer: &Arc<dyn CallObserver>,
    ) -> Result<(Turn<'_>, File), Failure> {
        let failed = |error: std::io::Error| {
            let next = match error.kind() {
                ErrorKind::TimedOut => "end that program, then try again",
                _ => "set XDG_CONFIG_HOME to a folder that you may write to",
            };
            Failure::other(format!("{} cannot be written: {}", self.path.display(), reason(&error)))
                .hint(next)
        };
        create_private_folder(self.path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let lock = lock_file(&self.path.with_extension("toml.lock"), Some(observer))
            .await
            .map_err(failed)?;
        remove_abandoned_drafts(&self.target());
        let text = self.text()?;
        let file = File::parse(registry, &self.path, &text)?;
        let draft = Draft::parse(&text)
            .map_err(|_| Failure::usage(format!("{} cannot be changed", self.path.display())))?;
        Ok((Turn { file: self, draft, _lock: lock }, file))
    }
}

impl Turn<'_> {
    /// Writes the file, whole or not at all.
    pub fn write(self) -> Result<(), Failure> {
        Pending::new(&self.file.target(), true)?.write(&Secret::from(self.draft.text()))
    }
}
