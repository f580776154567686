//! The programs that the data plane uses.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The programs, and the Debian packages that contain them.
const PROGRAMS: &[(&str, &str)] = &[
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("mount", "mount"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("wg", "wireguard-tools"),
    ("wireguard-go", "wireguard-go"),
];
/// Folders where Debian installs some of them, which are not in the `PATH` of ordinary users.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The reason why a data plane did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataPlaneError {
    /// Programs are not installed.
    #[error("the data plane needs {programs}, which this machine does not have")]
    MissingPrograms {
        /// Their names, separated by commas.
        programs: String,
        /// The Debian packages that contain them, separated by spaces.
        packages: String,
    },
    /// The process is not allowed to create namespaces, even in its own user namespace.
    #[error("this user is not allowed to create network namespaces: {0}")]
    NoNamespaces(String),
    /// The device for tunnels cannot be opened.
    #[error("cannot open /dev/net/tun")]
    NoTun(#[source] io::Error),
    /// A program failed.
    #[error("{command}: {output}")]
    Program {
        /// The program and its arguments.
        command: String,
        /// The program's output, or why it could not be started.
        output: String,
    },
    /// A file or a socket of a namespace could not be used.
    #[error("cannot use {what}")]
    Io {
        /// The file or the socket.
        what: String,
        /// The operating system's error.
        source: io::Error,
    },
}

impl DataPlaneError {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> DataPlaneError {
        let what = what.into();
        move |source| DataPlaneError::Io { what, source }
    }

    /// Creates the error for the output of `unshare`.
    pub(super) fn no_namespaces(output: &str) -> DataPlaneError {
        DataPlaneError::NoNamespaces(output.trim().trim_start_matches("unshare: ").to_owned())
    }
}

/// Returns an error if a program is missing; the error names the packages to install.
pub(super) fn check() -> Result<(), DataPlaneError> {
    check_in(&path())
}

fn check_in(path: &OsStr) -> Result<(), DataPlaneError> {
    let is_there = |name: &str| std::env::split_paths(path).any(|it| it.join(name).is_file());
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, _)| !is_there(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let programs: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
    Err(DataPlaneError::MissingPrograms {
        programs: programs.join(", "),
        packages: packages.join(" "),
    })
}

/// Returns `PATH` extended by the folders of system programs.
pub(super) fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    // Joining fails only for a folder with a colon in its name, and none of these has one.
    std::env::join_paths(folders).unwrap_or(path)
}

/// Creates a command that inherits only `PATH` and runs in its own process group, because Ctrl-C must
/// not end it before the sandbox has ended.
pub(super) fn command(arguments: &[OsString]) -> Command {
    let (program, arguments) =
        arguments.split_first().map_or((OsStr::new(""), &[][..]), |it| (it.0, it.1));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", path()).env("LC_ALL", "C").process_group(0);
    command
}

/// Runs a program that gets `input` on stdin, and returns what it printed.
pub(super) fn run(arguments: &[OsString], input: &str) -> Result<String, DataPlaneError> {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |output: String| {
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        DataPlaneError::Program { command: words.join(" "), output }
    };
    let ran = command.spawn().and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that exits without reading its input reports the reason in its output.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    });
    let ran = ran.map_err(|error| failed(error.to_string()))?;
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            Err(failed(if said.is_empty() { ran.status.to_string() } else { said }))
        }
    }
}

/// Splits a command line into words, which are separated by single spaces.
pub(super) fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_programs_are_named_with_their_packages() {
        let Err(DataPlaneError::MissingPrograms { programs, packages }) = check_in(OsStr::new(""))
        else {
            panic!("an empty PATH must have no programs");
        };
        assert_eq!(programs, "conntrack, ip, mount, nft, nsenter, unshare, wg, wireguard-go");
        let expected = "conntrack iproute2 mount nftables util-linux wireguard-tools wireguard-go";
        assert_eq!(packages, expected);
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let error = run(&words("ls /nonexistent"), "").unwrap_err();
        let DataPlaneError::Program { command, output } = error else { panic!("{error}") };
        assert_eq!(command, "ls /nonexistent");
        assert!(output.contains("No such file or directory"), "{output}");
    }
}
