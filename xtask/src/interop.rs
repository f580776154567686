//! `cargo xtask interop`: runs the tests with other programs, which are the test `interop` of each
//! package.

use std::fs;
use std::path::Path;

use crate::{cargo, workspace};

/// Runs every part, and prints which ones passed and which could not be tried.
///
/// # Errors
///
/// If a part fails, if none runs or, with `no_skip`, if one cannot be tried.
pub fn run(root: &Path, no_skip: bool) -> Result<(), String> {
    let report = root.join("target").join("interop-report");
    let io = |e| format!("{}: {e}", report.display());
    fs::create_dir_all(root.join("target")).map_err(io)?;
    fs::write(&report, "").map_err(io)?;
    // In Debian, the PATH of ordinary users lacks the folders of openvpn and ip.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let report_path = report.to_string_lossy();
    let environment = [("ANYVPN_INTEROP_REPORT", &*report_path), ("PATH", &*path)];
    let mut ran = Ok(());
    for package in workspace::packages(root)? {
        let Some(test) = package.targets.iter().find(|it| it.is_test() && it.name == "interop")
        else {
            continue;
        };
        let features = test.required_features.join(",");
        let arguments = ["test", "--package", &package.name, "--features", &features];
        let arguments = [&arguments[..], &["--test", "interop", "--", "--ignored"]].concat();
        ran = ran.and(cargo::run(&arguments, &environment));
    }
    let lines = fs::read_to_string(&report).map_err(io)?;
    print!("{}", summary(&lines));
    ran?;
    judge(&lines, no_skip)
}

/// Summarizes the lines `passed\tNAME` and `skipped\tNAME: WHY` for people.
fn summary(lines: &str) -> String {
    let [passed, skipped] = split(lines);
    let mut text = format!("interop: passed {}, skipped {}\n", passed.len(), skipped.len());
    for (word, parts) in [("passed ", passed), ("skipped", skipped)] {
        parts.iter().for_each(|part| text.extend(["  ", word, "  ", part, "\n"]));
    }
    text
}

fn judge(lines: &str, no_skip: bool) -> Result<(), String> {
    let [passed, skipped] = split(lines);
    if no_skip && !skipped.is_empty() {
        return Err(format!("{} may not be skipped here", skipped.len()));
    }
    if passed.is_empty() && skipped.is_empty() {
        return Err("no part ran".to_owned());
    }
    Ok(())
}

/// Returns the parts that passed and those that were skipped, by name.
fn split(lines: &str) -> [Vec<&str>; 2] {
    ["passed\t", "skipped\t"].map(|word| {
        let mut parts: Vec<_> = lines.lines().filter_map(|line| line.strip_prefix(word)).collect();
        parts.sort_unstable();
        parts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_test_is_reported_and_does_not_count_as_passed() {
        let lines = "skipped\tb: there is no wg\npassed\ta\n";
        let text = "interop: passed 1, skipped 1\n  passed   a\n  skipped  b: there is no wg\n";
        assert_eq!(summary(lines), text);
        assert_eq!(judge(lines, false), Ok(()));
        assert!(judge(lines, true).is_err());
        assert_eq!(judge("passed\ta\n", true), Ok(()));
        assert!(judge("", false).is_err());
    }
}
