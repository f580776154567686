//! A terminal with a shell in it, by tmux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything on the screen may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own, and a home that is gone afterwards.
pub struct Terminal {
    home: PathBuf,
    programs: String,
}

impl Terminal {
    /// A screen of 80 × 24 with a shell, whose `anyvpn` is the release build.
    pub fn open(root: &Path) -> Result<Self, String> {
        let home = std::env::temp_dir().join(format!("anyvpn-start-{}", std::process::id()));
        fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
        let programs = format!("{}:/usr/bin:/bin", root.join("target/release").display());
        let terminal = Self { home, programs };
        terminal.shell(&["new-session", "-d", "-x", "80", "-y", "24"])?;
        Ok(terminal)
    }

    /// Another shell, in the same home; from now on the one that is typed in.
    pub fn second(&self) -> Result<(), String> {
        self.shell(&["new-window"])
    }

    fn shell(&self, place: &[&str]) -> Result<(), String> {
        let home = self.home.display();
        // Each prompt leaves the exit code of the command before it.
        let shell = format!(
            "env -i HOME={home} PATH={} LANG=C.UTF-8 TERM=xterm-256color TZ=UTC HISTFILE= PS1='$ ' \
             PROMPT_COMMAND='echo $? >> {home}/.codes' bash --norc --noprofile -i",
            self.programs
        );
        _ = fs::remove_file(self.home.join(".codes"));
        self.tmux(&[place, &["-c", &home.to_string(), &shell]].concat())?;
        self.wait("the shell", || Ok(!self.codes().is_empty()))
    }

    fn tmux(&self, arguments: &[&str]) -> Result<String, String> {
        let mut tmux = Command::new("tmux");
        tmux.env_remove("TMUX").arg("-S").arg(self.home.join(".tmux")).args([
            "-u",
            "-f",
            "/dev/null",
        ]);
        let output = tmux.args(arguments).output().map_err(|e| format!("tmux: {e}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("tmux: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What stands on the screen, with its colours, without the empty lines at its end.
    pub fn screen(&self) -> Result<String, String> {
        Ok(self.tmux(&["capture-pane", "-e", "-p"])?.trim_end().to_owned())
    }

    /// An empty screen.
    pub fn clear(&self) -> Result<(), String> {
        self.tmux(&["send-keys", "-R", "C-l"])?;
        self.wait("an empty screen", || Ok(self.screen()?.lines().count() <= 1))
    }

    pub fn type_line(&self, line: &str) -> Result<(), String> {
        self.tmux(&["send-keys", "-l", line])?;
        self.tmux(&["send-keys", "Enter"])?;
        Ok(())
    }

    /// Types a command, once the one before it has ended.
    pub fn run(&self, command: &str) -> Result<(), String> {
        self.wait_for_prompt()?;
        _ = fs::remove_file(self.home.join(".codes"));
        self.type_line(command)
    }

    /// Waits until the command has ended, and looks whether it did what it should.
    pub fn wait_for_prompt(&self) -> Result<(), String> {
        self.wait("the end of the command", || Ok(!self.codes().is_empty()))?;
        if self.codes().trim() == "0" {
            return Ok(());
        }
        Err(format!("exit code {}:\n{}", self.codes().trim(), self.screen()?))
    }

    /// Waits for a text on the screen.
    pub fn wait_for(&self, text: &str) -> Result<(), String> {
        self.wait(&format!("{text:?}"), || {
            Ok(self.tmux(&["capture-pane", "-p", "-J"])?.contains(text))
        })
    }

    fn codes(&self) -> String {
        fs::read_to_string(self.home.join(".codes")).unwrap_or_default()
    }

    fn wait(&self, what: &str, there: impl Fn() -> Result<bool, String>) -> Result<(), String> {
        let begin = Instant::now();
        while !there()? {
            if begin.elapsed() > PATIENCE {
                return Err(format!("{what} does not come:\n{}", self.screen()?));
            }
            sleep(Duration::from_millis(30));
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        _ = self.tmux(&["kill-server"]);
        _ = fs::remove_dir_all(&self.home);
    }
}
