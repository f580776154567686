//! The laboratory for the built-in providers: what their tests share around the sandbox.
//!
//! - [`harness`] describes a provider once for all of these tests: its operations, its document, a world
//!   on a sandbox, its secrets, and how to call each operation.
//! - [`matrix`] meets every operation with every fault: those of the sandbox, and those of [`faults`] on
//!   connections, in TLS and with names.
//! - [`network`] is one on which things go wrong at random, for state-machine tests; [`machines`] lets
//!   two of them act on one account.
//! - [`dropping`] drops futures at each of their polls; [`full_store`] is a token store that cannot be
//!   written.
//! - [`InstrumentedTransport`] observes requests, and [`time`] makes the sandbox's clock a client's.
//!
//! Authors of other providers use `anyvpn-testkit`, which needs no sandbox.

pub mod dropping;
pub mod faults;
pub mod full_store;
pub mod harness;
mod instrumented;
pub mod machines;
pub mod matrix;
pub mod network;
pub mod time;

pub use instrumented::{Exchange, InstrumentedTransport};
