//! The laboratory for the built-in providers: the tools that their tests share.
//!
//! - [`harness`] describes a provider once for all of these tests: its operations, its document, a world
//!   on a sandbox, its secrets, and how to call each operation.
//! - [`matrix`] runs every operation with every fault: those of the sandbox, and those of [`faults`] in
//!   connections, TLS and name lookup.
//! - [`bounds`] gives every operation replies at the bounds of its document's schemas.
//! - [`network`] is a network that fails at random, for state-machine tests; [`machines`] lets two
//!   machines act on one account.
//! - [`dropping`] drops futures at each of their polls; [`full_store`] is a token store that cannot be
//!   written to.
//! - [`InstrumentedTransport`] records requests, and [`time`] lets a client use the sandbox's clock.
//!
//! Authors of other providers use `anyvpn-testkit`, which does not need the sandbox.

pub mod bounds;
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
