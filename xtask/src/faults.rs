//! `cargo xtask faults` and `cargo xtask soak`: reliability, with figures.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use crate::{cargo, page};

/// The page that has the figures.
pub const PAGE: &str = "docs/reliability.md";

/// Every operation with every fault, by the tests of the providers. Writes their pages and the
/// figures, or compares the pages and writes nothing.
///
/// # Errors
///
/// When a run went wrong, or when a page is not what the code does.
pub fn matrix(root: &Path, check: bool) -> Result<(), String> {
    let report = root.join("target").join("faults-report");
    let io = |e| format!("{}: {e}", report.display());
    fs::create_dir_all(root.join("target")).map_err(io)?;
    fs::write(&report, "").map_err(io)?;
    let began = Instant::now();
    let path = report.to_string_lossy();
    let mut environment = vec![("ANYVPN_FAULTS_REPORT", &*path)];
    if !check {
        environment.push(("ANYVPN_WRITE_DOCS", "1"));
    }
    let test = ["test", "--workspace", "--test", "faults", "every_operation"];
    let ran = cargo::run(&[&test[..], &["--no-fail-fast", "--quiet"]].concat(), &environment);
    let figures = fs::read_to_string(&report).map_err(io)?;
    print!("{figures}");
    ran?;
    if !check {
        let took = format!("{} s, with the build of the tests", began.elapsed().as_secs());
        page::put(root, PAGE, "faults", &plain(&figures, &took))?;
    }
    Ok(())
}

/// The sandbox and all providers at full load, for so many minutes.
///
/// # Errors
///
/// When an outcome was not accounted for, memory grew, or a file stayed open.
pub fn soak(root: &Path, minutes: &str, keep: bool) -> Result<(), String> {
    if !minutes.parse::<u32>().is_ok_and(|minutes| minutes > 0) {
        return Err(format!("--minutes takes a number from 1, not {minutes:?}"));
    }
    let run = ["run", "--release", "--package", "anyvpn", "--example", "soak", "--"];
    let run = cargo::command()
        .args(run)
        .args(["--minutes", minutes])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo run: {e}"))?;
    let figures = String::from_utf8_lossy(&run.stdout);
    print!("{figures}");
    if !run.status.success() {
        return Err("the soak failed".to_owned());
    }
    if keep { page::put(root, PAGE, "soak", &plain(&figures, "a release build")) } else { Ok(()) }
}

/// Figures as they were printed, and what they were made on.
fn plain(figures: &str, how: &str) -> String {
    format!("```text\n{figures}({}; {how})\n```\n", page::processor())
}
