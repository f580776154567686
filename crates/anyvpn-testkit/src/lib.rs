//! The conformance suite, fixtures, faults and canary check for providers.
//!
//! For authors of providers: [`fixtures`] hold a provider's documented requests and replies as raw
//! bytes; [`conformance`] checks the contract of the neutral traits; [`openapi`] holds bodies against
//! the provider's document; [`lab`] breaks connections, TLS and names, and [`matrix`] meets every
//! operation with every fault; [`scripted`] is a transport without a socket and a clock without waits; [`witness`] keeps what
//! passes a transport; [`canary`] looks for secrets in outputs; [`document`] keeps tables in
//! documents true. [`reference`](mod@reference) is a provider in memory, which the suite itself is
//! tested with.

pub mod canary;
pub mod conformance;
pub mod document;
pub mod fixtures;
pub mod lab;
pub mod matrix;
pub mod openapi;
pub mod reference;
pub mod scripted;
pub mod witness;
