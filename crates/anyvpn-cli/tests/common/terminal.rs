//! Runs the command on a terminal, and reads what the terminal shows.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anstyle_svg::{Term, WIN10_CONSOLE};
use pty_process::Size;
use pty_process::blocking::{self, Pts, Pty};
use rustix::io::ioctl_fionread;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Longer than any step takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);
const ROWS: u16 = 24;

pub const SIGINT: i32 = 2;
pub const SIGTERM: i32 = 15;
pub const CTRL_C: &str = "\u{3}";

/// Long enough to be seen. No test waits for its end.
pub const FOR_EVER: Duration = Duration::from_secs(600);

/// Checks that these texts were shown and then removed completely.
pub fn assert_gone(left: &Left, text: &str) {
    assert!(left.written.contains(text), "{:?}", left.written);
    assert!(!left.screen.contains(text), "{}", left.screen);
}

pub struct Terminal {
    child: Child,
    pty: Arc<Pty>,
    pts: Pts,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    screen: vt100::Parser,
}

/// The state of the terminal after the command has ended.
pub struct Left {
    /// Everything that was written, including text that was removed.
    pub written: String,
    /// The text on the screen.
    pub screen: String,
    /// The text on the screen, with its colours.
    pub styled: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// How many typed bytes are left for the shell to read.
    pub unread: u64,
}

impl Terminal {
    /// Runs the command on a terminal of 80 columns.
    pub fn run(command: Command) -> Self {
        Self::wide(80, command)
    }

    /// Runs the command on a terminal with this number of columns.
    pub fn wide(columns: u16, mut command: Command) -> Self {
        if !command.get_envs().any(|(name, _)| name == "TERM") {
            command.env("TERM", "xterm-256color");
        }
        let (pty, pts) = blocking::open().unwrap();
        pty.resize(Size::new(ROWS, columns)).unwrap();
        let child = blocking::Command::from(command).spawn_borrowed(&pts).unwrap();
        let pty = Arc::new(pty);
        let (tell, output) = mpsc::channel();
        let master = Arc::clone(&pty);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            // Reading fails when no process has the terminal open.
            while let Ok(length) = (&*master).read(&mut chunk)
                && length > 0
                && tell.send(chunk[..length].to_vec()).is_ok()
            {}
        });
        let size = |length: u16| length.try_into().unwrap();
        let screen = vt100::Parser::new(size(ROWS), size(columns), 0);
        Self { child, pty, pts, output, seen: Vec::new(), screen }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.seen.extend_from_slice(chunk);
        self.screen.process(chunk);
    }

    /// Waits until the screen shows the text.
    pub fn wait_for(&mut self, text: &str) {
        while !self.screen.screen().contents().contains(text) {
            let Ok(chunk) = self.output.recv_timeout(LONG) else {
                panic!("no {text:?} on the screen:\n{}", self.screen.screen().contents());
            };
            self.take(&chunk);
        }
    }

    /// Waits until the text was written, even if it is not visible.
    pub fn wait_for_written(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            let Ok(chunk) = self.output.recv_timeout(LONG) else {
                panic!("{text:?} was not written:\n{}", self.screen.screen().contents());
            };
            self.take(&chunk);
        }
    }

    /// Returns the text on the screen, with its colours.
    pub fn styled(&self) -> String {
        styled(self.screen.screen())
    }

    /// Returns everything that was written so far, including text that was removed.
    pub fn written(&mut self) -> String {
        while let Ok(chunk) = self.output.try_recv() {
            self.take(&chunk);
        }
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Presses keys.
    pub fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Sends a signal to the command alone.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the command's end, and checks that it has restored the terminal's mode.
    pub fn end(mut self) -> Left {
        let status = self.child.wait().unwrap();
        let mut modes = tcgetattr(&self.pts).unwrap();
        let usual = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        assert!(modes.local_modes.contains(usual), "{modes:?}");
        // Sets raw mode, as a shell does.
        modes.local_modes -= LocalModes::ICANON;
        tcsetattr(&self.pts, OptionalActions::Now, &modes).unwrap();
        let unread = ioctl_fionread(&self.pts).unwrap();
        let Self { pts, output, .. } = self;
        drop(pts);
        let rest: Vec<u8> = output.iter().flatten().collect();
        self.seen.extend_from_slice(&rest);
        self.screen.process(&rest);
        assert!(!self.screen.screen().hide_cursor(), "there is no cursor");
        Left {
            written: String::from_utf8(self.seen).unwrap(),
            screen: self.screen.screen().contents(),
            styled: styled(self.screen.screen()),
            code: status.code(),
            signal: status.signal(),
            unread,
        }
    }
}

fn styled(screen: &vt100::Screen) -> String {
    const PLAIN: &str = "\u{1b}[0m";
    let (rows, columns) = screen.size();
    let mut text = String::new();
    let mut style = PLAIN.to_owned();
    for row in 0..rows.get() {
        let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
        let mut cells: Vec<_> = cells.collect();
        while cells.last().is_some_and(|cell| cell.contents().trim().is_empty()) {
            cells.pop();
        }
        for cell in cells {
            let color = match cell.fgcolor() {
                vt100::Color::Idx(color @ 0..8) => format!(";{}", 30 + color),
                vt100::Color::Idx(color @ 8..16) => format!(";{}", 82 + color),
                vt100::Color::Idx(color) => format!(";38;5;{color}"),
                vt100::Color::Rgb(red, green, blue) => format!(";38;2;{red};{green};{blue}"),
                vt100::Color::Default => String::new(),
            };
            let bold = if cell.bold() { ";1" } else { "" };
            let now = format!("\u{1b}[0{bold}{color}m");
            if now != style {
                text.push_str(&now);
            }
            style = now;
            text.push_str(if cell.has_contents() { cell.contents() } else { " " });
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// Draws a picture of the screen with its colours. It is 80 columns wide, and scales with its page.
pub fn svg(screen: &str) -> String {
    let term = Term::new().palette(WIN10_CONSOLE).min_width_px(80 * 84 / 10);
    let svg = term.render_svg(screen);
    let size = |name: &str| Some(svg.split_once(&format!("{name}=\""))?.1.split_once("px\"")?.0);
    let (width, height) = (size("width").unwrap_or("0"), size("height").unwrap_or("0"));
    svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1)
}

/// Sends a signal to a process.
pub fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}
