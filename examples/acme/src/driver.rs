//! Acme's description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{Acme, BASE_URL, ops};

const DOCS: &str = "https://acme.example/api";

/// Acme, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcmeDriver;

/// What Acme is.
pub static INFO: ProviderInfo = ProviderInfo::new("acme", "Acme", DOCS, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(ops::OPERATIONS);

/// What Acme can do.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[Ability::Accounts, Ability::ServerConfigs, Ability::WireGuard],
    &[
        (Ability::OpenVpn, "the servers speak WireGuard only", DOCS),
        (Ability::PortForwards, "the servers forward no ports", DOCS),
    ],
    ("the API has no call for this", DOCS),
);

const SETTINGS: &[Setting] = &[
    Setting::url("The API's base URL.").default(BASE_URL),
    Setting::secret("token", "token", "A token of the account."),
];

impl Driver for AcmeDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        let settings = settings.complete(SETTINGS)?;
        let acme = Acme::builder()
            .base_url(settings.text("url").unwrap_or_default())
            .settings(INFO.name, &settings, context, |all| all.get("token").cloned())
            .build()?;
        Ok(Arc::new(acme))
    }
}
