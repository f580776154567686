//! Runs the keeper with other programs. Run by `cargo xtask interop`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod publishing;
mod torrent_clients;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Tells a test that it runs in its own namespace.
const INSIDE: &str = "ANYVPN_KEEPER_INSIDE";

/// A program, and the Debian package that contains it.
type Program = (&'static str, &'static str);

/// Runs a part and reports that it passed, or reports which program is missing.
fn part(name: &str, programs: &[Program], run: impl FnOnce()) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has =
        |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let line = match programs.iter().find(|(program, _)| !has(program)) {
        None => {
            run();
            format!("passed\tkeeper: {name}\n")
        }
        Some((program, package)) => {
            format!("skipped\tkeeper: {name}: there is no {program}: apt-get install {package}\n")
        }
    };
    match std::env::var_os("ANYVPN_INTEROP_REPORT") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => assert!(line.starts_with("passed"), "{line}"),
    }
}

/// Runs another test of this program in network, mount and process namespaces that end with it.
fn in_namespaces(test: &str) {
    let mut apart = Command::new("timeout");
    apart.args(["300", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
    apart.arg("--map-root-user").arg(std::env::current_exe().unwrap());
    apart.args(["--ignored", "--exact", "--nocapture", test]).env(INSIDE, "1");
    let ran = apart.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

/// Runs a program that must succeed, and returns what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments:?}: {said}{errors}");
    said
}
