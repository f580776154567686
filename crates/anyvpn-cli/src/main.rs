//! The program `anyvpn`, with the built-in providers.

use std::process::ExitCode;

use anyvpn::Registry;

fn main() -> ExitCode {
    anyvpn_cli::run(&Registry::builtin(), std::env::args_os())
}
