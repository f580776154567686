//! Runs a part, or reports why this machine cannot run it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program, and the Debian package that contains it.
pub type Program = (&'static str, &'static str);

/// Runs a part that needs these programs. `needs` is a script that, without arguments, reports
/// whether this machine can run it with arguments.
///
/// A part that was skipped has not passed: the report tells the two apart, and without a report it
/// is a failure.
pub fn part(name: &str, programs: &[Program], needs: Option<&str>, run: impl FnOnce()) {
    let line = match missing(programs).or_else(|| unable(needs?)) {
        Some(why) => format!("skipped\t{name}: {why}\n"),
        None => {
            run();
            format!("passed\t{name}\n")
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

/// Returns the reason why a script cannot work on this machine.
fn unable(name: &str) -> Option<String> {
    let Output { status, stderr, .. } = apart_script(name).output().unwrap();
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    (!status.success()).then(|| format!("this machine cannot try it: {said}"))
}

/// Returns the missing programs, and how to install them.
fn missing(programs: &[Program]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let missing: Vec<_> = programs.iter().filter(|(name, _)| !is_there(name)).collect();
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    (!names.is_empty()).then(|| {
        format!("there is no {}: apt-get install {}", names.join(", "), packages.join(" "))
    })
}

/// Returns the path of a script in this crate's folder of scripts.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Returns the command that runs a script as root in namespaces that end with it.
pub fn apart_script(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["120", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
    if !is_root() {
        command.arg("--map-root-user");
    }
    command.arg("bash").arg(script(name)).stdin(Stdio::null());
    command
}

/// Returns whether this user is root.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Runs a program that must succeed.
pub fn accepts(command: &mut Command) -> Output {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    ran
}
