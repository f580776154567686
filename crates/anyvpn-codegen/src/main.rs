//! `anyvpn-codegen`: runs the library of the same name from the command line.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is for the person who runs it"
)]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyvpn_codegen::{Finding, difference, generate, read};

const USAGE: &str = "\
Generates the operations of a VPN provider from its OpenAPI document.

Usage: anyvpn-codegen --provider NAME --openapi FILE --out FILE [--check]

Options:
  --provider NAME  the provider, as it stands in the names of its operations: NAME.list-servers
  --openapi FILE   the document, OpenAPI 3.0 or 3.1 in YAML
  --out FILE       where the Rust code goes, such as src/ops.rs
  --check          write nothing, and fail where the file differs
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(options) = Options::parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match options.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

struct Options<'a> {
    provider: &'a str,
    openapi: &'a str,
    out: &'a str,
    check: bool,
}

impl<'a> Options<'a> {
    fn parse(arguments: &'a [String]) -> Option<Self> {
        let (mut provider, mut openapi, mut out, mut check) = (None, None, None, false);
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--provider" => provider = Some(arguments.next()?),
                "--openapi" => openapi = Some(arguments.next()?),
                "--out" => out = Some(arguments.next()?),
                "--check" => check = true,
                _ => return None,
            }
        }
        Some(Self { provider: provider?, openapi: openapi?, out: out?, check })
    }

    fn run(&self) -> Result<(), String> {
        let Self { provider, openapi, out, check } = *self;
        let yaml = fs::read_to_string(openapi).map_err(|e| format!("{openapi}: {e}"))?;
        let api = read(provider, &yaml).map_err(|findings| lines(openapi, &findings))?;
        if !api.warnings.is_empty() {
            eprintln!("{}", lines(openapi, &api.warnings));
        }
        let folder = Path::new(out).parent().filter(|it| !it.as_os_str().is_empty());
        let code = generate(&api.provider, "anyvpn-codegen", folder.unwrap_or(Path::new(".")))?;
        let old = fs::read_to_string(out).unwrap_or_default();
        match difference(Path::new(out), &old, &code) {
            Some(difference) if check => Err(format!(
                "{difference}\n{out} differs from {openapi}: run this command without --check"
            )),
            Some(_) => fs::write(out, code).map_err(|e| format!("{out}: {e}")),
            None => Ok(()),
        }
    }
}

/// Prints each finding on a line, with its position in the file.
fn lines(file: &str, findings: &[Finding]) -> String {
    let line = |it: &Finding| format!("{}: {file}{}: {}", it.severity, it.place, it.message);
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
