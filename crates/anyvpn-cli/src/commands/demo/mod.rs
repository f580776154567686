//! `anyvpn demo`: everything a new customer and a reseller do, against a sandbox inside this program.
//!
//! A provider's tour is one file here: a function that goes from step to step with [`Tour::step`].

mod azire;
mod tour;
mod vpngn;
mod vpnscript;

use std::path::PathBuf;

use anyvpn::ProviderInfo;
use anyvpn_sandbox::Sandbox;
use clap::Args;
use serde::Serialize;
use tour::{Outcome, Step, Tour};

use crate::context::Context;
use crate::failure::Failure;
use crate::text::{Column, plain, reason, table};

/// The providers that there is a tour of.
const TOURED: [&str; 3] = ["azire", "vpnscript", "vpngn"];

#[derive(Args)]
pub struct Demo {
    /// Where to write the files; without this, in a new folder among the temporary ones
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// What the sandbox's answers follow from, where the documents leave a choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
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
    let is_chosen = |info: &&ProviderInfo| only.is_none_or(|only| only.name == info.name);
    let is_shown = |info: &&ProviderInfo| TOURED.contains(&info.name);
    let chosen = || context.registry.infos().filter(is_shown).filter(is_chosen);
    // A folder that will not do is found out before anything is done.
    for name in chosen().flat_map(files) {
        tour.pending(name)?;
    }
    let (url, place) = (sandbox.url(), folder.display());
    output.note(&format!("A sandbox listens at {url}; files go to {place}."));
    let mut operations = Vec::new();
    let mut stopped = None;
    for info in chosen() {
        tour.provider = info.name;
        tour.title = Some(info.title);
        let toured = match info.name {
            "azire" => azire::tour(&mut tour).await,
            "vpnscript" => vpnscript::tour(&mut tour).await,
            "vpngn" => vpngn::tour(&mut tour).await,
            _ => Ok(()),
        };
        if let Err(failure) = toured {
            if failure.is_closed_pipe() || tour.steps.is_empty() {
                return Err(failure);
            }
            stopped = stopped.or(Some(failure));
        }
        operations.extend(info.operations.iter().map(|entry| tour.outcome(entry)));
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
fn files(info: &'static ProviderInfo) -> &'static [&'static str] {
    match info.name {
        "azire" => azire::FILES,
        "vpnscript" => vpnscript::FILES,
        _ => &[],
    }
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
