//! Operations for callers that know them by name only.

use std::time::Duration;

use serde_json::Value;

use crate::{Error, Profile, ProviderName};
#[cfg(feature = "azire")]
use crate::{azire, open_azire};
#[cfg(feature = "vpngn")]
use crate::{open_vpngn, vpngn};
#[cfg(feature = "vpnscript")]
use crate::{open_vpnscript, vpnscript};

/// A provider's operations by their names, on one client.
///
/// Make one and keep it: its calls share connections, rate limits and the pause after a 429. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct AnyClient(ProviderClient);

#[derive(Clone, Debug)]
enum ProviderClient {
    #[cfg(feature = "azire")]
    Azire(azire::Azire),
    #[cfg(feature = "vpnscript")]
    VpnScript(vpnscript::VpnScript),
    #[cfg(feature = "vpngn")]
    Vpngn(vpngn::Vpngn),
}

impl AnyClient {
    /// Opens a provider. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`open`](crate::open).
    pub fn open(profile: &Profile) -> Result<Self, Error> {
        Ok(Self(match *profile {
            #[cfg(feature = "azire")]
            Profile::Azire { .. } => ProviderClient::Azire(open_azire(profile)?),
            #[cfg(feature = "vpnscript")]
            Profile::VpnScript { .. } => ProviderClient::VpnScript(open_vpnscript(profile)?),
            #[cfg(feature = "vpngn")]
            Profile::Vpngn { .. } => ProviderClient::Vpngn(open_vpngn(profile)?),
        }))
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> ProviderName {
        match self.0 {
            #[cfg(feature = "azire")]
            ProviderClient::Azire(_) => ProviderName::Azire,
            #[cfg(feature = "vpnscript")]
            ProviderClient::VpnScript(_) => ProviderName::VpnScript,
            #[cfg(feature = "vpngn")]
            ProviderClient::Vpngn(_) => ProviderName::Vpngn,
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
    pub async fn call(&self, operation: &str, input: Value, reveal: bool) -> Result<Value, Error> {
        match self.0 {
            #[cfg(feature = "azire")]
            ProviderClient::Azire(ref azire) => {
                azire::ops::call_by_name(azire.client(), operation, input, reveal).await
            }
            #[cfg(feature = "vpnscript")]
            ProviderClient::VpnScript(ref vpnscript) => {
                vpnscript::ops::call_by_name(vpnscript.client(), operation, input, reveal).await
            }
            #[cfg(feature = "vpngn")]
            ProviderClient::Vpngn(ref vpngn) => {
                vpngn::ops::call_by_name(vpngn.client(), operation, input, reveal).await
            }
        }
    }

    /// Returns how long a call would wait for its permit now; see
    /// [`Client::wait_for`](anyvpn_http::Client::wait_for). Zero for an unknown operation.
    #[must_use]
    pub fn wait_for(&self, operation: &str) -> Duration {
        let operations = self.provider().operations();
        let Some(entry) = operations.iter().find(|entry| entry.id.name() == operation) else {
            return Duration::ZERO;
        };
        match self.0 {
            #[cfg(feature = "azire")]
            ProviderClient::Azire(ref azire) => azire.client().wait_for(entry.id),
            #[cfg(feature = "vpnscript")]
            ProviderClient::VpnScript(ref vpnscript) => vpnscript.client().wait_for(entry.id),
            #[cfg(feature = "vpngn")]
            ProviderClient::Vpngn(ref vpngn) => vpngn.client().wait_for(entry.id),
        }
    }
}
