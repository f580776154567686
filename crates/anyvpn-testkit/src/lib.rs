//! The conformance suite, fixtures and canary check for providers.
pub mod conformance;
pub mod reference;
pub mod scripted;
