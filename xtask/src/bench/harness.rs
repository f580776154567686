//! Builds the programs of `benches/`, and runs them on separate cores.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::callgrind::{self, Cost};
use crate::{cargo, page};

/// The number of calls in a short run and in a long one. Their difference excludes the cost of starting
/// and of the first connection.
const FEW: u32 = 200;
const MORE: u32 = 1200;

/// Builds `benches/` with these features, and returns the program's path.
///
/// # Errors
///
/// If it does not build.
pub fn build(root: &Path, features: &str) -> Result<PathBuf, String> {
    let manifest = root.join("benches/Cargo.toml").display().to_string();
    // Sharing the folder avoids building again what the workspace has already built.
    let target = root.join("target").display().to_string();
    cargo::run(
        &[
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            &manifest,
            "--target-dir",
            &target,
            "--features",
            features,
        ],
        &[],
    )?;
    Ok(root.join("target/release/anyvpn-bench"))
}

/// How late the server answers while instructions are counted, in milliseconds: a client that always
/// waits always does the same work.
pub const LATE: u32 = 2;

/// The server, until it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: String,
    /// What it printed after its port.
    pub told: Vec<String>,
}

impl Server {
    /// Starts the server that answers `delay` milliseconds late, on the first core.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(program: &Path, delay: u32) -> Result<Self, String> {
        Self::run(program, &["serve", &delay.to_string()])
    }

    /// Starts a server on the first core.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn run(program: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut child = on_core(0, program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("taskset: {e}"))?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut line).map_err(|e| format!("the server: {e}"))?;
        let mut words = line.split_whitespace().map(str::to_owned);
        Ok(Self { child, port: words.next().unwrap_or_default(), told: words.collect() })
    }

    /// Returns the cost of one call of a client, for calls one after the other.
    ///
    /// # Errors
    ///
    /// If a run failed.
    pub fn cost(&self, root: &Path, program: &Path, call: &[&str]) -> Result<Cost, String> {
        self.cost_of_many(root, program, call, 1)
    }

    /// Returns the cost of one call of a client, with this many calls in flight.
    ///
    /// # Errors
    ///
    /// If a run failed.
    pub fn cost_of_many(
        &self,
        root: &Path,
        program: &Path,
        call: &[&str],
        in_flight: u32,
    ) -> Result<Cost, String> {
        let count = |calls: u32| {
            let mut command = Command::new(program);
            command.args(call).args([&self.port, &calls.to_string(), &in_flight.to_string()]);
            callgrind::count(root, command.env_clear())
        };
        // All connections are open before the calls that count.
        let few = FEW.max(2 * in_flight);
        Ok(count(few + MORE - FEW)?.of_one(count(few)?, f64::from(MORE - FEW)))
    }

    /// Returns the cost of reading a list of this many servers.
    ///
    /// # Errors
    ///
    /// If the run failed.
    pub fn count_list(
        &self,
        root: &Path,
        program: &Path,
        client: &str,
        servers: u32,
    ) -> Result<Cost, String> {
        let mut command = Command::new(program);
        command.args(["list", client, &self.port, &servers.to_string()]).env_clear();
        callgrind::count(root, &mut command)
    }

    /// Returns the time that this many calls take on the last core.
    ///
    /// # Errors
    ///
    /// If the run failed.
    pub fn time(
        &self,
        program: &mut Command,
        calls: u32,
        in_flight: u32,
    ) -> Result<Timing, String> {
        let Timing { cpu, wall, memory } =
            timing(program.args([&self.port, &calls.to_string(), &in_flight.to_string()]))?;
        let share = 1e3 / f64::from(calls);
        Ok(Timing { cpu: cpu * share, wall: wall * share, memory })
    }

    /// Returns the time for reading a list of this many servers on the last core, in milliseconds.
    ///
    /// # Errors
    ///
    /// If the run failed.
    pub fn time_list(
        &self,
        program: &mut Command,
        client: &str,
        servers: u32,
    ) -> Result<Timing, String> {
        timing(program.args(["list", client, &self.port, &servers.to_string()]))
    }
}

/// Returns the time that a program reports, in milliseconds.
///
/// # Errors
///
/// If the run failed.
pub fn timing(program: &mut Command) -> Result<Timing, String> {
    let output =
        program.stderr(Stdio::inherit()).output().map_err(|e| format!("{program:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{program:?}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let [cpu, wall, memory] = numbers[..] else {
        return Err(format!("{program:?} printed {text:?}"));
    };
    Ok(Timing { cpu: cpu / 1e6, wall: wall / 1e6, memory: memory * 1024.0 / 1e6 })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time and memory of a run.
#[derive(Clone, Copy)]
pub struct Timing {
    /// The CPU time of one call in microseconds, or of a list in milliseconds.
    pub cpu: f64,
    /// The wall time, in the same units.
    pub wall: f64,
    /// The process's peak memory in megabytes; for a list, the increase.
    pub memory: f64,
}

/// Returns a command that runs a client on the last core.
pub fn client(program: &Path) -> Command {
    on_core(page::cores() - 1, program)
}

fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}
