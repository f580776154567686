//! Where a secret comes from that is not kept by this program.

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

/// As long as a person may need who is asked for a passphrase, or to touch a key.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Debug, PartialEq)]
pub enum SecretSource {
    File(PathBuf),
    /// The program and its arguments; no shell takes them apart.
    Command(Vec<String>),
}

impl SecretSource {
    /// The key in the file that says it.
    pub fn key(&self, setting: &Setting) -> String {
        let kind = if matches!(self, Self::File(_)) { "file" } else { "command" };
        format!("{}_{kind}", setting.key)
    }

    /// Reads the secret. `what` says whose it is, such as `token_file of the profile home`.
    pub fn read(&self, what: &str) -> Result<Secret, Failure> {
        let secret = match self {
            Self::File(path) => from_file(path, what)?,
            Self::Command(words) => from_command(words, what, PATIENCE)?,
        };
        if secret.is_empty() {
            return Err(Failure::other(format!("the {what} gave an empty first line"))
                .hint("the first line must be the secret"));
        }
        check_sendable(&secret, &format!("the {what}"), Failure::other)?;
        Ok(secret)
    }
}

fn from_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    let shown = path.display();
    let failed = |why: &str| {
        Failure::other(format!("{shown}, the {what}, cannot be used: {why}"))
            .hint("write the secret there, or correct the profile in config.toml")
    };
    let mut file = open_private_file(path).map_err(|error| match error {
        PrivateFileError::Io(error) => failed(&reason(&error)),
        PrivateFileError::Exposed { chmod } => {
            failed("others may read it").hint(chmod.unwrap_or_else(|| {
                let command = what.replacen("_file", "_command", 1);
                let command = command.split(' ').next().unwrap_or_default();
                let path = toml_edit::Value::from(shown.to_string());
                format!("its mode comes from outside; use {command} = [\"cat\", {path}] instead")
            }))
        }
        PrivateFileError::Untrusted { why, command } => failed(&why).hint(command),
        _ => failed("it is no plain file"),
    })?;
    first_line(&mut file).map_err(|error| failed(&reason(&error)))
}

fn from_command(words: &[String], what: &str, patience: Duration) -> Result<Secret, Failure> {
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
    let (sender, line) = mpsc::channel();
    if let Some(mut stdout) = child.stdout.take() {
        thread::spawn(move || {
            let _ = sender.send(first_line(&mut stdout));
            // A program whose further lines nobody takes would fail.
            let _ = io::copy(&mut stdout, &mut io::sink());
        });
    }
    let deadline = Instant::now() + patience;
    // The program's end is waited for and not its output's: what it leaves running may hold that.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            // Our end by a signal is its end too.
            Ok(None) if arrived().is_some() => {
                end(&mut child);
                return Err(failed("was ended"));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                end(&mut child);
                return Err(failed(&format!("did not end within {} s", patience.as_secs())));
            }
            Err(error) => return Err(failed(&format!("does not end: {}", reason(&error)))),
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    match (status.code(), line.recv_timeout(left)) {
        (Some(0), Ok(Ok(line))) => Ok(line),
        (Some(0), Ok(Err(error))) => Err(failed(&format!("cannot be read: {}", reason(&error)))),
        (Some(0), Err(_)) => Err(failed("gave no whole line")),
        (Some(code), _) => Err(failed(&format!("ended with code {code}"))),
        (None, _) => Err(failed("was ended by a signal")),
    }
}

/// Ends a program, and on Linux the programs that it runs, so that none of them goes on asking for a
/// passphrase.
fn end(child: &mut Child) {
    #[cfg(target_os = "linux")]
    for process in descendants(child.id()) {
        let _ = kill_process(process, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The processes below this one, those above first.
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
    fn a_program_that_does_not_end_is_ended_and_what_it_left_running_is_not_waited_for() {
        let told = run("exec sleep 1000", Duration::ZERO).unwrap_err().to_string();
        assert_eq!(told, "sh, the token_command, did not end within 0 s");
        // With the programs that it runs.
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sh -c 'echo $$ > {}; exec sleep 1000'; true", pid.display());
        let waits = Duration::from_millis(500);
        run(&script, waits).unwrap_err();
        let pid = std::fs::read_to_string(pid).unwrap();
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        assert!(!state.is_ok_and(|state| state.contains("(sleep) S")), "it runs");
        let secret = run("echo secret; sleep 30 &", PATIENCE).unwrap();
        assert_eq!(secret.expose(), "secret");
        let told = run("echo secret; kill -9 $$", PATIENCE).unwrap_err().to_string();
        assert_eq!(told, "sh, the token_command, was ended by a signal");
    }

    #[test]
    fn a_line_is_taken_whole_or_not_at_all() {
        let line =
            |length: usize| format!("head -c {length} /dev/zero | tr '\\0' x; echo; echo more");
        assert_eq!(run(&line(65_000), PATIENCE).unwrap().expose().len(), 65_000);
        let told = run(&line(70_000), PATIENCE).unwrap_err().to_string();
        assert!(told.ends_with("cannot be read: it is too long"), "{told}");
        let told = run("printf 'a\\377'", PATIENCE).unwrap_err().to_string();
        assert!(told.ends_with("cannot be read: it is no UTF-8 text"), "{told}");
        assert_eq!(run("printf 'a\\r\\n'", PATIENCE).unwrap().expose(), "a");
    }
}
