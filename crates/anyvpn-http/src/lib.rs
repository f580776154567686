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
//! - A credential goes to the base URL only, over https, or to a loopback address. Redirects are not
//!   followed. What a server repeats of a secret is taken out of the error.
//! - A path segment is never empty, `.` or `..`, and always encoded.
//! - [`bulk`] makes any number of calls, so many at one time, in flat memory.
//! - Dropping the future of a call leaves the client usable, and one renewal of a credential serves all
//!   callers.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider is
//!   used, or a client of the caller's own.
//! - `form`: bodies of type `application/x-www-form-urlencoded`.
//! - `gzip`: replies with `Content-Encoding: gzip`, asked for with [`ClientBuilder`]'s `gzip`.
//! - `file-store`: tokens kept in a file.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod builder;
mod bulk;
pub mod by_name;
mod client;
mod credentials;
mod exchange;
mod finish;
pub mod flag;
pub mod lenient;
mod limits;
mod operation;
mod pace;
mod reason;
mod reply;
mod request;
mod setup;
mod source;
mod structure;
mod time;
mod token_store;
pub mod transport;
pub mod unix_time;

pub use anyvpn_core::{FieldInfo as Field, FieldKind, OperationInfo as Entry, Replay};
pub use base_url::BaseUrl;
pub use builder::ClientBuilder;
pub use bulk::{Bulk, bulk};
pub use client::Client;
pub use credentials::{Credentials, Fixed, SignIn, Stored};
pub use finish::Finish;
pub use limits::{Limits, RetryPolicy};
pub use operation::{Dialect, Operation, Security};
pub use reply::{Reply, Word};
pub use request::Request;
pub use time::{Clock, SystemClock};
#[cfg(feature = "file-store")]
pub use token_store::FileStore;
pub use token_store::{FileLock, MemoryStore, StoreLock, TokenStore, lock_file};
