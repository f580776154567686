//! `anyvpn demo`: runs the commands of a new customer and of a reseller on a built-in sandbox.
//!
//! The script of each provider is a text file beside its imitation: see [`anyvpn_sandbox::demo`].

use std::collections::BTreeMap;
use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyvpn::{OperationInfo, ProviderInfo};
use anyvpn_sandbox::{Received, Sandbox, StartError, demo};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::commands::sandbox::not_started;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::OutputFile;
use crate::output::Output;
use crate::provider_settings::address_setting;
use crate::style::Style;
use crate::text::{Column, ShownPath, plain, reason, table};

/// How many lines of each command's output are shown.
const SHOWN_LINES: usize = 8;
const WIDTH: usize = 80;

#[derive(Args)]
pub struct Demo {
    /// Write files to FOLDER [default: a new temporary folder]
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// Seed for the sandbox's choices where the provider's documents leave one
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// One step of the demo.
#[derive(Serialize)]
struct Step {
    provider: &'static str,
    title: String,
    /// `None` if the sandbox itself performs the step.
    command: Option<String>,
    ok: bool,
    /// The output of the command.
    output: String,
}

/// The result of one operation.
#[derive(Serialize)]
struct Outcome {
    operation: String,
    method: &'static str,
    path: &'static str,
    /// How often the sandbox received the operation.
    calls: usize,
    /// Whether the operation succeeded at least once.
    ok: bool,
}

#[derive(Serialize)]
struct Answer {
    steps: Vec<Step>,
    operations: Vec<Outcome>,
    files: Vec<ShownPath>,
}

pub async fn run(context: &Context, args: Demo) -> Result<(), Failure> {
    // We ignore the environment, which is about real accounts.
    let only = context.typed_provider();
    let is_chosen = |info: &&ProviderInfo| only.is_none_or(|only| only.name == info.name);
    let scripts = context.registry.infos().filter(is_chosen);
    let scripts: Vec<_> = scripts.filter_map(|info| Some((info, demo(info.name)?))).collect();
    if scripts.is_empty() {
        return Err(Failure::usage("there is no demo for this provider"));
    }
    let sandbox = Sandbox::builder().seed(args.seed).start().await;
    let sandbox = sandbox.map_err(|error| match error {
        StartError::Listen { .. } => {
            not_started(error).hint("the demo needs a free port on 127.0.0.1")
        }
        _ => not_started(error),
    })?;
    // Both folders are deleted if the demo ends early. If it completes, the one with the files is
    // kept.
    let (home, temporary) = (temporary()?, temporary()?);
    let folder = args.output_dir.as_deref().unwrap_or(temporary.path());
    // Check that the files can be written before the demo starts.
    let mut files: Vec<_> = scripts.iter().flat_map(|(_, script)| files(script)).collect();
    files.dedup();
    for name in &files {
        let pending = OutputFile::new(&folder.join(name), false);
        pending.map_err(|failure| failure.hint("choose another folder with --output-dir"))?;
    }
    let output = context.output;
    let (url, place) = (sandbox.url(), folder.display());
    output.note(&format!("Sandbox running at {url}. Files are written to {place}.\n"));
    let mut steps = Vec::new();
    let mut stopped = None;
    for (info, script) in &scripts {
        if !output.json {
            output.lines(&format!("{}\n", Style::Title.apply(info.title)))?;
        }
        let url = sandbox.provider_url(info.name);
        let values = [("ANYVPN_PROVIDER", info.name.to_owned()), (&address_variable(info), url)];
        let mut tour = Tour {
            output,
            sandbox: &sandbox,
            home: home.path(),
            folder,
            provider: info.name,
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            listeners: Vec::new(),
            steps: &mut steps,
        };
        match tour.run(script).await {
            Err(failure) if failure.is_closed_pipe() => return Err(failure),
            toured => stopped = stopped.or(toured.err()),
        }
    }
    let path = |name: &&str| Some(folder.join(name)).filter(|path| path.exists());
    let files: Vec<PathBuf> = files.iter().filter_map(path).collect();
    if !files.is_empty() && args.output_dir.is_none() {
        let _ = temporary.keep();
    }
    let received = sandbox.received();
    let operations = scripts.iter().flat_map(|(info, _)| info.operations);
    let answer = Answer {
        steps,
        operations: operations.map(|operation| Outcome::of(operation, &received)).collect(),
        files: files.iter().map(Into::into).collect(),
    };
    output.answer(&answer, || closing_text(&answer))?;
    let all = answer.operations.len();
    match (stopped, answer.operations.iter().filter(|outcome| !outcome.ok).count()) {
        (Some(failure), _) => Err(failure),
        (None, 0) => Ok(()),
        (None, failed) => Err(Failure::other(format!("{failed} of {all} operations failed"))),
    }
}

fn temporary() -> Result<tempfile::TempDir, Failure> {
    tempfile::Builder::new().prefix("anyvpn-demo-").tempdir().map_err(|error| {
        let why = reason(&error);
        Failure::other(format!("cannot create a temporary folder: {why}"))
            .hint("set TMPDIR to a folder that you can write to")
    })
}

/// Returns the names of the files that a script's commands write.
fn files(script: &str) -> impl Iterator<Item = &str> {
    script.lines().filter_map(|line| line.split_once(" -o ")?.1.split(' ').next())
}

fn address_variable(info: &'static ProviderInfo) -> String {
    address_setting(info).map(|setting| setting.variable(info.name)).unwrap_or_default()
}

/// The demo of one provider.
struct Tour<'a> {
    output: Output,
    sandbox: &'a Sandbox,
    /// The folder in which the commands store tokens.
    home: &'a Path,
    /// The folder in which the commands write files.
    folder: &'a Path,
    provider: &'static str,
    /// Values for placeholders in later lines, and environment variables of the commands.
    values: BTreeMap<String, String>,
    listeners: Vec<TcpListener>,
    steps: &'a mut Vec<Step>,
}

