//! VPNGN's Account Management API.
//!
//! Where the documents are silent the sandbox decides, in one of two ways. What a client could come
//! to rely on is a choice that other seeds and [variations](crate::Variation) make differently:
//! [`Quirks`]. The rest is fixed, and all of it stands here:
//!
//! - A call is a form in the body. JSON is refused, and so is a query, whatever it says.
//! - A credential of a kind that the call takes must be right, even where another would do; one of
//!   a kind that it does not take is not looked at. White-listing counts for every caller.
//! - E-mail addresses have no case. One address is one customer's, or one alias's.
//! - AddClient's limit is a brand's, and counts the customers that were created: a request that is
//!   refused does not make the next one wait.
//! - An account that was closed can be opened anew by AddClient with the same address.
//! - Days are days of UTC. Products are due at midnight, and an upgrade begins a new period today.
//!   A product is renewed when it is due unless `auto_terminate` was sent at its last change; a test
//!   user's is never due, and its long token lasts 30 days.
//! - NewProduct and UpgradeProduct make tokens only for callers who are told them. Only
//!   TokenRefresh ends a token before its time, and no change of a password does.
//! - Of several active products the newest counts where none is named. The latest CancelRequest
//!   replaces those before.
//! - An alias's call takes the password of the alias or of its account, and the short token of the
//!   account.
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/vpngn/keys` | `{}`, or with a `brand` as all of VPNGN's | [`Service::api_key`], [`secret_key`](Service::secret_key) |
//! | `POST /_sandbox/vpngn/whitelist` | `{"whitelisted": true}` | [`Service::whitelist`] |
//! | `POST /_sandbox/vpngn/outbox` | `{}` | [`Service::outbox`] |

mod access;
mod aliases;
mod answer;
mod clients;
mod input;
mod mail;
mod passwords;
mod products;
mod quirks;
mod routes;
mod service;
mod state;
mod time;
mod tokens;

pub use mail::{Mail, MailSubject};
pub use quirks::{CodeForm, EmptyList, ErrorStatus, Quirks};
pub use service::{Account, Customer, Product, Service};
pub(crate) use state::State;
pub use state::Status;
