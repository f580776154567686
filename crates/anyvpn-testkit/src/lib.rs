//! The conformance suite, fixtures and canary check for providers.
