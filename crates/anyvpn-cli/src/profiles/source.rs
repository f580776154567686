//! Where a secret comes from that is not kept by this program.

use std::env;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyvpn::Secret;

use super::Credential;
use crate::failure::Failure;
use crate::secrets::first_line;
use crate::text::reason;

/// Far longer than any key.
const LONGEST: u64 = 1 << 16;

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    File(PathBuf),
    /// The program and its arguments; no shell takes them apart.
    Command(Vec<String>),
}

impl Source {
    /// The key in the file that says it.
    pub fn key(&self, credential: Credential) -> String {
        let kind = if matches!(self, Self::File(_)) { "file" } else { "command" };
        format!("{}_{kind}", credential.name())
    }

    /// Reads the secret. `what` says whose it is, such as `token_file of the profile home`.
    pub fn read(&self, what: &str) -> Result<Secret, Failure> {
        let secret = match self {
            Self::File(path) => from_file(path, what)?,
            Self::Command(words) => from_command(words, what)?,
        };
        if secret.is_empty() {
            return Err(Failure::other(format!("the {what} gave an empty first line")));
        }
        Ok(secret)
    }
}

fn from_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    let shown = path.display();
    let failed = |why: &str| Failure::other(format!("{shown}, the {what}, cannot be used: {why}"));
    // A pipe that nobody writes to would make it wait for ever.
    let found = path.metadata().map_err(|error| failed(&reason(&error)))?;
    if !found.is_file() {
        return Err(failed("it is no plain file"));
    }
    let file = std::fs::File::open(path).map_err(|error| failed(&reason(&error)))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(|error| failed(&reason(&error)))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(failed("others may read it").hint(format!("chmod 600 {shown}")));
        }
    }
    first_line(file.take(LONGEST)).map_err(|error| failed(&reason(&error)))
}

fn from_command(words: &[String], what: &str) -> Result<Secret, Failure> {
    let [program, arguments @ ..] = words else {
        return Err(Failure::usage(format!("the {what} names no program")));
    };
    let failed = |why: &str| {
        Failure::other(format!("{program}, the {what}, {why}"))
            .hint("run it by hand: its first line must be the secret")
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    // Secrets are among them, and it is asked for one because it has it already.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("ANYVPN_")) {
            command.env_remove(name);
        }
    }
    let mut child =
        command.spawn().map_err(|error| failed(&format!("does not start: {}", reason(&error))))?;
    let line = match child.stdout.take() {
        Some(mut stdout) => first_line((&mut stdout).take(LONGEST)).and_then(|line| {
            // A program whose further lines nobody takes would fail.
            io::copy(&mut stdout, &mut io::sink()).map(|_| line)
        }),
        None => Ok(Secret::from("")),
    };
    let status =
        child.wait().map_err(|error| failed(&format!("does not end: {}", reason(&error))))?;
    match status.code() {
        Some(0) => line.map_err(|error| failed(&format!("cannot be read: {}", reason(&error)))),
        Some(code) => Err(failed(&format!("ended with code {code}"))),
        None => Err(failed("was ended by a signal")),
    }
}
