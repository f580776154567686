//! Cargo, run in the workspace.

use std::path::Path;
use std::process::Command;

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs Cargo, which writes to the person.
///
/// # Errors
///
/// When it fails.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let words = arguments.join(" ");
    let status = command()
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|e| format!("cargo {words}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {words} failed")) }
}

/// Runs Cargo, and gives what it writes to stdout.
///
/// # Errors
///
/// What it writes to stderr, when it fails.
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

/// Cargo as it runs outside of `cargo xtask`: ring's build script compares the variables that
/// `cargo run` sets for this program, and would build ring and all above it anew.
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
