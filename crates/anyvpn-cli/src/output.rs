//! The one place that prints. Nothing here uses `print!` and its like: they panic on a closed pipe.
//!
//! stdout has the answer and nothing else; stderr has everything else.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyvpn::Secret;
use clap::error::ErrorKind as ClapKind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;
use crate::text::{is_treacherous, plain, reason};

#[derive(Clone, Copy)]
pub struct Output {
    pub json: bool,
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
        print(&[text.as_bytes(), b"\n"])
    }

    /// Prints a secret that was asked for, as it is.
    pub fn secret(self, secret: &Secret) -> Result<(), Failure> {
        print(&[secret.expose().as_bytes()])
    }

    /// Tells the person something beside the answer. With `--json`, stderr is for errors alone.
    pub fn note(self, text: &str) {
        if !self.json {
            text.lines().for_each(|line| complain(&plain(line)));
        }
    }

    /// Tells why it did not work, and gives the exit code.
    pub fn failure(self, failure: &Failure) -> ExitCode {
        if !failure.is_closed_pipe() {
            complain(&match json(&failure.report()) {
                Ok(report) if self.json => report,
                _ => failure.lines().join("\n"),
            });
        }
        failure.exit()
    }
}

/// How far a long command is: a bar on a terminal, else a line for each part that is done.
pub struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
}

impl Output {
    /// Begins to tell how far a command with so many parts is.
    pub fn progress(self, parts: usize) -> Progress {
        let shown = !self.json && io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(parts as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{bar:24}] {pos} of {len}  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Progress { output: self, bar }
    }

    /// Whether what a terminal obeys may be printed with the answer.
    pub fn is_colored(self) -> bool {
        io::stdout().is_terminal() && !no_color()
    }
}

impl Progress {
    /// Says what is being done.
    pub fn begin(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(plain(what));
        }
    }

    /// Says what became of a part.
    pub fn done(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => self.output.note(line),
        }
    }

    /// Tells something on the way, bar or not.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.note(text)),
            None => self.output.note(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// JSON in which a terminal finds nothing to obey.
fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|_| Failure::other("the answer cannot be written as JSON"))?;
    let mut safe = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        // Outside of strings there is no such character but the line ends of the layout.
        if is_treacherous(c) && c != '\n' {
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

fn print(parts: &[&[u8]]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = parts.iter().try_for_each(|part| stdout.write_all(part));
    written.and_then(|()| stdout.flush()).map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::closed_pipe()
        } else {
            Failure::other(format!("the answer cannot be written: {}", reason(&error)))
        }
    })
}

/// Whoever closed stderr wants to hear nothing.
fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Reports what clap found, or prints the help that it was asked for.
pub fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => {
            return match print(&[text.as_bytes()]) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => Output { json: false }.failure(&failure),
            };
        }
        ClapKind::DisplayHelpOnMissingArgumentOrSubcommand if !json_was_asked() => {
            complain(text.trim_end());
            return ExitCode::from(2);
        }
        ClapKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let failure = Failure::usage("a command is missing").hint("see anyvpn --help");
            return Output { json: true }.failure(&failure);
        }
        _ => {}
    }
    let lines = short(&text);
    if json_was_asked() {
        let (what, hints) = lines.split_first().map_or(("", &[][..]), |(a, b)| (a, b));
        let what = what.strip_prefix("error: ").unwrap_or(what);
        let hints: Vec<_> = hints.iter().map(|hint| hint.trim()).collect();
        return Output { json: true }.failure(&Failure::usage(what).hint(hints.join("; ")));
    }
    complain(&lines.join("\n"));
    ExitCode::from(2)
}

/// Arguments that do not parse leave only this to go by.
fn json_was_asked() -> bool {
    std::env::args_os()
        .skip(1)
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json")
}

/// clap's message on at most four lines: no blank ones, and lists behind what they belong to.
fn short(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let continues = line.starts_with(' ') && !line.trim_start().starts_with("tip:");
        match lines.last_mut() {
            Some(last) if continues => {
                last.push(' ');
                last.push_str(&plain(line.trim()));
            }
            _ => lines.push(plain(line)),
        }
    }
    lines.truncate(4);
    lines
}

/// Tells what the library does, on stderr: `-v` the calls, `-vv` their repetitions, `-vvv` all.
///
/// Only anyvpn's own records are let through: what other crates log could hold a secret.
pub fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let format = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color())
        .log_internal_errors(false);
    // It fails only where another subscriber is set, and here is none.
    let _ = tracing_subscriber::registry()
        .with(format)
        .with(Targets::new().with_target("anyvpn", level))
        .try_init();
}

/// Whether the person wants no colors: <https://no-color.org>.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_and_holds_nothing_to_obey() {
        let value = serde_json::json!({ "a": "x\u{1b}\u{9b}\u{202e}\u{e0001}\n", "b": [1] });
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|c| is_treacherous(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_long_message_of_the_parser_becomes_four_lines() {
        let text = "error: these are missing:\n  <A>\n  <B>\n\n  tip: one\n\nUsage: x <A>\n       \
                    x <B>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            short(text),
            [
                "error: these are missing: <A> <B>",
                "  tip: one",
                "Usage: x <A> x <B>",
                "For more information, try '--help'."
            ]
        );
    }
}
