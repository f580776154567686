//! Every operation of a provider with every fault: what the caller gets, how often the request
//! arrives, what it costs, and what must hold whatever that is.
//!
//! A provider sets its [`Stage`]. [`check`] plays all cases on it with every transport, each twice:
//! the fault meets the first request only, and it meets every request. It asserts what must hold, and
//! compares the table with the provider's page in the documents.

mod case;
mod judge;
mod props;
mod report;
mod run;

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::transport::{Reqwest, Setup, Transport};
use anyvpn_http::{ClientBuilder, Dialect, Limits, OperationInfo, RetryPolicy};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use serde_json::Value;

use crate::document;
use crate::lab::{Clock, Link};
use crate::openapi::Document;
use run::run;

/// How the matrix makes the transport that it tries.
pub type MakeTransport = fn(Setup) -> Result<Arc<dyn Transport>, Error>;

/// The transports that there are, by name.
pub const TRANSPORTS: &[(&str, MakeTransport)] =
    &[("reqwest", |setup| Ok(Arc::new(Reqwest::new(setup)?)))];

/// Runs something and gives the most bytes that this thread had allocated meanwhile.
pub type Memory = fn(&mut dyn FnMut()) -> u64;

/// A provider, set up to be tried.
pub trait Stage: Sync {
    /// An account with something of everything, on a sandbox of its own.
    type World: Send + Sync + 'static;

    /// The provider's name, as people write it.
    fn provider(&self) -> &'static str;

    /// All of its operations.
    fn operations(&self) -> &'static [OperationInfo];

    /// Its OpenAPI document.
    fn document(&self) -> Document;

    /// A new world on a sandbox that this starts. Two worlds are alike.
    fn world(&self, sandbox: SandboxBuilder) -> impl Future<Output = Self::World> + Send + 'static;

    /// The world's sandbox.
    fn sandbox<'a>(&self, world: &'a Self::World) -> &'a Sandbox;

    /// What follows the sandbox's address in the provider's base URL, such as `/azire`.
    fn path(&self) -> &'static str;

    /// What must come up nowhere.
    fn secrets(&self, world: &Self::World) -> Vec<String>;

    /// In how many ways the operation can be called, such as with different credentials. The cases
    /// take turns with them, since they must make no difference.
    fn variants(&self, operation: OperationId) -> usize {
        let _ = operation;
        1
    }

    /// An operation that changes nothing and needs no input beyond the world.
    fn probe(&self) -> OperationId;

    /// Calls the operation once, with a client that [`Line::dress`] has dressed and a valid input.
    /// What it prints of itself is appended to `shown`.
    fn call(
        &self,
        world: &Self::World,
        line: &Line,
        operation: OperationId,
        shown: &mut String,
    ) -> impl Future<Output = Result<Value, Error>>;
}

/// Names a file to which [`check`] appends the figures of its runs.
pub const FIGURES: &str = "ANYVPN_FAULTS_REPORT";

/// Plays everything with every transport, and compares the result with the `page`.
///
/// # Panics
///
/// When anything went wrong in a run, when a transport makes a difference, or when the page is not
/// what came of it.
pub fn check<S: Stage>(stage: &S, page: &str, memory: Memory) {
    for (transport, make) in TRANSPORTS {
        let report = run(stage, transport, *make, memory);
        if let Some(path) = std::env::var_os(FIGURES) {
            let file = OpenOptions::new().append(true).open(path);
            file.and_then(|mut file| file.write_all(report.figures().as_bytes()))
                .expect("the file for the figures can be written");
        }
        report.assert_nothing_wrong();
        document::check(page, None, &report.page());
    }
}

/// What a client of the matrix is built with.
pub struct Line {
    /// The provider's base URL.
    pub url: String,
    /// Which of the operation's variants is to be called, from 0.
    pub variant: usize,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn anyvpn_http::Clock>,
}

/// The bounds of the matrix: the usual times, and sizes that a test can afford.
#[must_use]
pub fn limits() -> Limits {
    Limits { reply: 1 << 20, decompressed: 4 << 20, values: 100_000, ..Limits::default() }
}

/// The most that a call may have allocated at one time within these bounds: see
/// `docs/reliability.md`.
#[must_use]
pub fn most_memory(limits: &Limits) -> u64 {
    (8 * limits.reply + 400 * limits.values) as u64
}

impl Line {
    fn new(url: String, variant: usize, link: Link, clock: Clock) -> Self {
        Self { url, variant, transport: Arc::new(link), clock: Arc::new(clock) }
    }

    /// Gives a client its base URL, transport, clock, bounds and repetitions.
    #[must_use]
    pub fn dress<D: Dialect>(&self, builder: ClientBuilder<D>) -> ClientBuilder<D> {
        let retry = RetryPolicy { jitter_seed: Some(1), ..RetryPolicy::default() };
        builder
            .base_url(&*self.url)
            .transport(Arc::clone(&self.transport))
            .clock(Arc::clone(&self.clock))
            .limits(limits())
            .retry(retry)
    }
}
