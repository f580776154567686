//! The repository's own tasks: `cargo xtask`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is for the person who runs it"
)]

mod api;
mod bench;
mod book;
mod codegen;
mod faults;
mod fuzz;
mod interop;
mod mutants;
mod packages;
mod page;
mod samples;
mod start;
mod supply;
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
  keyring             the command's feature of that name, with GNOME Keyring on a bus of its own
  bench [SECTION [--write]]
                      what everything costs, beside other clients: all of docs/performance.md; or print
                      one section, and write it with --write
  bench --check       what one call costs, in instructions and allocations; fail where it is 3 % more than
                      benches/cost.toml says
  fuzz --seconds N [--write]
                      any bytes for whatever reads configurations, replies, inputs, the words of `call`
                      and the file of profiles, for so long each; with --write, put the figures into
                      docs/reliability.md
  mutants [MODULE]    whether the tests notice each small change of the code (cargo-mutants): hours
  faults [--check]    every operation with every fault: write the pages of docs/ and the figures;
                      with --check, write nothing and fail where a page differs
  soak --minutes N [--write]
                      all providers at full load, 5 % of the requests with a fault; with --write,
                      put the figures into docs/reliability.md
  docs                write the tables in the documents that tests check
  tidy                the house rules: lengths, secrets, dependencies, links, samples
  book                the guide as a book in target/book, every link followed (mdbook)
  start [--check]     play docs/start.md in tmux, and keep the screens as pictures in docs/start; with
                      --check, write nothing and fail where they show something else
  api [--check]       write what each published crate gives to others to its public-api.txt; with
                      --check, write nothing and fail where it differs
  features            each published crate without features, and with each feature alone
  package             each published crate as its package, built from that
  deny                the dependencies' licences, sources, bans and Rust versions (cargo-deny)
  sbom                target/anyvpn.cdx.json: what the command is made of, as CycloneDX
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
        ["keyring"] => cargo(
            &["test", "--package", "anyvpn-cli", "--features", "keyring", "--test", "keyring"],
            &[],
        ),
        ["bench"] => bench::run(root(), None, true),
        ["bench", "--check"] => bench::check(root()),
        ["bench", section] => bench::run(root(), Some(section), false),
        ["bench", section, "--write"] => bench::run(root(), Some(section), true),
        ["fuzz", "--seconds", seconds] => fuzz::run(root(), seconds, false),
        ["fuzz", "--seconds", seconds, "--write"] => fuzz::run(root(), seconds, true),
        ["mutants"] => mutants::run(root(), None),
        ["mutants", module] => mutants::run(root(), Some(module)),
        ["faults"] => faults::matrix(root(), false),
        ["faults", "--check"] => faults::matrix(root(), true),
        ["soak", "--minutes", minutes] => faults::soak(root(), minutes, false),
        ["soak", "--minutes", minutes, "--write"] => faults::soak(root(), minutes, true),
        ["docs"] => cargo(&["test", "--workspace", "--tests"], &[("ANYVPN_WRITE_DOCS", "1")]),
        ["tidy"] => tidy::check(root()),
        ["book"] => book::build(root()),
        ["start"] => start::write(root()),
        ["start", "--check"] => start::check(root()),
        ["api"] => api::write(root()),
        ["api", "--check"] => api::check(root()),
        ["features"] => packages::features(root()),
        ["package"] => packages::package(root()),
        ["deny"] => supply::deny(root()),
        ["sbom"] => supply::sbom(root()),
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
        let tree = ["tree", "--package=anyvpn", "--no-default-features", &features];
        let tree = stdout(&[&tree[..], &["--edges=normal", "--prefix=none"]].concat())?;
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
    let status = plain_cargo()
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|e| format!("cargo {words}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {words} failed")) }
}

/// What Cargo writes to stdout.
fn stdout(arguments: &[&str]) -> Result<String, String> {
    let output = plain_cargo()
        .args(arguments)
        .output()
        .map_err(|e| format!("cargo {}: {e}", arguments.join(" ")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Cargo as it runs outside of `cargo xtask`: ring's build script compares the variables that
/// `cargo run` sets for this program, and would build ring and all above it anew.
fn plain_cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    cargo
}

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
