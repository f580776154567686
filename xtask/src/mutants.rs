//! `cargo xtask mutants FILE [TEST...]`: whether the tests notice when the code of a file is changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workspace;

/// Where it is said why a change need not be noticed.
const REASONS: &str = "docs/mutants.md";

/// Changes the code of a file in each way that cargo-mutants knows, and runs its package's tests, or
/// those that are named. Where that was done before, it goes on with what was missed then.
///
/// # Errors
///
/// When a change is noticed by no test, and `docs/mutants.md` has no reason for that. Or when there
/// is no cargo-mutants.
pub fn run(root: &Path, file: &str, tests: &[&str]) -> Result<(), String> {
    let path = root.join(file).canonicalize().map_err(|e| format!("{file}: {e}"))?;
    let packages = workspace::packages(root)?;
    let package = packages
        .iter()
        .find(|it| it.manifest_path.parent().is_some_and(|folder| path.starts_with(folder)))
        .ok_or_else(|| format!("{file} is in no crate of the workspace"))?;
    let output = root.join("target/mutants").join(file.replace('/', "-"));
    fs::create_dir_all(&output).map_err(|e| format!("{}: {e}", output.display()))?;
    // Whoever else is at the machine goes first. All builds share one folder, and without debug
    // information they link in half the time.
    let status = Command::new("nice")
        .current_dir(root)
        .args(["-n", "19", env!("CARGO"), "mutants", "--jobs=1", "--no-shuffle"])
        .arg(format!("--package={}", package.name))
        .arg(format!("--file={file}"))
        // Code that is left out would be missed as a whole.
        .arg("--all-features")
        .arg("--output")
        .arg(&output)
        .args(tests.iter().map(|test| format!("--cargo-test-arg=--test={test}")))
        .arg("--cargo-test-arg=--lib")
        .env("CARGO_TARGET_DIR", root.join("target/mutants/build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        .status()
        .map_err(|e| format!("nice: {e}"))?;
    // 2 and 3 say that some were missed, or never came to their end.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(
            "cargo mutants failed; is it there? cargo install cargo-mutants --locked".into()
        );
    }
    let missed = output.join("mutants.out/missed.txt");
    let missed = fs::read_to_string(&missed).map_err(|e| format!("{}: {e}", missed.display()))?;
    let reasons = fs::read_to_string(root.join(REASONS)).map_err(|e| format!("{REASONS}: {e}"))?;
    let unexplained: Vec<_> = missed.lines().filter(|it| !is_explained(it, &reasons)).collect();
    if unexplained.is_empty() {
        return Ok(());
    }
    Err(format!("{}\nneither noticed by a test nor explained in {REASONS}", unexplained.join("\n")))
}

/// Whether the reasons name a change such as `src/a.rs:1:2: replace f with ()`, wherever its line is
/// now.
fn is_explained(mutant: &str, reasons: &str) -> bool {
    let change = mutant.splitn(4, ':').last().unwrap_or(mutant).trim();
    reasons.contains(&format!("`{change}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_change_and_not_the_line() {
        let reasons = "| `replace a -> b with 0 in c::d` | it is always 0 |";
        assert!(is_explained("crates/x/src/y.rs:12:3: replace a -> b with 0 in c::d", reasons));
        assert!(!is_explained("crates/x/src/y.rs:12:3: replace a -> b with 1 in c::d", reasons));
        assert!(!is_explained("crates/x/src/y.rs:12:3: replace a -> b with 0", reasons));
    }
}
