//! Many VPN providers behind one set of traits, chosen at run time.
//!
//! ```no_run
//! use anyvpn::{Profile, ProviderName};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Such as "azire"; the address and the token come from ANYVPN_AZIRE_URL and ANYVPN_AZIRE_TOKEN.
//!     let name: ProviderName = std::env::args().nth(1).unwrap_or_default().parse()?;
//!     let profile = Profile::from_environment(name, |name| std::env::var(name).ok());
//!     let provider = anyvpn::open(&profile)?;
//!     match provider.accounts() {
//!         Some(accounts) => println!("{}", accounts.account().await?.status),
//!         None => println!("{}", provider.capabilities().accounts),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! An application that knows its provider at compile time depends on that provider's crate alone, and
//! has every operation as a type. [`AnyClient`] reaches any operation by its name and JSON.
//!
//! # Guarantees
//!
//! - What a provider cannot do is not there to call: its accessor gives `None`, and
//!   [`Capabilities`] say why.
//! - [`open`] sends nothing.
//! - A call that creates, closes or pays is never sent twice once it may have arrived; no log and no
//!   error shows a secret: see `anyvpn-http`.
//! - A provider that is not chosen as a feature is not compiled.
//!
//! # Features
//!
//! All but `aws-lc` are on by default; features only add.
//!
//! - `azire`, `vpngn`, `vpnscript`: one provider each.
//! - `ring`: TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs. Without either, the process's default crypto provider is
//!   used.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "azire", feature = "vpngn", feature = "vpnscript")),
    allow(
        unused_variables,
        unreachable_code,
        reason = "without a provider there is nothing to open or to call"
    )
)]

mod any_client;
mod registry;

use std::fmt;
use std::str::FromStr;

pub use any_client::AnyClient;
pub use anyvpn_core::*;
pub use anyvpn_http::{Bulk, FieldInfo, FieldKind, OperationInfo, Replay, bulk};
pub use registry::Registry;

/// AzireVPN's own operations.
#[cfg(feature = "azire")]
pub use anyvpn_azire as azire;
/// VPNGN's own operations.
#[cfg(feature = "vpngn")]
pub use anyvpn_vpngn as vpngn;
/// VPN Script's own operations.
#[cfg(feature = "vpnscript")]
pub use anyvpn_vpnscript as vpnscript;

/// The name of a provider that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderName {
    /// AzireVPN.
    #[cfg(feature = "azire")]
    Azire,
    /// VPN Script, at an installation of somebody's.
    #[cfg(feature = "vpnscript")]
    VpnScript,
    /// VPNGN.
    #[cfg(feature = "vpngn")]
    Vpngn,
}

impl ProviderName {
    /// All providers that this build knows.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "azire")]
        Self::Azire,
        #[cfg(feature = "vpnscript")]
        Self::VpnScript,
        #[cfg(feature = "vpngn")]
        Self::Vpngn,
    ];

    /// The short name, such as `azire`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => "azire",
            #[cfg(feature = "vpnscript")]
            Self::VpnScript => "vpnscript",
            #[cfg(feature = "vpngn")]
            Self::Vpngn => "vpngn",
        }
    }

    /// The name as the vendor writes it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => "AzireVPN",
            #[cfg(feature = "vpnscript")]
            Self::VpnScript => "VPN Script",
            #[cfg(feature = "vpngn")]
            Self::Vpngn => "VPNGN",
        }
    }

    /// What the provider can do.
    #[must_use]
    pub fn capabilities(self) -> &'static Capabilities {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => &azire::CAPABILITIES,
            #[cfg(feature = "vpnscript")]
            Self::VpnScript => &vpnscript::CAPABILITIES,
            #[cfg(feature = "vpngn")]
            Self::Vpngn => &vpngn::CAPABILITIES,
        }
    }

    /// The provider's operations, for [`AnyClient::call`].
    #[must_use]
    pub fn operations(self) -> &'static [OperationInfo] {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => azire::ops::OPERATIONS,
            #[cfg(feature = "vpnscript")]
            Self::VpnScript => vpnscript::ops::OPERATIONS,
            #[cfg(feature = "vpngn")]
            Self::Vpngn => vpngn::ops::OPERATIONS,
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProviderName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
            let known = known.join(", ");
            Error::invalid("provider", format!("{name:?} is not known; this build has {known}"))
        })
    }
}

