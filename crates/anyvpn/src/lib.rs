//! Many VPN providers behind one set of traits, chosen at run time.
//!
//! ```no_run
//! use anyvpn::{Profile, ProviderName};
//!
//! # async fn example(name: &str) -> Result<(), anyvpn::Error> {
//! let name: ProviderName = name.parse()?;
//! let provider = anyvpn::open(&Profile::from_environment(name, |var| std::env::var(var).ok()))?;
//! if let Some(accounts) = provider.accounts() {
//!     println!("{}", accounts.account().await?.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! Each provider is a feature (`azire`), and so is each crypto provider (`ring`, `aws-lc`); features
//! only add. An application that knows its provider at compile time depends on that provider's crate
//! alone.

use std::fmt;
use std::str::FromStr;

pub use anyvpn_core::*;
pub use anyvpn_http::{Entry, Field, FieldKind, Replay};
use serde_json::Value;

/// AzireVPN's own operations.
#[cfg(feature = "azire")]
pub use anyvpn_azire as azire;

/// The name of a provider that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderName {
    /// AzireVPN.
    #[cfg(feature = "azire")]
    Azire,
}

impl ProviderName {
    /// All providers that this build knows.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "azire")]
        Self::Azire,
    ];

    /// The short name, such as `azire`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => "azire",
        }
    }

    /// The name as the vendor writes it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => "AzireVPN",
        }
    }

    /// What the provider can do.
    #[must_use]
    pub fn capabilities(self) -> &'static Capabilities {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => &azire::CAPABILITIES,
        }
    }

    /// The provider's operations, for [`call_by_name`].
    #[must_use]
    pub fn operations(self) -> &'static [Entry] {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire => azire::ops::OPERATIONS,
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
}

impl Profile {
    /// The profile that `variable` describes, an environment such as `|name| std::env::var(name).ok()`.
    ///
    /// AzireVPN reads `ANYVPN_AZIRE_URL` and `ANYVPN_AZIRE_TOKEN`. An empty token counts as absent.
    /// An empty URL is kept, and [`open`] refuses it: a token meant for a sandbox must not reach the
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
        }
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> ProviderName {
        match self {
            #[cfg(feature = "azire")]
            Self::Azire { .. } => ProviderName::Azire,
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
    match profile {
        #[cfg(feature = "azire")]
        Profile::Azire { url, token } => Ok(Box::new(open_azire(url.as_deref(), token.clone())?)),
    }
}

/// Calls one of [`ProviderName::operations`] with a JSON object of its fields.
///
/// Secrets in the reply are `"[redacted]"` unless `reveal`.
///
/// # Errors
///
/// `InvalidRequest` for an unknown operation or an input that does not fit it; else as
/// [`Client::call`](anyvpn_http::Client::call).
pub async fn call_by_name(
    profile: &Profile,
    operation: &str,
    input: Value,
    reveal: bool,
) -> Result<Value, Error> {
    match profile {
        #[cfg(feature = "azire")]
        Profile::Azire { url, token } => {
            let azire = open_azire(url.as_deref(), token.clone())?;
            azire::ops::call_by_name(azire.client(), operation, input, reveal).await
        }
    }
}

#[cfg(feature = "azire")]
fn open_azire(url: Option<&str>, token: Option<Secret>) -> Result<azire::Azire, Error> {
    let mut builder = azire::Azire::builder();
    if let Some(url) = url {
        builder = builder.base_url(url);
    }
    if let Some(token) = token {
        builder = builder.token(token);
    }
    builder.build()
}

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
