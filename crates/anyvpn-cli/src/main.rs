//! The command `anyvpn`.

mod args;
mod commands;
mod context;
mod failure;
mod file;
mod file_names;
mod output;
mod profiles;
mod qr;
mod secrets;
mod text;
mod tokens;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    output::trace(cli.global.verbose);
    let context = context::Context::new(cli.global);
    match commands::run(&context, cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => context.output.failure(&failure),
    }
}
