//! Files that hold a secret: they appear whole or not at all, for their owner alone.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyvpn::Secret;
use anyvpn_http::{PrivateFileError, check_private_file};
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::text::reason;
use crate::waiting;

/// A file that is going to be written. Whatever can be refused is refused before there is one, so
/// that nothing is made at a provider which then has no place here.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    force: bool,
    file: NamedTempFile,
}

impl Pending {
    /// Prepares a file at `path`. With `force`, one that is there will be replaced.
    pub fn new(path: &Path, force: bool) -> Result<Self, Failure> {
        let shown = path.display();
        match path.symlink_metadata() {
            Ok(found) if !found.is_file() => {
                return Err(Failure::usage(format!("{shown} is there and is no plain file"))
                    .hint("choose another name"));
            }
            Ok(_) if !force => {
                return Err(Failure::usage(format!("the file {shown} exists already"))
                    .hint("choose another name, or replace it with --force"));
            }
            // What else is wrong with the path shows below.
            _ => {}
        }
        let folder = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("."),
        };
        // In the same folder, or else it could not be moved to its name in one step. Its mode is
        // 0600 from the beginning.
        let file = NamedTempFile::new_in(folder).map_err(|error| {
            Failure::other(format!("{shown} cannot be written: {}", reason(&error)))
                .hint("choose a folder that exists and that you may write to")
        })?;
        Ok(Self { path: path.to_owned(), force, file })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the text and gives the file its name.
    pub fn write(self, text: &Secret) -> Result<(), Failure> {
        self.write_bytes(text.expose().as_bytes())
    }

    /// Writes the bytes and gives the file its name.
    pub fn write_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { path, force, mut file } = self;
        let written =
            file.write_all(bytes).and_then(|()| file.as_file().sync_all()).and_then(|()| {
                let named = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
                named.map(drop).map_err(|failed| failed.error)
            });
        if written.is_ok() {
            waiting::told();
        }
        written.map_err(|error| {
            let why = reason(&error);
            Failure::other(format!("{} cannot be written: {why}", path.display()))
        })
    }
}

/// Refuses a file whose secret others may read. What is no plain file, such as `-` and what a shell
/// puts in the place of `<(…)`, has no mode to check.
pub fn check_private(path: &Path) -> Result<(), Failure> {
    if path == Path::new("-") || !path.metadata().is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    // What else hinders is told when it is read.
    let Ok(file) = File::open(path) else { return Ok(()) };
    let Err(PrivateFileError::Exposed { chmod }) = check_private_file(path, &file) else {
        return Ok(());
    };
    let hint = match chmod {
        Some(chmod) => format!("{chmod}, or give the secret by stdin, with -"),
        None => "its mode comes from outside; give the secret by stdin, with -".to_owned(),
    };
    let shown = path.display();
    Err(Failure::other(format!("{shown} has a secret, and others may read it")).hint(hint))
}

/// stdin without the buffer that std has for it, and which nobody wipes.
pub fn stdin() -> io::Result<File> {
    #[cfg(unix)]
    let stdin = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    #[cfg(windows)]
    let stdin = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned()?;
    Ok(File::from(stdin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        let pending = Pending::new(&path, false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(pending.write(&Secret::from("new")).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");

        assert!(Pending::new(&path, false).is_err());
        Pending::new(&path, true).unwrap().write(&Secret::from("new")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_or_a_link_is_never_replaced() {
        let refused = |path: &str| Pending::new(Path::new(path), true).unwrap_err();
        assert!(refused("/dev/null").to_string().contains("no plain file"));
        assert!(refused("/").to_string().contains("no plain file"));
        assert!(refused("/no/such/folder/a.conf").to_string().contains("cannot be written"));
    }
}