impl Tour<'_> {
    async fn run(&mut self, script: &str) -> Result<(), Failure> {
        let (mut title, mut stdin, mut answer) = (String::new(), String::new(), String::new());
        for line in script.lines().filter(|line| !line.is_empty()) {
            let wrong =
                |why: &str| Failure::other(format!("invalid line in the demo: {line}: {why}"));
            let (mark, rest) = line.split_once(' ').ok_or_else(|| wrong("it is too short"))?;
            let rest = self.filled(rest);
            match mark {
                "#" => title = rest,
                "<" => stdin = rest,
                "$" => {
                    let ran = self.command(&rest, &std::mem::take(&mut stdin)).await;
                    answer = self.record(std::mem::take(&mut title), Some(rest), ran)?;
                }
                "!" => {
                    let (action, input) = rest.split_once(' ').unwrap_or((&rest, "{}"));
                    let input =
                        serde_json::from_str(input).map_err(|error| wrong(&error.to_string()))?;
                    let done = self.act(action, &input).map(|value| value.to_string());
                    answer = done.map_err(|why| wrong(&why))?;
                    if !title.is_empty() {
                        let output = Ok("(done by the sandbox)".to_owned());
                        self.record(std::mem::take(&mut title), None, output)?;
                    }
                }
                "=" => {
                    let found: Value = serde_json::from_str(&answer).unwrap_or_default();
                    let (name, pointer) = rest.split_once(' ').unwrap_or_default();
                    let value = match found.pointer(pointer) {
                        Some(Value::String(text)) => text.clone(),
                        Some(value) => value.to_string(),
                        None => return Err(wrong("the answer has no such value")),
                    };
                    self.values.insert(name.to_owned(), value);
                }
                _ => return Err(wrong("unknown mark")),
            }
        }
        Ok(())
    }

    /// Replaces the placeholders in a text.
    fn filled(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Performs an action that has no command, such as a payment.
    fn act(&mut self, action: &str, input: &Value) -> Result<Value, String> {
        match (action, input.as_u64()) {
            ("listen", Some(port)) => {
                // Binding fails if another program listens there. The port is open then, too.
                let here = (self.sandbox.address().ip(), port as u16);
                self.listeners.extend(TcpListener::bind(here));
                Ok(Value::Null)
            }
            _ => self.sandbox.act(self.provider, action, input),
        }
    }

    /// Runs this program with the arguments and returns its output.
    async fn command(&self, line: &str, stdin: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| reason(&error);
        let arguments = shlex::split(line).unwrap_or_default();
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        let inherited = env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.to_string_lossy().starts_with("ANYVPN_")) {
            command.env_remove(name);
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(name, self.home);
        }
        command.envs(self.values.iter().filter(|(name, _)| name.starts_with("ANYVPN_")));
        command.args(arguments.iter().skip(1)).current_dir(self.folder).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            // Writing fails if the command does not read its stdin.
            let _ = pipe.write_all(stdin.as_bytes()).await;
        }
        let done = child.wait_with_output().await.map_err(failed)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        match done.status.success() {
            true => Ok(text(&done.stdout)),
            false => Err(text(&done.stderr)),
        }
    }

    /// Prints a finished step and returns its output.
    fn record(
        &mut self,
        title: String,
        command: Option<String>,
        done: Result<String, String>,
    ) -> Result<String, Failure> {
        let ok = done.is_ok();
        let output = done.unwrap_or_else(|error| error);
        if !self.output.json {
            let mut lines = vec![Style::Hint.apply(&format!("# {title}"))];
            lines.extend(command.iter().flat_map(|line| wrapped(&format!("$ {line}"))));
            lines.extend(output.lines().take(SHOWN_LINES).map(plain));
            let more = output.lines().count().saturating_sub(SHOWN_LINES);
            if more > 0 {
                lines.push(format!("… {more} more lines"));
            }
            self.output.lines(&(lines.join("\n") + "\n"))?;
        }
        let stopped = format!("the demo of {} stopped: {title}", self.provider);
        let provider = self.provider;
        self.steps.push(Step { provider, title, command, ok, output: output.clone() });
        if ok { Ok(output) } else { Err(Failure::other(stopped)) }
    }
}

