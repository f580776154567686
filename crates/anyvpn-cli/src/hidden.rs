//! Asks for secrets without showing them.
//!
//! Prompts that turn the terminal's echo off for one key at a time show keys that arrive faster than they
//! read. We turn it off from before the question until after the answer.

use std::sync::atomic::{AtomicBool, Ordering};

use anyvpn::Secret;

use crate::failure::Failure;

static ASKING: AtomicBool = AtomicBool::new(false);

/// Whether a secret is being typed.
#[cfg(unix)]
pub fn is_asking() -> bool {
    ASKING.load(Ordering::Relaxed)
}

/// Asks for a secret. Call this only on a terminal.
pub fn ask(question: &str) -> Result<Secret, Failure> {
    ASKING.store(true, Ordering::Relaxed);
    let answer = line(question);
    ASKING.store(false, Ordering::Relaxed);
    match answer {
        Ok(Some(answer)) if answer.expose().chars().any(char::is_control) => {
            Err(Failure::usage("the answer contains a control character")
                .hint("arrow keys do not work here; to start over, press Ctrl-U"))
        }
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::other("cancelled; nothing was changed")),
        Err(_) => Err(Failure::other("cannot read from the terminal; nothing was changed")),
    }
}

/// Reads a line that the terminal does not show. `None` if the user presses Ctrl-C, which also raises the
/// signal, or Ctrl-D at the start of the line.
#[cfg(unix)]
fn line(question: &str) -> std::io::Result<Option<Secret>> {
    use std::io::{Read as _, Write as _};

    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush,
        tcgetattr, tcsetattr,
    };

    struct Restored<'a>(&'a std::fs::File, Termios);
    impl Drop for Restored<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.0, OptionalActions::Now, &self.1);
        }
    }

    let terminal = crate::file::stdin()?;
    let before = tcgetattr(&terminal)?;
    let mut quiet = before.clone();
    quiet.input_modes |= InputModes::ICRNL;
    // Without this flag, Backspace deletes only one byte of a letter.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    quiet.input_modes.insert(InputModes::IUTF8);
    quiet.local_modes |= LocalModes::ICANON;
    quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG;
    // Ctrl-C ends the line, so that we can restore the terminal before we raise the signal.
    let interrupt = before.special_codes[SpecialCodeIndex::VINTR];
    quiet.special_codes[SpecialCodeIndex::VEOL] = interrupt;
    // The longest line that a terminal accepts.
    let mut line = zeroize::Zeroizing::new([0; 4096]);
    let length = {
        let _restored = Restored(&terminal, before);
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
        write!(std::io::stderr(), "? {question} ")?;
        (&terminal).read(&mut line[..])?
    };
    let line = &line[..length];
    let is_interrupted = line.last() == Some(&interrupt);
    // Redraw the prompt as an answered one. The terminal did not show the line's end either.
    let mark = if line.is_empty() || is_interrupted { "\n" } else { "\r>\n" };
    write!(std::io::stderr(), "{mark}")?;
    if is_interrupted {
        // The shell must not read what was typed after Ctrl-C.
        let _ = tcflush(&terminal, QueueSelector::IFlush);
        kill_process(getpid(), Signal::INT)?;
    }
    if line.is_empty() || is_interrupted {
        return Ok(None);
    }
    let answer = line.strip_suffix(b"\n").unwrap_or(line);
    let answer = str::from_utf8(answer).map_err(|_| std::io::ErrorKind::InvalidData)?;
    Ok(Some(Secret::from(answer)))
}

/// Reads a line that the terminal does not show. Windows does not echo keys by itself.
#[cfg(not(unix))]
fn line(question: &str) -> std::io::Result<Option<Secret>> {
    use inquire::{InquireError, Password, PasswordDisplayMode};

    let prompt = Password::new(question).without_confirmation();
    match prompt.with_display_mode(PasswordDisplayMode::Hidden).prompt() {
        Ok(answer) => Ok(Some(Secret::from(answer))),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(_) => Err(std::io::ErrorKind::Other.into()),
    }
}
