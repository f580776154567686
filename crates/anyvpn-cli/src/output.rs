//! The only module that prints. It does not use `print!`, which panics on a closed pipe.
//!
//! The answer goes to stdout, and everything else to stderr.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyvpn::{Secret, is_invisible};
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;
use crate::progress::{self, Progress};
use crate::style::{Style, is_colored, render};
use crate::text::{plain, reason};

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Returns how often the command has printed an answer or written a file.
pub fn written() -> u64 {
    WRITTEN.load(Ordering::Relaxed)
}

/// Counts an answer that was printed or a file that was written.
pub fn count_written() {
    WRITTEN.fetch_add(1, Ordering::Relaxed);
}

#[derive(Clone, Copy, Default)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub verbose: u8,
}

impl Output {
    /// Prints the answer: `value` as JSON with `--json`, and otherwise the result of `text`.
    pub fn answer(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { self.document(value) } else { self.lines(&text()) }
    }

    /// Prints a JSON document, even without `--json`.
    pub fn document(self, value: &impl Serialize) -> Result<(), Failure> {
        self.lines(&json(value)?)
    }

    /// Prints lines of the answer.
    pub fn lines(self, text: &str) -> Result<(), Failure> {
        print(&[render(text, is_colored(&io::stdout())).as_bytes(), b"\n"])
    }

    /// Prints a secret that the user asked for.
    pub fn secret(self, secret: &Secret) -> Result<(), Failure> {
        print(&[secret.expose().as_bytes()])
    }

    /// Prints a note on stderr. With `--json` or `--quiet`, stderr has only errors.
    pub fn note(self, text: &str) {
        if self.has_notes() {
            self.explain(text);
        }
    }

    /// Prints lines that explain an error. With `--json`, the error itself contains them.
    pub fn explain(self, text: &str) {
        if !self.json {
            text.lines().for_each(|line| complain(&plain(line)));
        }
    }

    /// Returns whether notes and progress are printed.
    pub fn has_notes(self) -> bool {
        !self.json && !self.quiet
    }

    /// Starts to show the progress of a command that has several parts.
    pub fn progress(self, parts: usize) -> Progress {
        Progress::new(self, parts)
    }

    /// Prints the failure and returns its exit code.
    pub fn failure(self, failure: &Failure) -> ExitCode {
        if !failure.is_silent() {
            match json(&failure.report()) {
                Ok(report) if self.json => complain(&report),
                _ => failure.lines().iter().for_each(|line| complain(&marked(line))),
            }
        }
        failure.exit()
    }

    /// Returns whether colours and other escape sequences may be printed on stdout.
    pub fn is_colored(self) -> bool {
        is_colored(&io::stdout())
    }

    /// Prints the library's log: each request with `-v`, and also headers and the reasons for retries with
    /// `-vv`.
    ///
    /// Logs of other crates are not printed, because they could contain a secret.
    pub fn trace(self) {
        let level = match self.verbose {
            0 => return,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        let format = tracing_subscriber::fmt::layer()
            .with_writer(|| {
                progress::clear();
                io::stderr()
            })
            .with_ansi(is_colored(&io::stderr()))
            .with_target(false)
            .log_internal_errors(false)
            .with_filter(Targets::new().with_target("anyvpn", level));
        // This fails only if there is another subscriber, which this program does not set.
        let _ = tracing_subscriber::registry().with(format).try_init();
    }
}

/// Styles the first word of a line of an error message.
pub fn marked(line: &str) -> String {
    let words = [
        ("error:", Style::Error),
        ("  hint:", Style::Hint),
        ("  tip:", Style::Hint),
        ("Usage:", Style::Title),
    ];
    for (word, style) in words {
        if let Some(rest) = line.strip_prefix(word) {
            return format!("{}{rest}", style.apply(word));
        }
    }
    line.to_owned()
}

/// Writes JSON with all control and invisible characters escaped.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    escaped(serde_json::to_string_pretty(value))
}

/// The same on one line.
pub fn line_of_json(value: &impl Serialize) -> Result<String, Failure> {
    escaped(serde_json::to_string(value))
}

fn escaped(text: serde_json::Result<String>) -> Result<String, Failure> {
    let text = text.map_err(|_| Failure::other("cannot write the result as JSON"))?;
    let mut safe = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        // Outside of strings, line breaks are the only such characters.
        if is_invisible(c) && c != '\n' {
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

/// Prints bytes on stdout.
pub fn print(parts: &[&[u8]]) -> Result<(), Failure> {
    progress::clear();
    let mut stdout = io::stdout().lock();
    let written = parts.iter().try_for_each(|part| stdout.write_all(part));
    let written = written.and_then(|()| stdout.flush());
    if written.is_ok() {
        count_written();
    }
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::closed_pipe()
        } else {
            Failure::other(format!("cannot write to stdout: {}", reason(&error)))
                .hint("redirect the output to another place")
        }
    })
}

/// Prints something that exists nowhere else, such as a generated password.
///
/// If that fails, `lost` adds to the failure what was created and what to do about it. Unlike for other
/// answers, a closed pipe and a closed stdout are failures.
pub fn only_copy(
    print: impl FnOnce() -> Result<(), Failure>,
    lost: impl FnOnce(Failure) -> Failure,
) -> Result<(), Failure> {
    let printed = match is_closed() {
        true => Err(Failure::other("cannot write to stdout: it is closed")),
        // The answer contains a secret because the user asked for it.
        false => anyvpn::reveal(print).0,
    };
    printed.map_err(lost)
}

/// Returns whether stdout was closed when the program started, for example by `>&-`.
///
/// In that case the Rust runtime opens `/dev/null` for reading and writing, so that writing
/// succeeds. With `> /dev/null`, a shell opens it only for writing, which tells the two apart.
pub fn is_closed() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        use rustix::fs::{OFlags, fcntl_getfl, fstat};
        let stdout = io::stdout();
        let flags = fcntl_getfl(&stdout).unwrap_or(OFlags::empty());
        let null = std::fs::metadata("/dev/null").map(|null| null.rdev());
        let is_null =
            matches!((fstat(&stdout), null), (Ok(found), Ok(null)) if found.st_rdev == null);
        is_null && flags.contains(OFlags::RDWR)
    }
    #[cfg(not(unix))]
    false
}

/// Prints lines on stderr. Errors are ignored, since there is no other place to report them.
pub fn complain(text: &str) {
    progress::clear();
    let stderr = io::stderr();
    let _ = writeln!(stderr.lock(), "{}", render(text, is_colored(&stderr)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value_but_has_no_control_characters() {
        let value = serde_json::json!({ "a": "x\u{1b}\u{9b}\u{202e}\u{e0001}\n", "b": [1] });
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|c| is_invisible(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
