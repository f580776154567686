//! The repository's own tasks: `cargo xtask`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is for the person who runs it"
)]

mod codegen;
mod faults;
mod fuzz;
mod interop;
mod tidy;

use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
The repository's own tasks.

Usage: cargo xtask TASK

Tasks:
  test                everything that must hold: tidy, codegen --check, and all tests
  codegen [--check]   write each provider's src/ops.rs, and docs/endpoints.md, from its openapi.yaml;
                      with --check, write nothing and fail where a file differs
  fixtures            the documented requests and replies of every provider
  conformance         the contract of the neutral traits, for every provider
  interop [--no-skip] files that the command wrote, given to openvpn, wg-quick and zbarimg;
                      with --no-skip, fail where a program or the machine is missing
  fuzz --seconds N    any bytes for each parser of configurations, for so long each (cargo-fuzz)
  faults [--check]    every operation with every fault: write the pages of docs/ and the figures;
                      with --check, write nothing and fail where a page differs
  soak --minutes N [--write]
                      all providers at full load, 5 % of the requests with a fault; with --write,
                      put the figures into docs/reliability.md
  docs                write the tables in the documents that tests check
  tidy                the house rules: lengths, secrets, dependencies, links
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test(),
        ["codegen"] => codegen::write(root()),
        ["codegen", "--check"] => codegen::check(root()),
        ["fixtures"] => cargo(&["test", "--workspace", "--test", "fixtures"], &[]),
        ["conformance"] => cargo(&["test", "--workspace", "--test", "conformance"], &[]),
        ["interop"] => interop::run(root(), false),
        ["interop", "--no-skip"] => interop::run(root(), true),
        ["fuzz", "--seconds", seconds] => fuzz::run(root(), seconds),
        ["faults"] => faults::matrix(root(), false),
        ["faults", "--check"] => faults::matrix(root(), true),
        ["soak", "--minutes", minutes] => faults::soak(root(), minutes, false),
        ["soak", "--minutes", minutes, "--write"] => faults::soak(root(), minutes, true),
        ["docs"] => cargo(&["test", "--workspace", "--tests"], &[("ANYVPN_WRITE_DOCS", "1")]),
        ["tidy"] => tidy::check(root()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    tidy::check(root())?;
    codegen::check(root())?;
    separate()?;
    cargo(&["test", "--workspace"], &[])?;
    cargo(&["test", "--package", "anyvpn-http", "--features", "gzip", "--test", "gzip"], &[])
}

/// An application that wants one provider gets no crate of another.
fn separate() -> Result<(), String> {
    const PROVIDERS: [&str; 3] = ["azire", "vpngn", "vpnscript"];
    for provider in PROVIDERS {
        let features = format!("--features=ring,{provider}");
        let tree = Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["tree", "--package=anyvpn", "--no-default-features", &features])
            .args(["--edges=normal", "--prefix=none"])
            .output()
            .map_err(|e| format!("cargo tree: {e}"))?;
        if !tree.status.success() {
            return Err(String::from_utf8_lossy(&tree.stderr).into_owned());
        }
        let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
        for other in PROVIDERS {
            if tree.contains(&format!("anyvpn-{other} ")) != (other == provider) {
                return Err(format!("with the feature {provider} alone, anyvpn-{other} is wrong"));
            }
        }
    }
    Ok(())
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let words = arguments.join(" ");
    let status = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|e| format!("cargo {words}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {words} failed")) }
}

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
