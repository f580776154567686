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
    ("the API has no such call", DOCS),
);

const SETTINGS: &[Setting] = &[
    Setting::url("Everything before the documented paths.").default(BASE_URL),
    Setting::secret("token", "token", "A token of the account."),
];

impl Driver for AcmeDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        settings.check(SETTINGS)?;
        let builder =
            Acme::builder().base_url(settings.text("url").unwrap_or(BASE_URL)).context(context);
        let acme = match settings.get("token") {
            Some(token) => builder.token(token.clone()),
            None => builder,
        }
        .build()?;
        Ok(Arc::new(acme))
    }
}
