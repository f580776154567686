//! Runs one command of a hook.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use anyvpn_core::Secret;
use anyvpn_http::system_message;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::{HookError, HookEvent};

/// The prefix of our own variables, some of which are credentials.
const PREFIX: &str = "ANYVPN_";
/// Variables that only the keeper may have: systemd would take a message from the hook for one from the
/// keeper.
const OF_SYSTEMD: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Runs a program until it ends, or kills it when its time is up.
pub(super) async fn run(
    words: Vec<Secret>,
    event: &HookEvent,
    limit: Duration,
) -> Result<(), HookError> {
    let [program, arguments @ ..] = &words[..] else {
        return Err(HookError::Invalid("it does not name a program"));
    };
    let program = program.expose().to_owned();
    let not_started = |error: io::Error| HookError::NotStarted {
        program: program.clone(),
        reason: system_message(&error).to_owned(),
    };

    let json = serde_json::to_value(event).map_err(|error| not_started(error.into()))?;
    let mut command = Command::new(&program);
    command.args(arguments.iter().map(Secret::expose));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with(PREFIX) || OF_SYSTEMD.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    for (field, value) in json.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        command.env(format!("{PREFIX}{}", field.to_uppercase()), text);
    }
    // The keeper's stdout is for its own events.
    command.stdin(Stdio::piped()).stdout(stderr().map_err(not_started)?);
    #[cfg(unix)]
    command.process_group(0);
    let mut group = Group(command.spawn().map_err(not_started)?);

    let mut stdin = group.0.stdin.take();
    let input = format!("{json}\n");
    let tell = async {
        if let Some(mut stdin) = stdin.take() {
            // It is not an error if a command does not read its input.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let ended = async { tokio::join!(tell, group.0.wait()).1 };
    match tokio::time::timeout(limit, ended).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(HookError::Failed { program, status: status.to_string() }),
        Ok(Err(error)) => Err(not_started(error)),
        Err(_) => Err(HookError::TimedOut { program, limit }),
    }
}

/// Returns a handle to stderr for the output of a command.
fn stderr() -> io::Result<Stdio> {
    #[cfg(unix)]
    let stderr = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned()?;
    #[cfg(windows)]
    let stderr = std::os::windows::io::AsHandle::as_handle(&io::stderr()).try_clone_to_owned()?;
    Ok(stderr.into())
}

/// The process group of a command. Dropping it kills the group, unless its first process has ended.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // `None` once the process was waited for: from then on, another group can have this number.
        let Some(id) = self.0.id() else { return };
        #[cfg(unix)]
        if let Some(group) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = (id, self.0.start_kill());
    }
}
