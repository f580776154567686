//! `anyvpn demo`: everything a new customer and a reseller do, against a sandbox inside this program.
//!
//! A provider's tour is one file here: a function that goes from step to step with [`Tour::step`].

mod azire;
mod vpngn;
mod vpnscript;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyvpn::{Error, ErrorKind, OperationInfo, ProviderName};
use anyvpn_sandbox::Sandbox;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::file::Pending;
use crate::look::Look;
use crate::output::Output;
use crate::text::{Column, plain, reason, table};

#[derive(Args)]
pub struct Demo {
    /// Where to write the files; without this, in a new folder among the temporary ones
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// What the sandbox's answers follow from, where the documents leave a choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// One thing that was done.
#[derive(Serialize)]
struct Step {
    /// `None` for what is more than one operation, or none.
    operation: Option<String>,
    title: String,
    ok: bool,
    duration_ms: f64,
    detail: String,
}

/// What became of one operation.
#[derive(Serialize)]
struct Outcome {
    operation: String,
    method: &'static str,
    path: &'static str,
    /// How often the sandbox received it.
    calls: usize,
    ok: bool,
    /// Of all steps with it.
    duration_ms: f64,
}

#[derive(Serialize)]
struct Answer<'a> {
    steps: &'a [Step],
    operations: &'a [Outcome],
    files: &'a [String],
}

pub async fn run(context: &Context, args: Demo) -> Result<(), Failure> {
    // Not the environment's, which says whose account one works with: here is none.
    let only = context.typed_provider();
    let sandbox = Sandbox::builder().seed(args.seed).start().await;
    let sandbox = sandbox.map_err(|error| {
        Failure::other(format!("the sandbox does not start: {error}"))
            .hint("the demo needs a port of 127.0.0.1")
    })?;
    let output = context.output;
    // Gone when the demo ends early; kept at its end.
    let mut temporary = None;
    let folder = match &args.output_dir {
        Some(folder) => folder.clone(),
        None => {
            let made = tempfile::Builder::new().prefix("anyvpn-demo-").tempdir();
            let made = made.map_err(|error| {
                let why = reason(&error);
                Failure::other(format!("there is no place for temporary files: {why}"))
                    .hint("choose a folder with --output-dir")
            })?;
            temporary.insert(made).path().to_owned()
        }
    };
    let mut tour = Tour {
        output,
        sandbox: &sandbox,
        folder: &folder,
        provider: "",
        title: None,
        steps: Vec::new(),
        files: Vec::new(),
    };
    let chosen = || ProviderName::ALL.iter().filter(|it| only.is_none_or(|only| only == **it));
    // A folder that will not do is found out before anything is done.
    for name in chosen().flat_map(files) {
        tour.pending(name)?;
    }
    let (url, place) = (sandbox.url(), folder.display());
    output.note(&format!("A sandbox listens at {url}; files go to {place}."));
    let mut operations = Vec::new();
    let mut stopped = None;
    for name in chosen() {
        tour.provider = name.as_str();
        tour.title = Some(name.title());
        let toured = match name {
            ProviderName::Azire => azire::tour(&mut tour).await,
            ProviderName::VpnScript => vpnscript::tour(&mut tour).await,
            ProviderName::Vpngn => vpngn::tour(&mut tour).await,
            // The table below then says what was not called.
            _ => Ok(()),
        };
        if let Err(failure) = toured {
            if failure.is_closed_pipe() || tour.steps.is_empty() {
                return Err(failure);
            }
            stopped = stopped.or(Some(failure));
        }
        operations.extend(name.operations().iter().map(|entry| tour.outcome(entry)));
    }
    let Tour { steps, files, .. } = tour;
    if !files.is_empty() {
        temporary.map(tempfile::TempDir::keep);
    }
    let answer = Answer { steps: &steps, operations: &operations, files: &files };
    output.answer(&answer, || closing_text(&answer))?;
    let failed = operations.iter().filter(|outcome| !outcome.ok).count();
    match stopped {
        Some(failure) => Err(Failure::other(format!("the demo stopped: {failure}"))),
        None if failed > 0 => {
            Err(Failure::other(format!("{failed} of {} operations did not work", operations.len())))
        }
        None => Ok(()),
    }
}

/// The files that a provider's tour writes.
fn files(name: &ProviderName) -> &'static [&'static str] {
    match name {
        ProviderName::Azire => azire::FILES,
        ProviderName::VpnScript => vpnscript::FILES,
        _ => &[],
    }
}

