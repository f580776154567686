//! One pipeline for every operation of every provider, for authors of providers.

mod builder;
pub mod by_name;
mod client;
mod credentials;
mod exchange;
pub mod flag;
pub mod lenient;
mod limits;
mod operation;
mod pace;
mod reply;
mod request;
mod time;
mod token_store;
pub mod transport;
pub mod unix_time;

pub use builder::ClientBuilder;
pub use by_name::{Entry, Field, FieldKind};
pub use client::Client;
pub use credentials::{Credentials, Fixed, SignIn, Stored};
pub use limits::{Limits, RetryPolicy};
pub use operation::{Dialect, Operation, Replay, Security};
pub use reply::Reply;
pub use request::Request;
pub use time::{Clock, SystemClock};
#[cfg(feature = "file-store")]
pub use token_store::FileStore;
pub use token_store::{MemoryStore, StoreLock, TokenStore, lock_file};
