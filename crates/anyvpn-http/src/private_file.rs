//! Opens files that hold a secret, by one rule for the library's token store and the command's files.

use std::fs::File;
use std::io;
use std::path::Path;

/// The reason why a file with a secret cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// The operating system refused.
    #[error("{}", .0.kind())]
    Io(#[from] io::Error),
    /// The path is a pipe, a device, a socket or a folder.
    #[error("it is not a regular file")]
    NotAFile,
    /// Other users can read or write it.
    #[error("other users can read it")]
    Exposed {
        /// The shell command that makes the file private. `None` if the mode is set from outside and
        /// cannot be changed here, as for a container's secret.
        chmod: Option<String>,
    },
    /// Another user can change or replace the file.
    #[error("{why}")]
    Untrusted {
        /// Who could change it, as a sentence without a period.
        why: String,
        /// The shell command that prevents it.
        command: String,
    },
}

impl PrivateFileError {
    /// Returns how to correct this; `None` if there is no advice.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Exposed { chmod: Some(chmod) } => Some(chmod),
            Self::Exposed { chmod: None } => Some(
                "its mode cannot be changed here: mount it with mode 0400 and this user as its owner",
            ),
            Self::Untrusted { command, .. } => Some(command),
            Self::Io(_) | Self::NotAFile => None,
        }
    }
}

/// Opens a file for reading and checks it as [`check_private_file`] and [`open_trusted_file`] do. It never
/// waits for the other end of a pipe.
///
/// # Errors
///
/// If the file does not exist, is not a regular file, or can be read or replaced by others.
pub fn open_private_file(path: &Path) -> Result<File, PrivateFileError> {
    let file = open_regular_file(path)?;
    check_private_file(path, &file)?;
    check_trusted(path, &file)?;
    Ok(file)
}

/// Opens a file for reading that determines what to run or whom to trust. It never waits for the other
/// end of a pipe.
///
/// As in OpenSSH, the file and the folders above it, up to the home folder, must belong to this user or to
/// root, and nobody else may write to them. A folder with the sticky bit, such as `/tmp`, is accepted,
/// because others cannot replace the file there. If there are links, both the path and its target are
/// checked. Files below `/run/secrets` and `$CREDENTIALS_DIRECTORY` are always trusted. On systems without
/// modes nothing is checked.
///
/// # Errors
///
/// If the file does not exist or is not a regular file, and [`PrivateFileError::Untrusted`].
pub fn open_trusted_file(path: &Path) -> Result<File, PrivateFileError> {
    let file = open_regular_file(path)?;
    check_trusted(path, &file)?;
    Ok(file)
}

fn open_regular_file(path: &Path) -> Result<File, PrivateFileError> {
    let mut options = File::options();
    options.read(true);
    // Opening a pipe without a writer would block the thread. For a regular file this has no effect.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits() as i32,
    );
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(PrivateFileError::NotAFile),
    }
}

#[cfg(not(unix))]
fn check_trusted(_: &Path, _: &File) -> Result<(), PrivateFileError> {
    Ok(())
}

#[cfg(unix)]
fn check_trusted(path: &Path, file: &File) -> Result<(), PrivateFileError> {
    use std::os::unix::fs::MetadataExt as _;

    const STICKY: u32 = 0o1000;
    if is_mounted_secret(path) || is_credential_of_service(path) {
        return Ok(());
    }
    let user = rustix::process::geteuid().as_raw();
    let check = |found: &std::fs::Metadata, path: &Path, name: &str, may_be_sticky: bool| {
        let untrusted = |why: &str, command| {
            let why = format!("{name} {why}");
            Err(PrivateFileError::Untrusted { why, command })
        };
        if ![user, 0].contains(&found.uid()) {
            let sudo = if user == 0 { "" } else { "sudo " };
            return untrusted(
                "belongs to another user",
                command(&format!("{sudo}chown {user}"), path),
            );
        }
        let is_sticky = may_be_sticky && found.mode() & STICKY != 0;
        match found.mode() & 0o022 != 0 && !is_sticky {
            true => untrusted("can be written to by other users", command("chmod go-w", path)),
            false => Ok(()),
        }
    };
    check(&file.metadata()?, path, "it", false)?;
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let mut names = vec![std::path::absolute(path)?, path.canonicalize()?];
    names.dedup();
    for name in &names {
        for folder in name.ancestors().skip(1) {
            let shown = format!("its folder {}", folder.display());
            check(&folder.metadata()?, folder, &shown, true)?;
            if home.as_deref() == Some(folder) {
                break;
            }
        }
    }
    Ok(())
}

/// Checks that only the owner can read an open file.
///
/// A file below `$CREDENTIALS_DIRECTORY` may be readable by its group as well: systemd gives a
/// service its credentials with an access list, which shows as mode 0440.
///
/// # Errors
///
/// [`PrivateFileError::Exposed`] if others can read it. On systems without modes nothing is checked.
pub fn check_private_file(path: &Path, file: &File) -> Result<(), PrivateFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        let is_for_group_at_most = mode & 0o037 == 0;
        let is_private =
            mode & 0o077 == 0 || is_for_group_at_most && is_credential_of_service(path);
        if !is_private {
            return Err(PrivateFileError::Exposed { chmod: chmod(path, file) });
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}

/// Returns whether this file is one of the credentials that systemd gave to this service.
#[cfg(unix)]
fn is_credential_of_service(path: &Path) -> bool {
    let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") else { return false };
    let folder = Path::new(&folder);
    // Both paths are resolved, so that a link in the folder cannot point elsewhere.
    match (folder.canonicalize(), path.canonicalize()) {
        (Ok(folder), Ok(path)) => path.parent().is_some() && path.starts_with(folder),
        _ => false,
    }
}

/// Returns the shell command that makes a file private; `None` if its mode cannot be changed here.
#[cfg(unix)]
fn chmod(path: &Path, file: &File) -> Option<String> {
    let is_read_only = rustix::fs::fstatvfs(file)
        .is_ok_and(|found| found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    (!is_read_only && !is_mounted_secret(path)).then(|| chmod_command(path))
}

/// Returns whether a path is in a folder where container systems mount secrets.
#[cfg(unix)]
fn is_mounted_secret(path: &Path) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    ["/run/secrets", "/var/run/secrets"].iter().any(|folder| path.starts_with(folder))
}

/// Returns the shell command that makes a file private.
#[must_use]
pub fn chmod_command(path: &Path) -> String {
    command("chmod 600", path)
}

/// Returns a shell command with the path as its last word.
fn command(command: &str, path: &Path) -> String {
    let shown = path.display().to_string();
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match shown.chars().all(is_safe) {
        true => format!("{command} {shown}"),
        false => format!("{command} '{}'", shown.replace('\'', r"'\''")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_containers_secret_is_not_to_be_chmodded() {
        let file = tempfile::tempfile().unwrap();
        let hint = |path: &str| chmod(Path::new(path), &file);
        for mounted in ["/run/secrets/token", "/var/run/secrets/kubernetes.io/token"] {
            assert_eq!(hint(mounted), None);
        }
        assert_eq!(hint("/run/secretsx").as_deref(), Some("chmod 600 /run/secretsx"));
        assert_eq!(hint("/a b/it's").as_deref(), Some(r"chmod 600 '/a b/it'\''s'"));
        let error = PrivateFileError::Exposed { chmod: None };
        assert!(error.hint().is_some_and(|hint| hint.contains("mount it with mode 0400")));
    }
}
