//! VPNGN's Account Management API.
//!
//! Where the vendor's documents are silent, the sandbox decides, in one of two ways. Behaviour that a
//! client could come to rely on is a choice that other seeds and [variations](crate::Variation) make
//! differently: [`Quirks`]. The rest is fixed and is listed here:
//!
//! - A call is a form in the body. JSON is refused, and so is any query.
//! - Every credential of a kind that the call accepts must be right, even if another one would suffice.
//!   Credentials of other kinds are ignored. White-listing counts for every caller.
//! - E-mail addresses are not case-sensitive. An address belongs to one customer or one alias.
//! - AddClient's limit is per brand, and counts created customers: a refused request does not delay the
//!   next one.
//! - AddClient can reopen a closed account with the same address.
//! - Days are UTC days. Products are due at midnight, and an upgrade starts a new period today. A
//!   product is renewed when it is due, unless `auto_terminate` was sent with its last change. A test
//!   user's product is never due, and its long token is valid for 30 days.
//! - NewProduct and UpgradeProduct create tokens only if the caller may see them. Only TokenRefresh
//!   ends a token early; changing a password does not.
//! - If a call names no product, the newest active one is used. A CancelRequest replaces earlier ones.
//! - A call for an alias accepts the password of the alias or of its account, and the short token of
//!   the account.
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
