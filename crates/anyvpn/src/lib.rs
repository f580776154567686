//! VPN providers behind one set of traits, chosen at run time.
//!
//! ```no_run
//! use anyvpn::{Ability, Registry, Settings};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Such as "azire"; the address and the token come from ANYVPN_AZIRE_URL and ANYVPN_AZIRE_TOKEN.
//!     let name = std::env::args().nth(1).unwrap_or_default();
//!     let registry = Registry::builtin();
//!     let info = registry.info(&name)?;
//!     let settings =
//!         Settings::from_environment(info.name, info.settings, |name| std::env::var(name).ok());
//!     let provider = registry.open(info.name, &settings)?;
//!     match provider.accounts() {
//!         Some(accounts) => println!("{}", accounts.account().await?.status),
//!         None => println!("{}", info.capabilities.of(Ability::Accounts)),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! An application that knows its provider at compile time needs only that provider's crate, where every
//! operation is a type. [`Provider::call_json`] calls any operation by its name, with JSON.
//!
//! # Guarantees
//!
//! - A provider's accessor returns `None` for an ability that it lacks, and its [`Capabilities`] say why.
//! - [`Registry::open`] sends nothing.
//! - A call that creates, closes or pays is never sent again once it may have arrived, and secrets appear in
//!   no log and no error: see `anyvpn-http`.
//! - A provider is compiled only if its feature is on.
//!
//! # Features
//!
//! All except `aws-lc` and `serde` are on by default. Features are additive.
//!
//! - `azire`, `natpmp`, `pia`, `vpngn`, `vpnscript`: one provider each.
//! - `ring`: TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider is
//!   used.
//! - `serde`: the neutral values, such as port forwards, can be serialized.

#![cfg_attr(docsrs, feature(doc_cfg))]
mod registry;

pub use anyvpn_core::*;
pub use anyvpn_http::{Bulk, MemoryStore, bulk};
pub use registry::Registry;

/// AzireVPN's own operations.
#[cfg(feature = "azire")]
pub use anyvpn_azire as azire;
/// NAT-PMP's own operations.
#[cfg(feature = "natpmp")]
pub use anyvpn_natpmp as natpmp;
/// PIA's own operations.
#[cfg(feature = "pia")]
pub use anyvpn_pia as pia;
/// VPNGN's own operations.
#[cfg(feature = "vpngn")]
pub use anyvpn_vpngn as vpngn;
/// VPN Script's own operations.
#[cfg(feature = "vpnscript")]
pub use anyvpn_vpnscript as vpnscript;

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide's examples, compiled and run.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../docs/library.md")]
    struct Library;
    #[doc = include_str!("../../../docs/recipes/reseller.md")]
    struct Reseller;
    #[doc = include_str!("../../../docs/recipes/testing.md")]
    struct Testing;
}
