//! PostgreSQL as Debian's package has it, on a socket in a folder of its own. `cargo xtask bench fleet` starts it too.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often we ask whether the server is ready, and how long we wait in between.
const ATTEMPTS: u32 = 300;
const INTERVAL: Duration = Duration::from_millis(100);

/// Returns the folder of the newest server's programs; `None` if there is none.
pub fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders.filter(|folder| folder.join("postgres").is_file()).max()
}

/// A server that runs as long as this value lives.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    /// The server's own process.
    pub process: Child,
}

impl Server {
    /// Starts a server with Debian's settings and these, such as `fsync=off`. It only listens on a socket.
    ///
    /// # Errors
    ///
    /// Returns the reason if a program fails, or if the server is not ready in time.
    pub fn start(programs: PathBuf, settings: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let home = folder.path().to_owned();
        succeed(Command::new("chmod").arg("777").arg(&home))?;
        let data = home.join("data");
        let mut init = command(&programs.join("initdb"))?;
        let fixed = ["-A", "trust", "-U", "fleet", "--no-sync", "--locale=C.UTF-8"];
        succeed(init.arg("-D").arg(&data).args(fixed).current_dir(&home))?;
        let mut server = command(&programs.join("postgres"))?;
        server.arg("-D").arg(&data).arg("-k").arg(&home).args(["-c", "listen_addresses="]);
        settings.iter().for_each(|setting| _ = server.args(["-c", setting]));
        let log = File::create(home.join("log")).map_err(|error| error.to_string())?;
        let process = server.current_dir(&home).stdin(Stdio::null()).stderr(log).spawn();
        let process = process.map_err(|error| format!("postgres: {error}"))?;
        let server = Self { folder, programs, process };
        for _ in 0..ATTEMPTS {
            let mut ready = Command::new(server.programs.join("pg_isready"));
            let ready = ready.arg("-q").arg("-h").arg(&home).status();
            if ready.is_ok_and(|status| status.success()) {
                return Ok(server);
            }
            std::thread::sleep(INTERVAL);
        }
        Err(std::fs::read_to_string(home.join("log")).unwrap_or_default())
    }

    /// Creates an empty database, and returns its address.
    ///
    /// # Errors
    ///
    /// Returns the message of createdb.
    pub fn database(&self, name: &str) -> Result<String, String> {
        let socket = self.folder.path().display();
        let mut create = Command::new(self.programs.join("createdb"));
        succeed(create.args(["-h", &socket.to_string(), "-U", "fleet", name]))?;
        Ok(format!("postgres://fleet@localhost/{name}?host={socket}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        if let Ok(mut stop) = command(&self.programs.join("pg_ctl")) {
            stop.arg("stop").arg("-D").arg(data).args(["-m", "immediate"]);
            let _ = stop.current_dir(self.folder.path()).stdin(Stdio::null()).output();
        }
        let _ = self.process.wait();
    }
}

/// Returns a command that runs as the server's user, because the server refuses to run as root.
fn command(program: &Path) -> Result<Command, String> {
    let id = Command::new("id").arg("-u").output().map_err(|error| format!("id: {error}"))?;
    if id.stdout.trim_ascii() != b"0" {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    Ok(command)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.map_err(|error| format!("{command:?}: {error}"))?;
    if ran.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&ran.stderr)))
}
