//! The repository's own tasks: `cargo xtask`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is for the person who runs it"
)]

mod api;
mod bench;
mod book;
mod cargo;
mod codegen;
mod documents;
mod endpoints;
mod faults;
mod fuzz;
mod house;
mod interop;
mod mutants;
mod new_provider;
mod openapi;
mod packages;
mod page;
mod samples;
mod sentences;
mod supply;
mod tidy;
mod workspace;

use std::process::ExitCode;

use self::cargo::root;

const USAGE: &str = "\
The repository's own tasks.

Usage: cargo xtask TASK

Checks:
  test                run tidy, codegen --check and all tests
  tidy                check the house rules: lengths, secrets, dependencies, links, samples, OpenAPI documents
  codegen [--check]   write each provider's src/ops.rs, and docs/endpoints.md, from its openapi.yaml;
                      with --check, write nothing and fail if a file differs
  fixtures            check the documented requests and replies of every provider
  conformance         check the contract of the neutral traits for every provider
  features            lint each published crate without features, and with each feature alone
  interop [--no-skip] run each package's tests with other people's programs, such as openvpn, wg-quick
                      and miniupnpd; with --no-skip, fail if a program is missing
  openapi [--no-skip] give each OpenAPI document to openapi-spec-validator, to the client generators
                      openapi-python-client and openapi-typescript, and to schemathesis, on the sandbox;
                      with --no-skip, fail if python3 or node is missing
  keyring             test the command's keyring feature with GNOME Keyring on a private bus
  bench --check       count what one call costs, and fail if it is 3 % above benches/cost.toml
  deny                check the dependencies' licences, sources, bans and Rust versions (cargo-deny)
  fuzz --seconds N    fuzz each reader of outside bytes for N seconds (cargo-fuzz)
  mutants FILE [TEST...]
                      change a source file and see whether its package's tests notice (cargo-mutants):
                      hours, fewer with the names of the tests to run
  faults [--check]    run every operation with every fault, and write the pages of docs/;
                      with --check, write nothing and fail if a page differs
  soak --minutes N    run all providers at full load, 5 % of the requests with a fault

Documents:
  docs [PACKAGE]      write the tables that tests check, of all packages or one
  house               draw the crates and their dependencies in docs/architecture.md; tidy compares
  book                build the guide as a book in target/book (mdbook)
  start [--check]     play docs/start.md on a terminal, and keep the screens as pictures in docs/start;
                      with --check, write nothing and fail if they differ
  bench [SECTION [--write]]
                      measure everything but fleet and write docs/performance.md; or print one section,
                      and write it with --write. fleet takes long and needs PostgreSQL;
                      ANYVPN_BENCH_ORDERS=1000 makes a short one, and ANYVPN_BENCH_SEED chooses who dies
  sentences [SEED [PART...]]
                      print twenty sentences of each kind (help, messages, guide, rustdoc, comments,
                      decisions), drawn by chance, for a reader to judge; with PART, only of files
                      whose name contains one of them

