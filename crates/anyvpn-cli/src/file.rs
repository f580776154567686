//! Writes files atomically and readable only by their owner, and checks that files with secrets are
//! private.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyvpn::Secret;
use anyvpn_http::{FileDraft, PrivateFileError, check_private_file, remove_abandoned_drafts};

use crate::failure::Failure;
use crate::output;
use crate::text::reason;

/// The disk space, in bytes, that a draft reserves before its content is known. It is more than
/// configurations and their pictures need.
const RESERVED: usize = 16 * 1024;

/// A file that will be written. Creating this value checks everything that can be checked in advance, so
/// that we create nothing at a provider that we cannot store here.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    draft: FileDraft,
    /// `None` if an existing file will be replaced.
    name: Option<ReservedName>,
}

/// A name that is reserved by an empty file until the real file replaces it. Dropping this value frees the
/// name.
///
/// Some file systems (FUSE, exFAT) have neither hard links nor a rename that refuses to replace a
/// file. All of them can create a file that must be new. This also shows at once if the name is too long,
/// has invalid characters, or cannot be written.
#[derive(Debug)]
struct ReservedName(Option<PathBuf>);

impl ReservedName {
    fn new(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?;
        Ok(Self(Some(path.to_owned())))
    }

    /// Returns whether the file is still ours: empty, and not replaced.
    fn is_held(&self) -> bool {
        let found = self.0.as_ref().and_then(|path| path.symlink_metadata().ok());
        found.is_some_and(|found| found.is_file() && found.len() == 0)
    }

    /// Ends the reservation without deleting the file.
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for ReservedName {
    fn drop(&mut self) {
        if self.is_held()
            && let Some(path) = &self.0
        {
            // If this fails, an empty file stays, which is harmless.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl OutputFile {
    /// Prepares a file at `path`. With `force`, an existing file will be replaced.
    pub fn new(path: &Path, force: bool) -> Result<Self, Failure> {
        let shown = path.display();
        let mut found = path.symlink_metadata();
        // An empty file with an abandoned draft is the reservation of a process that was killed.
        let is_empty = found.as_ref().is_ok_and(|found| found.is_file() && found.len() == 0);
        if is_empty && remove_abandoned_drafts(path) && std::fs::remove_file(path).is_ok() {
            found = Err(ErrorKind::NotFound.into());
        }
        match &found {
            Ok(found) if !found.is_file() => {
                return Err(Failure::usage(format!("{shown} exists and is not a regular file"))
                    .hint("choose another name"));
            }
            Ok(_) if !force => return Err(exists(path)),
            Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                return Err(Failure::usage(format!("{shown} is the name of a folder"))
                    .hint("choose the name of a file"));
            }
            // Creating the draft reports other problems with the path.
            _ => {}
        }
        let refused = |error: io::Error, hint| {
            Failure::other(format!("cannot write {shown}: {}", reason(&error))).hint(hint)
        };
        let draft = draft(path).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                refused(error, "free some space, or choose another folder; nothing was changed")
            }
            _ => refused(error, "choose an existing folder that you can write to"),
        })?;
        let name = match found {
            Ok(_) => None,
            Err(_) => match ReservedName::new(path) {
                Ok(name) => Some(name),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(exists(path)),
                Err(error) => return Err(refused(error, "choose another name")),
            },
        };
        Ok(Self { path: path.to_owned(), draft, name })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the text to the file.
    pub fn write(self, text: &Secret) -> Result<(), Failure> {
        self.write_bytes(text.expose().as_bytes())
    }

    /// Writes the bytes to the file. If another program has taken the name meanwhile, the content stays in
    /// a file beside it, because it may exist nowhere else.
    pub fn write_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { path, mut draft, name } = self;
        let refused = |error: &io::Error, more: &str| {
            let why = reason(error);
            Failure::other(format!("cannot write {}: {why}{more}", path.display()))
        };
        draft.write(bytes).map_err(|error| refused(&error, ""))?;
        let taken = name.as_ref().is_some_and(|name| !name.is_held());
        let (error, draft) = if taken {
            (ErrorKind::AlreadyExists.into(), draft)
        } else {
            match draft.persist() {
                Ok(()) => {
                    if let Some(name) = name {
                        name.release();
                    }
                    output::count_written();
                    return Ok(());
                }
                Err(failed) => failed,
            }
        };
        let beside =
            draft.keep().ok().map(|path| format!("; the content is in {}", path.display()));
        Err(refused(&error, &beside.unwrap_or_default()))
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} already exists", path.display()))
        .hint("choose another name, or overwrite it with --force")
}

/// Creates a draft and reserves disk space for its content.
pub fn draft(path: &Path) -> io::Result<FileDraft> {
    let mut draft = FileDraft::new(path)?;
    draft.write(&[0; RESERVED])?;
    Ok(draft)
}