/// Which provider, where, and as whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Profile {
    /// AzireVPN.
    #[cfg(feature = "azire")]
    Azire {
        /// Everything before the documented paths; absent: the vendor's address.
        url: Option<String>,
        /// A token's key; absent: only what needs none can be called.
        token: Option<Secret>,
    },
    /// VPN Script.
    #[cfg(feature = "vpnscript")]
    VpnScript {
        /// The installation: everything before `/api`.
        url: String,
        /// A token; absent: one can only sign in.
        token: Option<Secret>,
    },
    /// VPNGN.
    #[cfg(feature = "vpngn")]
    Vpngn {
        /// Everything before `/api`; absent: the brand's address.
        url: Option<String>,
        /// The reseller's brand, one DNS label; absent where there is a URL.
        brand: Option<String>,
        /// The reseller's API key, and the proof of who is calling.
        access: Option<vpngn::Access>,
        /// Whom the neutral traits are about; absent: only VPNGN's own operations can be called.
        email: Option<String>,
    },
}

impl Profile {
    /// The profile that `variable` describes, an environment such as `|name| std::env::var(name).ok()`.
    ///
    /// AzireVPN reads `ANYVPN_AZIRE_URL` and `ANYVPN_AZIRE_TOKEN`; VPN Script reads
    /// `ANYVPN_VPNSCRIPT_URL` and `ANYVPN_VPNSCRIPT_TOKEN`; VPNGN reads `ANYVPN_VPNGN_URL` or
    /// `ANYVPN_VPNGN_BRAND`, `ANYVPN_VPNGN_API_KEY`, and as proof the first that is there of
    /// `ANYVPN_VPNGN_SECRET_KEY`, `ANYVPN_VPNGN_SHORT_TOKEN`, `ANYVPN_VPNGN_PASSWORD` and
    /// `ANYVPN_VPNGN_LONG_TOKEN`.
    ///
    /// An empty secret counts as absent. An empty URL is kept, and [`open`] refuses it: a token meant for a sandbox must not reach the
    /// vendor because a variable came out empty.
    pub fn from_environment(
        provider: ProviderName,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let secret = |name: &str| variable(name).filter(|it| !it.is_empty()).map(Secret::from);
        match provider {
            #[cfg(feature = "azire")]
            ProviderName::Azire => Self::Azire {
                url: variable("ANYVPN_AZIRE_URL"),
                token: secret("ANYVPN_AZIRE_TOKEN"),
            },
            #[cfg(feature = "vpnscript")]
            ProviderName::VpnScript => Self::VpnScript {
                url: variable("ANYVPN_VPNSCRIPT_URL").unwrap_or_default(),
                token: secret("ANYVPN_VPNSCRIPT_TOKEN"),
            },
            #[cfg(feature = "vpngn")]
            ProviderName::Vpngn => {
                let proof = |name: &str, make: fn(Secret) -> vpngn::Proof| secret(name).map(make);
                let proof = proof("ANYVPN_VPNGN_SECRET_KEY", vpngn::Proof::SecretKey)
                    .or_else(|| proof("ANYVPN_VPNGN_SHORT_TOKEN", vpngn::Proof::ShortToken))
                    .or_else(|| proof("ANYVPN_VPNGN_PASSWORD", vpngn::Proof::Password))
                    .or_else(|| proof("ANYVPN_VPNGN_LONG_TOKEN", vpngn::Proof::LongToken))
                    .unwrap_or(vpngn::Proof::None);
                Self::Vpngn {
                    url: variable("ANYVPN_VPNGN_URL"),
                    brand: variable("ANYVPN_VPNGN_BRAND"),
                    access: secret("ANYVPN_VPNGN_API_KEY")
                        .map(|key| vpngn::Access::new(key, proof)),
                    email: None,
                }
            }
        }
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> ProviderName {
        match *self {
            #[cfg(feature = "azire")]
            Self::Azire { .. } => ProviderName::Azire,
            #[cfg(feature = "vpnscript")]
            Self::VpnScript { .. } => ProviderName::VpnScript,
            #[cfg(feature = "vpngn")]
            Self::Vpngn { .. } => ProviderName::Vpngn,
        }
    }
}

/// Opens a provider. Nothing is sent.
///
/// # Errors
///
/// `InvalidRequest` for a URL that is not acceptable: see
/// [`ClientBuilder::build`](anyvpn_http::ClientBuilder::build).
pub fn open(profile: &Profile) -> Result<Box<dyn Provider>, Error> {
    match *profile {
        #[cfg(feature = "azire")]
        Profile::Azire { .. } => Ok(Box::new(open_azire(profile)?)),
        #[cfg(feature = "vpnscript")]
        Profile::VpnScript { .. } => Ok(Box::new(open_vpnscript(profile)?)),
        #[cfg(feature = "vpngn")]
        Profile::Vpngn { .. } => Ok(Box::new(open_vpngn(profile)?)),
    }
}

/// AzireVPN as the profile says; also for [`azire::Azire`]'s own abilities, such as signing in.
///
/// # Errors
///
/// As [`open`]; `InvalidRequest` for another provider's profile.
#[cfg(feature = "azire")]
pub fn open_azire(profile: &Profile) -> Result<azire::Azire, Error> {
    #[allow(irrefutable_let_patterns, reason = "with this feature alone there is no other")]
    let Profile::Azire { url, token } = profile else {
        return Err(Error::invalid("provider", "this is not AzireVPN's profile"));
    };
    let mut builder = azire::Azire::builder();
    if let Some(url) = url {
        builder = builder.base_url(url);
    }
    if let Some(token) = token {
        builder = builder.token(token.clone());
    }
    builder.build()
}

/// VPN Script as the profile says; also for [`vpnscript::VpnScript`]'s own abilities, such as
/// signing in.
///
/// # Errors
///
/// As [`open`]; `InvalidRequest` for another provider's profile.
#[cfg(feature = "vpnscript")]
pub fn open_vpnscript(profile: &Profile) -> Result<vpnscript::VpnScript, Error> {
    #[allow(irrefutable_let_patterns, reason = "with this feature alone there is no other")]
    let Profile::VpnScript { url, token } = profile else {
        return Err(Error::invalid("provider", "this is not VPN Script's profile"));
    };
    let builder = vpnscript::VpnScript::builder(url);
    match token {
        Some(token) => builder.token(token.clone()),
        None => builder,
    }
    .build()
}

/// VPNGN as the profile says; also for [`vpngn::Vpngn`]'s own abilities, such as `ensure_client`.
///
/// # Errors
///
/// As [`open`]; `InvalidRequest` when there is neither URL nor brand, or another provider's profile.
#[cfg(feature = "vpngn")]
pub fn open_vpngn(profile: &Profile) -> Result<vpngn::Vpngn, Error> {
    #[allow(irrefutable_let_patterns, reason = "with this feature alone there is no other")]
    let Profile::Vpngn { url, brand, access, email } = profile else {
        return Err(Error::invalid("provider", "this is not VPNGN's profile"));
    };
    let builder = match (url, brand) {
        (Some(url), _) => vpngn::Vpngn::builder(url),
        (None, Some(brand)) => vpngn::Vpngn::brand(brand)?,
        (None, None) => return Err(Error::invalid("brand", "VPNGN needs a brand or a URL")),
    };
    let vpngn = match access {
        Some(access) => builder.credential(access.clone()),
        None => builder,
    }
    .build()?;
    Ok(match email {
        Some(email) => vpngn.for_customer(email),
        None => vpngn,
    })
}

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
