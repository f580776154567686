//! The conformance suite, fixtures, faults and canary check for providers.
//!
//! For authors of providers: [`fixtures`] hold a provider's documented requests and replies as raw
//! bytes; [`conformance`] checks the contract of the neutral traits; [`openapi`] holds bodies against
//! the provider's document; [`faults`] meets every operation with every fault of the sandbox;
//! [`network`] is one on which things go wrong at random, for state-machine tests;
//! [`scripted`] is a transport without a socket and a clock without waits; [`witness`] keeps what
//! passes a transport; [`canary`] looks for secrets in outputs; [`document`] keeps tables in
//! documents true. [`reference`](mod@reference) is a provider in memory, which the suite itself is
//! tested with.

pub mod canary;
pub mod conformance;
pub mod document;
pub mod faults;
pub mod fixtures;
pub mod network;
pub mod openapi;
pub mod reference;
pub mod scripted;
pub mod witness;
