//! Every operation of a provider with every fault: what the caller gets, how often the request
//! arrives, what it costs, and what must hold whatever that is.
//!
//! A provider sets its [`Stage`]; [`run`] plays all cases on it, each twice: the fault meets the
//! first request only, and it meets every request. [`Report::page`] is the table for the documents,
//! and [`Report::assert_nothing_wrong`] what must hold.

mod case;
mod judge;
mod props;
mod report;
mod run;

use std::sync::Arc;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::transport::{Reqwest, Setup, Transport};
use anyvpn_http::{ClientBuilder, Dialect, Entry, Limits, RetryPolicy};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use serde_json::Value;

use crate::lab::{Clock, Link};
use crate::openapi::Document;
pub use judge::Wrong;
pub use report::Report;
pub use run::run;

/// How the matrix makes the transport that it tries.
pub type MakeTransport = fn(Setup) -> Result<Arc<dyn Transport>, Error>;

/// The transport on reqwest.
///
/// # Errors
///
/// When it cannot be set up.
pub fn reqwest(setup: Setup) -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(Reqwest::new(setup)?))
}

/// Runs something and gives the most bytes that this thread had allocated meanwhile.
pub type Memory = fn(&mut dyn FnMut()) -> u64;

/// A provider, set up to be tried.
pub trait Stage: Sync {
    /// An account with something of everything, on a sandbox of its own.
    type World: Send + Sync + 'static;

    /// The provider's name, as people write it.
    fn provider(&self) -> &'static str;

    /// All of its operations.
    fn operations(&self) -> &'static [Entry];

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

/// The most that a call may have allocated at one time: see `docs/reliability.md`.
pub const MEMORY: u64 = 40 << 20;

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
