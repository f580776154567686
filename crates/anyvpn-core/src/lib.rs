//! The neutral side of anyvpn: traits, types, errors and secrets. No I/O, no HTTP.

mod error;
mod names;
mod secret;

pub use error::{Advice, Error, ErrorKind};
pub use jiff::Timestamp;
pub use names::OperationId;
pub use secret::{REDACTED, Secret, redact, reveal};

/// What the macros of this crate expand to; not for use by name.
#[doc(hidden)]
pub mod reexport {
    pub use serde;
}
