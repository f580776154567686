//! VPN Script's driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{VpnScript, ops};

const DOCS: &str = "https://docs.vpnscript.net/api-endpoints";

/// VPN Script, for a registry.
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
        (Ability::SignOut, "the API has no call that ends a token", DOCS),
        (Ability::SignUp, "the API reads accounts only", DOCS),
        (Ability::ChangePassword, "the API reads accounts only", DOCS),
        (Ability::CloseAccount, "the API reads accounts only", DOCS),
    ],
    ("the API has no such call", DOCS),
);

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
        Self::builder(settings.text("url").unwrap_or_default())
            .settings(INFO.name, settings, context, |all| all.get("token").cloned())
            .build()
    }
}
