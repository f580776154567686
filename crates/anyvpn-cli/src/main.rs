//! The command `anyvpn`.

mod advice;
mod args;
mod commands;
mod context;
mod failure;
mod file;
mod file_names;
#[cfg(test)]
mod guide;
mod hidden;
mod kept;
mod keyring;
mod list_document;
mod look;
mod output;
mod process;
mod profiles;
mod progress;
mod qr;
mod secrets;
mod signals;
mod text;
mod usage;
mod waiting;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    process::guarded(run)
}

fn run() -> ExitCode {
    if usage::is_version_asked() {
        return usage::tell_version();
    }
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error),
    };
    let context = context::Context::new(cli.global);
    let Err(failure) = commands::run(&context, cli.command) else {
        return ExitCode::SUCCESS;
    };
    let code = context.output.failure(&failure);
    match failure.signal() {
        Some(signal) => signals::end(signal),
        None => code,
    }
}
