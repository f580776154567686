//! One pipeline for every operation of every provider, for authors of providers.
//!
//! An [`Operation`] is a value that makes a request and reads a reply; both are pure. A [`Dialect`]
//! says how one provider differs: where the credential goes, and how a reply is split into a value or
//! a refusal. A [`Client`] runs operations, and is the only thing that sends: it decides what is sent
//! again by the operation's [`Replay`], within [`Limits`] and [`RetryPolicy`]. Applications use the
//! providers' crates, which generate their operations from an OpenAPI document; by hand, one is this:
//!
//! ```no_run
//! use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
//! use anyvpn_http::{Client, Dialect, Operation, Replay, Reply, Request, Security};
//! use serde::de::DeserializeOwned;
//!
//! /// A provider with a bearer token and bare JSON.
//! struct Acme;
//!
//! impl Dialect for Acme {
//!     type Provider = Client<Self>;
//!     type Credential = Secret;
//!
//!     fn attach(
//!         token: Option<&Secret>,
//!         security: Security,
//!         request: &mut Request,
//!     ) -> Result<(), Error> {
//!         security.attach_bearer(token, request)
//!     }
//!
//!     fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
//!         if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
//!     }
//!
//!     fn is_own_form(_: OperationId, reply: &Reply) -> bool {
//!         reply.refusal_json()["error"].is_string()
//!     }
//!
//!     fn refusal(reply: &Reply) -> Error {
//!         let kind = match reply.status.as_u16() {
//!             401 => ErrorKind::Unauthorized,
//!             429 => ErrorKind::RateLimited,
//!             500.. => ErrorKind::Unavailable,
//!             _ => ErrorKind::Refused,
//!         };
//!         Error::new(kind).with_detail(reply.describe())
//!     }
//! }
//!
//! /// Counts the devices.
//! struct CountDevices;
//!
//! impl Operation for CountDevices {
//!     type Dialect = Acme;
//!     type Output = u32;
//!     const ID: OperationId = OperationId::new("acme", "count-devices");
//!     const REPLAY: Replay = Replay::Safe;
//!
//!     fn security(&self) -> Security {
//!         Security::required(&["bearer"])
//!     }
//!
//!     fn request(&self) -> Result<Request, Error> {
//!         Ok(Request::get("/devices/count"))
//!     }
//!
//!     fn decode(&self, reply: &Reply) -> Result<u32, Error> {
//!         Acme::decode(reply)
//!     }
//! }
//!
//! # async fn example(token: String) -> Result<(), Error> {
//! let acme = Client::<Acme>::builder("https://api.example.com").token(token).build()?;
//! println!("{} devices", acme.call(CountDevices).await?);
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - What [`Replay::Once`] says is never sent again once it may have arrived, whatever the network does;
//!   the error is then [`ErrorKind::Ambiguous`](anyvpn_core::ErrorKind::Ambiguous). What may be
//!   repeated is, within [`RetryPolicy`] and [`Limits`].
//! - A reply is bounded in time, in size before and after decompression, and in nesting.
//! - A credential goes to the base URL only, over https, or to this machine, whose names no resolver is
//!   asked for. Redirects are not followed, by an HTTP client of the caller's own neither. What a
//!   server repeats of a secret is taken out of the error.
//! - A proxy that the environment names is used or refused, and never left out.
//! - A path value is never empty, `.` or `..`, has no `/`, `\`, `%` or control character, and is encoded.
//! - Every attempt of an operation that the vendor allows only so often waits for a permit.
//! - [`bulk`] makes any number of calls, so many at one time, in flat memory.
//! - Dropping the future of a call leaves the client usable, and one renewal of a credential serves all
//!   callers.
//! - A call outside of a tokio runtime is an error. A client works in several runtimes.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider is
//!   used, or a client of the caller's own.
//! - `compact-text`: [`CompactText`], for the elements of long lists.
//! - `form`: bodies of type `application/x-www-form-urlencoded`.
//! - `gzip`: replies with `Content-Encoding: gzip`, asked for with [`ClientBuilder`]'s `gzip`.
//! - `file-store`: tokens kept in a file.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod body_reader;
mod builder;
mod bulk;
pub mod by_name;
mod cause;
mod client;
#[cfg(feature = "compact-text")]
mod compact_text;
mod credentials;
mod exchange;
#[cfg(feature = "file-store")]
mod file_store;
pub mod flag;
mod json_bounds;
pub mod lenient;
mod lenient_list;
mod locked;
mod operation;
#[cfg(feature = "file-store")]
mod private_file;
mod private_folder;
mod proxy;
mod rate_limiter;
mod reply;
mod request;
mod run_to_completion;
mod setup;
mod shared_error;
mod stored_credentials;
mod time;
mod token_manager;
mod token_source;
mod token_state;
mod token_store;
pub mod transport;
pub mod unix_time;

pub use anyvpn_core::{
    Activity, ActivityKind, Binding, BoundToken, CallEvent, CallObserver, Clock, Context,
    FieldInfo, FieldKind, Limits, LockedStore, Observation, OperationInfo, Replay, RetryPolicy,
    StoreLock, TokenStore,
};
pub use base_url::BaseUrl;
pub use builder::ClientBuilder;
pub use bulk::{Bulk, bulk};
pub use client::Client;
#[cfg(feature = "compact-text")]
pub use compact_text::CompactText;
pub use credentials::{Credentials, Fixed, not_for_header};
#[cfg(feature = "file-store")]
pub use file_store::FileStore;
pub use lenient_list::LenientList;
pub use operation::{Dialect, Operation, Security};
#[cfg(feature = "file-store")]
pub use private_file::{PrivateFileError, check_private_file, chmod_command, open_private_file};
pub use private_folder::create_private_folder;
pub use reply::{Reply, Word};
pub use request::Request;
pub use run_to_completion::RunToCompletion;
pub use time::SystemClock;
pub use token_manager::TokenManager;
pub use token_source::{TokenSource, UnsavedToken};
pub use token_store::{FileLock, MemoryStore, lock_file};
