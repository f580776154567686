//! How far the command is, and what it waits for: a line with a spinner or a bar on a terminal, gone
//! whenever something is printed; elsewhere a line where it is worth one.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthChar as _;

use crate::output::Output;
use crate::text::{plain, stderr_width};
use crate::waiting::Watch;

/// What ends before this is not worth a look.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// What every terminal has.
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];
const BAR: usize = 20;
/// The room that a terminal needs for the `^C` that it writes itself.
const MARGIN: usize = 3;
/// To the line's begin, and nothing on it.
const CLEAR: &str = "\r\u{1b}[2K";

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    drawn: 0,
    line: String::new(),
    is_lifted: false,
    since: None,
    parts: None,
});

struct Screen {
    /// How often the line was drawn that is on the terminal; 0 when none is.
    drawn: usize,
    line: String,
    /// Whether it is off the terminal for a moment.
    is_lifted: bool,
    /// Since when nothing was printed.
    since: Option<Instant>,
    parts: Option<Parts>,
}

/// Of a command that does the same for many.
struct Parts {
    all: usize,
    done: usize,
    now: String,
}

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what the command waits for, as long as it is waited for.
pub async fn show(output: Output, watch: Option<&Watch>) -> Infallible {
    if !output.is_told() {
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

/// Whether stderr is a terminal on which a line can be taken back.
pub fn is_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").map_or(cfg!(unix), |term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// Takes what is drawn off the terminal, for what is to be printed.
pub fn clear() {
    // Who has it else is the signals' thread, just before the end.
    let Ok(mut screen) = SCREEN.try_lock() else { return };
    screen.since = Some(Instant::now());
    let is_lifted = std::mem::take(&mut screen.is_lifted);
    if std::mem::take(&mut screen.drawn) > 0 && !is_lifted {
        write(CLEAR);
    }
}

/// Takes what is drawn off the terminal while the work is busy, and puts it back: the work can ask a
/// question, or let another program do so.
pub fn lift(up: bool) {
    let mut screen = screen();
    if screen.drawn > 0 && screen.is_lifted != up {
        write(if up { CLEAR } else { &screen.line });
        screen.is_lifted = up;
    }
}

fn draw(watch: Option<&Watch>) {
    let mut screen = screen();
    if screen.since.is_some_and(|since| since.elapsed() < PATIENCE) {
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

/// As much of a line as fits so many columns.
fn short(line: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    end.map_or(line, |(end, _)| &line[..end])
}

/// How far a command is that does the same for many.
pub struct Progress(Output);

impl Progress {
    /// Begins a command with so many parts.
    pub fn new(output: Output, all: usize) -> Self {
        change(|parts| *parts = Some(Parts { all, done: 0, now: String::new() }));
        Self(output)
    }

    /// Says what is being done.
    pub fn begin(&self, what: &str) {
        change(|parts| {
            if let Some(parts) = parts {
                parts.now = plain(what);
            }
        });
    }

    /// Says what became of a part: by the bar, where there is one.
    pub fn done(&self, line: &str) {
        change(|parts| {
            if let Some(parts) = parts {
                parts.done += 1;
            }
        });
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

/// How many parts are done, of how many; `None` for a command without parts.
pub fn parts() -> Option<(usize, usize)> {
    screen().parts.as_ref().map(|parts| (parts.done, parts.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_before_the_terminal_does() {
        assert_eq!(short("abc", 3), "abc");
        assert_eq!(short("abcd", 3), "abc");
        // Two columns each.
        assert_eq!(short("東京", 3), "東");
    }
}
