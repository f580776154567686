//! Runs the command's sandbox, for programs in other languages.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::cargo;

/// A sandbox that runs until it is dropped.
pub struct Sandbox {
    process: Child,
    address: String,
    environment: BTreeMap<String, String>,
}

impl Sandbox {
    /// Starts a sandbox.
    ///
    /// # Errors
    ///
    /// If it does not print its address.
    pub fn start(seed: &str) -> Result<Self, String> {
        let mut process = cargo::command()
            .args(["run", "--quiet", "--package", "anyvpn-cli", "--bin", "anyvpn", "--"])
            .args(["--json", "sandbox", "--seed", seed])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("the sandbox: {e}"))?;
        let stdout = process.stdout.take();
        let mut sandbox = Self { process, address: String::new(), environment: BTreeMap::new() };
        let told = stdout.and_then(announcement).ok_or("the sandbox did not start")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        sandbox.address = text(&told["url"])
            .and_then(|url| url.strip_prefix("http://").map(str::to_owned))
            .ok_or("the sandbox has no address")?;
        let variables = told["environment"].as_object().into_iter().flatten();
        sandbox.environment =
            variables.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
        if let Some(password) = text(&told["accounts"][0]["password"]) {
            sandbox.environment.insert("PASSWORD".to_owned(), password);
        }
        Ok(sandbox)
    }

    /// Returns the variables with the providers' addresses and credentials, and the accounts' password.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Returns one of the variables.
    ///
    /// # Errors
    ///
    /// If there is none with this name.
    pub fn variable(&self, name: &str) -> Result<&str, String> {
        let value = self.environment.get(name).map(String::as_str);
        value.ok_or_else(|| format!("the sandbox has no {name}"))
    }

    /// Returns how many operations arrived, and how many calls were refused.
    ///
    /// # Errors
    ///
    /// If the sandbox does not return its log.
    pub fn received(&self) -> Result<(usize, usize), String> {
        let log = self.log().ok_or("the sandbox did not return its log")?;
        let entries = log["received"].as_array().map(Vec::as_slice).unwrap_or_default();
        let operations: BTreeSet<_> =
            entries.iter().filter_map(|entry| entry["operation"].as_str()).collect();
        let refused = entries.iter().filter(|entry| entry["effect"] == false);
        Ok((operations.len(), refused.count()))
    }

    fn log(&self) -> Option<Value> {
        let mut connection = TcpStream::connect(&self.address).ok()?;
        let request = format!(
            "GET /_sandbox/log HTTP/1.0\r\nHost: {}\r\nX-Anyvpn-Sandbox: control\r\n\r\n",
            self.address
        );
        connection.write_all(request.as_bytes()).ok()?;
        let mut reply = String::new();
        connection.read_to_string(&mut reply).ok()?;
        let (_, body) = reply.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The process has ended, or ends now.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Reads the JSON that the sandbox writes first. The sandbox continues to run, so we cannot read to the
/// end.
fn announcement(stdout: impl Read) -> Option<Value> {
    let mut text = String::new();
    for line in BufReader::new(stdout).lines() {
        text.push_str(&line.ok()?);
        if let Ok(value) = serde_json::from_str(&text) {
            return Some(value);
        }
    }
    None
}
