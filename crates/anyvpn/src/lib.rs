//! Several VPN providers with one set of traits, selected at run time.
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
//! operation is a type. [`Provider::call_json`] calls any operation by name, with JSON.
//!
//! # Guarantees
//!
//! - A provider's accessor returns `None` for an ability that it lacks, and its [`Capabilities`] say why.
//! - [`Registry::open`] sends nothing.
//! - A call that creates, closes or pays is never sent again once it may have arrived, and secrets appear in
//!   no log and no error: see `anyvpn-http`.
//! - A provider is compiled only if its feature is enabled.
//!
//! # Features
//!
//! All except `aws-lc` and `serde` are on by default. Features are additive.
//!
//! - One for each provider, by its name, such as `azire`.
//! - `ring`: TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider is
//!   used.
//! - `serde`: the neutral values, such as port forwards, can be serialized.

#![cfg_attr(docsrs, feature(doc_cfg))]
mod registry;

pub use anyvpn_core::*;
pub use anyvpn_http::{Bulk, MemoryStore, bulk};
pub use registry::Registry;

/// Exports the crate of each built-in provider whose feature is enabled, and adds its driver to the
/// registry.
macro_rules! builtin {
    ($($feature:literal: $crate_name:ident as $name:ident, $driver:ident;)+) => {
        $(
            #[doc = concat!("The crate `", stringify!($crate_name), "`, with the provider's own operations.")]
            #[cfg(feature = $feature)]
            pub use $crate_name as $name;
        )+

        fn drivers() -> Vec<std::sync::Arc<dyn Driver>> {
            vec![$(
                #[cfg(feature = $feature)]
                std::sync::Arc::new($crate_name::$driver),
            )+]
        }
    };
}

// All lists of providers have this order.
builtin! {
    "azire": anyvpn_azire as azire, AzireDriver;
    "vpnscript": anyvpn_vpnscript as vpnscript, VpnScriptDriver;
    "vpngn": anyvpn_vpngn as vpngn, VpngnDriver;
    "natpmp": anyvpn_natpmp as natpmp, NatPmpDriver;
    "pia": anyvpn_pia as pia, PiaDriver;
    "vpnresellers": anyvpn_vpnresellers as vpnresellers, VpnResellersDriver;
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Compiles and runs the guide's examples.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../docs/library.md")]
    struct Library;
    #[doc = include_str!("../../../docs/recipes/testing.md")]
    struct Testing;
}
