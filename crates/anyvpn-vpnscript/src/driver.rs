//! VPN Script's driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{VpnScript, ops};

const DOCS: &str = "https://docs.vpnscript.net/api-endpoints";

/// The driver of VPN Script, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VpnScriptDriver;

/// The description of VPN Script.
pub static INFO: ProviderInfo = ProviderInfo::new("vpnscript", "VPN Script", DOCS, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(ops::OPERATIONS);

/// The capabilities of VPN Script.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::SignIn,
        Ability::Accounts,
        Ability::ServerConfigs,
        Ability::WireGuard,
        Ability::OpenVpn,
    ],
    &[
        (Ability::SignOut, "the API cannot revoke a token", DOCS),
        (Ability::SignUp, "the API can only read accounts", DOCS),
        (Ability::ChangePassword, "the API can only read accounts", DOCS),
        (Ability::CloseAccount, "the API can only read accounts", DOCS),
    ],
    ("the API has no call for this", DOCS),
);

const SETTINGS: &[Setting] = &[
    Setting::url("The URL of the provider's installation, without /api.").required(),
    Setting::secret("token", "token", "A token. Signing in creates one."),
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
    /// Opens an installation with the settings `url` and `token`. Without a token, only signing in
    /// works.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        settings.check(SETTINGS)?;
        Self::builder(settings.text("url").unwrap_or_default())
            .settings(INFO.name, settings, context, |all| all.get("token").cloned())
            .build()
    }
}
