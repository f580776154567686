//! One pipeline for every operation of every provider, for authors of providers.

mod operation;
mod reply;
mod request;

pub use operation::{Dialect, Operation, Replay, Security};
pub use reply::Reply;
pub use request::Request;
