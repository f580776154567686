//! VPN Script's description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Capabilities, Capability, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{VpnScript, ops};

const DOCS: &str = "https://docs.vpnscript.net/api-endpoints";

/// VPN Script, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VpnScriptDriver;

/// What VPN Script is.
pub static INFO: ProviderInfo = ProviderInfo::new("vpnscript", "VPN Script", DOCS, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(ops::OPERATIONS);

/// What VPN Script can do.
pub static CAPABILITIES: Capabilities = Capabilities {
    accounts: Capability::Can,
    account_admin: Capability::Cannot { why: "the API reads accounts only", link: DOCS },
    port_forwards: Capability::Cannot { why: "the API has none", link: DOCS },
    server_configs: Capability::Can,
    wireguard: Capability::Can,
    openvpn: Capability::Can,
};

const SETTINGS: &[Setting] = &[
    Setting::url("The provider's installation: everything before /api.").required(),
    Setting::secret("token", "token", "A token, as signing in makes it."),
];

impl Driver for VpnScriptDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        VpnScript::open(settings, context).map(|vpnscript| Arc::new(vpnscript) as _)
    }
}

impl VpnScript {
    /// An installation with the settings `url` and `token`; without a token, one can only sign in.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        settings.check(SETTINGS)?;
        let builder = Self::builder(settings.text("url").unwrap_or_default()).context(context);
        match settings.get("token") {
            Some(token) => builder.token(token.clone()),
            None => builder,
        }
        .build()
    }
}
