//! The sandbox's VPNGN, with room for all customers, in a process of its own.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use anyvpn_core::Secret;

use super::super::harness::{Timing, timing};
use super::super::process::Running;

/// A running sandbox.
pub struct Sandbox {
    _process: Running,
    program: PathBuf,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    port: String,
    api_key: Secret,
    secret_key: Secret,
}

impl Sandbox {
    /// Starts a sandbox with room for this many customers.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(program: &Path, customers: u32, seed: u64) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["fleet-sandbox", &customers.to_string(), &seed.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running(command.spawn().map_err(|e| format!("the sandbox: {e}"))?);
        let input = process.0.stdin.take().ok_or("the sandbox has no input")?;
        let output = process.0.stdout.take().ok_or("the sandbox has no output")?;
        let program = program.to_owned();
        let mut output = BufReader::new(output);
        let told = line(&mut output)?;
        let [port, api_key, secret_key] = told.split(' ').collect::<Vec<_>>()[..] else {
            return Err("the sandbox does not start".to_owned());
        };
        let port = port.to_owned();
        let [api_key, secret_key] = [api_key, secret_key].map(Secret::from);
        Ok(Self { _process: process, program, input, output, port, api_key, secret_key })
    }

    /// Returns the environment variables with which the command uses it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("ANYVPN_PROVIDER", "vpngn".to_owned()),
            ("ANYVPN_VPNGN_URL", format!("http://127.0.0.1:{}/vpngn", self.port)),
            ("ANYVPN_VPNGN_API_KEY", self.api_key.expose().to_owned()),
            ("ANYVPN_VPNGN_SECRET_KEY", self.secret_key.expose().to_owned()),
        ]
    }

    /// Creates this many customers with `bulk` of `ensure_client`, and returns the time in milliseconds.
    ///
    /// # Errors
    ///
    /// If a customer could not be created.
    pub fn bulk(&self, customers: u32, in_flight: u32) -> Result<Timing, String> {
        let mut command = Command::new(&self.program);
        command.args(["ensure", self.api_key.expose(), self.secret_key.expose(), &self.port]);
        timing(command.args([customers.to_string(), in_flight.to_string()]))
    }

    /// Loses this percentage of the answers from now on.
    pub fn lose(&mut self, percent: u32) -> Result<(), String> {
        self.ask(&format!("lose {percent}")).map(drop)
    }

    /// Returns the number of calls that it has received.
    pub fn calls(&mut self) -> Result<f64, String> {
        let calls = self.ask("calls")?;
        calls.parse().map_err(|e| format!("{calls:?}: {e}"))
    }

    /// Returns the number of customers that are not closed.
    pub fn customers(&mut self) -> Result<String, String> {
        self.ask("customers")
    }

    /// Returns how often a customer was created, and its state: `1 12`, `1 closed`, `0 absent`.
    pub fn customer(&mut self, email: &str) -> Result<String, String> {
        self.ask(&format!("customer {email}"))
    }

    fn ask(&mut self, question: &str) -> Result<String, String> {
        writeln!(self.input, "{question}").map_err(|e| format!("the sandbox: {e}"))?;
        line(&mut self.output)
    }
}

fn line(output: &mut impl BufRead) -> Result<String, String> {
    let mut line = String::new();
    output.read_line(&mut line).map_err(|e| format!("the sandbox: {e}"))?;
    Ok(line.trim_end().to_owned())
}
