//! Shows progress on stderr. A terminal gets a line with a spinner or a bar, which is removed whenever
//! something is printed. Other outputs get a line for each long wait.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthChar as _;

use crate::call_watch::Watch;
use crate::output::Output;
use crate::text::{plain, stderr_width};

/// How long to wait before the first line is shown.
const DELAY: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// The frames of the spinner. Every terminal has these characters.
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];
const BAR: usize = 20;
/// The columns that are left free for the `^C` that the terminal prints itself.
const MARGIN: usize = 3;
/// Moves the cursor to the start of the line and clears the line.
const CLEAR: &str = "\r\u{1b}[2K";

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    drawn: 0,
    line: String::new(),
    is_lifted: false,
    since: None,
    parts: None,
});

struct Screen {
    /// How often the current line was drawn. 0 if there is no line.
    drawn: usize,
    line: String,
    /// Whether the line is removed for a moment.
    is_lifted: bool,
    /// The time of the last output.
    since: Option<Instant>,
    parts: Option<Parts>,
}

/// The parts of a command that repeats the same action.
struct Parts {
    all: usize,
    done: usize,
    now: String,
}

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what the command waits for, until this future is dropped.
pub async fn show(output: Output, watch: Option<&Watch>) -> Infallible {
    if !output.has_notes() {
        return std::future::pending().await;
    }
    clear();
    let is_terminal = is_terminal();
    loop {
        tokio::time::sleep(TICK).await;
        if is_terminal {
            draw(watch);
        } else if let Some(line) = watch.and_then(Watch::long) {
            output.note(&line);
        }
    }
}

/// Returns whether stderr is a terminal that can clear a line.
pub fn is_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").map_or(cfg!(unix), |term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// Removes the line from the terminal, so that something else can be printed.
pub fn clear() {
    // If the lock is taken, the signal thread is about to end the process.
    let Ok(mut screen) = SCREEN.try_lock() else { return };
    screen.since = Some(Instant::now());
    let is_lifted = std::mem::take(&mut screen.is_lifted);
    if std::mem::take(&mut screen.drawn) > 0 && !is_lifted {
        write(CLEAR);
    }
}

/// Removes the line while the work is running (`up`), and restores it afterwards. The work can ask a
/// question, or start a program that does.
pub fn lift(up: bool) {
    let mut screen = screen();
    if screen.drawn > 0 && screen.is_lifted != up {
        write(if up { CLEAR } else { &screen.line });
        screen.is_lifted = up;
    }
}

fn draw(watch: Option<&Watch>) {
    let mut screen = screen();
    if screen.since.is_some_and(|since| since.elapsed() < DELAY) {
        return;
    }
    let waiting = watch.and_then(|watch| watch.sentence(screen.parts.is_some()));
    let line = match (&screen.parts, waiting) {
        (None, None) => return,
        (None, Some(waiting)) => {
            format!("{} {waiting}", SPINNER[screen.drawn % SPINNER.len()])
        }
        (Some(parts), waiting) => {
            let filled = BAR * parts.done / parts.all.max(1);
            let waiting = waiting.map(|waiting| format!(": {waiting}")).unwrap_or_default();
            let Parts { all, done, now } = parts;
            format!("[{:BAR$}] {done} of {all}  {now}{waiting}", "=".repeat(filled))
        }
    };
    screen.drawn += 1;
    screen.line = short(&line, usize::from(stderr_width()) - MARGIN).to_owned();
    write(&format!("{CLEAR}{}", screen.line));
}

fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Cuts a line to a number of columns.
fn short(line: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    end.map_or(line, |(end, _)| &line[..end])
}

/// The progress of a command that has several parts.
pub struct Progress(Output);

impl Progress {
    /// Starts a command with this number of parts.
    pub fn new(output: Output, all: usize) -> Self {
        change(|parts| *parts = Some(Parts { all, done: 0, now: String::new() }));
        Self(output)
    }

    /// Starts a part.
    pub fn begin(&self, what: &str) {
        change(|parts| {
            if let Some(parts) = parts {
                parts.now = plain(what);
            }
        });
    }

    /// Ends a part.
    pub fn step(&self) {
        change(|parts| {
            if let Some(parts) = parts {
                parts.done += 1;
            }
        });
    }

    /// Ends a part. Without a bar, prints the line.
    pub fn done(&self, line: &str) {
        self.step();
        if !is_terminal() {
            self.0.note(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        change(|parts| *parts = None);
        clear();
    }
}

fn change(how: impl FnOnce(&mut Option<Parts>)) {
    how(&mut screen().parts);
}

/// Returns the number of finished parts and of all parts. `None` for a command without parts.
pub fn parts() -> Option<(usize, usize)> {
    screen().parts.as_ref().map(|parts| (parts.done, parts.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_width_of_the_terminal() {
        assert_eq!(short("abc", 3), "abc");
        assert_eq!(short("abcd", 3), "abc");
        // Two columns each.
        assert_eq!(short("東京", 3), "東");
    }
}