/// Breaks a command line into lines that fit the terminal, with `\` at their ends.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let at = lines.len() - 1;
        let last = &mut lines[at];
        if last.len() + word.len() + " \\".len() > WIDTH {
            last.push_str(" \\");
            lines.push(format!("    {word}"));
        } else {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    lines.iter().map(|line| plain(line)).collect()
}

impl Outcome {
    fn of(operation: &OperationInfo, received: &[Received]) -> Self {
        let name = operation.id.to_string();
        let received: Vec<_> =
            received.iter().filter(|request| request.operation == Some(&name)).collect();
        Self {
            operation: name,
            method: operation.method,
            path: operation.path,
            calls: received.len(),
            ok: received.iter().any(|request| request.effect),
        }
    }

    fn row(&self) -> Vec<String> {
        let result = match (self.calls, self.ok) {
            (0, _) => "not called",
            (_, true) => "ok",
            (_, false) => "failed",
        };
        let request = format!("{} {}", self.method, self.path);
        vec![self.operation.clone(), request, self.calls.to_string(), result.to_owned()]
    }
}

fn closing_text(answer: &Answer) -> String {
    let columns = [
        Column::Whole("OPERATION"),
        Column::Text("REQUEST"),
        Column::Number("CALLS"),
        Column::Text("RESULT"),
    ];
    let operations = &answer.operations;
    let worked = operations.iter().filter(|outcome| outcome.ok).count();
    let rows = table(&columns, operations.iter().map(Outcome::row).collect());
    let mut text = format!("{rows}\n\n{worked} of {} operations succeeded.", operations.len());
    for file in &answer.files {
        text.push_str("\nWritten: ");
        text.push_str(&plain(&file.to_string()));
    }
    text
}
