//! Cargo, run in the workspace.

use std::path::Path;
use std::process::Command;

/// Returns the workspace's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs Cargo with its output on the terminal.
///
/// # Errors
///
/// If it fails.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let words = arguments.join(" ");
    let status = command()
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|e| format!("cargo {words}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {words} failed")) }
}

/// Runs Cargo, and returns its stdout.
///
/// # Errors
///
/// Returns its stderr if it fails.
pub fn stdout(arguments: &[&str]) -> Result<String, String> {
    let output = command()
        .args(arguments)
        .output()
        .map_err(|e| format!("cargo {}: {e}", arguments.join(" ")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Returns Cargo with the environment that it has outside `cargo xtask`. Otherwise ring's build script
/// would notice the variables that `cargo run` sets, and rebuild ring and everything above it.
pub fn command() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    cargo
}