Crates:
  new-provider NAME   make crates/anyvpn-NAME: a provider with one operation that builds and passes its
                      tests
  api [--check]       write the public items of each published crate to its public-api.txt; with
                      --check, write nothing and fail if it differs
  package             build each published crate from its package
  sbom                write target/anyvpn.cdx.json: what the command is made of, as CycloneDX
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test(),
        ["codegen"] => codegen::write(root()),
        ["codegen", "--check"] => codegen::check(root()),
        ["fixtures"] => cargo::run(&["test", "--workspace", "--test", "fixtures"], &[]),
        ["conformance"] => cargo::run(&["test", "--workspace", "--test", "conformance"], &[]),
        ["interop"] => interop::run(root(), false),
        ["interop", "--no-skip"] => interop::run(root(), true),
        ["openapi"] => openapi::run(root(), false),
        ["openapi", "--no-skip"] => openapi::run(root(), true),
        ["keyring"] => cargo::run(
            &["test", "--package", "anyvpn-cli", "--features", "keyring", "--test", "keyring"],
            &[],
        ),
        ["bench"] => bench::run(root(), None, true),
        ["bench", "--check"] => bench::check(root()),
        ["bench", section] => bench::run(root(), Some(section), false),
        ["bench", section, "--write"] => bench::run(root(), Some(section), true),
        ["fuzz", "--seconds", seconds] => fuzz::run(root(), seconds),
        ["mutants", file, tests @ ..] => mutants::run(root(), file, tests),
        ["faults"] => faults::matrix(root(), false),
        ["faults", "--check"] => faults::matrix(root(), true),
        ["soak", "--minutes", minutes] => {
            let soak = ["run", "--release", "--package", "anyvpn", "--example", "soak", "--"];
            cargo::run(&[&soak[..], &["--minutes", minutes]].concat(), &[])
        }
        ["new-provider", name] => new_provider::make(root(), name),
        ["docs"] => docs(None),
        ["docs", package] => docs(Some(package)),
        ["tidy"] => tidy::check(root()),
        ["house"] => house::write(root()),
        ["sentences"] => sentences::print(root(), "0", &[]),
        ["sentences", seed, parts @ ..] => sentences::print(root(), seed, parts),
        ["book"] => book::build(root()),
        ["start"] => start(&[("ANYVPN_WRITE_DOCS", "1")]),
        ["start", "--check"] => start(&[]),
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

/// Runs a package's tests so that they write their documents, except the fault matrix.
fn docs(package: Option<&str>) -> Result<(), String> {
    let mut packages = workspace::packages(root())?;
    packages.retain(|it| package.is_none_or(|name| it.name.as_str() == name));
    if packages.is_empty() {
        return Err("there is no such package in the workspace".to_owned());
    }
    for package in &packages {
        let targets = package
            .targets
            .iter()
            .filter(|it| it.is_test() && it.required_features.is_empty() && it.name != "faults");
        let tests: Vec<&str> = targets.flat_map(|it| ["--test", &it.name]).collect();
        if !tests.is_empty() {
            let test = ["test", "--package", package.name.as_str()];
            cargo::run(&[&test[..], &tests].concat(), &[("ANYVPN_WRITE_DOCS", "1")])?;
        }
    }
    Ok(())
}

/// Plays the guide's first five minutes.
fn start(environment: &[(&str, &str)]) -> Result<(), String> {
    let test = ["test", "--package", "anyvpn-cli", "--test", "start", "--", "--ignored"];
    cargo::run(&test, environment)
}

fn test() -> Result<(), String> {
    tidy::check(root())?;
    codegen::check(root())?;
    separate()?;
    cargo::run(&["test", "--workspace"], &[])?;
    cargo::run(&["test", "--package", "anyvpn-http", "--features", "gzip", "--test", "gzip"], &[])
}

/// Checks that an application that uses one provider gets no crates of other providers.
fn separate() -> Result<(), String> {
    let providers = workspace::providers(root())?;
    let facade = workspace::packages(root())?.into_iter().find(|it| it.name.as_str() == "anyvpn");
    let features = facade.map(|it| it.features).unwrap_or_default();
    // A new provider may not be in the facade yet.
    let providers: Vec<_> =
        providers.iter().filter(|provider| features.contains_key(&provider.name)).collect();
    for provider in &providers {
        let features = format!("--features=ring,{}", provider.name);
        let tree = ["tree", "--package=anyvpn", "--no-default-features", &features];
        let tree = cargo::stdout(&[&tree[..], &["--edges=normal", "--prefix=none"]].concat())?;
        for other in &providers {
            let expected = other.name == provider.name;
            if tree.contains(&format!("anyvpn-{} ", other.name)) != expected {
                return Err(format!(
                    "with the feature {} alone, anyvpn-{} is wrong",
                    provider.name, other.name
                ));
            }
        }
    }
    Ok(())
}