/// Returns whether two paths name the same file. The file need not exist.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| match path.canonicalize() {
        Ok(path) => Some(path),
        Err(_) => {
            let folder = std::path::absolute(path).ok()?.parent()?.canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        }
    };
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// Fails if other users can read a file with a secret. Stdin (`-`) and pipes, such as those that a shell
/// creates for `<(…)`, have no mode to check.
pub fn check_private(path: &Path) -> Result<(), Failure> {
    if path == Path::new("-") || !path.metadata().is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    // Reading the file reports other problems.
    let Ok(file) = File::open(path) else { return Ok(()) };
    let Err(PrivateFileError::Exposed { chmod }) = check_private_file(path, &file) else {
        return Ok(());
    };
    let hint = match chmod {
        Some(chmod) => format!("run {chmod}, or pass the secret on stdin with -"),
        None => "its mode cannot be changed here; pass the secret on stdin with -".to_owned(),
    };
    let shown = path.display();
    Err(Failure::other(format!("{shown} contains a secret, but other users can read it"))
        .hint(hint))
}

/// Returns stdin without the standard library's buffer, which is not wiped.
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
    fn a_file_that_another_program_creates_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        let pending = OutputFile::new(&path, false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        let failure = pending.write(&Secret::from("new")).unwrap_err().to_string();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        // The content is in a private file beside it.
        let (_, beside) = failure.split_once("it already exists; the content is in ").unwrap();
        assert_eq!(std::fs::read_to_string(beside).unwrap(), "new");
        check_private(Path::new(beside)).unwrap();
        std::fs::remove_file(beside).unwrap();

        assert!(OutputFile::new(&path, false).is_err());
        OutputFile::new(&path, true).unwrap().write(&Secret::from("new")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_is_reserved_at_once_and_freed_if_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        let pending = OutputFile::new(&path, false).unwrap();
        check_private(&path).unwrap();
        // Other programs cannot use the name, with hard links and without.
        assert!(OutputFile::new(&path, false).unwrap_err().to_string().contains("already exists"));
        assert!(File::create_new(&path).is_err());
        drop(pending);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        // The file of another program stays.
        let pending = OutputFile::new(&path, false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        drop(pending);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_name_that_the_file_system_refuses_fails_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for force in [false, true] {
            for (name, said) in [
                ("a".repeat(256), ": the name is too long or invalid"),
                ("a/".to_owned(), "is the name of a folder"),
                ("no/a".to_owned(), "no such file or folder"),
            ] {
                let path = folder.path().join(name);
                let failure = OutputFile::new(&path, force).unwrap_err().to_string();
                assert!(failure.contains(said), "{failure}");
            }
            let path = folder.path().join("a".repeat(255));
            OutputFile::new(&path, force).unwrap().write(&Secret::from("x")).unwrap();
            std::fs::remove_file(&path).unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn different_paths_of_the_same_file_are_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(is_same_file(&at("a"), &at("./a")));
        assert!(!is_same_file(&at("a"), &at("b")));
        assert!(!is_same_file(&at("no/a"), &at("no/a")));
        std::fs::create_dir(at("in")).unwrap();
        assert!(is_same_file(&at("a"), &at("in/../a")));
        std::fs::write(at("a"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        #[cfg(unix)]
        assert!(is_same_file(&at("a"), &at("link")));
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        // After SIGKILL, the draft and the empty file with the name stay.
        drop(FileDraft::new(&path).unwrap().keep().unwrap());
        std::fs::write(&path, "").unwrap();
        OutputFile::new(&path, false).unwrap().write(&Secret::from("new")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // An empty file of the user is not touched.
        std::fs::write(&path, "").unwrap();
        assert!(OutputFile::new(&path, false).unwrap_err().to_string().contains("already exists"));
        // Neither is the draft of a running process.
        let other = OutputFile::new(&path, true).unwrap();
        assert!(OutputFile::new(&path, false).unwrap_err().to_string().contains("already exists"));
        other.write(&Secret::from("other")).unwrap();
    }

    #[test]
    fn the_reserved_space_does_not_stay_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, RESERVED + 1] {
            let (path, text) = (folder.path().join(length.to_string()), "x".repeat(length));
            OutputFile::new(&path, false).unwrap().write(&Secret::from(&*text)).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_device_or_a_link_is_never_replaced() {
        let refused = |path: &str| OutputFile::new(Path::new(path), true).unwrap_err();
        assert!(refused("/dev/null").to_string().contains("not a regular file"));
        assert!(refused("/").to_string().contains("not a regular file"));
        assert!(refused("/no/such/folder/a.conf").to_string().contains("cannot write"));
    }
}
