//! The one place that prints. Nothing here uses `print!` and its like: they panic on a closed pipe.
//!
//! stdout has the answer and nothing else; stderr has everything else.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyvpn::{Secret, is_invisible};
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;
use crate::look::{Look, is_colored, painted};
use crate::progress::{self, Progress};
use crate::text::{plain, reason};

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// How often the command has printed an answer or written a file.
pub fn written() -> u64 {
    WRITTEN.load(Ordering::Relaxed)
}

/// Once more.
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
    /// Prints the answer: `value` with `--json`, else what `text` gives.
    pub fn answer(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { self.document(value) } else { self.lines(&text()) }
    }

    /// Prints a JSON document, whatever the options say.
    pub fn document(self, value: &impl Serialize) -> Result<(), Failure> {
        self.lines(&json(value)?)
    }

    /// Prints lines of the answer.
    pub fn lines(self, text: &str) -> Result<(), Failure> {
        print(&[painted(text, is_colored(&io::stdout())).as_bytes(), b"\n"])
    }

    /// Prints a secret that was asked for, as it is.
    pub fn secret(self, secret: &Secret) -> Result<(), Failure> {
        print(&[secret.expose().as_bytes()])
    }

    /// Tells the person something beside the answer. With `--json`, stderr is for errors alone;
    /// with `--quiet` too.
    pub fn note(self, text: &str) {
        if self.is_told() {
            self.explain(text);
        }
    }

    /// Tells what belongs to an error, and stands in its JSON.
    pub fn explain(self, text: &str) {
        if !self.json {
            text.lines().for_each(|line| complain(&plain(line)));
        }
    }

    /// Whether the person is told what is beside the answer.
    pub fn is_told(self) -> bool {
        !self.json && !self.quiet
    }

    /// Begins to tell how far a command with so many parts is.
    pub fn progress(self, parts: usize) -> Progress {
        Progress::new(self, parts)
    }

    /// Tells why it did not work, and gives the exit code.
    pub fn failure(self, failure: &Failure) -> ExitCode {
        if !failure.is_silent() {
            match json(&failure.report()) {
                Ok(report) if self.json => complain(&report),
                _ => failure.lines().iter().for_each(|line| complain(&marked(line))),
            }
        }
        failure.exit()
    }

    /// Whether what a terminal obeys may be printed with the answer.
    pub fn is_colored(self) -> bool {
        is_colored(&io::stdout())
    }

    /// Prints the library's records: `-v` each request, `-vv` also headers and why something is sent
    /// again.
    ///
    /// Only anyvpn's own records are let through: what other crates log could hold a secret.
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
        // It fails only where another subscriber is set, and here is none.
        let _ = tracing_subscriber::registry().with(format).try_init();
    }
}

/// A line of an error, with its first word as it looks.
pub fn marked(line: &str) -> String {
    let words = [
        ("error:", Look::Bad),
        ("  hint:", Look::Hint),
        ("  tip:", Look::Hint),
        ("Usage:", Look::Title),
    ];
    for (word, look) in words {
        if let Some(rest) = line.strip_prefix(word) {
            return format!("{}{rest}", look.on(word));
        }
    }
    line.to_owned()
}

/// JSON in which a terminal finds nothing to obey.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|_| Failure::other("the answer cannot be written as JSON"))?;
    let mut safe = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        // Outside of strings there is no such character but the line ends of the layout.
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

/// Prints the answer as it is.
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
            Failure::other(format!("the answer cannot be written: {}", reason(&error)))
                .hint("send the answer elsewhere")
        }
    })
}

/// Prints something that nobody else has, such as a generated password.
///
/// `lost` adds to a failure what exists nevertheless and what to do about it. A closed pipe is reported
/// then, and so is a stdout that was closed from the start.
pub fn only_copy(
    print: impl FnOnce() -> Result<(), Failure>,
    lost: impl FnOnce(Failure) -> Failure,
) -> Result<(), Failure> {
    let printed = match is_closed() {
        true => Err(Failure::other("the answer cannot be written: stdout is closed")),
        // It has a secret because the person asked for one.
        false => anyvpn::reveal(print).0,
    };
    printed.map_err(lost)
}

/// Whether stdout was closed when the program started, as by `>&-`.
///
/// The Rust runtime opens `/dev/null` in its place, for reading and writing, so no write fails. The
/// `> /dev/null` of a shell is for writing only.
pub fn is_closed() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        use rustix::fs::{OFlags, fcntl_getfl, fstat};
        let stdout = io::stdout();
        let flags = fcntl_getfl(&stdout).unwrap_or(OFlags::empty());
        let null = std::fs::metadata("/dev/null").map(|null| null.rdev());
        let is_null = matches!((fstat(&stdout), null), (Ok(it), Ok(null)) if it.st_rdev == null);
        is_null && flags.contains(OFlags::RDWR)
    }
    #[cfg(not(unix))]
    false
}

/// Prints lines that are no answer. Whoever closed stderr wants to hear nothing.
pub fn complain(text: &str) {
    progress::clear();
    let stderr = io::stderr();
    let _ = writeln!(stderr.lock(), "{}", painted(text, is_colored(&stderr)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_and_holds_nothing_to_obey() {
        let value = serde_json::json!({ "a": "x\u{1b}\u{9b}\u{202e}\u{e0001}\n", "b": [1] });
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|c| is_invisible(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
