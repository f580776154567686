//! Orders in a database, and the processes that fulfil them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyvpn_core::SplitMix64;
use serde_json::Value;

use super::super::process::{Running, cpu, memory};
use super::sandbox::Sandbox;

/// The lease of an order. The orders of a killed worker wait for its end.
const LEASE: &str = "10";
/// How often a worker is killed.
const KILL: Duration = Duration::from_secs(1);
/// How often we check the workers.
const LOOK: Duration = Duration::from_millis(50);
/// Checking the database takes at most one in this many parts of the time.
const SHARE: u32 = 20;
/// The longest that a run may take.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The orders of one database.
pub struct Fleet {
    pub anyvpn: PathBuf,
    /// The folder of the key that seals passwords, and of the files of orders.
    pub home: PathBuf,
    pub database: String,
    pub workers: usize,
    pub in_flight: u32,
}

/// The measurements of a run.
pub struct Run {
    pub seconds: f64,
    /// CPU time of all workers in seconds.
    pub cpu: f64,
    pub kills: u32,
    /// The largest memory of a worker in bytes: until a tenth of the orders was done, and in all.
    pub memory: [f64; 2],
}

/// The number of all orders, of those that are done, and of those that no worker handles.
struct Status {
    all: u64,
    done: u64,
    stuck: u64,
}

impl Fleet {
    /// Imports a file of orders.
    ///
    /// # Errors
    ///
    /// The message of the command, if it fails.
    pub fn import(&self, sandbox: &Sandbox, orders: &str) -> Result<(), String> {
        let file = self.home.join("orders.csv");
        fs::write(&file, orders).map_err(|e| format!("{}: {e}", file.display()))?;
        self.output(sandbox, &["import", &file.display().to_string()]).map(drop)
    }

    /// Runs the workers until all orders are done. With `kills`, a random one is killed each second, and another
    /// one started.
    ///
    /// # Errors
    ///
    /// If a worker ends by itself, when an order is parked, or when it takes too long.
    pub fn run(
        &self,
        sandbox: &Sandbox,
        mut kills: Option<&mut SplitMix64>,
    ) -> Result<Run, String> {
        let begin = Instant::now();
        let mut workers = Vec::new();
        for _ in 0..self.workers {
            workers.push(self.worker(sandbox)?);
        }
        let mut run = Run { seconds: 0.0, cpu: 0.0, kills: 0, memory: [0.0; 2] };
        let (mut kill, mut look) = (begin + KILL, begin);
        loop {
            std::thread::sleep(LOOK);
            for worker in &mut workers {
                if let Some(status) = worker.0.try_wait().map_err(|e| e.to_string())? {
                    return Err(format!("a worker ended: {status}; {}", self.log()));
                }
                run.memory[1] = run.memory[1].max(memory(worker.0.id(), "VmHWM")?);
            }
            if let Some(random) = kills.as_mut().filter(|_| kill <= Instant::now()) {
                let place = random.below(workers.len() as u64) as usize;
                run.cpu += cpu(workers[place].0.id())?;
                // Dropping the old one kills it.
                drop(workers.remove(place));
                workers.push(self.worker(sandbox)?);
                (run.kills, kill) = (run.kills + 1, kill + KILL);
            }
            if look <= Instant::now() {
                let asked = Instant::now();
                let status = self.status(sandbox)?;
                look = Instant::now() + asked.elapsed() * SHARE;
                if status.done * 10 <= status.all {
                    run.memory[0] = run.memory[1];
                }
                if status.stuck > 0 {
                    return Err(self.explain_first(sandbox, "parked"));
                }
                if status.done == status.all {
                    break;
                }
                if begin.elapsed() > PATIENCE {
                    return Err(self.explain_first(sandbox, "pending"));
                }
            }
        }
        run.seconds = begin.elapsed().as_secs_f64();
        for mut worker in workers {
            run.cpu += cpu(worker.0.id())?;
            let id = worker.0.id().to_string();
            let asked = Command::new("kill").args(["-TERM", &id]).status();
            asked.map_err(|e| format!("kill: {e}"))?;
            let ended = worker.0.wait().map_err(|e| e.to_string())?;
            if !ended.success() {
                return Err(format!("SIGTERM made a worker end with {ended}; {}", self.log()));
            }
        }
        Ok(run)
    }

    /// Returns what happened to an order, for an error message.
    pub fn explain(&self, sandbox: &Sandbox, order: &str) -> String {
        let told = self.output(sandbox, &["explain", order]).unwrap_or_else(|why| why);
        format!("anyvpn fleet explain {order} --database {}\n{told}", self.database)
    }

    fn explain_first(&self, sandbox: &Sandbox, state: &str) -> String {
        let list = self.output(sandbox, &["list", "--state", state, "--limit", "1", "--json"]);
        let list = list.and_then(|text| json(&text)).unwrap_or_default();
        match list["orders"][0]["id"].as_str() {
            Some(order) => format!("order {order} is {state}: {}", self.explain(sandbox, order)),
            None => format!("not all orders are done: {list}"),
        }
    }

    fn status(&self, sandbox: &Sandbox) -> Result<Status, String> {
        let status = json(&self.output(sandbox, &["status", "--json"])?)?;
        let states = status["profiles"]["vpngn"].as_object().cloned().unwrap_or_default();
        let count = |names: &[&str]| {
            let named = states.iter().filter(|(name, _)| names.contains(&name.as_str()));
            named.filter_map(|(_, count)| count.as_u64()).sum::<u64>()
        };
        let stuck = count(&["parked", "drifted", "released"]);
        let (open, done) = (count(&["pending", "ambiguous"]), count(&["done"]));
        Ok(Status { all: open + done + stuck, done, stuck })
    }

    fn worker(&self, sandbox: &Sandbox) -> Result<Running, String> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file());
        let log = log.map_err(|e| format!("{}: {e}", self.log_file().display()))?;
        let mut worker = self.command(sandbox);
        worker.args(["run", "--service", "--lease", LEASE, "--in-flight"]);
        worker.arg(self.in_flight.to_string()).stdout(Stdio::null()).stderr(log);
        worker.spawn().map(Running).map_err(|e| format!("a worker: {e}"))
    }

    fn output(&self, sandbox: &Sandbox, arguments: &[&str]) -> Result<String, String> {
        let ran = self.command(sandbox).args(arguments).output();
        let ran = ran.map_err(|e| format!("anyvpn fleet: {e}"))?;
        if ran.status.success() {
            return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
        }
        Err(format!("anyvpn fleet {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr)))
    }

    fn command(&self, sandbox: &Sandbox) -> Command {
        let mut command = Command::new(&self.anyvpn);
        command.arg("fleet").env_clear().stdin(Stdio::null());
        command.env("HOME", &self.home).env("ANYVPN_FLEET_DATABASE", &self.database);
        command.envs(sandbox.environment());
        command
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("workers.log")
    }

    fn log(&self) -> String {
        last_lines(&self.log_file())
    }
}

fn last_lines(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|e| format!("{text:?}: {e}"))
}
