//! The pipeline that runs every operation of every HTTP provider. For authors of providers.
//!
//! An [`Operation`] is a value that builds a request and decodes a reply, without side effects. A
//! [`Dialect`] describes how a provider differs from others: where the credential goes, and how a reply
//! is decoded to a value or a refusal. A [`Client`] runs operations. Nothing else sends requests. The
//! client decides what is sent again by the operation's [`Replay`], within [`Limits`] and
//! [`RetryPolicy`]. Applications use the providers' crates, whose operations are generated from an
//! OpenAPI document. An operation written by hand looks like this:
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
//! - An operation with [`Replay::Once`] is never sent again once it may have arrived, whatever the
//!   network does; the error is then [`ErrorKind::Ambiguous`](anyvpn_core::ErrorKind::Ambiguous). Other
//!   operations are retried within [`RetryPolicy`] and [`Limits`].
//! - Each reply is limited in time, in size before and after decompression, and in depth.
//! - A credential is sent only to the base URL and to the servers that the dialect names, and only over
//!   https or to this machine, whose names are never looked up. Redirects are never followed, not even by an HTTP client that the caller brings.
//!   If a server echoes a secret, it is removed from the error.
//! - A proxy that the environment sets is used or refused, but never ignored.
//! - A value in a path is percent-encoded. It is refused if it is empty, `.` or `..`, or has a `/`, `\`,
//!   `%` or control character.
//! - Every attempt waits for a permit, so that the vendor's rate limits are kept.
//! - [`bulk`] makes any number of calls, with bounded concurrency and constant memory.
//! - Dropping the future of a call leaves the client usable. One renewal of a credential serves all
//!   callers.
//! - A call outside a tokio runtime is an error. A client can be used in several runtimes.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider or a
//!   client that the caller brings is used.
//! - `compact-text`: [`CompactText`], for the elements of long lists.
//! - `form`: bodies of type `application/x-www-form-urlencoded`.
//! - `gzip`: replies with `Content-Encoding: gzip`, enabled by [`ClientBuilder`]'s `gzip`.
//! - `file-store`: tokens stored in a file.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod body_reader;
mod builder;
mod bulk;
pub mod by_name;
mod call_record;
mod cause;
mod client;
mod client_state;
#[cfg(feature = "compact-text")]
mod compact_text;
mod credentials;
mod exchange;
#[cfg(feature = "file-store")]
mod file_draft;
mod file_lock;
#[cfg(feature = "file-store")]
mod file_store;
pub mod flag;
mod json_bounds;
pub mod lenient;
mod lenient_list;
mod locked;
mod operation;
mod pages;
mod pinned;
#[cfg(feature = "file-store")]
mod private_file;
mod private_folder;
mod proxy;
mod rate_limiter;
mod reply;
mod request;
mod run_to_completion;
mod server;
mod setup;
mod shared_error;
mod signature;
mod stored_credentials;
mod token_manager;
mod token_source;
mod token_state;
mod token_store;
pub mod transport;
pub mod unix_time;

pub use anyvpn_core::{
    Activity, ActivityKind, Binding, BoundToken, CallEvent, CallObserver, Clock, Context,
    FieldInfo, FieldKind, Limits, LockedStore, Observation, OperationInfo, Replay, RetryPolicy,
    StoreLock, SystemClock, TokenStore,
};
pub use base_url::BaseUrl;
pub use builder::ClientBuilder;
pub use bulk::{Bulk, bulk};
pub use cause::system_message;
pub use client::Client;
#[cfg(feature = "compact-text")]
pub use compact_text::CompactText;
pub use credentials::{Credentials, Fixed, not_for_header};
#[cfg(feature = "file-store")]
pub use file_draft::{FileDraft, remove_abandoned_drafts, remove_abandoned_files};
pub use file_lock::{FileLock, lock_file};
#[cfg(feature = "file-store")]
pub use file_store::FileStore;
pub use lenient_list::LenientList;
pub use operation::{Dialect, Operation, Security};
pub use pages::{ListNumbers, ListPage, PagedList, pages};
#[cfg(feature = "file-store")]
pub use private_file::{
    PrivateFileError, check_private_file, chmod_command, open_private_file, open_trusted_file,
};
pub use private_folder::create_private_folder;
pub use reply::{Reply, Word};
pub use request::Request;
pub use run_to_completion::RunToCompletion;
pub use server::{Server, TrustRoots};
pub use signature::SigningKey;
pub use token_manager::TokenManager;
pub use token_source::{TokenSource, UnsavedToken};
pub use token_store::MemoryStore;
