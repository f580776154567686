//! Files that hold a secret: they appear whole or not at all, for their owner alone.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyvpn::Secret;
use anyvpn_http::{FileDraft, PrivateFileError, check_private_file, remove_abandoned_drafts};

use crate::failure::Failure;
use crate::output;
use crate::text::reason;

/// How much of the disk a draft takes before anything is known of its text: more than configurations
/// and their pictures need.
const ROOM: usize = 16 * 1024;

/// A file that is going to be written. Whatever can be refused is refused before there is one, so
/// that nothing is made at a provider which then has no place here.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    draft: FileDraft,
    /// Absent where a file is going to be replaced.
    name: Option<ReservedName>,
}

/// A name that an empty file holds until the real one takes its place. Dropped before that, it is
/// free again.
///
/// Some file systems (FUSE, exFAT) have neither hard links nor a rename that refuses to replace a
/// file. Creating a file that must be new works on all of them, and it shows at once whether the name
/// is too long, has characters that the file system does not take, or may not be written at all.
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

    /// Whether nobody has written to the file or replaced it by another one.
    fn is_held(&self) -> bool {
        let found = self.0.as_ref().and_then(|path| path.symlink_metadata().ok());
        found.is_some_and(|found| found.is_file() && found.len() == 0)
    }

    /// Leaves the name to the file that has it now.
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for ReservedName {
    fn drop(&mut self) {
        if self.is_held()
            && let Some(path) = &self.0
        {
            // An empty file is all that stays.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Pending {
    /// Prepares a file at `path`. With `force`, one that is there will be replaced.
    pub fn new(path: &Path, force: bool) -> Result<Self, Failure> {
        let shown = path.display();
        let mut found = path.symlink_metadata();
        // A killed process had reserved the name, and had nothing to put there.
        let is_empty = found.as_ref().is_ok_and(|found| found.is_file() && found.len() == 0);
        if is_empty && remove_abandoned_drafts(path) && std::fs::remove_file(path).is_ok() {
            found = Err(ErrorKind::NotFound.into());
        }
        match &found {
            Ok(found) if !found.is_file() => {
                return Err(Failure::usage(format!("{shown} is there and is no plain file"))
                    .hint("choose another name"));
            }
            Ok(_) if !force => return Err(exists(path)),
            Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                return Err(Failure::usage(format!(
                    "{shown} names a folder, and a file is needed"
                ))
                .hint("choose the name of a file"));
            }
            // What else is wrong with the path shows below.
            _ => {}
        }
        let refused = |error: io::Error, hint| {
            Failure::other(format!("{shown} cannot be written: {}", reason(&error))).hint(hint)
        };
        let draft = draft(path).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                refused(error, "make room, or choose another folder; nothing was changed")
            }
            _ => refused(error, "choose a folder that exists and that you may write to"),
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

    /// Writes the text and gives the file its name.
    pub fn write(self, text: &Secret) -> Result<(), Failure> {
        self.write_bytes(text.expose().as_bytes())
    }

    /// Writes the bytes and gives the file its name. Where the name cannot be had any more, the text
    /// stays in a file beside it: what it is of may have been made already.
    pub fn write_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { path, mut draft, name } = self;
        let refused = |error: &io::Error, more: &str| {
            let why = reason(error);
            Failure::other(format!("{} cannot be written: {why}{more}", path.display()))
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
        let beside = draft.keep().ok().map(|path| format!("; it is in {}", path.display()));
        Err(refused(&error, &beside.unwrap_or_default()))
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("the file {} exists already", path.display()))
        .hint("choose another name, or replace it with --force")
}

/// A draft with room for the text.
pub fn draft(path: &Path) -> io::Result<FileDraft> {
    let mut draft = FileDraft::new(path)?;
    draft.write(&[0; ROOM])?;
    Ok(draft)
}

/// Whether two paths name one file, which need not exist.
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
        let failure = pending.write(&Secret::from("new")).unwrap_err().to_string();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        // What was to be written stays, for its owner alone.
        let (_, beside) = failure.split_once("it exists already; it is in ").unwrap();
        assert_eq!(std::fs::read_to_string(beside).unwrap(), "new");
        check_private(Path::new(beside)).unwrap();
        std::fs::remove_file(beside).unwrap();

        assert!(Pending::new(&path, false).is_err());
        Pending::new(&path, true).unwrap().write(&Secret::from("new")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_is_held_from_the_beginning_and_free_again_when_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        let pending = Pending::new(&path, false).unwrap();
        check_private(&path).unwrap();
        // Whoever else wants the name has to choose another one, with hard links and without.
        assert!(Pending::new(&path, false).unwrap_err().to_string().contains("exists already"));
        assert!(File::create_new(&path).is_err());
        drop(pending);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        // What another program put there stays.
        let pending = Pending::new(&path, false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        drop(pending);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_name_that_the_file_system_does_not_take_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for force in [false, true] {
            for (name, said) in [
                ("a".repeat(256), "cannot be written: the name is too long, or"),
                ("a/".to_owned(), "names a folder"),
                ("no/a".to_owned(), "there is no such file or folder"),
            ] {
                let path = folder.path().join(name);
                let failure = Pending::new(&path, force).unwrap_err().to_string();
                assert!(failure.contains(said), "{failure}");
            }
            let path = folder.path().join("a".repeat(255));
            Pending::new(&path, force).unwrap().write(&Secret::from("x")).unwrap();
            std::fs::remove_file(&path).unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn one_file_by_two_names_is_one_file() {
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
    fn what_a_killed_process_left_goes_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        // As SIGKILL leaves them: the draft, and the empty file that has the name.
        drop(FileDraft::new(&path).unwrap().keep().unwrap());
        std::fs::write(&path, "").unwrap();
        Pending::new(&path, false).unwrap().write(&Secret::from("new")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // An empty file of the person's own is none of its business.
        std::fs::write(&path, "").unwrap();
        assert!(Pending::new(&path, false).unwrap_err().to_string().contains("exists already"));
        // Nor is the draft of a process that lives.
        let other = Pending::new(&path, true).unwrap();
        assert!(Pending::new(&path, false).unwrap_err().to_string().contains("exists already"));
        other.write(&Secret::from("other")).unwrap();
    }

    #[test]
    fn nothing_of_the_room_stays_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, ROOM + 1] {
            let (path, text) = (folder.path().join(length.to_string()), "x".repeat(length));
            Pending::new(&path, false).unwrap().write(&Secret::from(&*text)).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_device_or_a_link_is_never_replaced() {
        let refused = |path: &str| Pending::new(Path::new(path), true).unwrap_err();
        assert!(refused("/dev/null").to_string().contains("no plain file"));
        assert!(refused("/").to_string().contains("no plain file"));
        assert!(refused("/no/such/folder/a.conf").to_string().contains("cannot be written"));
    }
}
