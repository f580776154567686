//! Runs the user's own commands when the port changes.

mod event;
mod process;
mod template;

use std::time::Duration;

use anyvpn_core::Secret;

pub use event::{HookEvent, HookEventKind};
use template::Template;

/// How long a command may run by default.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A command, or gluetun's pair of commands, that runs when the port changes.
///
/// A command gets the event as JSON on stdin, and as variables in its environment: a field `old_port`
/// of [`HookEvent`] is `ANYVPN_OLD_PORT`, which is empty if the field is null. The keeper's own
/// variables with that prefix, which can be credentials, and the variables that systemd set for the
/// keeper are removed. The command's output goes to stderr.
#[derive(Clone, Debug)]
pub struct Hook {
    program: String,
    commands: Commands,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Commands {
    /// The command runs at every event.
    Arguments(Vec<Secret>),
    /// gluetun's pair of commands.
    UpDown { up: Option<Template>, down: Option<Template> },
}

impl Hook {
    /// Creates a hook that runs a program with arguments at every event. No shell is involved.
    ///
    /// # Errors
    ///
    /// [`HookError::Invalid`] if there is no program.
    pub fn new(command: impl IntoIterator<Item = String>) -> Result<Self, HookError> {
        let mut words = command.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or(HookError::Invalid("it does not name a program"))?;
        let commands = Commands::Arguments(words.map(Secret::from).collect());
        Ok(Self { program, commands, timeout: DEFAULT_TIMEOUT })
    }

    /// Creates a hook from gluetun's `VPN_PORT_FORWARDING_UP_COMMAND` and `_DOWN_COMMAND`, with the
    /// placeholders `{{PORT}}`, `{{PORTS}}` and `{{VPN_INTERFACE}}`.
    ///
    /// `up` runs when a port was opened, and `down` when it was lost. When the port changed, `down`
    /// runs first, with the old port, and then `up`.
    ///
    /// # Errors
    ///
    /// [`HookError::Invalid`] if both are `None`, or if one cannot be split into words.
    pub fn gluetun(up: Option<&str>, down: Option<&str>) -> Result<Self, HookError> {
        let template = |text: Option<&str>| text.map(Template::new).transpose();
        let (up, down) = (template(up)?, template(down)?);
        let first = up.as_ref().or(down.as_ref()).ok_or(HookError::Invalid("it is empty"))?;
        let program = first.program().to_owned();
        Ok(Self { program, commands: Commands::UpDown { up, down }, timeout: DEFAULT_TIMEOUT })
    }

    /// Sets how long each command may run before it is killed, together with the processes that it
    /// started, unless they left its process group.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns the program, as it was given.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Runs the command for this event, once. Dropping the future kills it.
    ///
    /// # Errors
    ///
    /// If the command cannot be started, fails, or runs for too long. A `down` that fails before an
    /// `up` is not an error: the old port is gone, and repeating both would take the new port away for
    /// a moment.
    pub async fn run(&self, event: &HookEvent) -> Result<(), HookError> {
        let run = async |words: Vec<Secret>| process::run(words, event, self.timeout).await;
        match &self.commands {
            Commands::Arguments(arguments) => {
                let program = Secret::from(self.program.as_str());
                run([program].into_iter().chain(arguments.iter().cloned()).collect()).await
            }
            Commands::UpDown { up, down } => {
                let interface = event.interface.as_deref().unwrap_or_default();
                let mut outcome = Ok(());
                if let (Some(down), Some(port)) = (down, event.old_port)
                    && event.event != HookEventKind::Opened
                {
                    outcome = run(down.words(port, interface)?).await;
                }
                if let Some(port) = event.port {
                    outcome = Ok(());
                    if let Some(up) = up {
                        outcome = run(up.words(port, interface)?).await;
                    }
                }
                outcome
            }
        }
    }
}

/// The reason why a hook failed. The text names the program, but none of its arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The command can never run.
    #[error("the command is not valid: {0}")]
    Invalid(&'static str),
    /// The system could not start the command.
    #[error("{program} cannot be started: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// The system's reason.
        reason: String,
    },
    /// The command ended with an exit code other than 0, or by a signal.
    #[error("{program} failed: {status}")]
    Failed {
        /// The program.
        program: String,
        /// The exit code or signal, as text.
        status: String,
    },
    /// The command ran for too long and was killed.
    #[error("{program} ran for more than {} s and was killed", limit.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it may run.
        limit: Duration,
    },
}
