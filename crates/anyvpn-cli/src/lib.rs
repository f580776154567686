//! The command `anyvpn` as a library, for programs that add providers of their own.
//!
//! ```no_run
//! use anyvpn::Registry;
//!
//! fn main() -> std::process::ExitCode {
//!     // Add your own drivers with `.with(…)`.
//!     anyvpn_cli::run(&Registry::builtin(), std::env::args_os())
//! }
//! ```
//!
//! The command derives its options, environment variables, profile keys, prompts and completions from
//! the settings and operations that each provider of the registry describes.

#![cfg_attr(fuzzing, allow(missing_docs, reason = "the fuzz targets see more of the crate"))]

mod advice;
mod args;
mod call_watch;
mod commands;
mod context;
mod credential_store;
mod data_plane;
mod environment;
mod failure;
mod file;
mod file_names;
#[cfg(test)]
mod guide;
mod hidden;
mod keyring;
mod labels;
mod leases;
mod list_document;
mod number;
mod output;
mod process;
mod profiles;
mod progress;
mod provider_settings;
mod qr;
mod secrets;
mod signals;
mod style;
mod text;
mod usage;
mod work;

/// What the fuzz targets call. The modules stay private.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::args::{Command, parse};
    pub use crate::commands::call::input as call_input;
    pub use crate::failure::Failure;
    pub use crate::profiles::draft::Draft;
    pub use crate::profiles::{File, ProfileEntry, SecretSource, StoreKind};
}

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyvpn::Registry;

/// Runs the command and returns the exit code of the process.
///
/// `arguments` must start with the program's name, like [`std::env::args_os`]. The command reads
/// environment variables, prints its answer on stdout and everything else on stderr.
///
/// Call this from `main` and do nothing else in the process. It sets a panic hook and signal handlers,
/// and disables core dumps. It starts its own tokio runtime, so it must not be called inside of one. A
/// signal that ends the command ends the process.
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
        return usage::print_version();
    }
    let cli = match args::parse(registry, arguments) {
        Ok(cli) => cli,
        Err(error) => return usage::print(registry, arguments, &error),
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
