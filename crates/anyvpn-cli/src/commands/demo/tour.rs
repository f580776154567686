//! A way through a provider in the demo, step by step.

use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

use anyvpn::{Error, ErrorKind, OperationInfo};
use anyvpn_sandbox::Sandbox;
use serde::Serialize;

use crate::failure::Failure;
use crate::file::Pending;
use crate::look::Look;
use crate::output::Output;
use crate::text::plain;

/// One thing that was done.
#[derive(Serialize)]
pub struct Step {
    /// `None` for what is more than one operation, or none.
    pub operation: Option<String>,
    pub title: String,
    pub ok: bool,
    pub duration_ms: f64,
    pub detail: String,
}

/// What became of one operation.
#[derive(Serialize)]
pub struct Outcome {
    pub operation: String,
    pub method: &'static str,
    pub path: &'static str,
    /// How often the sandbox received it.
    pub calls: usize,
    pub ok: bool,
    /// Of all steps with it.
    pub duration_ms: f64,
}

/// A way through one provider, and what was done on it.
pub struct Tour<'a> {
    pub output: Output,
    pub sandbox: &'a Sandbox,
    pub folder: &'a Path,
    pub provider: &'static str,
    /// The provider's name, until it is printed.
    pub title: Option<&'static str>,
    pub steps: Vec<Step>,
    pub files: Vec<String>,
}

impl Tour<'_> {
    /// Calls one operation, by its name without the provider, and tells what came of it.
    pub async fn step<T>(
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
    pub async fn aside<T>(
        &mut self,
        title: &str,
        work: impl Future<Output = Result<T, Failure>>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Failure> {
        self.record(None, title, work, detail).await
    }

    pub async fn record<T, E: Display + Into<Failure>>(
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
    pub fn pending(&self, name: &str) -> Result<Pending, Failure> {
        let pending = Pending::new(&self.folder.join(name), false);
        pending.map_err(|failure| failure.hint("choose another folder with --output-dir"))
    }

    /// Remembers a file that stays.
    pub fn wrote(&mut self, file: String) {
        self.files.push(file);
    }

    pub fn outcome(&self, entry: &OperationInfo) -> Outcome {
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
pub fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::UnexpectedReply).with_detail(what)
}

fn milliseconds(duration: Duration) -> f64 {
    tenths(duration.as_secs_f64() * 1000.0)
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
