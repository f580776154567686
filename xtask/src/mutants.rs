//! `cargo xtask mutants FILE [TEST...]`: checks whether the tests notice changes of a file's code.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workspace;

/// The page with the reasons why some changes need not be noticed.
const REASONS: &str = "docs/mutants.md";

/// Changes the code of a file in each way that cargo-mutants knows, and runs the package's tests or
/// those that are named. If this was done before, it continues with the changes that were missed then.
///
/// # Errors
///
/// If no test notices a change and `docs/mutants.md` has no reason for that. Also if cargo-mutants is
/// missing.
pub fn run(root: &Path, file: &str, tests: &[&str]) -> Result<(), String> {
    let path = root.join(file).canonicalize().map_err(|e| format!("{file}: {e}"))?;
    let packages = workspace::packages(root)?;
    let package = packages
        .iter()
        .find(|it| it.manifest_path.parent().is_some_and(|folder| path.starts_with(folder)))
        .ok_or_else(|| format!("{file} is in no crate of the workspace"))?;
    let output = root.join("target/mutants").join(file.replace('/', "-"));
    fs::create_dir_all(&output).map_err(|e| format!("{}: {e}", output.display()))?;
    // Run at low priority. All builds share one folder, and without debug information they link in half
    // the time.
    let status = Command::new("nice")
        .current_dir(root)
        .args(["-n", "19", env!("CARGO"), "mutants", "--jobs=1", "--no-shuffle"])
        .arg(format!("--package={}", package.name))
        .arg(format!("--file={file}"))
        // All changes in code that is not compiled would be missed.
        .arg("--all-features")
        .arg("--output")
        .arg(&output)
        .args(tests.iter().map(|test| format!("--cargo-test-arg=--test={test}")))
        .arg("--cargo-test-arg=--lib")
        .env("CARGO_TARGET_DIR", root.join("target/mutants/build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        .status()
        .map_err(|e| format!("nice: {e}"))?;
    // 2 and 3 mean that some changes were missed or timed out.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(
            "cargo mutants failed; if it is missing: cargo install cargo-mutants --locked".into()
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

/// Returns whether the reasons name a change such as `src/a.rs:1:2: replace f with ()`, whatever its
/// line is now.
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
