//! Sources of secrets that this program does not store itself: files and programs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyvpn::{Secret, Setting};
use anyvpn_http::{PrivateFileError, open_private_file};
#[cfg(target_os = "linux")]
use rustix::process::{Pid, Signal, kill_process};

use crate::failure::Failure;
use crate::secrets::{check_sendable, first_line};
use crate::signals::arrived;
use crate::text::reason;

/// How long a program may run. The user may have to type a passphrase or to touch a key.
const TIME_LIMIT: Duration = Duration::from_secs(120);

#[derive(Clone, Debug, PartialEq)]
pub enum SecretSource {
    File(PathBuf),
    /// A program and its arguments, which is run without a shell.
    Command(Vec<String>),
}

impl SecretSource {
    /// Returns the key in `config.toml` for this source.
    pub fn key(&self, setting: &Setting) -> String {
        let kind = if matches!(self, Self::File(_)) { "file" } else { "command" };
        format!("{}_{kind}", setting.key)
    }

    /// Reads the secret. `what` names it in errors, such as `token_file of profile home`.
    pub fn read(&self, what: &str) -> Result<Secret, Failure> {
        let secret = match self {
            Self::File(path) => from_file(path, what)?,
            Self::Command(words) => from_command(words, what, TIME_LIMIT)?,
        };
        let source = match self {
            Self::File(path) => format!("{}, the {what},", path.display()),
            Self::Command(_) => format!("the {what}"),
        };
        if secret.is_empty() {
            return Err(Failure::other(format!("the first line of {source} is empty"))
                .hint("the first line must be the secret"));
        }
        check_sendable(&secret, &source, Failure::other)?;
        Ok(secret)
    }
}

fn from_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    let shown = path.display();
    let failed = |why: &str| {
        Failure::other(format!("cannot use {shown}, the {what}: {why}"))
            .hint("write the secret to that file, or correct the profile in config.toml")
    };
    let mut file = open_private_file(path).map_err(|error| match error {
        PrivateFileError::Io(error) => failed(&reason(&error)),
        PrivateFileError::Exposed { chmod } => {
            failed("other users can read it").hint(chmod.unwrap_or_else(|| {
                let command = what.replacen("_file", "_command", 1);
                let command = command.split(' ').next().unwrap_or_default();
                let path = toml_edit::Value::from(shown.to_string());
                format!(
                    "its mode cannot be changed here; use {command} = [\"cat\", {path}] instead"
                )
            }))
        }
        PrivateFileError::Untrusted { why, command } => failed(&why).hint(command),
        _ => failed("it is not a regular file"),
    })?;
    first_line(&mut file).map_err(|error| failed(&reason(&error)))
}

fn from_command(words: &[String], what: &str, patience: Duration) -> Result<Secret, Failure> {
    let [program, arguments @ ..] = words else {
        return Err(Failure::usage(format!("the {what} is empty")));
    };
    let failed = |why: &str| {
        Failure::other(format!("{program}, the {what}, {why}"))
            .hint("run the command yourself: its first line must be the secret")
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    // The variables may contain secrets, which the program does not need.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("ANYVPN_")) {
            command.env_remove(name);
        }
    }
    let mut child = command
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {}", reason(&error))))?;
    let (sender, line) = mpsc::channel();
    if let Some(mut stdout) = child.stdout.take() {
        thread::spawn(move || {
            let _ = sender.send(first_line(&mut stdout));
            // Read the remaining output, because the program could fail on a closed pipe.
            let _ = io::copy(&mut stdout, &mut io::sink());
        });
    }
    let deadline = Instant::now() + patience;
    // Wait for the end of the program, not of its output: a program that it leaves running may keep the
    // output open.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            // A signal that ends this program also ends the child.
            Ok(None) if arrived().is_some() => {
                end(&mut child);
                return Err(failed("was interrupted"));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                end(&mut child);
                return Err(failed(&format!("did not finish within {} s", patience.as_secs())));
            }
            Err(error) => return Err(failed(&format!("has no exit code: {}", reason(&error)))),
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    match (status.code(), line.recv_timeout(left)) {
        (Some(0), Ok(Ok(line))) => Ok(line),
        (Some(0), Ok(Err(error))) => {
            Err(failed(&format!("has unusable output: {}", reason(&error))))
        }
        (Some(0), Err(_)) => Err(failed("did not print a complete line")),
        (Some(code), _) => Err(failed(&format!("failed with exit code {code}"))),
        (None, _) => Err(failed("was ended by a signal")),
    }
}

/// Ends a program and, on Linux, the programs that it runs, so that none of them keeps asking for a
/// passphrase.
fn end(child: &mut Child) {
    #[cfg(target_os = "linux")]
    for process in descendants(child.id()) {
        let _ = kill_process(process, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Lists the descendants of a process, parents first.
#[cfg(target_os = "linux")]
fn descendants(process: u32) -> Vec<Pid> {
    let list = format!("/proc/{process}/task/{process}/children");
    let list = std::fs::read_to_string(list).unwrap_or_default();
    let children: Vec<i32> = list.split(' ').filter_map(|word| word.parse().ok()).collect();
    let below = children.into_iter().flat_map(|child| {
        Pid::from_raw(child).into_iter().chain(descendants(child.unsigned_abs()))
    });
    below.collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(script: &str, patience: Duration) -> Result<Secret, Failure> {
        from_command(&["sh", "-c", script].map(str::to_owned), "token_command", patience)
    }

    #[test]
    fn a_program_is_ended_at_the_time_limit_and_its_background_jobs_are_not_waited_for() {
        let told = run("exec sleep 1000", Duration::ZERO).unwrap_err().to_string();
        assert_eq!(told, "sh, the token_command, did not finish within 0 s");
        // The programs that it runs are ended too.
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sh -c 'echo $$ > {}; exec sleep 1000'; true", pid.display());
        let waits = Duration::from_millis(500);
        run(&script, waits).unwrap_err();
        let pid = std::fs::read_to_string(pid).unwrap();
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        assert!(!state.is_ok_and(|state| state.contains("(sleep) S")), "it runs");
        let secret = run("echo secret; sleep 30 &", TIME_LIMIT).unwrap();
        assert_eq!(secret.expose(), "secret");
        let told = run("echo secret; kill -9 $$", TIME_LIMIT).unwrap_err().to_string();
        assert_eq!(told, "sh, the token_command, was ended by a signal");
    }

    #[test]
    fn overlong_and_undecodable_lines_are_refused() {
        let line =
            |length: usize| format!("head -c {length} /dev/zero | tr '\\0' x; echo; echo more");
        assert_eq!(run(&line(65_000), TIME_LIMIT).unwrap().expose().len(), 65_000);
        let told = run(&line(70_000), TIME_LIMIT).unwrap_err().to_string();
        assert!(told.ends_with("has unusable output: it is too large"), "{told}");
        let told = run("printf 'a\\377'", TIME_LIMIT).unwrap_err().to_string();
        assert!(told.ends_with("has unusable output: it is not UTF-8 text"), "{told}");
        assert_eq!(run("printf 'a\\r\\n'", TIME_LIMIT).unwrap().expose(), "a");
    }
}