/// A way through one provider, and what was done on it.
struct Tour<'a> {
    output: Output,
    sandbox: &'a Sandbox,
    folder: &'a Path,
    provider: &'static str,
    /// The provider's name, until it is printed.
    title: Option<&'static str>,
    steps: Vec<Step>,
    files: Vec<String>,
}

impl Tour<'_> {
    /// Calls one operation, by its name without the provider, and tells what came of it.
    async fn step<T>(
        &mut self,
        operation: &str,
        title: &str,
        call: impl Future<Output = Result<T, Error>>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Failure> {
        let operation = format!("{}.{operation}", self.provider);
        self.record(Some(operation), title, call, detail).await
    }

    /// Does what is not just one operation, and tells what came of it.
    async fn aside<T>(
        &mut self,
        title: &str,
        work: impl Future<Output = Result<T, Failure>>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Failure> {
        self.record(None, title, work, detail).await
    }

    async fn record<T, E: Display + Into<Failure>>(
        &mut self,
        operation: Option<String>,
        title: &str,
        work: impl Future<Output = Result<T, E>>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let result = work.await;
        let duration = started.elapsed();
        let step = Step {
            operation,
            title: title.to_owned(),
            ok: result.is_ok(),
            duration_ms: milliseconds(duration),
            detail: match &result {
                Ok(value) => detail(value),
                Err(error) => error.to_string(),
            },
        };
        if !self.output.json {
            let mark = if step.ok { "ok  ".to_owned() } else { Look::Bad.on("FAIL") };
            if let Some(provider) = self.title.take() {
                let gap = if self.steps.is_empty() { "" } else { "\n" };
                self.output.lines(&format!("{gap}{provider}"))?;
            }
            let line = plain(&format!("{title}: {}", step.detail));
            self.output.lines(&format!("{mark}  {line}"))?;
        }
        self.steps.push(step);
        result.map_err(Into::into)
    }

    /// A file that the demo is going to write.
    fn pending(&self, name: &str) -> Result<Pending, Failure> {
        let pending = Pending::new(&self.folder.join(name), false);
        pending.map_err(|failure| failure.hint("choose another folder with --output-dir"))
    }

    /// Remembers a file that stays.
    fn wrote(&mut self, file: String) {
        self.files.push(file);
    }

    fn outcome(&self, entry: &OperationInfo) -> Outcome {
        let operation = entry.id.to_string();
        let is_it = |step: &&Step| step.operation.as_deref() == Some(&operation);
        let steps: Vec<&Step> = self.steps.iter().filter(is_it).collect();
        let received = self.sandbox.received();
        let received = received.iter().filter(|it| it.operation == Some(&operation));
        let calls = received.count();
        Outcome {
            method: entry.method,
            path: entry.path,
            calls,
            // What the sandbox did not receive was not called, whatever the steps say.
            ok: calls > 0 && !steps.is_empty() && steps.iter().all(|step| step.ok),
            duration_ms: tenths(steps.iter().fold(0.0, |sum, step| sum + step.duration_ms)),
            operation,
        }
    }
}

/// The provider did something else than it should.
fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::UnexpectedReply).with_detail(what)
}

fn milliseconds(duration: Duration) -> f64 {
    tenths(duration.as_secs_f64() * 1000.0)
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn closing_text(answer: &Answer) -> String {
    let row = |outcome: &Outcome| {
        let result = match (outcome.calls, outcome.ok) {
            (0, _) => "NOT CALLED",
            (_, true) => "ok",
            (_, false) => "FAIL",
        };
        vec![
            outcome.operation.clone(),
            format!("{} {}", outcome.method, outcome.path),
            result.to_owned(),
            format!("{:.1}", outcome.duration_ms),
        ]
    };
    let columns = [
        Column::Whole("OPERATION"),
        Column::Text("REQUEST"),
        Column::Text("RESULT"),
        Column::Number("MS"),
    ];
    let operations = answer.operations;
    let worked = operations.iter().filter(|outcome| outcome.ok).count();
    let mut text = format!(
        "\n{}\n\n{worked} of {} operations worked.",
        table(&columns, operations.iter().map(row).collect()),
        operations.len()
    );
    for file in answer.files {
        text.push_str("\nLeft behind: ");
        text.push_str(&plain(file));
    }
    text
}
