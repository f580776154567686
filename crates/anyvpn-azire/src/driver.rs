//! AzireVPN's driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{Azire, BASE_URL, ops};

/// The driver of AzireVPN, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct AzireDriver;

/// The description of AzireVPN.
pub static INFO: ProviderInfo =
    ProviderInfo::new("azire", "AzireVPN", "https://www.azirevpn.com/docs/api", &CAPABILITIES)
        .settings(SETTINGS)
        .operations(ops::OPERATIONS);

/// The capabilities of AzireVPN.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::SignIn,
        Ability::SignOut,
        Ability::SignUp,
        Ability::Accounts,
        Ability::ChangePassword,
        Ability::CloseAccount,
        Ability::PortForwards,
        Ability::ListPortForwards,
        Ability::CheckPort,
        Ability::ServerConfigs,
        Ability::WireGuard,
    ],
    &[(
        Ability::OpenVpn,
        "the API supports only WireGuard",
        "https://www.azirevpn.com/docs/api/ips",
    )],
    (
        "the API is for the account of its user, not for resellers",
        "https://www.azirevpn.com/docs/api",
    ),
);

const SETTINGS: &[Setting] = &[
    Setting::url("The API's base URL.").default(BASE_URL),
    Setting::secret("token", "token", "The key of a token. Signing in creates one."),
];

impl Driver for AzireDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        Azire::open(settings, context).map(|azire| Arc::new(azire) as _)
    }
}

impl Azire {
    /// Opens AzireVPN with the settings `url` and `token`. Without a token, only operations that need
    /// none can be called.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        let settings = settings.complete(SETTINGS)?;
        Self::builder()
            .base_url(settings.text("url").unwrap_or_default())
            .settings(INFO.name, &settings, context, |all| all.get("token").cloned())
            .build()
    }
}
