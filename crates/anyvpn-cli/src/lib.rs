//! The command `anyvpn`, for programs that ship it with providers of their own.
//!
//! ```no_run
//! use anyvpn::Registry;
//!
//! fn main() -> std::process::ExitCode {
//!     // And `.with(…)` a driver of your own.
//!     anyvpn_cli::run(&Registry::builtin(), std::env::args_os())
//! }
//! ```
//!
//! Options, variables, profiles, questions and completions follow from the settings and operations
//! that each provider of the registry describes.

mod advice;
mod args;
mod commands;
mod context;
mod data_plane;
mod environment;
mod failure;
mod file;
mod file_names;
#[cfg(test)]
mod guide;
mod hidden;
mod kept;
mod keyring;
mod labels;
mod leases;
mod list_document;
mod look;
mod number;
mod output;
mod process;
mod profiles;
mod progress;
mod provider_settings;
mod qr;
mod secrets;
mod signals;
mod text;
mod usage;
mod waiting;
mod work;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyvpn::Registry;

/// Runs the command, and gives the exit code of the process.
///
/// `arguments` begin with the program's name, as [`std::env::args_os`] has them. The command reads the
/// environment's variables, answers on stdout and reports on stderr; see the guide of `anyvpn`. It is
/// made to be all that a process does: it sets a panic hook and handlers of signals, keeps the
/// process's memory out of core dumps, and starts a runtime of its own, so that it must not be called
/// within one. A signal that ends the command ends the process.
#[must_use]
pub fn run(registry: &Registry, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_json = usage::is_json_wanted(&arguments);
    process::guard(is_json);
    let work = AssertUnwindSafe(|| work(registry, &arguments));
    catch_unwind(work).unwrap_or(ExitCode::FAILURE)
}

fn work(registry: &Registry, arguments: &[OsString]) -> ExitCode {
    if usage::is_version_wanted(arguments) {
        return usage::tell_version();
    }
    let cli = match args::parse(registry, arguments) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(registry, arguments, &error),
    };
    let context = context::Context::new(registry.clone(), cli.global);
    let output = context.output;
    let Err(failure) = commands::run(context, cli.command) else {
        return ExitCode::SUCCESS;
    };
    let code = output.failure(&failure);
    match failure.signal() {
        Some(signal) => signals::end(signal),
        None => code,
    }
}
