//! The command `anyvpn`, with Acme in it.

use std::process::ExitCode;

use acme_vpn::AcmeDriver;
use anyvpn::Registry;

fn main() -> ExitCode {
    anyvpn_cli::run(&Registry::builtin().with(AcmeDriver), std::env::args_os())
}
