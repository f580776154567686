//! Tests `cargo xtask new-provider` in a copy of the workspace.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a program in a folder, and returns its stdout.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}:\n{errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// It builds xtask, the new crate and its dependencies once more. In the workspace's own build
/// folder, the copy's programs would replace those of the workspace.
#[test]
#[ignore = "it takes minutes: .ci/run"]
fn a_new_provider_builds_and_passes_its_tests() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let copy = root.join("target/new-provider");
    _ = fs::remove_dir_all(&copy);
    for file in run(root, "git", &["ls-files", "-co", "--exclude-standard"]).lines() {
        let to = copy.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        // Files that are deleted but not yet committed are listed too.
        if root.join(file).is_file() {
            fs::copy(root.join(file), to).unwrap();
        }
    }
    let cargo = env!("CARGO");
    let said = run(&copy, cargo, &["run", "--package", "xtask", "--", "new-provider", "trial-vpn"]);
    assert!(said.contains("crates/anyvpn-trial-vpn builds and passes its tests"), "{said}");
    // Checks it as CI does.
    run(&copy, cargo, &["run", "--package", "xtask", "--", "codegen", "--check"]);
    run(&copy, cargo, &["run", "--package", "xtask", "--", "tidy"]);
    run(&copy, cargo, &["fmt", "--package", "anyvpn-trial-vpn", "--check"]);
    let clippy = ["clippy", "--package", "anyvpn-trial-vpn", "--all-targets", "--no-deps"];
    run(&copy, cargo, &[&clippy[..], &["--", "--deny", "warnings"]].concat());
    run(&copy, cargo, &["test", "--package", "anyvpn-trial-vpn"]);
    fs::remove_dir_all(&copy).unwrap();
}
