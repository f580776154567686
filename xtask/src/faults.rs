//! `cargo xtask faults [--check]`: every operation with every fault.

use std::fs;
use std::path::Path;

use crate::cargo;

/// Runs the providers' tests of faults, prints their figures, and writes their pages or, with `check`,
/// compares them.
///
/// # Errors
///
/// If a run violates an invariant, or if a page does not match the code.
pub fn matrix(root: &Path, check: bool) -> Result<(), String> {
    let report = root.join("target").join("faults-report");
    let io = |e| format!("{}: {e}", report.display());
    fs::create_dir_all(root.join("target")).map_err(io)?;
    fs::write(&report, "").map_err(io)?;
    let path = report.to_string_lossy();
    let mut environment = vec![("ANYVPN_FAULTS_REPORT", &*path)];
    if !check {
        environment.push(("ANYVPN_WRITE_DOCS", "1"));
    }
    let test = ["test", "--workspace", "--test", "faults", "every_operation"];
    let ran = cargo::run(&[&test[..], &["--no-fail-fast", "--quiet"]].concat(), &environment);
    print!("{}", fs::read_to_string(&report).map_err(io)?);
    ran
}
