//! Describes the machine on which the numbers were measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::page;

/// Returns one line: cores, processor, versions, commit.
pub fn describe(root: &Path) -> Result<String, String> {
    let memory = fs::read_to_string("/proc/meminfo").map_err(|e| format!("meminfo: {e}"))?;
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<f64>().ok())
        .map_or(0.0, |kib| kib / f64::from(1 << 20));
    let system = output(root, "uname", &["-sm"])?;
    let rustc = output(root, "rustc", &["--version"])?;
    let rustc = rustc.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let valgrind = output(root, "valgrind", &["--version"])?;
    let commit = output(root, "git", &["rev-parse", "--short=10", "HEAD"])?;
    let figures = [":!docs/performance.md", ":!benches/cost.toml"];
    let changed = output(root, "git", &[&["status", "--porcelain", "--"], &figures[..]].concat())?;
    let changed = if changed.is_empty() { "" } else { " with changes" };
    Ok(format!(
        "{}, {memory:.0} GiB, {system}; {rustc}, {valgrind}; commit {commit}{changed}.",
        page::processor(),
    ))
}

fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .current_dir(root)
        .args(arguments)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{program} {}: {}", arguments.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
