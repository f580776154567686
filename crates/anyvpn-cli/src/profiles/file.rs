//! Finds, reads and writes `config.toml`, the file of profiles.

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
use crate::file::OutputFile;
use crate::text::reason;

/// The size limit of the file, in bytes.
const LONGEST: u64 = 1 << 20;

/// The file `config.toml`, which need not exist yet.
pub struct ConfigFile {
    path: PathBuf,
}

/// The locked file. Only the holder of the lock may change it.
pub struct LockedConfigFile<'a> {
    file: &'a ConfigFile,
    /// The changed content.
    pub draft: Draft,
    _lock: FileLock,
}

impl ConfigFile {
    /// Returns the user's file. `None` if no home folder is known.
    pub fn find() -> Option<Self> {
        let place = path_variable("XDG_CONFIG_HOME")
            .or_else(|| path_variable("HOME").map(|home| home.join(".config")))?;
        Some(Self { path: place.join("anyvpn/config.toml") })
    }

    /// Returns the user's file. Fails if no home folder is known.
    pub fn needed() -> Result<Self, Failure> {
        Self::find().ok_or_else(|| {
            Failure::other("cannot use profiles: no home folder is known")
                .hint("set HOME or XDG_CONFIG_HOME to the absolute path of a folder")
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. The result is empty if the file does not exist.
    pub fn read(&self, registry: &Registry) -> Result<File, Failure> {
        File::parse(registry, &self.path, &self.text()?)
    }

    fn text(&self) -> Result<String, Failure> {
        let shown = self.path.display();
        let failed = |why: &str| {
            Failure::other(format!("cannot use {shown}: {why}"))
                .hint("correct the file, or move it away")
        };
        // The file names programs that we run, so nobody else may be able to change it.
        let file = match open_trusted_file(&self.path) {
            Ok(file) => file,
            Err(PrivateFileError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                return Ok(String::new());
            }
            Err(PrivateFileError::Io(error)) => return Err(failed(&reason(&error))),
            Err(PrivateFileError::NotAFile) => return Err(failed("it is not a regular file")),
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

    /// Resolves a symbolic link, so that writing replaces the file and not the link.
    fn target(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }

    /// Waits for the lock, then reads the file.
    pub async fn lock(
        &self,
        registry: &Registry,
        observer: &Arc<dyn CallObserver>,
    ) -> Result<(LockedConfigFile<'_>, File), Failure> {
        let failed = |error: std::io::Error| {
            let next = match error.kind() {
                ErrorKind::TimedOut => "end that program, then try again",
                _ => "set XDG_CONFIG_HOME to a folder that you can write to",
            };
            Failure::other(format!("cannot write {}: {}", self.path.display(), reason(&error)))
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
            .map_err(|_| Failure::usage(format!("cannot change {}", self.path.display())))?;
        Ok((LockedConfigFile { file: self, draft, _lock: lock }, file))
    }
}

impl LockedConfigFile<'_> {
    /// Writes the file atomically.
    pub fn write(self) -> Result<(), Failure> {
        OutputFile::new(&self.file.target(), true)?.write(&Secret::from(self.draft.text()))
    }
}
