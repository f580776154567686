//! The conformance suite, fixtures and canary check for providers.

pub mod canary;
pub mod conformance;
pub mod document;
pub mod fixtures;
pub mod openapi;
pub mod reference;
pub mod scripted;
pub mod witness;
